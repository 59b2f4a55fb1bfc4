"""Somebody who went every way there is, and is erased: then every column of every table is searched.

A new model fails the last test until its journey stands here, or the reason why it needs none.
"""

import json
from pathlib import Path

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test import Client

from comments import (
    access,
    announcements,
    bans,
    decisions,
    digests,
    mine,
    moderator_mails,
    notifications,
    posting,
)
from comments.models import AccessLink, Comment, Firing, Standing
from comments.staff_notices import StaffNotice
from comments.subscriptions import Notice, Subscriber
from mail import delivery
from mail.models import Mail
from tests.factories import make_article, make_author, make_comment, make_editor, reply_to, set_discussion
from tests.givens import SAME_ORIGIN

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "Wilhelmina Qvist"
EMAIL = "wilhelmina@qvist-post.example"
TYPED = "Wilhelmina@QVIST-post.example"
WEBSITE = "https://qvist-home.example/"
IP = "203.0.113.77"
BROWSER = "Qvistzilla/5.0"
BEFORE = "qvist-first-words"
TEXT = "qvist-last-words"
NOTE = "qvist-is-a-pest"
REPORT = "qvist-reports-this"
MARKS = ["wilhelmina", "qvist", IP]

# What is kept of a person, with the reason. By model and column.
STAYS = {
    # Who writes to somebody has named them in a text of their own.
    ("comments.Comment", "body"): "Bo: ",
    ("comments.Comment", "body_html"): "Bo: ",
    # A pause after wrong passwords, for a quarter of an hour: an erasure lifts none.
    ("axes.AccessAttempt", "ip_address"): IP,
}
# Of these nobody who comments is the subject, whatever they do.
WITHOUT_A_JOURNEY = {
    "newsite.Heartbeat": "says when the chores were done",
    "mail.Delay": "says how many mails are late",
    "newsite.Attempt": "keyed hashes, for a day",
    "articles.Section": "the newsroom's own",
    "articles.Topic": "the newsroom's own",
    "articles.Image": "the newsroom's own",
    "articles.Author": "the newsroom's own",
    "articles.Article": "the newsroom's own",
    "articles.Byline": "the newsroom's own",
    "articles.RelatedRead": "the newsroom's own",
    "articles.PastAddress": "the newsroom's own",
    "comments.Mailbox": "keyed hashes, of which the wish never to be written to stays",
    "comments.MailChoice": "what a member of the staff wants to be told of",
    "comments.Rendering": "a number",
    "comments.Timer": "the site's own dates",
    "comments.Housekeeping": "the site's own date",
    "axes.AccessFailureLog": "switched off",
    "axes.AccessLog": "switched off",
    "axes.AccessAttemptExpiration": "switched off",
    "otp_totp.TOTPDevice": "of an account",
    "otp_static.StaticDevice": "of an account",
    "otp_static.StaticToken": "of an account",
    "staff.SecondFactor": "of an account",
    "staff.RecoveryCodes": "of an account",
    "staff.Session": "of an account",
    "staff.Signature": "of an account",
    "staff.Place": "of an account",
    "staff.Notified": "of an account",
    "auth.Permission": "Django's own",
    "auth.Group": "Django's own",
    "auth.User": "an account; what was written with it is the account's",
    "contenttypes.ContentType": "Django's own",
    "sessions.Session": "not in use: sessions are staff.Session",
}
ELSEWHERE = {
    "REMOTE_ADDR": IP,
    "HTTP_USER_AGENT": BROWSER,
    "HTTP_SEC_FETCH_SITE": SAME_ORIGIN["sec-fetch-site"],
}


def every_journey(monkeypatch) -> None:
    editor = make_editor(username="mo", email="mo@newsroom.example")
    set_discussion(
        flood_seconds=0,
        edit_minutes=60,
        held_mails="at-once",
        comment_mails="at-once",
        words_that_hold="pear",
        allowed_addresses=f"{EMAIL}\nbo@example.com",
        refused_addresses=TYPED,
    )
    set_discussion(allowed_addresses=f"bo@example.com\n{EMAIL}")
    story = make_article(authors=[make_author(user=make_editor(email="ida@newsroom.example"))])
    client = Client()
    for number in range(8):
        comment = make_comment(
            article=story,
            name=NAME,
            email=TYPED,
            website=WEBSITE,
            ip_address=IP,
            user_agent=BROWSER,
            body=f"{BEFORE} {number}",
            status="held" if number % 2 else "approved",
        )
        notifications.subscribe(
            comment, "story" if number % 2 else "answers", "daily" if number > 3 else "at-once"
        )
        StaffNotice.objects.create(comment=comment, kind="held")
        Firing.objects.create(comment=comment, rule="words", verdict="held", detail=NAME)
    own = list(Comment.objects.order_by("pk"))
    Subscriber.objects.get().confirm()
    moderator_mails.send_due()
    # Edited, answered, reported, decided on, replaced, emptied, undone, withdrawn.
    posting.edit(own[0], f"{TEXT} pear", ip_address=IP)
    reply_to(own[2], name="Bo", email="bo@example.com", body="Bo: thank you, Wilhelmina Qvist")
    notifications.announce(Comment.objects.filter(parent=own[2]))
    announcements.send_due()
    digests.send_digests()
    client.post(f"/comments/{own[2].pk}/report/", {"reason": "other", "text": NAME}, **ELSEWHERE)
    bo = reply_to(own[2], name="Bo", email="bo@example.com", body="Bo: again")
    client.post(f"/comments/{bo.pk}/report/", {"reason": "other", "text": REPORT}, **ELSEWHERE)
    decisions.edit(own[1], editor, name=f"{NAME} the second", body=TEXT)
    undone = decisions.edit(own[1], editor, website="").decision
    decisions.undo(undone, editor)
    decisions.edit(own[3], editor, email="cleo@example.com", name="Cleo")
    decisions.edit(own[4], editor, email="")
    own[5].mark_as_spam(by=editor)
    own[6].trash(by=editor)
    decisions.decide(Comment.objects.filter(pk__in=[own[0].pk]), "trust", editor)
    for kind, value in (
        ("email", EMAIL),
        ("name", NAME),
        ("website", WEBSITE),
        ("address", IP),
        ("person", f"{NAME} <{EMAIL}>"),
    ):
        value = Standing.normal(kind, value)
        ban = Standing.objects.create(standing="banned", kind=kind, value=value, note=NOTE, by=editor)
        LogEntry.objects.create(
            user=editor,
            content_type=ContentType.objects.get_for_model(Standing),
            object_id=str(ban.pk),
            object_repr=str(ban),
            action_flag=CHANGE,
            change_message=f'[{{"changed": {{"fields": ["+{TYPED}"]}}}}]',
        )
    Firing.objects.create(comment=bo, rule="banned", verdict="spam", detail=Standing.normal("address", IP))
    terms = bans.Terms("email", "", NOTE, False, False, None)
    decisions.start("ban", editor, filters={"search": TYPED}, total=8, newest=10**6, seen=10**6, terms=terms)
    # The link by mail, a mail that fails, and one that names her to somebody else.
    access.ask(TYPED, IP)
    monkeypatch.setattr(EmailMultiAlternatives, "send", _refuse)
    delivery.deliver_due()
    Mail.objects.create(
        recipient="mo@newsroom.example",
        subject="News",
        text=f"from {TYPED}",
        state="sent",
        message_id="about",
    )
    AccessAttempt.objects.create(username=TYPED, ip_address=IP, user_agent="x", failures_since_start=5)


def _refuse(message, fail_silently=False):
    raise OSError(f"550 {message.to[0]}: no such user {EMAIL}")


def mine_cookie(link: AccessLink) -> str:
    return signing.dumps(link.pk, salt=mine.SALT)


def columns_with_marks() -> set[tuple[str, str, str]]:
    """Return each value in which one of the marks stands, with its model and column."""
    found = set()
    for model in apps.get_models():
        for row in model._base_manager.values():
            for column, value in row.items():
                text = json.dumps(value, default=str, ensure_ascii=False).lower()
                if any(mark in text for mark in MARKS):
                    found.add((model._meta.label, column, str(value)))
    return found


def left_over() -> set[tuple[str, str, str]]:
    return {
        (model, column, value)
        for model, column, value in columns_with_marks()
        if STAYS.get((model, column), "\0") not in value
    }


def search_the_file() -> list[str]:
    """Return which of SQLite's files hold the address, which nothing that stays has in it."""
    path = Path(connection.settings_dict["NAME"])
    files = [file for file in path.parent.glob(f"{path.name}*") if file.is_file()]
    return [file.name for file in files if b"qvist-post.example" in file.read_bytes().lower()]


@pytest.mark.parametrize("by_staff", [False, True])
@pytest.mark.parametrize("texts", ["keep", "remove"])
def test_nothing_of_whoever_is_erased_is_left_in_any_column(monkeypatch, by_staff, texts):
    every_journey(monkeypatch)
    client = Client()
    if texts == "keep":
        # Their own words stay, if they want so. Here they name nobody.
        Comment.objects.filter(body__contains="qvist").exclude(body__contains="Bo: ").update(
            body="-", body_html="-"
        )
    if by_staff:
        client.force_login(make_editor(username="erases"))
        page = "/admin/comments/comment/address/erase/"
        answer = client.post(page, {"addresses": TYPED, "texts": texts, "sure": "on"}, follow=True)
        assert b"bans stay" in answer.content
    else:
        link = AccessLink.objects.get()
        AccessLink.objects.filter(pk=link.pk).update(opened_at=link.created_at)
        client.cookies["mine"] = mine_cookie(link)
        answer = client.post("/comments/mine/erase/", {"texts": texts}, **ELSEWHERE)
        assert b"bans stay, as codes" in answer.content

    assert answer.status_code == 200
    assert left_over() == set()
    assert {standing.is_hidden for standing in Standing.objects.all()} == {True}
    if connection.vendor == "sqlite":
        assert search_the_file() == []


def test_the_bans_of_whoever_was_erased_go_on_working(monkeypatch):
    every_journey(monkeypatch)
    client = Client()
    client.force_login(make_editor(username="erases"))
    page = "/admin/comments/comment/address/erase/"
    client.post(page, {"addresses": TYPED, "texts": "keep", "sure": "on"})

    by_each = [
        make_comment(email=TYPED),
        make_comment(name="WILHELMINA Qvist"),
        make_comment(website="https://www.qvist-home.example/page"),
        make_comment(ip_address=IP),
    ]

    hit = [{ban.kind for ban in Standing.objects.of(comment)} for comment in by_each]
    assert hit == [{"email"}, {"name"}, {"website"}, {"address"}]
    assert not Standing.objects.of(make_comment(ip_address="203.0.113.78")).exists()


def test_every_table_has_a_journey_or_a_reason_why_not(monkeypatch):
    every_journey(monkeypatch)

    told_of = {model for model, _column, _value in columns_with_marks()}
    # Rows about the person that name nobody by themselves.
    filled = {model._meta.label for model in (Notice, StaffNotice) if model.objects.exists()}
    filled |= {"comments.Subscription", "comments.Announcement"}

    every = {model._meta.label for model in apps.get_models()}
    assert every - set(WITHOUT_A_JOURNEY) - filled == told_of
