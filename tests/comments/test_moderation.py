import pytest

from comments.models import Comment
from comments.moderation import Submission, Verdict, decide
from tests.factories import make_article, make_author, make_comment, make_editor, make_user

pytestmark = pytest.mark.django_db

SHOWN = Verdict("approved", "")


def held(because: str) -> Verdict:
    return Verdict("held", because)


def verdict(*, trap="", **fields) -> Verdict:
    """What is decided on a comment of Ada's."""
    defaults = {"name": "Ada", "email": "ada@example.com", "body": "Well said."}
    return decide(Submission(Comment(article=make_article(), **{**defaults, **fields}), trap=trap))


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


@pytest.mark.parametrize("other", [{"name": "Ada B."}, {"email": "ada@example.org"}])
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


def test_a_comment_made_by_an_account_earns_no_trust_for_visitors():
    make_comment(name="Ada", email="ada@example.com", user=make_user())

    assert verdict() == held("first-comment")


def test_an_account_without_an_address_is_nobodys():
    make_user(email="")

    assert verdict(email="") == held("first-comment")


def test_who_fills_in_the_hidden_field_is_a_robot_even_under_a_known_name():
    make_comment(name="Ada", email="ada@example.com")

    assert verdict(trap="x") == Verdict("spam", "trap")


def test_a_signed_in_moderator_is_shown_at_once():
    assert verdict(user=make_editor(), body="https://a.example https://b.example") == SHOWN


def test_an_account_without_the_right_to_moderate_is_treated_like_anyone():
    assert verdict(user=make_user()) == held("first-comment")
