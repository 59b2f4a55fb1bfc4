import copy
from datetime import timedelta

import pytest
from django.db import connection

from comments import backtest, posting
from comments.discussion import DiscussionSettings
from comments.models import Change, Comment, Firing, Rule, Standing
from comments.moderation import RULES, Submission, decide
from tests.comments.test_queue import plans_of
from tests.factories import (
    make_article,
    make_author,
    make_comment,
    make_editor,
    make_report,
    make_user,
    set_discussion,
)
from tests.givens import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture(autouse=True)
def lenient():
    """Settings that hold nothing."""
    return set_discussion(
        holds_first_comments=False, links_that_hold=0, seconds_to_write=0, reports_that_hold=0
    )


def trial(**tried) -> backtest.Trial:
    settings = copy.copy(DiscussionSettings.load())
    for name, value in tried.items():
        setattr(settings, name, value)
    return backtest.attempt(settings, DiscussionSettings.load())


def held(outcome: backtest.Outcome) -> list[tuple]:
    return [(f.comment, f.status, f.ruling.because, f.detail) for f in outcome.held]


def passed(outcome: backtest.Outcome) -> list[tuple]:
    return [(f.comment, f.rule, f.detail) for f in outcome.passed]


def make_spam(**fields) -> Comment:
    """A comment that a moderator has marked as spam."""
    comment = make_comment(**fields)
    comment.mark_as_spam(by=make_editor())
    comment.refresh_from_db()
    return comment


def fire(comment: Comment, rule: Rule, detail: str = "", verdict: str = "held") -> None:
    Firing.objects.create(comment=comment, rule=rule, detail=detail, verdict=verdict)


# --- What a moderator thinks of a comment ---


ARRIVED = ("commenter", "", "approved")
EDITED = ("commenter", "approved", "held")
REPORTED = ("readers", "approved", "held")


@pytest.mark.parametrize(
    ("history", "status", "opinion"),
    [
        ([], "approved", True),
        ([ARRIVED], "approved", True),
        ([("commenter", "", "held"), ("moderator", "held", "approved")], "approved", True),
        ([("moderator", "held", "approved"), REPORTED], "held", True),
        ([("moderator", "held", "approved"), EDITED], "held", True),
        ([("moderator", "approved", "spam"), ("moderator", "spam", "approved"), REPORTED], "held", True),
        ([ARRIVED, REPORTED], "held", None),
        ([("commenter", "", "held")], "held", None),
        ([("moderator", "held", "approved"), ("moderator", "approved", "held")], "held", None),
        ([("commenter", "", "spam")], "spam", None),
        ([ARRIVED, ("moderator", "approved", "spam")], "spam", False),
        ([("moderator", "spam", "approved"), ("moderator", "approved", "spam")], "spam", False),
        ([ARRIVED, ("moderator", "approved", "trash")], "trash", None),
        ([("moderator", "held", "spam"), ("moderator", "spam", "trash")], "trash", None),
        ([("moderator", "held", "spam"), ("moderator", "spam", "held")], "held", None),
    ],
)
def test_good_is_what_is_public_or_was_approved_last_and_spam_is_what_a_moderator_calls_so(
    history, status, opinion
):
    changes = [Change(actor=actor, from_status=old, to_status=new) for actor, old, new in history]

    assert backtest.was_approved(Comment(status=status), changes) is opinion


def test_what_nobody_has_decided_on_counts_for_neither():
    for status in ("held", "spam", "trash"):
        make_comment(status=status)

    result = trial(holds_everything=True)

    assert (result.comments, result.approved, result.spam) == (3, 0, 0)
    assert (held(result.tried), passed(result.tried)) == ([], [])


def test_what_is_withdrawn_or_erased_is_not_looked_at():
    make_comment(status="withdrawn")
    make_comment(erased_at=NOON)

    assert trial(holds_everything=True).comments == 0


# --- Each setting ---


def test_holding_everything_holds_what_was_approved_and_lets_no_spam_pass():
    comment, spam = make_comment(), make_spam()

    result = trial(holds_everything=True)

    assert held(result.tried) == [(comment, "Held", "everything", "")]
    assert (held(result.in_force), passed(result.in_force)) == ([], [(spam, "Nothing held it", "")])
    assert passed(result.tried) == []


def test_first_comments_are_those_without_an_approved_one_before_them():
    person = {"name": "Ada", "email": "ada@example.com"}
    first = make_comment(**person, created_at=NOON - timedelta(hours=3))
    make_comment(**person, created_at=NOON - timedelta(hours=2))
    other_name = make_comment(name="Ada B.", email="ada@example.com", created_at=NOON - timedelta(hours=1))

    result = trial(holds_first_comments=True)

    assert [finding.comment for finding in result.tried.held] == [other_name, first]


def test_a_later_comment_and_one_that_is_not_approved_make_nobody_known_before():
    person = {"name": "Ada", "email": "ada@example.com"}
    make_comment(**person, status="held", created_at=NOON - timedelta(hours=3))
    comment = make_comment(**person, created_at=NOON - timedelta(hours=2))
    make_comment(**person, created_at=NOON - timedelta(hours=1))

    assert [f.comment for f in trial(holds_first_comments=True).tried.held] == [comment]


def test_a_visitor_is_not_known_by_what_an_account_wrote():
    person = {"name": "Ada", "email": "ada@example.com"}
    make_comment(**person, user=make_user(is_staff=True), created_at=NOON - timedelta(hours=2))
    visitor = make_comment(**person)

    assert [f.comment for f in trial(holds_first_comments=True).tried.held] == [visitor]


def test_an_account_is_known_by_itself_and_by_no_address():
    user = make_user(email="ada@example.com")
    person = {"name": "Ada", "email": "ada@example.com"}
    make_comment(**person, user=user, created_at=NOON - timedelta(hours=3))
    make_comment(user=user, name="Other", created_at=NOON - timedelta(hours=2))
    stranger = make_comment(name="Eve", email="eve@example.com", user=make_user())

    found = [f.comment for f in trial(holds_first_comments=True).tried.held]

    assert found == [stranger, Comment.objects.order_by("created_at").first()]


@pytest.mark.parametrize(("enough", "found"), [(3, []), (2, ["2"]), (1, ["2"]), (0, [])])
def test_links_are_counted(enough, found):
    make_comment(body="https://a.example https://b.example")

    assert [f.detail for f in trial(links_that_hold=enough).tried.held] == found


def test_words_hold_or_trash():
    comment = make_comment(body="Play bingo", name="Ada")

    assert held(trial(words_that_hold="bingo").tried) == [(comment, "Held", "words", "bingo")]
    assert held(trial(words_that_trash="Ada").tried) == [(comment, "Trash", "trash-words", "Ada")]
    assert held(trial(words_that_hold="bing").tried) == []


def test_seconds_are_known_of_what_was_held_for_them():
    quick, slow = make_comment(), make_comment()
    fire(quick, Rule.TOO_FAST, "1.5")

    assert held(trial(seconds_to_write=2).tried) == [(quick, "Held", "too-fast", "1.5")]
    assert held(trial(seconds_to_write=1).tried) == []
    assert slow.firings.count() == 0


def test_allowed_addresses_pass_and_refused_ones_do_not():
    ada = {"name": "Ada", "email": "ada@good.example"}
    first = make_comment(**ada, created_at=NOON - timedelta(hours=1))
    comment = make_comment(**ada, ip_address="192.0.2.7")
    spam = make_spam(email="bo@bad.example", ip_address="198.51.100.7")
    set_discussion(holds_everything=True)

    allowed = trial(allowed_addresses="@good.example\n198.51.100.0/24")
    refused = trial(refused_addresses="192.0.2.0/24", holds_everything=False)

    assert (held(allowed.tried), passed(allowed.tried)) == (
        [(first, "Held", "everything", "")],
        [(spam, "From an allowed address", "198.51.100.0/24")],
    )
    assert held(refused.tried) == [(comment, "Spam", "refused", "192.0.2.0/24")]


def test_reports_count_as_they_stood_before_a_moderator_answered_them():
    comment = make_comment(created_at=NOON - timedelta(hours=9))
    for hour, sender in ((8, "a"), (7, "b"), (7, "b"), (5, "c"), (4, "d"), (3, "e")):
        make_report(comment=comment, sender=sender, created_at=NOON - timedelta(hours=hour))
    Change.objects.create(
        comment=comment, from_status="held", to_status="approved", at=NOON - timedelta(hours=6)
    )
    edit = {"from_status": "approved", "to_status": "approved", "actor": "commenter"}
    Change.objects.create(comment=comment, at=NOON - timedelta(hours=4, minutes=30), **edit)

    assert held(trial(reports_that_hold=3).tried) == [(comment, "Held", "reported", "3")]
    assert held(trial(reports_that_hold=4).tried) == []
    assert held(trial(reports_that_hold=0).tried) == []


def test_the_story_may_hold_everything_by_itself():
    comment = make_comment(article=make_article(discussion="hold"))

    assert held(trial().in_force) == [(comment, "Held", "everything", "")]


def test_traps_and_answers_from_elsewhere_are_as_they_were_kept():
    trapped, filled, judged, objected = (make_comment() for _number in range(4))
    fire(trapped, Rule.TRAP, verdict="spam")
    fire(filled, Rule.TRAP, verdict="held")
    fire(judged, Rule.AKISMET, "sure", verdict="spam")
    fire(objected, Rule.WEBHOOK, "insult", verdict="held")

    assert {(f.comment, f.status, f.rule, f.detail) for f in trial().tried.held} == {
        (trapped, "Spam", Rule.TRAP.label, ""),
        (filled, "Held", Rule.TRAP.label, ""),
        (judged, "Spam", Rule.AKISMET.label, "sure"),
        (objected, "Held", Rule.WEBHOOK.label, "insult"),
    }


# --- All together, and each by itself ---


def test_each_setting_is_tried_by_itself_beside_those_in_force():
    make_comment(body="https://a.example")
    make_comment(body="bingo")
    make_comment(body="https://a.example bingo")

    result = trial(links_that_hold=1, words_that_hold="bingo")

    assert {name: len(outcome.held) for name, outcome in result.alone.items()} == {
        "holds_everything": 0,
        "holds_first_comments": 0,
        "links_that_hold": 2,
        "words_that_hold": 2,
        "words_that_trash": 0,
        "seconds_to_write": 0,
        "allowed_addresses": 0,
        "refused_addresses": 0,
        "reports_that_hold": 0,
    }
    assert (len(result.tried.held), len(result.in_force.held)) == (3, 0)
    assert (result.tried.held_by(Rule.WORDS), result.tried.held_by(Rule.LINKS)) == (2, 1)
    assert result.changed == {"links_that_hold", "words_that_hold"}


def test_what_is_other_than_now_stands_first_and_newer_before_older():
    set_discussion(links_that_hold=2)
    bodies = ["plain", "https://a.example", "https://a.example https://b.example", "https://c.example"]
    for age, body in enumerate(bodies):
        make_comment(body=body, created_at=NOON - timedelta(hours=age))

    found = trial(links_that_hold=1).tried.held

    assert [(f.comment.body, f.is_as_now) for f in found] == [
        ("https://a.example", False),
        ("https://c.example", False),
        ("https://a.example https://b.example", True),
    ]


def test_only_so_many_are_looked_at(monkeypatch):
    monkeypatch.setattr(backtest, "LOOKED_AT", 3)
    comments = [make_comment(created_at=NOON - timedelta(hours=age)) for age in range(4)]
    make_spam(created_at=NOON - timedelta(days=1))

    outcome = trial(holds_everything=True).tried

    assert [f.comment for f in outcome.held] == comments[:3]
    assert outcome.passed == []


def test_trying_writes_nothing(django_assert_num_queries):
    set_discussion(holds_first_comments=True)
    make_spam()
    before = list(Comment.objects.values()), list(DiscussionSettings.objects.values())

    trial(holds_everything=True, words_that_trash="comment")

    assert (list(Comment.objects.values()), list(DiscussionSettings.objects.values())) == before
    assert Firing.objects.count() == 0


# --- The same code as for new comments ---


def everything_of_kind() -> list[dict]:
    """People of all kinds, each of whom some rule knows."""
    boss = make_user(username="boss", email="boss@newsroom.example", first_name="The", last_name="Boss")
    make_author(name="The Byline", user=boss)
    ida = make_user(username="ida")
    own_story = make_article(authors=[make_author(name="Ida", user=ida)])
    for standing, kind, value in (
        ("banned", "email", "@banned.example"),
        ("banned", "address", "203.0.113.0/24"),
        ("banned", "name", "spammer"),
        ("banned", "website", "pills.example"),
        ("trusted", "person", "Tess <tess@example.com>"),
        ("trusted", "account", "trusty"),
        ("trusted", "person", "boss <t@example.com>"),
    ):
        Standing.objects.create(standing=standing, kind=kind, value=value)
    Standing.objects.create(
        standing="banned", kind="name", value="paroled", ends_at=NOON - timedelta(seconds=1)
    )
    return [
        {"user": make_user(is_staff=True), "body": "https://a.example " * 3},
        {"user": ida, "article": own_story, "body": "bingo"},
        {"user": make_user(), "body": "bingo"},
        {"user": make_user(), "name": "The Boss"},
        {"user": boss, "name": "The Byline", "email": boss.email},
        {"user": make_user(username="trusty"), "body": "bingo"},
        {"email": "x@banned.example"},
        {"ip_address": "203.0.113.9"},
        {"name": "Spammer"},
        {"name": "Paroled"},
        {"website": "https://www.pills.example/now"},
        {"name": "Tess", "email": "tess@example.com", "body": "bingo"},
        {"name": "boss", "email": "t@example.com"},
        {"email": "BOSS@newsroom.example"},
        {"name": "the boss"},
        {"name": "THE BYLINE"},
        {"email": "", "name": "Anonymous"},
        {"email": "ada@good.example", "body": "https://a.example " * 3},
        {"email": "ada@refused.example"},
        {"ip_address": "2001:db8::1", "body": "Well said."},
        {"article": make_article(discussion="hold")},
        {"body": "gone"},
        {"body": "Plain and kind words."},
    ]


STRICT = {
    "holds_first_comments": True,
    "links_that_hold": 2,
    "words_that_hold": "bingo",
    "words_that_trash": "gone",
    "allowed_addresses": "@good.example\n2001:db8::/64",
    "refused_addresses": "@refused.example",
    "reports_that_hold": 1,
}


@pytest.mark.parametrize("changes", [{}, STRICT, {**STRICT, "holds_everything": True}])
def test_what_is_read_for_all_at_once_is_what_is_read_for_one(changes):
    """So the ruling on each is the one that a new comment would get."""
    kinds = everything_of_kind()
    comments = [make_comment(**{"body": "Well said.", **kind}) for kind in kinds]
    make_report(comment=comments[-1])
    settings = set_discussion(**changes)

    cases = list(backtest.cases_of(list(backtest.newest()), settings))

    found = {case.submission.comment.pk: decide(case.submission) for case in cases}
    expected = {}
    for comment in comments:
        submission = Submission(Comment.objects.get(pk=comment.pk), settings)
        # Nobody has a second comment here: none is known by another.
        expected[comment.pk] = decide(submission)
    assert found == expected


def test_a_new_comment_gets_the_ruling_that_the_trial_tells(clock):
    """First it is posted with settings that hold nothing, and again when the settings are saved."""
    article = make_article()
    sent = {"name": "Ada", "email": "ada@example.com", "body": "https://a.example bingo"}
    posting.post(Submission(Comment(article=article, **sent)))
    changes = {"links_that_hold": 1, "words_that_hold": "bingo"}

    told = trial(**changes).tried.held[0].ruling
    set_discussion(**changes)
    clock.shift(timedelta(hours=1))
    again = posting.post(Submission(Comment(article=make_article(), **sent)))

    assert (again.status, again.held_because) == (told.status, told.because) == ("held", "words")
    assert [(f.rule, f.verdict, f.detail) for f in again.firings.all()] == [
        (rule, verdict.status, verdict.detail) for rule, verdict in told.fired
    ]


def test_every_rule_that_a_setting_is_for_is_a_rule():
    assert set(backtest.DECIDING.values()) <= set(RULES)
    names = {field.name for field in DiscussionSettings._meta.fields}
    assert set(backtest.DECIDING) <= names


@pytest.mark.parametrize("count", [1, 3])
def test_as_many_queries_for_many_comments_as_for_one(django_assert_num_queries, count):
    for _number in range(count):
        article = make_article(authors=[make_author(user=make_user())])
        for writer in (None, make_user()):
            comment = make_comment(article=article, user=writer)
            fire(comment, Rule.TOO_FAST, "1")
            make_report(comment=comment)
            Change.objects.create(comment=comment, to_status="approved")
    make_author(user=make_user())
    Standing.objects.create(standing="banned", kind="name", value="nobody")
    tried, in_force = DiscussionSettings(holds_everything=True), DiscussionSettings.load()

    with django_assert_num_queries(10):
        backtest.attempt(tried, in_force)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's query plan")
def test_whom_an_address_belongs_to_is_not_looked_for_among_all_comments():
    article = make_article()
    for number in range(100):
        make_comment(article=article, email=f"reader{number}@example.com")

    plans = plans_of(lambda: trial(holds_first_comments=True))

    of_people = [plan for sql, plan in plans if "GROUP BY" in sql and '"email" IN' in sql]
    # Two indexes begin with the address.
    assert ["(email=?" in plan for plan in of_people] == [True]
