import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from threading import Barrier, Event, Thread

import pytest
import time_machine
from django.conf import settings as site
from django.core import mail as django_mail
from django.db import connection

from mail.delivery import deliver_due
from mail.models import Mail, MailQuerySet
from tests.givens import NOON

# A transaction of its own for each change, as outside the tests: two deliverers see each other.
pytestmark = pytest.mark.django_db(transaction=True)


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


# --- A server that takes what it is given ---


def test_a_mail_is_delivered_once_with_its_headers_and_both_texts(queue, postbox):
    mail = queue(subject="Grüße", headers={"List-Unsubscribe": "<https://news.example/stop/>"})

    deliver_due()
    deliver_due()

    (got,) = postbox.mails
    assert postbox.recipients == ["ada@example.com"]
    assert (got["To"], got["From"]) == ("ada@example.com", "Newsite <newsite@news.example>")
    assert (got["Subject"], got["Message-ID"]) == ("Grüße", mail.message_id)
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["List-Unsubscribe"] == "<https://news.example/stop/>"
    assert got.get_body(["plain"]).get_content().startswith("Good news.")
    assert "<p>Good news.</p>" in got.get_body(["html"]).get_content()
    mail.refresh_from_db()
    assert (mail.state, mail.attempts, mail.last_error) == ("sent", 1, "")


def test_what_a_link_opens_is_known_to_the_recipient_alone_once_the_mail_has_left(queue, postbox):
    link = "https://news.example/comments/moderate/abc:123/"
    mail = queue(context={"words": f"Approve: {link} now"}, headers={"List-Unsubscribe": f"<{link}>"})

    deliver_due()

    (got,) = postbox.mails
    assert got.get_body(["plain"]).get_content().startswith(f"Approve: {link} now")
    assert got["List-Unsubscribe"] == f"<{link}>"
    mail.refresh_from_db()
    hidden = "https://news.example/comments/moderate/…"
    assert mail.text.startswith(f"Approve: {hidden} now")
    assert f"<p>Approve: {hidden} now</p>" in mail.html
    assert mail.headers == {"List-Unsubscribe": f"<{hidden}>"}


def test_a_mail_that_was_given_up_keeps_its_links_to_be_sent_again(queue, postbox):
    postbox.at_rcpt = "550 5.1.1 No such user"
    link = "https://news.example/comments/moderate/abc:123/"
    mail = queue(context={"words": link})
    deliver_due()
    postbox.at_rcpt = "250 OK"

    Mail.objects.send_again()
    deliver_due()

    (got,) = postbox.mails
    assert got.get_body(["plain"]).get_content().startswith(link)
    mail.refresh_from_db()
    assert (mail.state, "abc:123" in mail.text) == ("sent", False)


def test_a_long_link_in_a_header_stays_in_its_line(queue, postbox):
    link = f"<https://news.example/{'x' * 200}/>"
    queue(headers={"List-Unsubscribe": link}, subject="Grüße " * 30)

    deliver_due()

    (got,) = postbox.mails
    assert got["List-Unsubscribe"] == link  # folded, it would begin with the fold's space
    assert got["Subject"] == ("Grüße " * 30).strip()


def test_long_lines_and_links_arrive_whole_in_lines_that_every_server_takes(queue):
    words = f"{'word ' * 400}\nhttps://news.example/{'x' * 1200}/ and more"
    mail = queue(context={"words": words})

    sent = mail.message(None).message().as_bytes()

    assert max(map(len, sent.splitlines())) <= 998  # RFC 5322, section 2.1.1
    got = message_from_bytes(sent, policy=policy.default)
    assert words in got.get_body(["plain"]).get_content()
    assert words in got.get_body(["html"]).get_content()


def test_two_deliverers_at_once_send_each_mail_once(queue, postbox):
    postbox.pause = 0.05
    written = {queue().message_id for _ in range(6)}
    together = Barrier(2)

    def deliver():
        together.wait()
        try:
            deliver_due()
        finally:
            connection.close()

    threads = [Thread(target=deliver) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(postbox.mails) == 6
    assert {mail["Message-ID"] for mail in postbox.mails} == written


def test_whoever_reads_a_row_that_another_claims_meanwhile_does_not_get_it(queue, monkeypatch):
    queue()
    read = MailQuerySet.first

    def read_while_another_claims(self):
        monkeypatch.undo()
        mail = read(self)
        assert Mail.objects.claim() == mail
        return mail

    monkeypatch.setattr(MailQuerySet, "first", read_while_another_claims)

    assert Mail.objects.claim() is None


def test_a_deliverer_ends_after_the_mail_that_it_sends(queue, postbox):
    queue(), queue()
    stopped = Event()
    real = postbox.handle_DATA

    async def stop_then_take(*args):
        stopped.set()
        return await real(*args)

    postbox.handle_DATA = stop_then_take

    deliver_due(stopped)

    assert len(postbox.mails) == 1
    assert Mail.objects.filter(state="waiting").count() == 1


# --- A server that refuses ---


def test_a_refused_mail_is_tried_again_with_growing_pauses_and_then_given_up(queue, postbox):
    postbox.at_data = "451 Come back later"
    with time_machine.travel(NOON, tick=False) as clock:
        mail = queue()
        deliver_due()
        for pause in [timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=3)]:
            tries = postbox.begun
            clock.shift(pause - timedelta(seconds=1))
            deliver_due()
            assert postbox.begun == tries
            clock.shift(timedelta(seconds=1))
            deliver_due()
            assert postbox.begun == tries + 1
        clock.shift(timedelta(days=1))
        deliver_due()

    mail.refresh_from_db()
    assert (postbox.begun, postbox.mails) == (5, [])
    assert (mail.state, mail.attempts) == ("given-up", 5)
    assert "Come back later" in mail.last_error


def test_a_mail_refused_at_first_arrives_later_under_the_same_message_id(queue, postbox):
    postbox.at_rcpt = "450 Greylisted"
    with time_machine.travel(NOON, tick=False) as clock:
        mail = queue()
        deliver_due()
        postbox.at_rcpt = "250 OK"
        clock.shift(timedelta(minutes=1))
        deliver_due()

    assert [got["Message-ID"] for got in postbox.mails] == [mail.message_id]


@pytest.mark.parametrize(
    "answer",
    ["550 No such user", "553 No such user", "550 5.1.1 No such user", "554 5.1.2 No such user"],
)
def test_a_recipient_that_the_server_does_not_know_is_given_up_at_once(queue, postbox, answer):
    postbox.at_rcpt = answer
    mail = queue()

    deliver_due()

    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == ("given-up", 1)
    assert "No such user" in mail.last_error


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("at_mail", "550 5.7.1 Sender refused"),
        ("at_mail", "550 Sender refused"),
        ("at_rcpt", "550 5.7.1 Your network is on a list"),
        ("at_rcpt", "552 5.2.2 Mailbox full"),
        ("at_rcpt", "552 Mailbox full"),
        ("at_rcpt", "554 Relay access denied"),
        ("at_data", "554 5.7.1 Looks like spam"),
    ],
)
def test_what_a_server_refuses_for_good_but_for_another_reason_is_tried_again(queue, postbox, step, answer):
    """RFC 5321 calls it permanent. A list, a full mailbox and our own set-up change within hours."""
    setattr(postbox, step, answer)
    with time_machine.travel(NOON, tick=False) as clock:
        mail = queue()
        deliver_due()
        mail.refresh_from_db()
        assert (mail.state, mail.attempts) == ("waiting", 1)

        setattr(postbox, step, "250 OK")
        clock.shift(timedelta(minutes=1))
        deliver_due()

    assert [got["Message-ID"] for got in postbox.mails] == [mail.message_id]


def test_one_refused_mail_does_not_hold_up_the_next(queue, postbox):
    refused = iter(["550 No such user"])

    async def refuse_first(server, session, envelope, address, options):
        if answer := next(refused, None):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    postbox.handle_RCPT = refuse_first
    queue(recipient="nobody@example.com")
    queue(recipient="ada@example.com")

    deliver_due()

    assert postbox.recipients == ["ada@example.com"]


def test_a_mail_that_cannot_even_be_written_does_not_hold_up_the_next(queue, postbox):
    broken = queue(headers={"X-Broken": "two\nlines"})
    queue()

    deliver_due()

    broken.refresh_from_db()
    assert (len(postbox.mails), broken.state) == (1, "waiting")


# --- A server that hangs, dies or is not there ---


def test_a_server_that_hangs_costs_a_time_out_and_the_mail_is_kept(queue, postbox, settings):
    settings.EMAIL_TIMEOUT = 0.3
    postbox.at_data = "hang"
    mail = queue()

    begun = time.monotonic()
    deliver_due()

    mail.refresh_from_db()
    assert time.monotonic() - begun < 30
    assert (mail.state, mail.attempts, postbox.mails) == ("waiting", 1, [])
    assert "timed out" in mail.last_error


def test_a_server_that_dies_in_the_middle_of_a_mail_gets_it_again(queue, postbox):
    with time_machine.travel(NOON, tick=False) as clock:
        mail = queue()
        postbox.at_data = "die"
        deliver_due()
        mail.refresh_from_db()
        assert (mail.state, postbox.begun) == ("waiting", 1)

        postbox.at_data = "250 OK"
        clock.shift(timedelta(minutes=1))
        deliver_due()

    assert [got["Message-ID"] for got in postbox.mails] == [mail.message_id]


def test_a_server_that_dies_in_one_mail_gets_the_next_over_another_connection(queue, postbox):
    postbox.at_data = "die once"
    broken, sent = queue(), queue()

    deliver_due()

    broken.refresh_from_db()
    assert (broken.state, [got["Message-ID"] for got in postbox.mails]) == ("waiting", [sent.message_id])
    assert (postbox.connected, postbox.ended) == (2, 1)


def test_all_mails_of_a_round_go_over_one_connection_which_is_ended_after_them(queue, postbox):
    queue(), queue(), queue()

    deliver_due()

    assert (len(postbox.mails), postbox.connected, postbox.ended) == (3, 1, 1)


def test_a_round_with_nothing_to_send_asks_for_that_and_no_more(queue, postbox, django_assert_num_queries):
    queue().mark_sent()

    with django_assert_num_queries(1):
        deliver_due()

    assert postbox.connected == 0


def test_without_a_server_the_mail_waits(queue, postbox, settings):
    settings.EMAIL_PORT = 1
    mail = queue()

    deliver_due()

    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == ("waiting", 1)
    assert "refused" in mail.last_error


def test_a_server_that_is_not_there_is_tried_once_a_round(queue, postbox, settings):
    settings.EMAIL_PORT = 1
    queue(), queue(), queue()

    deliver_due()

    assert sorted(Mail.objects.values_list("attempts", flat=True)) == [0, 0, 1]


# --- A site that sends nothing ---


def test_without_email_url_mails_are_kept(queue, settings):
    settings.SENDS_MAIL = False
    mail = queue()

    deliver_due()

    mail.refresh_from_db()
    assert (mail.state, mail.attempts, django_mail.outbox) == ("waiting", 0, [])


def test_what_waited_for_days_does_not_leave_with_the_first_mail_server(queue):
    with time_machine.travel(NOON, tick=False) as clock:
        old = queue(recipient="old@example.com")
        clock.shift(timedelta(days=2, seconds=1))
        queue(recipient="new@example.com")
        deliver_due()
        assert [sent.to for sent in django_mail.outbox] == [["new@example.com"]]

        old.refresh_from_db()
        assert (old.state, old.last_error) == ("given-up", "It waited too long to be sent.")
        Mail.objects.send_again()
        deliver_due()
        assert [sent.to for sent in django_mail.outbox][1:] == [["old@example.com"]]


# --- The worker ---


def database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)


@pytest.fixture
def worker(server):
    """Start `manage.py worker` on the tests' database."""
    started = []

    def start() -> subprocess.Popen:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "newsite.settings",
            "DATABASE_URL": database_url(),
            "EMAIL_URL": f"smtp://127.0.0.1:{server.port}",
        }
        command = [sys.executable, "manage.py", "worker"]
        started.append(subprocess.Popen(command, cwd=site.BASE_DIR, env=environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_worker_killed_in_the_middle_loses_no_mail_and_sends_none_again(queue, postbox, worker):
    accepted = queue(recipient="accepted@example.com")
    process = worker()
    wait_until(lambda: Mail.objects.filter(pk=accepted.pk, state="sent").exists())
    postbox.at_data = "hang"
    caught = queue(recipient="caught@example.com")
    wait_until(lambda: postbox.begun == 2)
    process.kill()
    process.wait()
    postbox.at_data = "250 OK"

    deliver_due()
    caught.refresh_from_db()
    assert (caught.state, postbox.recipients) == ("sending", ["accepted@example.com"])

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        deliver_due()
    assert postbox.recipients == ["accepted@example.com", "caught@example.com"]
    assert postbox.mails[1]["Message-ID"] == caught.message_id


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_ends_cleanly_after_the_mail_that_it_sends(queue, postbox, worker, end):
    postbox.pause = 3
    first, second = queue(), queue()
    process = worker()
    wait_until(lambda: postbox.begun == 1)

    process.send_signal(end)

    assert process.wait(timeout=60) == 0
    assert [got["Message-ID"] for got in postbox.mails] == [first.message_id]
    second.refresh_from_db()
    assert (second.state, second.attempts) == ("waiting", 0)
