"""What is said where nothing is done beside the requests any more."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import DatabaseError, connection

from mail.models import Mail, Outage
from newsite import checks, chores
from newsite.chores import Chores
from newsite.models import Heartbeat
from tests.factories import make_editor, make_staff
from tests.givens import NOON

pytestmark = pytest.mark.django_db

MISSED = "The worker has not been seen since 23 November 2026, 12:00: no mail leaves, and nobody keeps house."
NEVER = "The worker has not been seen yet: no mail leaves, and nobody keeps house."


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def worker(settings):
    settings.MAIL_WORKER = True


def ready(client) -> tuple[int, str]:
    response = client.get("/readyz")
    return response.status_code, response.content.decode()


def front_page(client, user) -> str:
    client.force_login(user)
    return client.get("/admin/").content.decode()


# --- A worker that does not run ---


def test_a_worker_that_was_seen_lately_is_well(client, worker, clock):
    Heartbeat.beat()
    clock.shift(timedelta(minutes=5))

    assert ready(client) == (200, "ok\n")
    assert checks.check_worker_runs(None) == []
    assert "The worker" not in front_page(client, make_editor())


def test_a_worker_that_was_not_seen_for_minutes_is_named_and_readers_keep_their_site(client, worker, clock):
    Heartbeat.beat()
    clock.shift(timedelta(minutes=5, seconds=1))

    assert ready(client) == (200, f"{MISSED}\n")
    assert [(found.id, found.msg) for found in checks.check_worker_runs(None)] == [("newsite.W003", MISSED)]
    assert MISSED in front_page(client, make_editor())


def test_a_worker_that_has_never_run_is_named(client, worker):
    assert ready(client) == (200, f"{NEVER}\n")
    assert [found.msg for found in checks.check_worker_runs(None)] == [NEVER]


def test_check_names_it_with_and_without_deploy(worker, capsys, monkeypatch):
    # The tests with browsers set it, and no site may.
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE", raising=False)
    for options in ([], ["--deploy"]):
        call_command("check", *options)
        assert NEVER in capsys.readouterr().err


def test_a_site_without_a_worker_misses_none(client, clock):
    Heartbeat.beat()
    clock.shift(timedelta(days=1))

    assert ready(client) == (200, "ok\n")
    assert checks.check_worker_runs(None) == []


def test_without_a_database_the_check_says_nothing_of_the_worker(worker):
    def refuse(*args):
        raise DatabaseError("no connection")

    with connection.execute_wrapper(refuse):
        assert checks.check_worker_runs(None) == []


@pytest.mark.django_db(transaction=True)
def test_whoever_does_the_chores_says_so(monkeypatch):
    monkeypatch.setattr(chores, "PAUSE", 0.01)
    thread = Chores()
    thread.start()
    end = time.monotonic() + 60
    while Heartbeat.last_seen() is None:
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    thread.stop()

    assert Heartbeat.last_seen() == NOON


def test_many_processes_write_once_a_minute(django_assert_num_queries, clock):
    Heartbeat.beat()
    clock.shift(timedelta(seconds=30))
    with django_assert_num_queries(1):
        Heartbeat.beat()
    assert Heartbeat.last_seen() == NOON

    clock.shift(timedelta(seconds=30))
    Heartbeat.beat()
    assert (Heartbeat.last_seen(), Heartbeat.objects.count()) == (NOON + timedelta(minutes=1), 1)


# --- Mails that wait ---


@pytest.fixture
def outage(clock):
    for number in range(2):
        Mail.objects.create(recipient="ada@example.com", message_id=f"<{number}@news.example>")
    Outage.objects.note("[Errno 111] Connection refused <here>")


def test_the_front_page_of_the_admin_says_how_many_mails_wait_since_when_and_why(client, outage):
    page = front_page(client, make_editor())

    assert "2 mails wait, since 23 November 2026, 12:00: [Errno 111] Connection refused &lt;here&gt;" in page
    assert '<a href="/admin/mail/mail/?state__exact=waiting">' in page


def test_who_may_not_see_mails_reads_nothing_of_them(client, outage, worker):
    page = front_page(client, make_staff("Moderator"))

    assert ("mails wait" in page, "The worker" in page) == (False, False)


def test_nothing_is_said_where_the_server_takes_mails_or_none_waits(client, outage):
    Mail.objects.update(state="sent")
    assert "mails wait" not in front_page(client, make_editor())

    Mail.objects.update(state="waiting")
    Outage.objects.end()
    assert "mails wait" not in front_page(client, make_editor())


def test_the_front_page_says_how_many_mails_are_late_and_why_where_the_server_refuses_each(
    client, outage, clock
):
    Outage.objects.end()
    Mail.objects.update(last_error="450 <greylisted>")
    said = "2 mails have waited for longer than an hour: 450 &lt;greylisted&gt;"
    clock.shift(timedelta(minutes=59))
    assert said not in front_page(client, make_editor())

    clock.shift(timedelta(minutes=1))
    assert said in front_page(client, make_editor())
