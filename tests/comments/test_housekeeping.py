"""What is not kept for ever: what is deleted when, and by whom."""

import os
import re
import signal
import threading
from datetime import UTC, datetime, timedelta
from importlib import import_module
from io import StringIO
from threading import Event

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from comments import access, bans, decisions, housekeeping, moderator_mails, notifications, queue
from comments.models import (
    IDENTIFIED,
    AccessLink,
    Change,
    Comment,
    Decision,
    Firing,
    Housekeeping,
    Report,
    Standing,
    Timer,
)
from comments.staff_notices import StaffNotice
from comments.subscriptions import Notice, Subscriber, Subscription
from mail.models import Mail
from newsite.models import Attempt
from staff.models import Session
from tests.factories import (
    make_article,
    make_comment,
    make_editor,
    make_report,
    make_staff,
    reply_to,
    set_discussion,
)
from tests.givens import NOON, StoppedAfter, announced

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def keep_house() -> dict[str, int]:
    done, is_over = housekeeping.run(Event())
    assert is_over
    return done


def old(days: float, **fields) -> Comment:
    """Make a comment of which nothing is kept that is personal, but for what is given."""
    return make_comment(created_at=NOON - timedelta(days=days), **{"ip_address": None, **fields})


def kept() -> set[Comment]:
    return set(Comment.objects.all())


# --- Spam and trash ---


@pytest.mark.parametrize(
    ("status", "what"),
    [
        ("spam", "comments deleted from spam"),
        ("trash", "comments deleted from the trash"),
        ("withdrawn", "comments deleted from the trash"),
    ],
)
def test_spam_and_trash_are_deleted_after_thirty_days_and_no_minute_sooner(clock, status, what):
    old(30.001, status=status)
    recent = old(30, status=status)
    others = {old(400, status=other) for other in ("approved", "held")}

    assert keep_house() == {what: 1}

    assert kept() == {recent, *others}


@pytest.mark.parametrize("decide", ["mark_as_spam", "trash"])
def test_the_days_count_from_the_decision_and_not_from_the_comment(clock, decide):
    comment = old(400)
    getattr(comment, decide)(by=make_editor())
    clock.shift(30 * DAY)
    keep_house()
    assert kept() == {comment}

    clock.shift(timedelta(seconds=1))
    keep_house()

    assert (kept(), Change.objects.count()) == (set(), 0)


def test_what_was_restored_and_thrown_away_again_counts_anew(clock):
    comment, editor = old(400), make_editor()
    comment.trash(by=editor)
    clock.shift(29 * DAY)
    comment.restore(by=editor)
    comment.trash(by=editor)
    clock.shift(29 * DAY)

    assert keep_house() == {}
    assert kept() == {comment}


def test_the_owner_chooses_the_days_of_each(clock):
    set_discussion(spam_days=7, trash_days=0)
    old(8, status="spam")
    spam, trash = old(6, status="spam"), old(3_000, status="trash")
    withdrawn = old(3_000, status="withdrawn")

    keep_house()

    assert kept() == {spam, trash, withdrawn}


def test_zero_days_are_for_ever(clock):
    set_discussion(spam_days=0, trash_days=0, address_days=0)
    comments = {old(3_000, status=status, ip_address="192.0.2.7") for status in ("spam", "trash", "approved")}
    make_report(comment=old(3_000), created_at=NOON - 3_000 * DAY)
    before = list(Report.objects.values())

    assert keep_house() == {}

    assert kept() >= comments
    assert Comment.objects.filter(ip_address="192.0.2.7").count() == 3
    assert list(Report.objects.values()) == before


@pytest.mark.parametrize("address", ["", "replies/"])
def test_answers_to_a_deleted_comment_stay_in_their_place_below_a_placeholder(client, clock, address):
    article = make_article(published_at=NOON - 50 * DAY)
    gone = old(40, article=article, status="trash", name="Ada", body="Gone for good.")
    answer = reply_to(gone, name="Bo", body="I answer Ada.")
    deeper = reply_to(answer, name="Cleo", body="I answer Bo.")
    old(40, article=article, status="spam", body="Nobody answered this.")

    keep_house()

    page = client.get(article.get_absolute_url() + address).content.decode()
    answer.refresh_from_db()
    assert (answer.parent, answer.lineage) == (None, [gone.pk, answer.pk])
    assert page.count("This comment has been removed.") == 1
    assert "Gone for good." not in page
    place, first, second = (
        page.index(text) for text in ("This comment has been removed.", "I answer Ada.", "I answer Bo.")
    )
    assert place < first < second
    assert page.count('<ol class="thread">') == 1
    assert page.count("<ol>") == page.count("</ol>") - 1 == 2
    assert deeper in kept()
    assert client.get(gone.get_absolute_url()).status_code == 404


def test_what_belongs_to_a_deleted_comment_goes_with_it_and_its_mails_never_leave(clock):
    comment, other = old(40), old(40)
    for one in (comment, other):
        notifications.subscribe(one, Subscription.Scope.ANSWERS)
        make_report(comment=one)
        Firing.objects.create(comment=one, rule="links", verdict="held")
    Subscriber.objects.update(confirmed_at=NOON)
    Mail.objects.all().delete()
    answer = reply_to(comment)
    announced(answer)
    comment.mark_as_spam(by=make_editor())
    StaffNotice.objects.all().delete()
    waiting = Mail.objects.count()
    clock.shift(31 * DAY)
    assert waiting == Mail.objects.filter(about=[answer.pk]).count() == 1

    keep_house()

    assert list(Mail.objects.all()) == []
    assert Comment.objects.filter(pk=comment.pk).exists() is False
    for model in (Report, Firing, Subscription):
        assert [row.comment for row in model.objects.all()] == [other]


# --- IP addresses, browsers and the senders of reports ---


@pytest.mark.parametrize("status", ["approved", "held"])
def test_ip_address_and_browser_are_erased_after_ninety_days(clock, status):
    fields = {"status": status, "ip_address": "192.0.2.7", "user_agent": "Lynx"}
    gone, recent = old(90.001, **fields), old(90, **fields)
    before = Comment.objects.values().get(pk=gone.pk)

    assert keep_house() == {"IP addresses and browsers of comments erased": 1}

    assert Comment.objects.values().get(pk=gone.pk) == {**before, "ip_address": None, "user_agent": ""}
    recent.refresh_from_db()
    assert (recent.ip_address, recent.user_agent) == ("192.0.2.7", "Lynx")


@pytest.mark.parametrize("fields", [{"ip_address": "2001:db8::7"}, {"user_agent": "Lynx"}])
def test_one_of_both_is_erased_too(clock, fields):
    comment = old(91, **fields)

    keep_house()

    comment.refresh_from_db()
    assert (comment.ip_address, comment.user_agent) == (None, "")


@pytest.mark.parametrize("detail", ["192.0.2.7", "192.0.2.0/24", "2001:db8::/64"])
def test_an_address_that_a_rule_has_found_is_erased_too(clock, detail):
    comment = old(91, ip_address="192.0.2.7")
    recent = old(1, ip_address="192.0.2.7")
    for one in (comment, recent):
        Firing.objects.create(comment=one, rule="refused", verdict="spam", detail=detail)
        Firing.objects.create(comment=one, rule="words", verdict="held", detail="press*")
        Firing.objects.create(comment=one, rule="banned", verdict="spam", detail="ada@example.com")

    keep_house()

    details = Firing.objects.order_by("pk").values_list("detail", flat=True)
    rest = ["press*", "ada@example.com"]
    assert list(details) == ["", *rest, detail, *rest]


def test_who_reported_is_forgotten_and_two_senders_stay_two(clock):
    comment = old(100)
    for sender in ("1" * 64, "f" * 64):
        make_report(comment=comment, sender=sender, text="Look.", created_at=NOON - 91 * DAY)
    make_report(comment=comment, sender="f" * 64, created_at=NOON - 89 * DAY)

    assert keep_house() == {"senders of reports forgotten": 2}
    assert keep_house() == {}

    senders = list(Report.objects.order_by("pk").values_list("sender", flat=True))
    assert senders[2] == "f" * 64
    assert len({*senders, "1" * 64}) == 4
    assert list(Report.objects.values_list("text", flat=True)) == ["Look.", "Look.", ""]


# --- What has expired ---


def test_mails_are_forgotten_where_nothing_is_sent_too(clock, settings):
    settings.SENDS_MAIL = False
    make_editor()
    StaffNotice.objects.create(comment=make_comment(status="held"), kind="held")
    moderator_mails.send_due()
    assert (Mail.objects.count(), StaffNotice.objects.count()) == (1, 1)
    clock.shift(31 * DAY)

    assert keep_house() == {"mails deleted": 1, "notes of mails to moderators deleted": 1}
    assert (Mail.objects.count(), StaffNotice.objects.count()) == (0, 0)


def test_what_has_expired_is_forgotten_and_nothing_else(clock, client):
    editor = make_editor()
    client.force_login(editor)
    first_session = Session.objects.get()
    Mail.objects.queue(recipient="a@example.com", subject="Old", template="comments/mail/access", context={
        "address": "/", "minutes": 1,
    }).mark_sent()  # fmt: skip
    StaffNotice.objects.create(comment=old(1), kind="held", user=editor, told_at=NOON)
    Subscriber.objects.create(email="never@example.com", confirmation_sent_at=NOON)
    Subscriber.objects.create(email="yes@example.com", confirmation_sent_at=NOON, confirmed_at=NOON)
    access.ask("ada@example.com", None)
    assert keep_house() == {}
    clock.shift(31 * DAY)
    client.force_login(editor)
    access.ask("bo@example.com", None)
    for name, at in (("ada", NOON), ("bo", NOON + 31 * DAY)):
        attempt = AccessAttempt.objects.create(username=name, failures_since_start=1)
        AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=at)
        Attempt.objects.create(sender=name, at=at)
    AccessLink.objects.create(digest="x", created_at=NOON)

    assert keep_house() == {
        "links by email expired": 1,
        "unconfirmed email addresses forgotten": 1,
        "sessions expired": 1,
        "failed sign-ins forgotten": 1,
        "attempts of senders forgotten": 1,
        "mails deleted": 1,
        "notes of mails to moderators deleted": 1,
    }
    assert keep_house() == {}

    assert Session.objects.count() == 1 and first_session not in Session.objects.all()
    assert Subscriber.objects.get().email == "yes@example.com"
    assert (AccessAttempt.objects.get().username, Attempt.objects.get().sender) == ("bo", "bo")
    assert (AccessLink.objects.count(), Mail.objects.count(), StaffNotice.objects.count()) == (1, 0, 0)


def test_what_a_decision_on_many_filtered_by_is_forgotten_when_it_is_done(clock):
    comment = old(1, status="held", email="ada@example.com")
    filters = {"status": "held", "email": "ada@example.com"}
    begun = decisions.start("approve", make_editor(), filters=filters, total=1, newest=comment.pk, seen=0)

    decisions.step(begun, queue.matching)

    assert (Decision.objects.get().filters, Comment.objects.get().status) == ({}, "approved")


def test_what_nobody_has_gone_on_with_for_a_day_is_ended_and_what_it_was_about_forgotten(clock):
    comment, editor = old(1, status="held", email="ada@example.com"), make_editor()
    about = {"filters": {"email": "ada@example.com"}, "total": 1, "newest": comment.pk, "seen": 0}
    terms = bans.Terms("email", ends_at="", note="", mark_as_spam=False, sure=False, own_address="192.0.2.7")
    begun = [
        decisions.start("approve", editor, **about),
        decisions.start("ban", editor, **about, terms=terms),
    ]
    undoing = Decision.objects.create(by=editor, kind="undo", finished_at=None)
    clock.shift(DAY)
    assert keep_house() == {}
    clock.shift(timedelta(seconds=1))
    recent = decisions.start("approve", editor, **about)

    assert keep_house() == {"decisions that were broken off ended": 2}
    assert keep_house() == {}

    for decision in begun:
        decision.refresh_from_db()
        assert (decision.filters, decision.terms) == ({}, {})
        assert decision.finished_at is not None
    assert list(Decision.objects.unfinished()) == [recent, undoing]
    recent.refresh_from_db()
    assert recent.filters == {"email": "ada@example.com"}


def test_who_was_told_of_what_is_forgotten_after_ninety_days_and_no_minute_sooner(clock):
    subscriber = Subscriber.objects.create(email="ada@example.com", confirmed_at=NOON)
    told = [NOON - timedelta(days=90.001), NOON - 90 * DAY, None]
    notices = [
        Notice.objects.create(
            subscriber=subscriber, comment=old(100), kind="story", created_at=NOON - 99 * DAY, told_at=at
        )
        for at in told
    ]

    assert keep_house() == {"notes of mails to commenters deleted": 1}

    assert set(Notice.objects.all()) == set(notices[1:])


def test_what_ended_ninety_days_ago_is_no_ban_to_look_up_any_more(clock):
    ends = {"192.0.2.1": NOON - timedelta(days=90.001), "192.0.2.2": NOON - 90 * DAY, "192.0.2.3": None}
    for value, ends_at in ends.items():
        Standing.objects.create(standing="banned", kind="address", value=value, ends_at=ends_at)

    assert keep_house() == {"bans and trust that have ended deleted": 1}

    kept_values = Standing.objects.order_by("value").values_list("value", flat=True)
    assert list(kept_values) == ["192.0.2.2", "192.0.2.3"]


# --- In chunks ---


@pytest.mark.parametrize("chunk", [1, 2, 3, 500])
def test_every_row_is_found_whatever_the_chunks_are(clock, monkeypatch, chunk):
    monkeypatch.setattr(housekeeping, "CHUNK", chunk)
    editor = make_editor()
    article = make_article()
    keep = {old(100, article=article, ip_address="192.0.2.7") for _ in range(2)}
    for number in range(7):
        comment = old(100, article=article, status="spam")
        if number % 2:  # became spam only now
            Change.objects.create(comment=comment, by=editor, to_status="spam")
            keep.add(comment)
    make_report(comment=old(1), created_at=NOON - 100 * DAY)
    keep.add(Report.objects.get().comment)

    assert keep_house() == {
        "IP addresses and browsers of comments erased": 2,
        "comments deleted from spam": 4,
        "senders of reports forgotten": 1,
    }

    assert kept() == keep
    assert Comment.objects.filter(IDENTIFIED).count() == 0


def test_it_ends_between_chunks_and_goes_on_the_next_time(clock, monkeypatch):
    monkeypatch.setattr(housekeeping, "CHUNK", 2)
    article = make_article()
    for _ in range(7):
        old(40, article=article, status="spam")

    assert housekeeping.run(StoppedAfter(1)) == ({"comments deleted from spam": 4}, False)
    assert Comment.objects.count() == 3
    assert keep_house() == {"comments deleted from spam": 3}
    assert keep_house() == {}


def test_what_fails_in_a_chunk_leaves_that_chunk_as_it_was(clock, monkeypatch):
    article = make_article()
    comments = [old(40, article=article, status="spam") for _ in range(3)]
    monkeypatch.setattr("comments.models.comment.staff_notices.forget", lambda pks: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        keep_house()

    assert kept() == set(comments)


@pytest.mark.parametrize("items", [1, 3])
def test_a_chunk_takes_the_same_queries_however_many_are_in_it(clock, items):
    article = make_article()
    for _ in range(items):
        old(100, article=article, status="spam", ip_address="192.0.2.7")
        make_report(comment=old(100, article=article), created_at=NOON - 100 * DAY)
    set_discussion()

    with CaptureQueriesContext(connection) as queries:
        keep_house()

    assert Comment.objects.count() == items
    assert len([query for query in queries if "SAVEPOINT" not in query["sql"]]) == 45


# --- When it is due, and who does it ---


def test_it_is_done_at_once_and_then_once_a_day(clock):
    first = old(40, status="spam")
    housekeeping.run_if_due(Event())
    assert first not in kept()
    later = old(40, status="spam")
    clock.shift(DAY - timedelta(seconds=1))
    housekeeping.run_if_due(Event())
    assert kept() == {later}

    clock.shift(timedelta(seconds=1))
    housekeeping.run_if_due(Event())

    assert kept() == set()


def test_of_two_processes_one_is_let_in_and_the_other_follows_where_it_dies(clock):
    assert (Housekeeping.claim(), Housekeeping.claim()) == (True, False)

    clock.shift(timedelta(minutes=10))

    assert (Housekeeping.claim(), Housekeeping.claim()) == (True, False)


def test_what_was_stopped_goes_on_with_the_next_process(clock):
    old(40, status="spam")
    trash = old(40, status="trash")
    stopped = Event()
    stopped.set()

    housekeeping.run_if_due(stopped)

    assert kept() == {trash}
    assert Housekeeping.claim() is True


def test_mails_wait_for_it_only_a_few_seconds_at_a_time(clock, monkeypatch):
    monkeypatch.setattr(housekeeping, "CHUNK", 1)
    monkeypatch.setattr(housekeeping, "PATIENCE", -1)
    article = make_article()
    for _ in range(2):
        old(40, article=article, status="spam")

    rounds = 0
    while Comment.objects.exists():
        housekeeping.run_if_due(Event())
        rounds += 1
        assert rounds < 20

    assert rounds > 1


def test_what_was_done_is_in_the_log(clock, caplog):
    old(40, status="spam")

    housekeeping.run_if_due(Event())

    assert [record.getMessage() for record in caplog.records] == [
        "Housekeeping: comments deleted from spam: 1"
    ]


@pytest.mark.django_db(transaction=True)
def test_two_at_once_delete_all_that_is_due_and_nothing_else(monkeypatch):
    monkeypatch.setattr(housekeeping, "CHUNK", 3)
    article = make_article()
    now = datetime.now(UTC)
    for _ in range(40):
        make_comment(article=article, status="spam", created_at=now - 40 * DAY)
        make_comment(article=article, created_at=now - 100 * DAY, ip_address="192.0.2.7")
    counts, failures = [], []

    def work():
        try:
            done, is_over = housekeeping.run(Event())
            counts.append((done.get("comments deleted from spam", 0), is_over))
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert failures == []
    assert sum(count for count, _is_over in counts) == 40
    assert (Comment.objects.count(), Comment.objects.filter(IDENTIFIED).count()) == (40, 0)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets nobody write beside another")
@pytest.mark.django_db(transaction=True)
def test_a_moderator_who_takes_a_comment_out_of_spam_at_this_moment_keeps_it():
    comment = make_comment(status="spam", created_at=datetime.now(UTC) - 40 * DAY)
    editor = make_editor()

    def work():
        try:
            housekeeping.run(Event())
        finally:
            connections.close_all()

    with transaction.atomic():
        comment.approve(by=editor)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(30)
        assert not thread.is_alive()

    assert Comment.objects.get().status == "approved"


# --- The command ---


def command(stdout=None) -> str:
    stdout = stdout or StringIO()
    call_command("housekeeping", stdout=stdout)
    return stdout.getvalue()


def test_the_command_says_what_it_did_and_keeps_the_chores_from_doing_it_again(clock):
    old(40, status="spam")
    old(40, status="trash")
    old(100, ip_address="192.0.2.7")

    assert command().splitlines() == [
        "IP addresses and browsers of comments erased: 1",
        "comments deleted from spam: 1",
        "comments deleted from the trash: 1",
        "All is done.",
    ]
    assert Housekeeping.claim() is False
    assert command() == "There was nothing to do.\n"


def test_the_command_needs_no_claim(clock):
    old(40, status="spam")
    assert Housekeeping.claim() is True

    command()

    assert kept() == set()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command_between_chunks(clock, monkeypatch, end):
    monkeypatch.setattr(housekeeping, "CHUNK", 2)
    article = make_article()
    for _ in range(6):
        old(40, article=article, status="spam")
    handlers = [signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)]

    def end_during_the_first_chunk(execute, sql, *args):
        if sql.startswith("DELETE") and "comments_comment" in sql:
            os.kill(os.getpid(), end)
        return execute(sql, *args)

    with connection.execute_wrapper(end_during_the_first_chunk):
        told = command()

    assert told.splitlines() == [
        "comments deleted from spam: 2",
        "Stopped before the end: the next time goes on.",
    ]
    assert Comment.objects.count() == 4
    assert [signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)] == handlers
    assert Housekeeping.claim() is True


# --- How it is found ---


def test_what_is_due_is_found_by_an_index(clock):
    """Read from the plans of the very queries that are sent."""
    old(40, status="spam")
    old(100, ip_address="192.0.2.7")
    make_report(comment=old(1), created_at=NOON - 100 * DAY)
    Mail.objects.create(recipient="a@example.com", subject="Old", text="Old", created_at=NOON - 100 * DAY)
    with CaptureQueriesContext(connection) as queries:
        keep_house()
    found = [query["sql"] for query in queries if "LIMIT 500" in query["sql"]]
    by_index = {
        "comment_queue": [sql for sql in found if '"status" = ' in sql],
        "comment_identified": [sql for sql in found if '"ip_address" IS NOT NULL' in sql],
        "report_sender": [sql for sql in found if '"comments_report"' in sql],
        "mail_written": [sql for sql in found if 'FROM "mail_mail"' in sql],
    }

    for index, asked in by_index.items():
        assert len(asked) >= 2  # one that finds, and one that finds no more
        for sql in asked:
            plan = plan_of(sql)
            # Of two indexes that serve, PostgreSQL takes either while there are so few rows.
            assert (index if connection.vendor == "sqlite" else "Index Scan") in plan
            assert re.findall(r"SCAN \w+$|TEMP B-TREE|Seq Scan", plan, re.MULTILINE) == []


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Of so few rows it would rather read all.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            cursor.execute(f"EXPLAIN {sql}")
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


# --- Timers that are new to a site ---

timers = import_module("comments.migrations.0038_timers")


def upgraded() -> None:
    """What the upgrade does that brings the timers."""
    Timer.objects.all().delete()
    timers.begin(apps, None)


def all_that_is_old() -> None:
    for status in ("spam", "trash", "withdrawn", "approved"):
        old(400, status=status, ip_address="192.0.2.7", user_agent="Lynx")
    mail = Mail.objects.queue(recipient="bo@example.com", subject="x", template="comments/mail/confirm")
    Mail.objects.filter(pk=mail.pk).update(created_at=NOON - 400 * DAY)
    Standing.objects.create(standing="banned", kind="name", value="troll", ends_at=NOON - 200 * DAY)
    Subscriber.objects.create(email="bo@example.com", confirmation_sent_at=NOON - 90 * DAY)


def everything() -> list:
    models = [Comment, Mail, Standing, Subscriber]
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_an_upgrade_deletes_nothing_before_a_week_is_over(clock):
    all_that_is_old()
    before = everything()
    upgraded()

    clock.shift(7 * DAY - timedelta(seconds=1))
    assert keep_house() == {}
    assert everything() == before

    clock.shift(timedelta(seconds=1))
    assert len(keep_house()) == 6
    assert Comment.objects.exclude(ip_address=None).count() == 0


def test_a_new_site_keeps_house_from_the_start(clock):
    upgraded()
    all_that_is_old()

    assert len(keep_house()) == 6


def test_a_site_that_kept_house_before_goes_on(clock):
    all_that_is_old()
    Housekeeping.objects.create()
    upgraded()

    assert len(keep_house()) == 6


def test_a_timer_of_a_later_version_waits_for_a_week_wherever_it_is_met(clock):
    old(400, status="spam")
    Timer.objects.filter(name="spam").delete()

    assert keep_house() == {}
    clock.shift(7 * DAY)
    assert keep_house() == {"comments deleted from spam": 1}


def test_every_timer_is_written_down_by_a_migration():
    named = [job.timer for job in housekeeping.JOBS if job.timer]

    assert sorted(Timer.objects.values_list("name", "begins_at")) == [(name, None) for name in sorted(named)]


def test_whoever_may_change_the_settings_reads_what_will_be_deleted(clock, client):
    all_that_is_old()
    upgraded()
    set_discussion(spam_days=0, trash_days=14)
    client.force_login(make_staff("Moderator"))
    assert "Newsite will delete" not in client.get("/admin/").content.decode()
    client.force_login(make_editor())

    page = client.get("/admin/").content.decode()

    assert '<h2 id="put-off-title">What will be deleted</h2>' in page
    assert "From 30 November 2026 on, Newsite will delete, day by day:" in page
    assert "<li>the trash after 14 days</li>" in page
    assert "<li>spam" not in page
    assert '<a href="/admin/comments/discussionsettings/">Discussion settings</a>' in page
    output = StringIO()
    call_command("housekeeping", stdout=output)
    assert output.getvalue().startswith("Not before ")
    clock.shift(7 * DAY)
    assert "Newsite will delete" not in client.get("/admin/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_database_of_before_is_upgraded_without_a_loss():
    executor = MigrationExecutor(connection)
    executor.migrate([("comments", "0037_notes_are_for_the_person_too")])
    try:
        old_spam = make_comment(status="spam", created_at=timezone.now() - 400 * DAY)
    finally:
        whole = MigrationExecutor(connection)
        whole.migrate(whole.loader.graph.leaf_nodes())

    assert keep_house() == {}

    assert list(Comment.objects.all()) == [old_spam]
    assert Timer.objects.put_off().count() == len(timers.NAMES)
