from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db.models import ProtectedError
from django.utils import timezone

from comments.models import Comment
from comments.moderation import Refusal, Submission, decide, refuse
from tests.factories import make_article, make_author, make_comment, make_editor, make_user

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHOWN = ("approved", "")


def held(because: str) -> tuple[str, str]:
    return ("held", because)


def submission(*, trap="", seconds=None, answers=None, **fields) -> Submission:
    """A comment of Ada's."""
    defaults = {"name": "Ada", "email": "ada@example.com", "body": "Well said."}
    if "article" not in fields:
        fields["article"] = make_article()
    comment = Comment(**{**defaults, **fields})
    return Submission(comment, trap=trap, seconds=seconds, answers=answers or {})


def verdict(**sent) -> tuple[str, str]:
    """What is decided on a comment of Ada's, and by which rule."""
    ruling = decide(submission(**sent))
    return (ruling.status, ruling.because)


def test_the_first_comment_of_a_person_is_held():
    assert verdict() == held("first-comment")


def test_a_person_with_an_approved_comment_is_shown_at_once():
    make_comment(name="Ada", email="ada@example.com")

    assert verdict() == SHOWN
    assert verdict(email="Ada@Example.COM") == SHOWN


@pytest.mark.parametrize("status", ["held", "spam", "trash"])
def test_a_comment_that_is_not_approved_earns_no_trust(status):
    make_comment(name="Ada", email="ada@example.com", status=status)

    assert verdict() == held("first-comment")


@pytest.mark.parametrize("other", [{"name": "ada"}, {"name": "Ada B."}, {"email": "ada@example.org"}])
def test_trust_needs_the_same_name_and_the_same_address(other):
    make_comment(name="Ada", email="ada@example.com")

    assert verdict(**other) == held("first-comment")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("https://a.example", SHOWN),
        ("https://a.example www.b.example", held("links")),
        ("[a](https://a.example) <a href='https://b.example'>b</a>", held("links")),
        ("one@example.com two@example.com", SHOWN),
        ("`https://a.example` `https://b.example`", SHOWN),
        ("three " + "https://a.example " * 3, held("links")),
    ],
)
def test_two_links_hold_even_a_known_person(body, expected):
    make_comment(name="Ada", email="ada@example.com")

    assert verdict(body=body) == expected


@pytest.mark.parametrize(
    "typed",
    [
        {"email": "boss@newsroom.example"},
        {"email": "BOSS@newsroom.example"},
        {"name": "boss"},
        {"name": "The Boss"},
        {"name": "the boss"},
        {"name": "The Byline"},
    ],
)
def test_a_visitor_never_inherits_the_trust_of_a_registered_user(typed):
    boss = make_user(username="boss", email="boss@newsroom.example", first_name="The", last_name="Boss")
    make_author(name="The Byline", user=boss)
    person = {"name": "Ada", "email": "ada@example.com", **typed}
    make_comment(user=boss, **person)
    make_comment(**person)

    assert verdict(**person) == held("registered")


def test_an_account_with_a_first_name_only_is_known_by_it():
    make_user(username="boss", first_name="Alice")

    assert verdict(name="Alice") == held("registered")


def test_an_account_that_has_commented_cannot_be_deleted_and_leave_its_trust_behind():
    account = make_user()
    make_comment(user=account)

    with pytest.raises(ProtectedError):
        account.delete()


def test_a_comment_made_by_an_account_earns_no_trust_for_visitors():
    make_comment(name="Ada", email="ada@example.com", user=make_user())

    assert verdict() == held("first-comment")


def test_an_account_without_an_address_is_nobodys():
    make_user(email="")

    assert verdict(email="") == held("first-comment")


def test_who_fills_in_the_hidden_field_is_a_robot_even_under_a_known_name():
    make_comment(name="Ada", email="ada@example.com")

    assert verdict(trap="x") == ("spam", "trap")


def test_a_signed_in_moderator_is_shown_at_once():
    assert verdict(user=make_editor(), body="https://a.example https://b.example") == SHOWN


def test_an_account_without_the_right_to_moderate_is_treated_like_anyone():
    assert verdict(user=make_user()) == held("first-comment")


# --- Refusals ---


def refusal(article=None, **fields) -> Refusal | None:
    """What is said to Ada when she sends a comment."""
    defaults = {"name": "Ada", "email": "ada@example.com", "body": "Well said.", "ip_address": "192.0.2.1"}
    comment = Comment(article=article or make_article(), **{**defaults, **fields})
    return refuse(Submission(comment))


DUPLICATE = Refusal(409, "You have already said that here, in the same words. Nothing was posted twice.")


def too_quick(seconds: int) -> Refusal:
    words = "1 second" if seconds == 1 else f"{seconds} seconds"
    return Refusal(
        429, f"You are posting too quickly. Your text is kept below: wait {words}, then post it.", seconds
    )


def test_a_comment_is_taken_where_nothing_speaks_against_it():
    assert refusal() is None


def test_a_closed_conversation_takes_none():
    assert refusal(make_article(discussion="closed")).status == 403


@pytest.mark.parametrize("status", ["approved", "held", "spam"])
def test_nobody_says_the_same_twice(status):
    said = make_comment(name="Ada", email="ada@example.com", body="Well said.", status=status)

    assert refusal(said.article) == DUPLICATE
    assert refusal(said.article, email="Ada@example.com") == DUPLICATE


@pytest.mark.parametrize(
    "other", [{"name": "Bo"}, {"email": "bo@example.com"}, {"body": "Well said!"}, {"article": None}]
)
def test_what_differs_in_anything_is_not_the_same(other):
    said = make_comment(name="Ada", email="ada@example.com", body="Well said.")

    assert refusal(**{"article": said.article, **other}) is None


def test_the_same_answer_to_another_comment_is_not_the_same():
    said = make_comment(name="Ada", email="ada@example.com", body="Well said.")

    assert refusal(said.article, parent=make_comment(article=said.article)) is None


def test_what_a_moderator_put_into_the_trash_may_be_said_again():
    said = make_comment(name="Ada", email="ada@example.com", body="Well said.", status="trash")

    assert refusal(said.article) is None


@pytest.mark.parametrize(
    ("sender", "after", "expected"),
    [
        ({"email": "ada@example.com"}, 0, too_quick(15)),
        ({"email": "ada@example.com"}, 14.5, too_quick(1)),
        ({"email": "ada@example.com"}, 15, None),
        ({"ip_address": "192.0.2.1"}, 5, too_quick(10)),
        ({"ip_address": "192.0.2.2"}, 5, None),
        ({"ip_address": "2001:db8:0:1::7"}, 5, None),
    ],
)
def test_a_person_or_an_address_waits_fifteen_seconds(sender, after, expected):
    with time_machine.travel(NOON, tick=False) as clock:
        make_comment(created_at=NOON, **sender)
        clock.shift(timedelta(seconds=after))

        assert refusal() == expected


def test_a_comment_dated_ahead_makes_nobody_wait():
    with time_machine.travel(NOON, tick=False):
        make_comment(created_at=NOON + timedelta(hours=1), ip_address="192.0.2.1")

        assert refusal() is None


def test_one_network_of_ipv6_is_one_sender():
    with time_machine.travel(NOON, tick=False):
        make_comment(created_at=NOON, ip_address="2001:db8:0:1::7")

        assert refusal(ip_address="2001:db8:0:1:ffff::1") == too_quick(15)
        assert refusal(ip_address="2001:db8:0:2::7") is None


def test_a_moderator_need_not_wait():
    editor = make_editor()
    make_comment(email=editor.email, user=editor, created_at=timezone.now())

    assert refusal(user=editor, email=editor.email) is None


def test_visitors_without_an_address_do_not_wait_for_each_other():
    with time_machine.travel(NOON, tick=False):
        make_comment(created_at=NOON, ip_address=None)

        assert refusal(ip_address=None) is None
