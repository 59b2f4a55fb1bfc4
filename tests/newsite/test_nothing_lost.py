"""Whatever somebody sends while the database or the disk fails: nothing is half saved, and nothing is lost.

Every address that takes a POST is tried with a database that is away, and with one that fails at
its first write, at its second, and so on, until it lets all of them pass.
"""

import errno
import hashlib
import re
import sqlite3
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import chain, count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.conf import settings as site
from django.contrib.auth.models import Group
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from django.test import Client
from django.urls import get_resolver, reverse
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from comments import decisions, mine, notifications, queue, yours
from comments.discussion import DiscussionSettings
from comments.models import AccessLink, Report, Standing
from comments.moderator_texts import STOP_SALT, Link
from comments.staff_notices import MailChoice
from comments.subscriptions import Subscriber
from mail.models import Mail
from newsite.models import Attempt
from newsite.not_now import is_not_now
from staff import second_factor
from tests.factories import (
    make_article,
    make_author,
    make_comment,
    make_editor,
    make_image,
    make_section,
    make_topic,
    make_user,
    set_discussion,
)
from tests.givens import SAME_ORIGIN
from tests.newsite.test_roles import PICTURE

pytestmark = [pytest.mark.django_db, pytest.mark.long]

PASSWORD = "correct horse"
numbers = count()
SECRETS = {"password", "old_password", "new_password1", "new_password2", "password1", "password2", "code"}
FAULTS = ["database or disk is full", "attempt to write a readonly database", "database is locked"]
# Pages of Django's that take what is sent for a visit, and write nothing.
NOT_SENT_TO = {"index", "app_list", "autocomplete", "jsi18n", "password_change_done"}
# They lead to the one row that there is.
NOT_SENT_TO |= {"comments_discussionsettings_changelist", "comments_mailchoice_changelist"}
# A list that nothing can be done with.
NOT_SENT_TO |= {"admin_logentry_changelist"}
# Forms that are looked at, and save nothing.
SAVES_NOTHING = {"admin:comments_discussionsettings_try", "admin:comments_comment_by_address"}


class World(SimpleNamespace):
    """Who is signed in, and what there is."""

    def __init__(self):
        set_discussion(holds_first_comments=False)
        self.client = Client(headers=SAME_ORIGIN)
        self.editor = make_editor(username="alice", password=PASSWORD)

    def signs_in(self) -> None:
        self.client.force_login(self.editor)
        # Pages that change who may do what ask for it.
        self.client.post("/admin/account/password/", {"password": PASSWORD})


CASES: dict[str, tuple[Callable[[World], tuple[str, Callable[[], dict]]], bool]] = {}


def posts(name: str, *, what: str = "", signed_in: bool = True):
    """Take a function as a case: what is sent to the page of this name.

    It returns the path, and what makes the data anew: a file is read once.
    """

    def register(function):
        CASES[f"{name} {what}".strip()] = (function, signed_in)
        return function

    return register


def at(name: str, *args: Any) -> str:
    return reverse(name, args=args)


# --- Readers ---


@posts("comments:reply", signed_in=False)
def reply(world, before="/"):
    sent = {
        "body": "Well said.\r\n\r\nTwice.",
        "name": "Ada",
        "email": "ada@mailbox.example",
        "seconds": "30",
    }
    return f"{before[:-1]}{make_article().get_absolute_url()}reply/", lambda: {**sent, "mails": "answers"}


@posts("comments:post_reply", signed_in=False)
def post_reply(world):
    return reply(world, before="/comments/")


@posts("comments:reply_signed_in")
def reply_signed_in(world):
    return f"{make_article().get_absolute_url()}reply/signed-in/", lambda: {"body": "Yes."}


@posts("comments:report", signed_in=False)
def report(world):
    set_discussion(reports_that_hold=1)
    return at("comments:report", make_comment().pk), lambda: {"reason": "other", "text": "Rude."}


def fresh():
    """A comment that its author may still change."""
    return make_comment(created_at=datetime.now(UTC))


@posts("comments:edit", signed_in=False)
def edit(world):
    return f"{yours.address(fresh())}edit/", lambda: {"body": "Better."}


@posts("comments:delete", signed_in=False)
def delete(world):
    return f"{yours.address(fresh())}delete/", dict


@posts("comments:mails", signed_in=False)
def mails(world):
    return f"{yours.address(fresh())}mails/", lambda: {"scope": "answers", "rhythm": "at-once"}


def subscriber() -> Subscriber:
    notifications.subscribe(make_comment(), "answers")
    return Subscriber.objects.get()


@posts("comments:confirm", signed_in=False)
def confirm(world):
    person = subscriber()
    person.confirmation_sent_at = datetime.now(UTC)
    person.save()
    return at("comments:confirm", person.confirm_token), dict


@posts("comments:stop", signed_in=False)
def stop(world):
    person = subscriber()
    person.confirm()
    return at("comments:stop", person.stop_token()), lambda: {"List-Unsubscribe": "One-Click"}


@posts("comments:moderate", signed_in=False)
def moderate(world):
    token = Link.to(world.editor, make_comment(status="held").pk, "approve", 0).token
    return at("comments:moderate", token), dict


@posts("comments:stop_staff", signed_in=False)
def stop_staff(world):
    token = signing.dumps([world.editor.pk, ["moderation"]], salt=STOP_SALT)
    return at("comments:stop_staff", token), dict


@posts("comments:mine", signed_in=False)
def ask_for_a_link(world):
    make_comment(email="reader@example.com")
    return at("comments:mine"), lambda: {"email": "reader@example.com"}


def opened(world) -> AccessLink:
    comment = make_comment(email="reader@example.com")
    link = AccessLink.objects.create(email=comment.email, digest="1", opened_at=datetime.now(UTC))
    world.client.cookies[mine.COOKIE] = signing.dumps(link.pk, salt=mine.SALT)
    return link


@posts("comments:mine_erase", signed_in=False)
def erase_mine(world):
    opened(world)
    return at("comments:mine_erase"), lambda: {"texts": "remove"}


@posts("comments:mine_sign_out", signed_in=False)
def sign_out_of_mine(world):
    opened(world)
    return at("comments:mine_sign_out"), dict


@posts("comments:mine_link", signed_in=False)
def open_a_link(world):
    AccessLink.objects.create(email="reader@example.com", digest=hashlib.sha256(b"token").hexdigest())
    return at("comments:mine_link", "token"), dict


# --- Signing in and out ---


@posts("admin:login", signed_in=False)
def sign_in(world):
    return at("admin:login"), lambda: {"username": "alice", "password": PASSWORD, "next": "/admin/"}


@posts("admin:login", what="with a second factor", signed_in=False)
def sign_in_with_a_second_factor(world):
    TOTPDevice.objects.create(user=world.editor, name="alice")
    return sign_in(world)


@posts("comments:sign_in", signed_in=False)
def sign_in_as_a_reader(world):
    return at("comments:sign_in"), lambda: {"username": "alice", "password": PASSWORD}


@posts("admin:sign_in_code", signed_in=False)
def give_the_code(world):
    device = TOTPDevice.objects.create(user=world.editor, name="alice")
    world.client.post("/admin/login/", {"username": "alice", "password": PASSWORD})
    return at("admin:sign_in_code"), lambda: {"code": f"{totp(device.bin_key):06}"}


@posts("admin:set_up")
def set_up(world):
    world.client.post(at("admin:second_factor"), {"password": PASSWORD, "set_up": ""})
    device = TOTPDevice.objects.get()
    return at("admin:set_up"), lambda: {"code": f"{totp(device.bin_key):06}"}


@posts("admin:second_factor")
def begin_to_set_up(world):
    return at("admin:second_factor"), lambda: {"password": PASSWORD, "set_up": ""}


@posts("admin:second_factor", what="without one")
def remove_the_second_factor(world):
    TOTPDevice.objects.create(user=world.editor, name="alice")
    second_factor.new_recovery_codes(world.editor)
    return at("admin:second_factor"), lambda: {"password": PASSWORD, "remove": ""}


@posts("admin:give_password")
def give_the_password_once_more(world):
    return at("admin:give_password"), lambda: {"password": PASSWORD}


@posts("admin:end_session")
def end_session(world):
    elsewhere = Client()
    elsewhere.force_login(world.editor)
    public_id = world.editor.browser_sessions.order_by("started_at").last().public_id
    return at("admin:end_session"), lambda: {"session": public_id}


@posts("admin:end_others")
def end_others(world):
    Client().force_login(world.editor)
    return at("admin:end_others"), dict


@posts("admin:password_change")
def change_the_password(world):
    new = dict.fromkeys(["new_password1", "new_password2"], "another battery staple")
    return at("admin:password_change"), lambda: {"old_password": PASSWORD, **new}


@posts("admin:logout")
def sign_out(world):
    return at("admin:logout"), lambda: {"next": "/admin/login/"}


@posts("comments:sign_out")
def sign_out_as_a_reader(world):
    return at("comments:sign_out"), dict


# --- The desk ---


def held():
    return make_comment(status="held", email="ada@mailbox.example", name="Ada")


@posts("admin:comments_comment_decide")
def decide(world):
    comment = held()
    begun = {"shown": [comment.pk, 7], "ticked": ["7"], "7-body": "Begun."}
    return at("admin:comments_comment_decide", comment.pk), lambda: {"decision": "approve_and_trust", **begun}


@posts("admin:comments_comment_reply")
def reply_from_the_desk(world):
    comment = held()
    return at("admin:comments_comment_reply", comment.pk), lambda: {f"{comment.pk}-body": "Thank\nyou."}


@posts("admin:comments_comment_edit")
def edit_as_a_moderator(world):
    sent = {"body": "Better.", "name": "Ada", "email": "ada@mailbox.example", "website": "", "seen": "0"}
    return at("admin:comments_comment_edit", held().pk), lambda: sent


@posts("admin:comments_comment_ban")
def ban(world):
    sent = {"kind": "email", "days": "30", "note": "Shouts.", "mark_as_spam": "on", "seen": "0"}
    return at("admin:comments_comment_ban", held().pk), lambda: sent


@posts("admin:comments_comment_export")
def export(world):
    return at("admin:comments_comment_export", held().pk), dict


@posts("admin:comments_comment_erase")
def erase(world):
    return at("admin:comments_comment_erase", held().pk), lambda: {"texts": "remove", "sure": "on"}


@posts("admin:comments_comment_by_address")
def look_for_a_person(world):
    return at("admin:comments_comment_by_address"), lambda: {"addresses": "ada@mailbox.example"}


@posts("admin:comments_comment_export_by_address")
def export_a_person(world):
    held()
    return at("admin:comments_comment_export_by_address"), lambda: {"addresses": "ada@mailbox.example"}


@posts("admin:comments_comment_erase_by_address")
def erase_a_person(world):
    held()
    sent = {"addresses": "ada@mailbox.example", "texts": "remove", "sure": "on"}
    return at("admin:comments_comment_erase_by_address"), lambda: sent


@posts("admin:comments_many")
def decide_on_some(world):
    ticked = [held().pk, held().pk]
    sent = {"decision": "trash", "scope": "ticked", "ticked": ticked, "shown": ticked}
    return at("admin:comments_many"), lambda: {**sent, f"{ticked[0]}-body": "Begun."}


@posts("admin:comments_many", what="all that match")
def decide_on_all(world):
    newest = [held().pk, held().pk][-1]
    sent = {"decision": "trash", "scope": "all", "filters": "", "newest": newest, "seen": "0"}
    return at("admin:comments_many"), lambda: {**sent, "confirmed": "1"}


@posts("admin:comments_decision")
def go_on(world):
    newest = [held().pk, held().pk][-1]
    begun = decisions.start(
        "trash", world.editor, filters={"status": "held"}, total=2, newest=newest, seen=0, terms=None
    )
    assert queue.matching(begun).count() == 2
    return at("admin:comments_decision", begun.pk), dict


@posts("admin:comments_undo")
def undo(world):
    decided = held().approve(by=world.editor).decision
    return at("admin:comments_undo", decided.pk), lambda: {"shown": "7", "7-body": "Begun."}


# --- The settings, and what editors and administrators write ---


@posts("admin:comments_discussionsettings_change")
def change_the_settings(world):
    path = at("admin:comments_discussionsettings_change", DiscussionSettings.load().pk)
    page = world.client.get(path).context["adminform"].form
    sent = {name: field.value() for name, field in ((name, page[name]) for name in page.fields)}
    sent = {name: "on" if value is True else value for name, value in sent.items() if value is not False}
    return path, lambda: {**sent, "house_rules": "Be kind.\r\nStay."}


@posts("admin:comments_discussionsettings_try")
def try_the_settings(world):
    return at("admin:comments_discussionsettings_try"), change_the_settings(world)[1]


def story(**fields) -> dict:
    empty = {
        f"{name}-{key}": "0"
        for name in ("bylines", "related_reads")
        for key in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    sent = {"title": "The bridge opens", "slug": "bridge", "body": "<p>One.</p>", "status": "draft"}
    return {**sent, "discussion": "follow", **empty, **fields}


@posts("admin:articles_article_add")
def write_a_story(world):
    byline = {"bylines-TOTAL_FORMS": "1", "bylines-0-author": make_author().pk, "bylines-0-position": "0"}
    sent = story(topics=[make_topic().pk, make_topic().pk], section=make_section().pk, **byline)
    return at("admin:articles_article_add"), lambda: sent


@posts("admin:articles_article_change")
def change_a_story(world):
    notifications.announce([comment := make_comment()])
    sent = story(title="Another title", section=comment.article.section_id)
    return at("admin:articles_article_change", comment.article_id), lambda: sent


@posts("admin:comments_comment_change")
def save_what_cannot_be_changed(world):
    return at("admin:comments_comment_change", held().pk), dict


@posts("admin:mail_mail_change")
def save_a_mail_that_cannot_be_changed(world):
    mail = Mail.objects.create(recipient="a@example.com", subject="Hello")
    return at("admin:mail_mail_change", mail.pk), dict


def picture(**fields) -> dict:
    file = SimpleUploadedFile("field.gif", PICTURE, "image/gif")
    return {"file": file, "alternative_text": "A field", **fields}


# For each model with a page in the admin: what its form sends, and what makes one.
FORMS: dict[str, tuple[Callable[[], dict], Callable[[World], Any]]] = {
    "articles_section": (
        lambda: {"name": "The world", "slug": "world", "position": "1"},
        lambda _: make_section(),
    ),
    "articles_topic": (lambda: {"name": "The sea", "slug": "sea"}, lambda _: make_topic()),
    "articles_author": (lambda: {"name": "Ada L", "slug": "ada", "bio": "Writes."}, lambda _: make_author()),
    "articles_image": (picture, lambda _: make_image()),
    "comments_standing": (
        lambda: {"standing": "banned", "kind": "name", "value": "The troll", "note": "Shouts."},
        lambda _: Standing.objects.create(standing="banned", kind="name", value="troll"),
    ),
    "comments_mailchoice": (
        lambda: {"moderation": "never", "own_stories": "daily"},
        lambda world: MailChoice.objects.create(user=world.editor),
    ),
    "auth_group": (
        lambda: {"name": "The night shift"},
        lambda _: Group.objects.create(name=f"Day {next(numbers)}"),
    ),
    "auth_user": (
        lambda: {
            "username": "bob",
            "usable_password": "true",
            "password1": "another battery staple",
            "password2": "another battery staple",
            # Of the page of one that there is.
            "date_joined_0": "2026-11-23",
            "date_joined_1": "12:00:00",
        },
        lambda _: make_user(),
    ),
}
DELETED: dict[str, Callable[[World], Any]] = {
    "articles_article": lambda _: held().article,
    "comments_comment": lambda _: held(),
    "mail_mail": lambda _: Mail.objects.create(recipient="a@example.com", subject="Hello"),
    "staff_secondfactor": lambda world: TOTPDevice.objects.create(user=world.editor, name="alice"),
    **{name: make for name, (_, make) in FORMS.items() if name != "comments_mailchoice"},
}
for _name, (_sent, _make) in FORMS.items():
    posts(f"admin:{_name}_add")(lambda world, n=_name, sent=_sent: (at(f"admin:{n}_add"), sent))
    posts(f"admin:{_name}_change")(
        lambda world, n=_name, sent=_sent, make=_make: (at(f"admin:{n}_change", make(world).pk), sent)
    )
for _name, _make in DELETED.items():
    posts(f"admin:{_name}_delete")(
        lambda world, n=_name, make=_make: (at(f"admin:{n}_delete", make(world).pk), lambda: {"post": "yes"})
    )


def act(name: str, action: str, *, what: str = "", make: Callable[[World], Any] | None = None) -> None:
    def case(world):
        chosen = [(make or DELETED[name])(world).pk, (make or DELETED[name])(world).pk]
        sent = {"action": action, "_selected_action": chosen, "post": "yes"}
        return at(f"admin:{name}_changelist"), lambda: sent

    posts(f"admin:{name}_changelist", what=what)(case)


for _name in sorted(DELETED.keys() - {"comments_comment", "mail_mail", "staff_secondfactor"}):
    act(_name, "delete_selected")
act(
    "mail_mail",
    "send_again",
    make=lambda _: Mail.objects.create(
        recipient="a@example.com", state="given-up", message_id=str(next(numbers))
    ),
)
act("articles_article", "publish", what="publish", make=lambda _: make_article(status="draft"))
act("articles_article", "unpublish", what="unpublish", make=lambda _: held().article)
act(
    "staff_secondfactor",
    "delete_selected",
    make=lambda _: TOTPDevice.objects.create(user=make_user(), name="phone"),
)


@posts("admin:articles_section_changelist", what="in the list")
def change_positions(world):
    section = make_section()
    form = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": section.pk, "_save": "Save"}
    return at("admin:articles_section_changelist"), lambda: {**form, "form-0-position": "7"}


@posts("admin:auth_user_make_inactive")
def make_inactive(world):
    return at("admin:auth_user_make_inactive", make_user().pk), dict


@posts("admin:auth_user_password_change")
def give_a_password(world):
    new = dict.fromkeys(["password1", "password2"], "another battery staple")
    path = at("admin:auth_user_password_change", make_user().pk)
    return path, lambda: {"usable_password": "true", **new}


# --- What fails ---


class Failure:
    """A database that is away, or fails at its n-th write."""

    def __init__(self, fault: str, *, at_write: int | None = None):
        self.fault, self.at_write = fault, at_write
        self.writes = 0
        self.has_failed = False

    def __call__(self, execute, sql, params, many, context):
        if sql.startswith(("ROLLBACK", "RELEASE")):  # of the transaction around the test
            return execute(sql, params, many, context)
        is_write = sql.startswith(("INSERT", "UPDATE", "DELETE"))
        self.writes += is_write
        # Once it is full it stays full, and can still be read.
        if self.at_write is None or (is_write and self.writes >= self.at_write):
            self.has_failed = True
            raise OperationalError(self.fault)
        return execute(sql, params, many, context)


@contextmanager
def failing(fault: str, *, at_write: int | None = None):
    failure = Failure(fault, at_write=at_write)
    with connection.execute_wrapper(failure):
        yield failure


def everything() -> dict:
    """All rows of all tables, and all files."""
    rows = {
        model._meta.db_table: list(model._base_manager.order_by("pk").values_list())
        for model in apps.get_models(include_auto_created=True)
        # An attempt counts for its sender, whatever becomes of it.
        if not model._meta.proxy and model is not Attempt
    }
    return rows | {"files": sorted(path.name for path in Path(site.MEDIA_ROOT).rglob("*") if path.is_file())}


def sent_again_by(page: str) -> list[tuple[str, str]]:
    """What the form of a page sends when its button is pressed."""
    form = page.partition('<form method="post"')[2].partition("</form>")[0]
    values = re.findall(r'<input type="(?:hidden|text)" name="([^"]*)" value="([^"]*)"', form)
    values += re.findall(r'<textarea name="([^"]*)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL)
    return sorted((unescape(name), unescape(value)) for name, value in values)


def kept_of(sent: dict) -> list[tuple[str, str]]:
    """What has to stand on the page of all that was sent."""
    lists = {name: value if isinstance(value, list) else [value] for name, value in sent.items()}
    pairs = [(name, str(value)) for name, values in lists.items() for value in values]
    return sorted((name, value) for name, value in pairs if name not in SECRETS | {"file"})


def secrets_of(sent: dict) -> list[str]:
    return sorted(name for name in sent if name in SECRETS)


def assert_given_back(response, path: str, sent: dict) -> None:
    page = response.content.decode()
    assert (response.status_code, response["Retry-After"]) == (503, "60")
    assert "no-store" in response["Cache-Control"]
    assert "Something went wrong on our side" in page
    assert f'action="{path}"' in page
    assert sent_again_by(page) == kept_of(sent)
    asked = re.findall(
        r'<input type="(?:password|text)" name="([^"]*)" id="[^"]*"(?: autocomplete="[\w-]*")? required>',
        page,
    )
    assert sorted(asked) == secrets_of(sent)
    assert [name for name in secrets_of(sent) if sent[name] in page] == []
    assert ('<input type="file" name="file"' in page) == ("file" in sent)
    assert response.cookies == {}


def names_of(patterns, namespace: str = "") -> list[tuple[str, Any]]:
    found = []
    for one in patterns:
        if hasattr(one, "url_patterns"):
            found += names_of(
                one.url_patterns, f"{namespace}{one.namespace}:" if one.namespace else namespace
            )
        elif one.name:
            found.append((f"{namespace}{one.name}", one.pattern))
    return found


SAMPLES = {"year": "2026", "month": "11", "slug": "x", "pk": 1, "token": "x", "object_id": "1", "id": "1"}


def test_every_address_that_takes_a_post_has_a_case_here():
    world = World()
    world.signs_in()
    make_comment(pk=1)
    Mail.objects.create(pk=1, recipient="a@example.com", subject="Hello")
    tried = {case.split()[0] for case in CASES}

    missing = {}
    for name, pattern in names_of(get_resolver().url_patterns):
        if name in tried or name.endswith("_history") or name.removeprefix("admin:") in NOT_SENT_TO:
            continue
        named = dict.fromkeys(pattern.regex.groupindex, "1") | SAMPLES
        path = reverse(name, kwargs={key: named[key] for key in pattern.regex.groupindex})
        status = world.client.post(path).status_code
        # 403: a model that nobody adds to, or deletes from.
        if status not in (403, 405):
            missing[name] = status

    assert missing == {}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_saved_is_given_back_and_nothing_of_it_is_saved(case):
    given, is_signed_in = CASES[case]
    world = World()
    if is_signed_in:
        world.signs_in()
    path, make_data = given(world)
    world.client.raise_request_exception = False
    cookies = world.client.cookies.output()
    before = everything()

    for write in chain([None], range(1, 100)):
        sent = make_data()
        with failing(FAULTS[(write or 0) % 3], at_write=write) as failure:
            response = world.client.post(path, make_data())
        # Of the transaction around the test, which no statement has broken.
        transaction.set_rollback(False)
        if not failure.has_failed:
            break
        assert_given_back(response, path, sent)
        assert everything() == before
        assert world.client.cookies.output() == cookies

    assert response.status_code in (200, 302, 303), response.content
    assert (everything() == before) == (case in SAVES_NOTHING)


def test_a_page_that_is_only_read_says_when_to_come_back_and_is_not_kept(client):
    client.raise_request_exception = False

    with failing("database is locked"):
        response = client.get("/", headers={"if-none-match": "x"})

    page = response.content.decode()
    assert (response.status_code, response["Retry-After"]) == (503, "60")
    assert "no-store" in response["Cache-Control"]
    assert "This page cannot be shown right now." in page
    assert '<a href="/">Try again</a>' in page


@pytest.mark.parametrize("address", ["/no/such/page/", "/comments/yours/x/"])
def test_what_is_not_there_is_not_said_while_nobody_can_look(client, address):
    client.raise_request_exception = False

    with failing("database is locked"):
        assert client.get(address).status_code == 503


def test_a_page_is_shown_though_the_visit_cannot_be_noted():
    world = World()
    world.client.force_login(world.editor)

    later = datetime.now(UTC) + timedelta(minutes=6)
    with time_machine.travel(later), failing("database or disk is full", at_write=1) as failure:
        status = world.client.get("/admin/account/").status_code

    assert (status, failure.has_failed) == (200, True)


def test_the_script_of_the_queue_takes_the_page_for_no_piece_of_the_queue():
    world = World()
    world.signs_in()
    path, make_data = decide(world)
    world.client.raise_request_exception = False

    with failing("database is locked", at_write=1):
        response = world.client.post(path, make_data(), headers={"x-fragment": "row"})

    assert (response.status_code, "X-Fragment" in response) == (503, False)


def test_another_sites_form_becomes_none_of_ours(client):
    client.raise_request_exception = False
    path = f"{make_article().get_absolute_url()}reply/"

    with failing("database is locked"):
        response = client.post(path, {"body": "Buy this."}, headers={"sec-fetch-site": "cross-site"})

    page = response.content.decode()
    assert (response.status_code, "<form" in page) == (503, False)
    assert "Buy this.</textarea>" in page


def test_a_token_is_taken_along_as_it_was_sent_and_never_a_new_one():
    world = World()
    world.signs_in()
    world.client.handler.enforce_csrf_checks = True
    world.client.raise_request_exception = False
    page = world.client.get("/admin/articles/topic/add/").content.decode()
    token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    sent = {"name": "The sea", "slug": "sea", "csrfmiddlewaretoken": token}

    with failing("database or disk is full", at_write=1):
        response = world.client.post("/admin/articles/topic/add/", sent)
    again = dict(sent_again_by(response.content.decode()))

    assert again == sent
    assert world.client.post("/admin/articles/topic/add/", again).status_code == 302


def test_a_fault_of_the_code_loses_no_text_and_saves_nothing(client, monkeypatch):
    """Two writes, and then a fault: the first of them is taken back."""
    client.raise_request_exception = False
    comment = make_comment()
    before = everything()

    def fail(execute, sql, params, many, context):
        if sql.startswith('UPDATE "comments_comment"'):
            raise ZeroDivisionError
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        sent = {"reason": "other", "text": "Rude."}
        response = client.post(f"{comment.get_absolute_url()}report/", sent, headers=SAME_ORIGIN)

    assert (response.status_code, "Retry-After" in response) == (500, False)
    assert sent_again_by(response.content.decode()) == sorted(sent.items())
    assert everything() == before


def test_an_answer_that_claims_to_have_saved_what_is_taken_back_is_refused(client):
    """A database that cannot even go back to where it was leaves nothing of the whole request."""
    client.raise_request_exception = False
    comment = make_comment()

    def fail(execute, sql, params, many, context):
        response = execute(sql, params, many, context)
        if sql.startswith('UPDATE "comments_comment"'):
            transaction.set_rollback(True)
        return response

    with connection.execute_wrapper(fail):
        response = client.post(
            f"{comment.get_absolute_url()}report/", {"reason": "spam"}, headers=SAME_ORIGIN
        )

    assert response.status_code == 500
    assert Report.objects.count() == 0


def test_a_full_disk_leaves_no_half_a_picture(monkeypatch):
    world = World()
    world.signs_in()
    world.client.raise_request_exception = False
    before = everything()

    def write(descriptor, chunk):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("django.core.files.storage.filesystem.locks.lock", write)
    response = world.client.post("/admin/articles/image/add/", picture())

    assert_given_back(response, "/admin/articles/image/add/", picture())
    assert everything() == before


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (OperationalError("connection refused"), True),
        (InterfaceError("connection already closed"), True),
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EROFS, "Read-only file system"), True),
        (FileNotFoundError(errno.ENOENT, "No such file"), False),
        (IntegrityError("UNIQUE constraint failed"), False),
        (ProgrammingError("relation does not exist"), False),
        (ValueError(), False),
        (None, False),
    ],
)
def test_what_passes_is_told_from_a_fault(error, is_it):
    assert is_not_now(error) is is_it


@pytest.mark.parametrize(
    ("sql", "is_it"), [("SELECT * FROM no_such_table", False), ("PRAGMA query_only=ON; DELETE FROM t", True)]
)
def test_a_missing_table_is_a_fault_and_a_read_only_database_passes(tmp_path, sql, is_it):
    with sqlite3.connect(tmp_path / "site.sqlite3") as database:
        database.execute("CREATE TABLE t (x)")
    with pytest.raises(sqlite3.OperationalError) as caught:
        for statement in sql.split(";"):
            database.execute(statement)
    error = OperationalError(*caught.value.args)
    error.__cause__ = caught.value

    assert is_not_now(error) is is_it
