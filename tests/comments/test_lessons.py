"""What Akismet is taught, when, and of which comments nobody tells it any more."""

import logging
from datetime import timedelta
from threading import Event
from urllib.parse import parse_qs

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from comments import decisions, housekeeping, lessons, posting, privacy
from comments.models import Comment, Report
from comments.moderation import Submission
from tests.comments.stand_ins import hangs, http, sends
from tests.factories import make_article, make_comment, make_editor, set_discussion

pytestmark = pytest.mark.django_db

THANKS = sends(http(b"Thanks for making the web a better place."))


@pytest.fixture(autouse=True)
def listening(akismet):
    akismet.answer = THANKS


def made(said_spam: bool | None, **fields) -> Comment:
    """Make a comment of which Akismet said so, on its arrival."""
    status = "spam" if said_spam else "approved"
    comment = make_comment(**{"status": status, "email": "ada@example.com", **fields})
    comment.changes.create(actor="commenter", to_status=comment.status)
    Comment.objects.filter(pk=comment.pk).update(akismet_says_spam=said_spam)
    comment.refresh_from_db()
    return comment


def decided(comment: Comment, kind: str, days: float = 2):
    with time_machine.travel(timezone.now() - timedelta(days=days), tick=False):
        outcome = getattr(comment, kind)(make_editor())
    comment.refresh_from_db()
    return outcome.decision


def taught() -> int:
    return sum(lessons.teach())


def told(akismet) -> list:
    """Return what Akismet was told, in any order: it is told several at a time."""
    lines = [line.split()[1].removeprefix("/1.1/") for line, _headers, _body in akismet.requests]
    texts = [parse_qs(body.decode())["comment_content"][0] for _line, _headers, body in akismet.requests]
    return sorted(zip(lines, texts, strict=True))


@pytest.mark.parametrize(
    ("said_spam", "kind", "lesson"),
    [(True, "approve", "submit-ham"), (False, "mark_as_spam", "submit-spam")],
)
def test_akismet_is_told_once_what_it_got_wrong(akismet, said_spam, kind, lesson):
    comment = made(said_spam, body="Look here.")
    decided(comment, kind)

    assert [taught(), taught()] == [1, 0]
    comment.refresh_from_db()
    assert (told(akismet), comment.akismet_says_spam) == ([(lesson, "Look here.")], not said_spam)


def test_a_lesson_tells_what_the_question_told(akismet):
    set_discussion(holds_first_comments=False, flood_seconds=0)
    akismet.answer = sends(http(b"true"))
    comment = posting.post(
        Submission(
            Comment(
                article=make_article(),
                name="Ada",
                email="ada@example.com",
                website="https://ada.example",
                body="Schön & gut",
                ip_address="192.0.2.1",
                user_agent="Browser",
            )
        )
    )
    akismet.answer = THANKS
    comment.approve(make_editor())

    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert taught() == 1

    (asked, *_), (taught_line, _headers, body) = akismet.requests
    assert (asked, taught_line) == ("POST /1.1/comment-check HTTP/1.1", "POST /1.1/submit-ham HTTP/1.1")
    assert body == akismet.requests[0][2]


def test_what_can_still_be_undone_is_not_told(akismet):
    decided(comment := made(True), "approve", days=0.9)

    assert (taught(), akismet.requests) == (0, [])
    with time_machine.travel(timezone.now() + timedelta(days=0.2)):
        assert taught() == 1
    assert told(akismet) == [("submit-ham", comment.body)]


def test_what_was_undone_is_not_told(akismet):
    decision = decided(made(False), "mark_as_spam", days=2)
    with time_machine.travel(timezone.now() - timedelta(days=1.5), tick=False):
        decisions.undo(decision, make_editor(username="other"))

    assert (taught(), akismet.requests) == (0, [])


def test_who_changes_their_mind_later_teaches_the_opposite(akismet):
    comment = made(False, body="Look here.")
    decided(comment, "mark_as_spam", days=4)
    assert taught() == 1
    with time_machine.travel(timezone.now() - timedelta(days=2), tick=False):
        comment.approve(make_editor(username="other"))

    assert taught() == 1
    assert told(akismet) == [("submit-ham", "Look here."), ("submit-spam", "Look here.")]


def test_only_what_moderators_have_decided_against_akismet_is_told(akismet):
    editor = make_editor()
    ago = timezone.now() - timedelta(days=2)
    with time_machine.travel(ago, tick=False):
        made(True).mark_as_spam(editor)  # as it said
        made(False, status="held").approve(editor)
        made(None).mark_as_spam(editor)  # it was not asked
        made(True).trash(editor)  # says nothing of spam
        made(False).hold(editor)
        reported = made(False)
        Report.objects.create(comment=reported, reason="spam", sender="x")
        reported.hold_as_reported()
        made(False, status="spam")  # by a rule of ours
        edited = made(False, status="spam")
        decisions.edit(edited, editor, body="Other words.")
        withdrawn = made(True, status="held")
        withdrawn.approve(editor)
        # What the commenter has done since counts more.
        Comment.objects.filter(pk=withdrawn.pk).update(created_at=timezone.now())
        posting.withdraw(withdrawn)

    assert (taught(), akismet.requests) == (0, [])


def test_nothing_is_told_of_what_was_erased(akismet):
    decided(comment := made(True), "approve")

    privacy.erase(comment.email, keep_texts=True)

    assert (taught(), akismet.requests) == (0, [])


def test_without_a_key_nothing_is_told(akismet, settings):
    decided(made(True), "approve")
    settings.AKISMET_API_KEY = ""

    assert (taught(), akismet.requests) == (0, [])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (sends(http(b"invalid")), "the key is not valid"),
        (sends(http(b"Look here.")), "ProtocolError"),
        (sends(http(b"", "500 Oops")), "status 500"),
        (hangs, "too late"),
    ],
    ids=["a wrong key", "nonsense", "a failure", "hangs"],
)
def test_what_akismet_does_not_take_is_told_again_and_given_up_after_a_week(
    akismet, caplog, monkeypatch, answer, reason
):
    monkeypatch.setattr("comments.opinions.SECONDS", 1)
    decided(made(True, body="Look here."), "approve")
    akismet.answer = answer

    assert taught() == 0
    assert caplog.record_tuples == [
        ("comments.opinions", logging.WARNING, f"Decisions not told to Akismet: 1: {reason}")
    ]
    akismet.answer = THANKS
    with time_machine.travel(timezone.now() + timedelta(days=6.5)):
        assert taught() == 0
    assert taught() == 1


@pytest.mark.django_db(transaction=True)
def test_what_its_author_changes_meanwhile_is_as_akismet_says_then(akismet):
    decided(comment := made(True), "approve")

    def answers(out, over):
        Comment.objects.filter(pk=comment.pk).update(akismet_says_spam=None)
        connection.close()
        THANKS(out, over)

    akismet.answer = answers
    assert taught() == 1
    comment.refresh_from_db()
    assert comment.akismet_says_spam is None


def test_many_are_told_some_at_a_time_with_as_many_queries_as_one(akismet, monkeypatch):
    counts = []
    for number in (1, 3):
        for _comment in range(number):
            decided(made(True), "approve")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert taught() == number
        counts.append(len(queries))
    assert counts[0] == counts[1]

    monkeypatch.setattr(lessons, "BATCH", 2)
    for number in range(5):
        decided(made(False, body=f"Spam {number}"), "mark_as_spam")
    assert list(lessons.teach()) == [2, 2, 1]


def test_those_that_akismet_never_takes_keep_no_others_from_it(akismet, monkeypatch):
    # One at a time, so that the last request is the one to answer.
    monkeypatch.setattr(lessons, "BATCH", 1)
    decided(made(False, body="Old spam"), "mark_as_spam", days=3)
    for number in range(2):
        decided(made(True, body=f"Good {number}"), "approve")

    def takes_spam_alone(out, over):
        line, _headers, _body = akismet.requests[-1]
        answer = THANKS if "submit-spam" in line else sends(http(b"", "500 Oops"))
        answer(out, over)

    akismet.answer = takes_spam_alone

    assert taught() == 1
    assert [line for line, _text in told(akismet)] == ["submit-ham"] * 2 + ["submit-spam"]


def test_akismet_that_is_away_does_not_keep_the_house_waiting(akismet, monkeypatch):
    monkeypatch.setattr(lessons, "BATCH", 1)
    for _comment in range(lessons.TRIED_IN_VAIN + 1):
        decided(made(True), "approve")
    akismet.answer = sends(http(b"", "500 Oops"))

    assert taught() == 0
    assert len(akismet.requests) == lessons.TRIED_IN_VAIN


def test_the_daily_housekeeping_tells_it_before_the_spam_is_gone(akismet):
    set_discussion(spam_days=1)
    with time_machine.travel(timezone.now() - timedelta(days=3), tick=False):
        comment = made(False)
    decided(comment, "mark_as_spam")

    done, _is_over = housekeeping.run(Event())

    assert (done["decisions told to Akismet"], done["comments deleted from spam"]) == (1, 1)
    assert told(akismet) == [("submit-spam", comment.body)]


@pytest.mark.parametrize(("answer", "says_spam"), [(b"true", True), (b"false", False), (b"?", None)])
def test_what_akismet_says_of_a_comment_and_of_its_new_text_is_kept(akismet, answer, says_spam):
    set_discussion(holds_first_comments=False, flood_seconds=0)
    akismet.answer = sends(http(b"false"))
    comment = posting.post(Submission(Comment(article=make_article(), name="Ada", body="One")))
    assert Comment.objects.get().akismet_says_spam is False

    akismet.answer = sends(http(answer))
    posting.edit(comment, "Two")

    assert Comment.objects.get().akismet_says_spam is says_spam


def test_of_a_text_that_akismet_was_not_asked_about_it_has_said_nothing(akismet, settings):
    akismet.answer = sends(http(b"false"))
    comment = posting.post(Submission(Comment(article=make_article(), name="Ada", body="One")))
    settings.AKISMET_API_KEY = ""
    posting.edit(comment, "Two")

    assert Comment.objects.get().akismet_says_spam is None
