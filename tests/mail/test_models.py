import re
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from importlib import import_module

import pytest
import time_machine
from django.apps import apps
from django.core.mail import get_connection
from django.db import transaction

from mail import models
from mail.models import Mail
from tests.givens import NOON


@pytest.mark.django_db
def test_a_mail_has_both_texts_and_each_escapes_what_it_must(queue):
    mail = queue(context={"words": "<b>Ada & Bo</b>"})

    assert mail.text == "<b>Ada & Bo</b>\nhttps://news.example/somewhere/\n"
    assert "<p>&lt;b&gt;Ada &amp; Bo&lt;/b&gt;</p>" in mail.html
    assert '<html lang="en">' in mail.html


@pytest.mark.django_db
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\x0b"])
def test_a_line_break_in_a_subject_starts_no_header(queue, end):
    mail = queue(subject=f"News{end}Bcc: everyone@example.com")

    sent = mail.message(get_connection()).message()
    assert mail.subject == "News Bcc: everyone@example.com"
    assert (sent["Bcc"], sent["Subject"]) == (None, "News Bcc: everyone@example.com")


@pytest.mark.django_db
def test_a_long_subject_is_cut(queue):
    mail = queue(subject="x" * 500)

    assert mail.subject == f"{'x' * 199}…"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?x?= replied to your comment",
        "橋" * 190,
        "Zoë replied to your comment on “The bridge over the river that was never built, and why”",
        "é" * 199,
        "plain " * 30 + "end",
    ],
)
def test_a_subject_is_read_as_it_is_written_in_words_and_lines_that_are_not_too_long(queue, subject):
    raw = queue(subject=subject).message(get_connection()).message().as_bytes()

    header = re.search(rb"^Subject: .*(?:\n .*)*", raw, re.M)[0].decode()
    assert max(map(len, header.split("\n"))) <= 76
    assert [word for word in header.split() if word.startswith("=?") and len(word) > 75] == []
    assert message_from_bytes(raw, policy=default)["Subject"] == subject


@pytest.mark.django_db(transaction=True)
def test_a_mail_is_gone_with_the_transaction_of_its_cause(queue):
    models.written.clear()

    with pytest.raises(RuntimeError), transaction.atomic():
        queue()
        raise RuntimeError

    assert (Mail.objects.count(), models.written.is_set()) == (0, False)


@pytest.mark.django_db(transaction=True)
def test_delivery_is_woken_only_after_the_commit(queue):
    models.written.clear()

    with transaction.atomic():
        queue()
        assert not models.written.is_set()

    assert models.written.is_set()


@pytest.mark.django_db
def test_every_mail_has_a_message_id_of_the_site_and_of_its_own(queue):
    first, second = queue(), queue()

    assert first.message_id != second.message_id
    assert first.message_id.endswith("@news.example>")


@pytest.mark.django_db
def test_only_what_was_given_up_is_sent_again(queue):
    given_up = queue()
    Mail.objects.filter(pk=given_up.pk).update(state="given-up", attempts=5, last_error="refused")
    sent = queue()
    sent.mark_sent()

    assert Mail.objects.send_again() == 1

    given_up.refresh_from_db()
    sent.refresh_from_db()
    assert (given_up.state, given_up.attempts, given_up.last_error, sent.state) == ("waiting", 0, "", "sent")


@pytest.mark.django_db
@pytest.mark.parametrize("state", Mail.State.values)
def test_a_mail_is_forgotten_after_thirty_days_whatever_became_of_it(queue, state):
    with time_machine.travel(NOON, tick=False) as clock:
        mail = queue()
        Mail.objects.filter(pk=mail.pk).update(state=state)
        clock.shift(timedelta(days=30))
        assert list(Mail.objects.forgettable()) == []
        clock.shift(timedelta(seconds=1))

        assert list(Mail.objects.forgettable()) == [mail]


def test_mails_that_left_before_the_upgrade_lose_the_tokens_of_their_links(db):
    link = "https://news.example/comments/mine/link/abc/"
    for number in range(3):
        for state in ["sent", "given-up"]:
            Mail.objects.create(
                recipient="ada@example.com",
                subject=state,
                message_id=f"<{state}.{number}@news.example>",
                state=state,
                text=f"Open {link}",
                html=f'<a href="{link}">',
                headers={"List-Unsubscribe": f"<{link}>"},
            )

    import_module("mail.migrations.0005_sent_mails_without_tokens").clean(apps, None)

    hidden = "https://news.example/comments/mine/…"
    texts = set(Mail.objects.values_list("state", "text", "html"))
    assert texts == {
        ("sent", f"Open {hidden}", f'<a href="{hidden}">'),
        ("given-up", f"Open {link}", f'<a href="{link}">'),
    }
    assert Mail.objects.filter(state="sent")[0].headers == {"List-Unsubscribe": f"<{hidden}>"}
