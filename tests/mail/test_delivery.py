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
from django.db import OperationalError, connection

from mail import delivery
from mail.delivery import deliver_due, tell_of_late
from mail.models import Mail, MailQuerySet, written
from newsite.chores import Chores
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


# --- A database that is busy when the server has taken a mail ---


@pytest.fixture
def database(postbox):
    """The database takes no change of a mail from the moment on when the server has taken one."""

    class Database:
        is_busy = True

        def __call__(self, execute, sql, params, many, context):
            if self.is_busy and postbox.mails and sql.startswith("UPDATE"):
                raise OperationalError("database is locked")
            return execute(sql, params, many, context)

    database = Database()
    with connection.execute_wrapper(database):
        yield database


def test_a_mail_that_the_server_has_taken_is_not_sent_again_however_long_the_database_is_busy(
    queue, postbox, database
):
    with time_machine.travel(NOON, tick=False) as clock:
        first, second = queue(), queue()
        for _minute in range(10):
            with pytest.raises(OperationalError):
                deliver_due()
            clock.shift(timedelta(minutes=1))
        assert [got["Message-ID"] for got in postbox.mails] == [first.message_id]

        database.is_busy = False
        deliver_due()

    assert [got["Message-ID"] for got in postbox.mails] == [first.message_id, second.message_id]
    assert set(Mail.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_another_process_leaves_the_one_that_sent_a_mail_time_to_say_so(
    queue, postbox, database, monkeypatch
):
    with time_machine.travel(NOON, tick=False) as clock:
        queue()
        with pytest.raises(OperationalError):
            deliver_due()
        clock.shift(timedelta(minutes=5))
        database.is_busy = False
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(delivery, "taken", {})
            deliver_due()
        deliver_due()
        clock.shift(timedelta(minutes=5))
        deliver_due()

    assert (len(postbox.mails), Mail.objects.get().state) == (1, "sent")


def test_what_the_server_has_taken_is_noted_when_a_process_ends(queue, postbox, database):
    mail = queue()
    with pytest.raises(OperationalError):
        deliver_due()
    database.is_busy = False

    chores = Chores()
    chores.stopped.set()
    chores.run()

    mail.refresh_from_db()
    assert mail.state == "sent"


# --- A server that refuses ---


def test_a_refused_mail_is_tried_again_with_growing_pauses_then_hourly_and_given_up_after_three_days(
    queue, postbox
):
    postbox.at_data = "451 Come back later"
    tried_at = []
    with time_machine.travel(NOON, tick=False) as clock:
        mail = queue()
        while mail.state == "waiting":
            clock.move_to(mail.due_at - timedelta(seconds=1))
            deliver_due()
            assert postbox.begun == len(tried_at)
            clock.move_to(mail.due_at)
            deliver_due()
            tried_at.append(mail.due_at - NOON)
            mail.refresh_from_db()

    assert tried_at[:6] == [timedelta(minutes=minutes) for minutes in (0, 1, 6, 36, 96, 156)]
    pauses = {after - before for before, after in zip(tried_at[4:], tried_at[5:], strict=False)}
    assert (pauses, tried_at[-1]) == ({timedelta(hours=1)}, timedelta(days=2, hours=23, minutes=36))
    mail.refresh_from_db()
    assert (mail.state, postbox.mails) == ("given-up", [])
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


# --- All wait, and all leave ---


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


AWAY = {"not there": "refused", "at_mail": "Sender refused", "at_rcpt": "Relay access denied"}


@pytest.fixture(params=AWAY)
def outage(request, postbox, settings):
    """The mail server takes nothing, until the test calls this."""
    port, step = settings.EMAIL_PORT, request.param
    if step == "not there":
        settings.EMAIL_PORT = 1
    else:
        setattr(postbox, step, f"554 5.7.1 {AWAY[step]}")

    def end():
        settings.EMAIL_PORT = port
        postbox.at_mail = postbox.at_rcpt = "250 OK"

    end.words = AWAY[step]
    return end


def minutes_pass(clock, minutes: int) -> None:
    for _minute in range(minutes):
        clock.shift(timedelta(minutes=1))
        deliver_due()


def test_all_that_wait_for_the_server_leave_with_the_first_that_it_takes(queue, postbox, outage, clock):
    written = [queue().message_id for _ in range(5)]
    deliver_due()
    minutes_pass(clock, 60)
    assert postbox.mails == []

    outage()
    minutes_pass(clock, 10)

    assert sorted(mail["Message-ID"] for mail in postbox.mails) == sorted(written)


def test_a_mail_written_after_the_outage_takes_all_that_wait_along(queue, postbox, outage, clock):
    old = [queue().message_id for _ in range(3)]
    deliver_due()
    minutes_pass(clock, 57)

    outage()
    clock.shift(timedelta(minutes=1))
    new = queue()
    deliver_due()

    assert sorted(mail["Message-ID"] for mail in postbox.mails) == sorted([*old, new.message_id])


def test_no_outage_of_less_than_three_days_costs_a_mail(queue, postbox, outage, clock):
    queue(), queue()
    for _time in range(10):
        deliver_due()
        clock.shift(timedelta(hours=7))
    outage()
    deliver_due()

    assert (len(postbox.mails), set(Mail.objects.values_list("state", flat=True))) == (2, {"sent"})


def test_after_three_days_without_a_server_mails_are_given_up_with_its_words(queue, outage, clock, caplog):
    mail = queue()
    deliver_due()
    clock.shift(timedelta(days=3, seconds=1))
    deliver_due()

    mail.refresh_from_db()
    assert (mail.state, outage.words in mail.last_error) == ("given-up", True)
    assert "Mails that have waited for three days were given up: 1." in caplog.messages


def test_while_the_server_takes_nothing_it_is_tried_a_few_times_an_hour_for_all_mails(queue, postbox, clock):
    postbox.at_mail = "550 5.7.1 Sender refused"
    for _ in range(50):
        queue()
    deliver_due()
    minutes_pass(clock, 60)

    # After 0, 1, 6, 16, 26, 36, 46 and 56 minutes, two mails each: the first may be to blame itself.
    assert sum(Mail.objects.values_list("attempts", flat=True)) == 16


def test_the_log_says_once_that_mails_wait_since_when_how_many_and_why_and_once_that_they_leave(
    queue, outage, clock, caplog
):
    queue(), queue(), queue()
    deliver_due()
    minutes_pass(clock, 60)
    (said,) = caplog.messages
    assert said.startswith("Mails wait since 2026-11-23 12:00:00+00:00: 3 so far. Their server: ")
    assert (outage.words in said, caplog.records[0].levelname) == (True, "WARNING")

    outage()
    minutes_pass(clock, 10)
    assert caplog.messages[1:] == [
        "Mails leave again that have waited since 2026-11-23 12:00:00+00:00. Still to go: 2."
    ]


def test_who_is_refused_alone_waits_alone(queue, postbox, clock, caplog):
    postbox.at_rcpt = "450 4.2.0 Greylisted"
    greylisted = queue()
    deliver_due()
    postbox.at_rcpt = "250 OK"

    other = queue()
    deliver_due()

    greylisted.refresh_from_db()
    assert (greylisted.state, caplog.messages) == ("waiting", [])
    assert [mail["Message-ID"] for mail in postbox.mails] == [other.message_id]


@pytest.mark.parametrize("bad", [1, 5])
def test_mails_that_the_server_dies_of_do_not_stop_the_others_for_long(queue, postbox, clock, bad):
    async def refuse_bad(server, session, envelope, address, options):
        if address.startswith("bad"):
            return "554 5.7.1 Not from you"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    postbox.handle_RCPT = refuse_bad
    for number in range(bad):
        queue(recipient=f"bad{number}@example.com")
    queue(), queue()

    deliver_due()
    minutes_pass(clock, 20)

    assert postbox.recipients == ["ada@example.com"] * 2
    bad_ones = Mail.objects.filter(recipient__startswith="bad")
    assert list(bad_ones.values_list("state", flat=True)) == ["waiting"] * bad


def test_every_process_knows_that_the_server_takes_nothing(queue, settings, postbox, clock):
    settings.EMAIL_PORT = 1
    queue(), queue()
    for _process in range(3):
        deliver_due()

    assert sum(Mail.objects.values_list("attempts", flat=True)) == 1


def test_sending_again_by_hand_tries_the_server_at_once(queue, postbox, outage, clock):
    given_up = queue()
    Mail.objects.filter(pk=given_up.pk).update(state="given-up")
    waiting = queue()
    deliver_due()
    minutes_pass(clock, 20)

    outage()
    Mail.objects.send_again()
    deliver_due()

    assert {mail["Message-ID"] for mail in postbox.mails} == {given_up.message_id, waiting.message_id}


def test_what_is_sent_again_is_tried_for_three_days_more(queue, postbox, clock):
    postbox.at_data = "451 Come back later"
    mail = queue()
    clock.shift(timedelta(days=4))
    deliver_due()
    Mail.objects.send_again()
    deliver_due()

    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == ("waiting", 1)


def test_a_long_queue_lets_the_other_chores_have_their_turn(queue, postbox, monkeypatch):
    monkeypatch.setattr(delivery, "PATIENCE", -1)
    queue(), queue()
    written.clear()

    deliver_due()

    assert (len(postbox.mails), written.is_set()) == (1, True)


# --- Mails that are late, whatever the reason ---


def test_the_log_says_once_how_many_mails_are_late_and_the_commonest_reason_and_again_when_it_is_worse(
    queue, postbox, clock, caplog
):
    postbox.at_rcpt = "450 4.7.1 Too many from you"
    queue(recipient="bob@example.com"), queue(), queue()
    for _minute in range(90):
        deliver_due()
        tell_of_late()
        clock.shift(timedelta(minutes=1))
    said = "Mails have waited for longer than an hour: {}. The commonest reason: 450 4.7.1 Too many from you"
    assert caplog.messages == [said.format(3)]

    for _mail in range(27):
        queue()
    clock.shift(timedelta(hours=1))
    tell_of_late(), tell_of_late()
    assert caplog.messages[1:] == [said.format(30)]

    postbox.at_rcpt = "250 OK"
    deliver_due()
    tell_of_late()
    assert (len(postbox.mails), len(caplog.messages)) == (30, 2)


def test_a_reason_names_nobody(queue, postbox, clock):
    postbox.at_rcpt = "450 4.2.2 <Ada@example.com>: mailbox full"
    queue()
    deliver_due()

    assert Mail.objects.get().last_error == "450 4.2.2 <…>: mailbox full"


# --- A site that sends nothing ---


def test_without_email_url_mails_are_kept(queue, settings):
    settings.SENDS_MAIL = False
    mail = queue()

    deliver_due()

    mail.refresh_from_db()
    assert (mail.state, mail.attempts, django_mail.outbox) == ("waiting", 0, [])


def test_what_waited_for_three_days_does_not_leave_with_the_first_mail_server(queue):
    with time_machine.travel(NOON, tick=False) as clock:
        old = queue(recipient="old@example.com")
        clock.shift(timedelta(days=3, seconds=1))
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

    claim_is_over = datetime.now(UTC) + timedelta(minutes=2)
    with time_machine.travel(claim_is_over):
        deliver_due()
    with time_machine.travel(claim_is_over + timedelta(minutes=1, seconds=1)):
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
