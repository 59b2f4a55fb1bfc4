import time
from datetime import timedelta
from threading import Event

import pytest
from django.core import mail as django_mail
from django.db import OperationalError
from django.utils import timezone

from comments import notifications, posting
from comments.models import Comment
from comments.moderation import Submission
from mail.models import Mail
from newsite import chores
from newsite.chores import Chores
from newsite.management.commands.worker import Command
from tests.factories import make_article, make_comment, make_editor, set_discussion

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def running(monkeypatch):
    """The thread that a web process has, which looks only when it is woken."""
    monkeypatch.setattr(chores, "PAUSE", 600)
    thread = Chores()
    thread.start()
    yield thread
    thread.stop()


def test_the_worker_says_all_that_it_does():
    said = " ".join(Command().create_parser("manage.py", "worker").format_help().split())

    assert Command.help in said
    assert [word in said for word in ("mail", "digests", "keep house", "MAIL_WORKER=on")] == [True] * 4


def queue(**content) -> Mail:
    return Mail.objects.queue(recipient="ada@example.com", subject="News", template="mail/base", **content)


@pytest.fixture(autouse=True)
def text_template(settings, tmp_path):
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail/base.txt").write_text("News.")
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [*engine["DIRS"], tmp_path]}]


def wait_for_mails(count: int) -> None:
    end = time.monotonic() + 60
    while Mail.objects.filter(state="sent").count() < count:
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_a_mail_leaves_without_a_worker_as_soon_as_it_is_written(running):
    queue()
    wait_for_mails(1)
    queue()
    wait_for_mails(2)

    assert len(django_mail.outbox) == 2


def test_what_was_left_over_leaves_at_the_start(monkeypatch):
    queue()
    thread = Chores()
    thread.start()

    wait_for_mails(1)
    thread.stop()


def test_a_mail_about_a_comment_that_is_gone_is_not_sent(running):
    queue(about=[1])
    queue()

    wait_for_mails(1)

    assert (len(django_mail.outbox), Mail.objects.count()) == (1, 1)


def test_a_moderator_is_told_of_a_held_comment_as_soon_as_it_is_posted(running):
    editor = make_editor()
    person = {"name": "Ada", "email": "ada@mailbox.example"}

    posting.post(Submission(Comment(article=make_article(), body="Well said.", **person)))

    wait_for_mails(1)
    assert [message.to for message in django_mail.outbox] == [[editor.email]]


def test_a_reader_is_told_of_an_answer_as_soon_as_it_is_posted(running):
    set_discussion(holds_first_comments=False)
    comment = make_comment(name="Ada", email="ada@example.com")
    notifications.subscribe(comment, "answers")
    notifications.announce([comment])
    wait_for_mails(1)
    comment.subscription.subscriber.confirm()
    person = {"name": "Bo", "email": "bo@example.com"}

    posting.post(Submission(Comment(article=comment.article, parent=comment, body="Quite so.", **person)))

    wait_for_mails(2)
    assert django_mail.outbox[1].subject.startswith("Bo replied to your comment")


def test_a_slow_mail_server_slows_no_request(running, monkeypatch):
    is_over, waited = Event(), []

    def answer_late(_self):
        waited.append(is_over.wait(60))

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.open", answer_late)

    queue()
    is_over.set()

    wait_for_mails(1)
    assert waited == [True]


def do_chores_that_fail(monkeypatch, *failures: Exception) -> None:
    """Let the delivery of a mail fail so often, and wait until the mail has left."""
    waiting, real = iter(failures), chores.delivery.deliver_due

    def deliver_due(*args):
        for failure in waiting:
            raise failure
        real(*args)

    monkeypatch.setattr(chores.delivery, "deliver_due", deliver_due)
    monkeypatch.setattr(chores, "PAUSE", 0.05)
    queue()
    thread = Chores()
    thread.start()

    wait_for_mails(1)
    thread.stop()


def test_a_chore_that_fails_is_tried_again(monkeypatch, caplog):
    do_chores_that_fail(monkeypatch, RuntimeError("A fault of the code."))

    assert "A chore failed." in caplog.text


def test_a_database_that_is_away_is_one_line_and_one_more_when_it_is_back(monkeypatch, caplog):
    away = OperationalError("connection refused\nIs the server running?")

    do_chores_that_fail(monkeypatch, away, away, away)

    assert [record.getMessage() for record in caplog.records if record.name == "newsite.chores"] == [
        "What is due beside the requests waits: connection refused",
        "What is due beside the requests goes on.",
    ]


@pytest.mark.parametrize(("has_worker", "started"), [(False, 1), (True, 0)])
def test_a_site_with_a_worker_leaves_the_chores_to_it(settings, monkeypatch, has_worker, started):
    settings.MAIL_WORKER = has_worker
    threads = []
    monkeypatch.setattr(Chores, "start", lambda self: threads.append(self))

    chores.start_beside_requests()

    assert len(threads) == started


def test_the_chores_keep_house():
    comment = make_comment(status="spam", created_at=timezone.now() - timedelta(days=31))
    thread = Chores()
    thread.start()
    end = time.monotonic() + 60
    while Comment.objects.filter(pk=comment.pk).exists():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    thread.stop()
