"""The migration that gives rows of before the spelling that new ones get."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps

from comments.models import AccessLink, Change, Comment, Standing
from comments.subscriptions import Notice, Subscriber, Subscription
from mail.models import Mail
from tests.factories import make_comment
from tests.givens import NOON

pytestmark = pytest.mark.django_db

migration = import_module("comments.migrations.0030_spellings_of_before")


def of_before(**fields) -> Comment:
    """A comment as it was kept before there was one spelling."""
    comment = make_comment()
    Comment.objects.filter(pk=comment.pk).update(spelling="", **fields)
    return comment


def respell() -> None:
    migration.respell(apps, None)


@pytest.mark.parametrize("step", [1, 1_000])
def test_comments_get_their_spellings(monkeypatch, step):
    monkeypatch.setattr(migration, "STEP", step)
    of_before(email="ada@example.com\u200b", name="Zoë O’Brien")
    of_before(email="x@münchen.example", name="Bo")
    of_before(email="", name="Anonymous")

    respell()
    respell()

    assert list(Comment.objects.order_by("pk").values_list("email", "spelling")) == [
        ("ada@example.com", "zoë o'brien"),
        ("x@xn--mnchen-3ya.example", "bo"),
        ("", "anonymous"),
    ]


@pytest.mark.parametrize(
    ("website", "kept"),
    [
        ("https://me@example.com", ""),
        ("https://me@example.com/", ""),
        ("https://user:pass@example.com/", "https://example.com/"),
        ("https://me@example.com/page?q=1", "https://example.com/page?q=1"),
        ("https://example.com/@me", "https://example.com/@me"),
        ("https://ada.example", "https://ada.example"),
        ("https://[broken@", ""),
        ("", ""),
    ],
)
def test_no_website_tells_what_stood_before_an_at_sign(website, kept):
    of_before(website=website)

    respell()

    assert Comment.objects.get().website == kept


def test_bans_and_trust_are_found_by_every_spelling():
    for kind, value in [
        ("email", "ada@example.com\u200b"),
        ("email", "@münchen.example"),
        ("name", "o’brien"),
        ("person", "Zoë O’Brien <x@münchen.example>"),
        ("address", "192.0.2.0/24"),
    ]:
        Standing.objects.create(standing="banned", kind=kind, value=value)
    Standing.objects.update(key="")

    respell()

    assert list(Standing.objects.order_by("pk").values_list("value", "key")) == [
        ("ada@example.com", "ada@example.com"),
        ("@xn--mnchen-3ya.example", "@xn--mnchen-3ya.example"),
        ("o'brien", "o'brien"),
        ("Zoë O’Brien <x@xn--mnchen-3ya.example>", "zoë o'brien <x@xn--mnchen-3ya.example>"),
        ("192.0.2.0/24", "192.0.2.0/24"),
    ]


def test_links_mails_and_the_history_are_found_by_their_mailbox():
    AccessLink.objects.create(email="x@münchen.example", digest="d")
    for recipient in ("ada@example.com\u200b", "Ada@Example.com"):
        Mail.objects.create(recipient=recipient, subject="Hello", text="You.", message_id=recipient)
    comment = make_comment()
    for before in ({"email": "x@münchen.example", "name": "Bo"}, {"name": "Cy"}):
        Change.objects.create(comment=comment, from_status="held", to_status="held", before=before)

    respell()

    assert AccessLink.objects.get().email == "x@xn--mnchen-3ya.example"
    assert list(Mail.objects.order_by("pk").values_list("recipient", flat=True)) == [
        "ada@example.com",
        "Ada@Example.com",
    ]
    assert list(Change.objects.order_by("pk").values_list("before", flat=True)) == [
        {"email": "x@xn--mnchen-3ya.example", "name": "Bo"},
        {"name": "Cy"},
    ]


def subscribe(email: str, comment: Comment, **times) -> Subscriber:
    subscriber = Subscriber.objects.create(email=email, **times)
    Subscription.objects.create(subscriber=subscriber, comment=comment, article=comment.article)
    return subscriber


def test_a_subscriber_keeps_what_was_chosen():
    subscriber = subscribe("x@münchen.example", make_comment(), confirmed_at=NOON)

    respell()

    assert list(Subscriber.objects.values_list("pk", "email", "confirmed_at")) == [
        (subscriber.pk, "x@xn--mnchen-3ya.example", NOON)
    ]


@pytest.mark.parametrize(
    ("hours", "confirmed", "stopped"),
    [(-1, NOON, None), (1, None, NOON + timedelta(hours=1))],
    ids=["stopped first", "stopped last"],
)
def test_two_subscribers_who_are_one_become_one_and_the_last_word_counts(hours, confirmed, stopped):
    one, other, third = make_comment(), make_comment(), make_comment()
    known = subscribe("ada@example.com", one, confirmed_at=NOON)
    again = subscribe("ada@example.com\u200b", other, stopped_at=NOON + timedelta(hours=hours))
    for subscriber, comment in ((known, one), (again, one), (again, third)):
        Notice.objects.create(subscriber=subscriber, comment=comment, kind="answer")

    respell()

    kept = Subscriber.objects.get()
    assert (kept.pk, kept.email) == (known.pk, "ada@example.com")
    assert (kept.confirmed_at, kept.stopped_at) == (confirmed, stopped)
    assert set(kept.subscriptions.values_list("comment", flat=True)) == {one.pk, other.pk}
    assert set(Notice.objects.values_list("subscriber", "comment")) == {
        (known.pk, one.pk),
        (known.pk, third.pk),
    }
