"""What strangers can make the site write to an address: how often in all, and how its owner ends it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing
from django.db import connection

from comments import access, announcements, notifications, privacy, questions
from comments.mailboxes import Mailbox
from comments.models import AccessLink, Comment
from comments.subscriptions import Subscriber, Subscription
from mail.delivery import deliver_due
from mail.models import Mail, Outage
from newsite.logs import without_tokens
from tests.factories import make_article, make_comment, make_editor, set_discussion
from tests.givens import NOON, SAME_ORIGIN, announced

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

VICTIM = "victim@example.com"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def typed(email=VICTIM, ip="192.0.2.1", **fields) -> Comment:
    """Somebody writes a public comment with an address, and wants mails; the chores are done."""
    comment = make_comment(email=email, ip_address=ip, created_at=datetime.now(UTC), **fields)
    notifications.subscribe(comment, "story")
    if comment.status == "approved":
        announced(comment)
    return comment


def moments(email=VICTIM) -> list[timedelta]:
    """Say how long after noon mails were written to an address."""
    times = Mail.objects.filter(recipient=email).order_by("pk").values_list("created_at", flat=True)
    return [time - NOON for time in times]


def link_in(mail: Mail, page: str) -> str:
    return re.search(rf"https://news\.example(/comments/{page}/\S+)", mail.text)[1]


def never_link(email=VICTIM) -> str:
    return questions.never_link(email).removeprefix("https://news.example")


def text_of(response) -> str:
    return response.content.decode()


# --- How often one address is asked ---


def test_who_answers_no_question_is_asked_again_after_an_hour_a_day_and_a_week_and_then_never(clock):
    story = make_article()
    for _day in range(20):
        for hours in (1, 1, 22):
            typed(article=story)
            clock.shift(hours * HOUR)
    clock.shift(1000 * DAY)
    typed(article=story)

    assert moments() == [timedelta(), HOUR, DAY + HOUR, 8 * DAY + HOUR]


def test_a_person_who_never_wrote_gets_a_handful_of_mails_whatever_strangers_type(clock):
    story = make_article()
    for _day in range(30):
        for pause in (10 * MINUTE, 10 * MINUTE, 40 * MINUTE, 23 * HOUR):
            typed(article=story)
            access.ask(VICTIM, None)
            deliver_due()
            clock.shift(pause)

    links = Mail.objects.filter(subject__startswith="Your link").order_by("pk")
    assert len(moments()) == 8
    assert [mail.created_at - NOON for mail in links] == [
        timedelta(),
        10 * MINUTE,
        20 * MINUTE,
        7 * DAY + 20 * MINUTE,
    ]


def test_being_forgotten_between_two_questions_begins_nothing_anew(clock):
    for _ in range(20):
        typed()
        clock.shift(3 * DAY)
        Subscriber.objects.forgettable().delete()
        Comment.objects.all().delete()

    assert len(moments()) == 4


def test_who_has_confirmed_and_stopped_is_asked_a_day_later_at_the_earliest(clock):
    typed().subscription.subscriber.confirm()
    Subscriber.objects.get().stop(None)
    typed()
    assert len(moments()) == 1

    clock.shift(DAY)
    typed()

    assert len(moments()) == 2


def test_whoever_opens_a_link_by_mail_may_be_asked_as_at_the_beginning(client, clock):
    for _ in range(5):
        typed()
        clock.shift(8 * DAY)
    access.ask(VICTIM, None)
    before = len(moments())
    client.post(link_in(Mail.objects.latest("pk"), "mine/link"), headers=SAME_ORIGIN)

    typed()

    assert len(moments()) == before + 1


def test_a_confirmed_address_is_asked_nothing():
    typed().subscription.subscriber.confirm()
    Mail.objects.all().delete()

    typed()

    assert moments() == []


# --- Of what it is asked ---


@pytest.mark.parametrize("status", ["held", "spam", "trash", "withdrawn"])
def test_nothing_is_asked_about_a_comment_that_is_not_public(status):
    typed(status=status)
    announcements.send_due()

    assert moments() == []


@pytest.mark.parametrize("status", ["spam", "trash"])
def test_no_address_is_kept_for_what_went_to_the_spam_or_the_trash(status):
    typed(status=status)

    assert (Subscriber.objects.count(), Mailbox.objects.count()) == (0, 0)


def test_a_comment_that_a_word_throws_into_the_trash_makes_the_site_write_to_nobody(client):
    set_discussion(words_that_trash="casino", holds_first_comments=False)
    data = {"name": "Bo", "email": VICTIM, "body": "Casino!", "tell_answers": "on"}

    client.post(f"{make_article().get_absolute_url()}reply/", data, headers=SAME_ORIGIN)
    announcements.send_due()

    assert (Comment.objects.get().status, moments(), Subscriber.objects.count()) == ("trash", [], 0)


def test_the_question_comes_with_the_approval_whoever_approves(clock):
    comment = typed(status="held")
    clock.shift(9 * DAY)
    Subscriber.objects.forgettable().delete()

    comment.approve(by=make_editor())
    announcements.send_due()

    assert moments() == [9 * DAY]


def test_a_choice_on_the_private_page_of_a_public_comment_asks_as_well():
    comment = make_comment(email=VICTIM)

    notifications.choose(comment, "answers", "daily")
    announcements.send_due()
    notifications.choose(comment, "story", "daily")
    announcements.send_due()

    assert moments() == [timedelta()]


def test_a_comment_hidden_before_its_question_is_asked_makes_the_site_write_to_nobody():
    comment = make_comment(email=VICTIM)
    notifications.choose(comment, "answers", "daily")
    Comment.objects.update(status="held")

    announcements.send_due()

    assert (moments(), Subscription.objects.filter(ask_at__isnull=False).count()) == ([], 0)


@pytest.mark.parametrize("people", [1, 3])
def test_asking_many_reads_what_is_public_once(people):
    for number in range(people):
        comment = make_comment(email=f"reader{number}@example.com", ip_address=f"192.0.2.{number}")
        notifications.choose(comment, "answers", "daily")
    said = []

    def listen(execute, sql, *args):
        said.append(sql)
        return execute(sql, *args)

    with connection.execute_wrapper(listen):
        questions.ask_due()

    assert sum('FROM "comments_comment"' in sql for sql in said) == 1
    assert Mail.objects.count() == people


# --- How many a sender causes ---


def test_one_sender_causes_five_questions_an_hour_and_the_others_wait_for_their_turn(clock):
    for number in range(12):
        typed(f"reader{number}@example.com")
    counts = [Mail.objects.count()]
    for _ in range(3):
        clock.shift(HOUR)
        announcements.send_due()
        counts.append(Mail.objects.count())

    assert counts == [5, 10, 12, 12]
    assert Mail.objects.values("recipient").distinct().count() == 12


def test_one_sender_causes_twenty_questions_a_day(clock):
    for number in range(50):
        typed(f"reader{number}@example.com")
    counts = []
    for _day in range(3):
        for _hour in range(24):
            announcements.send_due()
            clock.shift(HOUR)
        counts.append(Mail.objects.count())

    assert counts == [20, 40, 50]


def test_what_one_sender_causes_is_nobody_elses_matter():
    for number in range(8):
        typed(f"reader{number}@example.com")
    typed("other@example.com", ip="198.51.100.7")

    assert moments("other@example.com") == [timedelta()]


def test_what_waits_for_its_turn_is_not_asked_when_it_is_hidden_meanwhile(clock):
    for number in range(6):
        last = typed(f"reader{number}@example.com")
    last.mark_as_spam(by=make_editor())
    clock.shift(HOUR)

    announcements.send_due()

    assert Mail.objects.count() == 5


# --- Links by mail ---


def test_an_address_gets_three_links_a_day_even_if_it_opens_them(client, clock):
    make_comment(email=VICTIM)
    counts = []
    for _day in range(3):
        for _ in range(24):
            access.ask(VICTIM, None)
            for mail in Mail.objects.filter(state="waiting"):
                client.post(link_in(mail, "mine/link"), headers=SAME_ORIGIN)
                mail.mark_sent()
            clock.shift(HOUR)
        counts.append(Mail.objects.count())

    assert counts == [3, 6, 9]


def test_the_owner_of_an_address_who_has_answered_before_gets_a_link_a_week_however_many_strangers_ask(clock):
    typed().subscription.subscriber.confirm()
    Mail.objects.all().delete()
    for _ in range(29 * 4):
        access.ask(VICTIM, None)
        deliver_due()
        clock.shift(6 * HOUR)

    assert moments() == [timedelta(), 6 * HOUR, *(12 * HOUR + 7 * DAY * week for week in range(5))]


def test_the_answer_is_the_same_to_who_has_had_enough_who_wants_none_and_who_is_unknown(client):
    for email in ("enough@example.com", "never@example.com", "known@example.com"):
        make_comment(email=email)
    questions.close("never@example.com")
    access.ask("enough@example.com", None)
    answers, queries = [], []

    def count(execute, sql, *args):
        queries[-1] += 1
        return execute(sql, *args)

    for email in ("enough@example.com", "never@example.com", "nobody@example.com", "known@example.com"):
        queries.append(0)
        with connection.execute_wrapper(count):
            response = client.post("/comments/mine/", {"email": email}, headers=SAME_ORIGIN)
        answers.append((response.status_code, text_of(response)))

    assert len(set(answers)) == 1
    # Of whom it is known that anything was written, there is one row to be locked.
    assert (len(set(queries[:3])), queries[3] - queries[2] in (1, 3)) == (1, True)
    assert Mail.objects.filter(recipient="known@example.com").count() == 1


# --- Never again ---


@pytest.mark.parametrize("kind", ["question", "link"])
def test_each_mail_that_strangers_cause_can_be_ended_for_good_with_one_click(client, clock, kind):
    typed()
    if kind == "link":
        clock.shift(DAY)
        access.ask(VICTIM, None)
    mail = Mail.objects.latest("pk")
    address = link_in(mail, "mail/never")

    assert mail.headers["List-Unsubscribe"] == f"<https://news.example{address}>"
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f'<a href="https://news.example{address}">Do not write to me again</a>' in mail.html
    response = client.post(address, {"List-Unsubscribe": "One-Click"})

    assert (response.status_code, "We won’t write to you again" in text_of(response)) == (200, True)
    before = len(moments())
    for _ in range(5):
        clock.shift(8 * DAY)
        typed()
        access.ask(VICTIM, None)
    # What had not left yet does not leave any more.
    assert (before, moments()) == (0, [])


def test_opening_the_link_ends_nothing(client):
    client.get(never_link())
    client.head(never_link())

    assert Mailbox.objects.count() == 0


def test_the_link_works_for_an_address_that_is_not_known_and_for_ever(client, clock):
    link = never_link("nobody@example.com")
    clock.shift(3650 * DAY)

    assert client.post(link).status_code == 200
    typed("nobody@example.com")
    assert moments("nobody@example.com") == []


def test_the_table_of_those_who_want_no_mails_holds_no_address(client):
    client.post(never_link())

    assert "victim" not in str(list(Mailbox.objects.values()))


def test_whoever_ends_all_mails_gets_none_that_was_confirmed_or_waits(client):
    comment = typed()
    access.ask(VICTIM, None)
    comment.subscription.subscriber.confirm()
    announced(make_comment(article=comment.article))
    assert Mail.objects.filter(state="waiting").count() == 3

    client.post(never_link())

    assert (Mail.objects.count(), Subscription.objects.count()) == (0, 0)


def test_the_mails_of_others_stay(client):
    typed("other@example.com")

    client.post(never_link())

    assert moments("other@example.com") == [timedelta()]


def test_an_earlier_question_confirms_nothing_once_mails_were_ended(client, clock):
    typed()
    link = link_in(Mail.objects.get(), "mail/confirm")
    clock.shift(MINUTE)
    client.post(never_link())

    assert client.post(link).status_code == 410


def test_whoever_ended_them_can_have_mails_again_from_the_same_page(client):
    client.post(never_link())
    page = text_of(client.get(never_link()))
    assert '<input type="hidden" name="again" value="1">' in page

    response = client.post(never_link(), {"again": "1"})

    assert "We’ll write to you again" in text_of(response)
    typed()
    access.ask(VICTIM, None)
    assert len(moments()) == 2


@pytest.mark.parametrize("spelling", ["Victim@Example.com", "victim@example.com."])
def test_it_holds_for_every_spelling_of_the_address(client, spelling):
    client.post(never_link())

    typed(spelling)
    access.ask(spelling, None)

    assert Mail.objects.count() == 0


def test_an_erasure_leaves_the_wish_and_nothing_else(client):
    typed()
    typed("other@example.com")
    client.post(never_link())
    for email in (VICTIM, "other@example.com"):
        privacy.erase(email, keep_texts=True)

    assert list(Mailbox.objects.values_list("digest", flat=True)) == [Mailbox.objects.of(VICTIM).digest]
    typed()
    assert moments() == []


@pytest.mark.parametrize("payload", [[], [1], ["a@example.com", "b@example.com"], "a@example.com", None])
def test_a_link_of_another_shape_or_another_kind_ends_nothing(client, payload):
    tokens = [signing.dumps(payload, salt=questions.NEVER_SALT), signing.dumps([VICTIM], salt="other"), "x"]

    assert [client.post(f"/comments/mail/never/{token}/").status_code for token in tokens] == [403] * 3
    assert Mailbox.objects.count() == 0


def test_the_log_does_not_tell_the_address_in_the_link():
    assert without_tokens(never_link()) == "/comments/mail/…"


def test_the_pages_are_kept_by_nobody_and_listed_nowhere(client):
    response = client.get(never_link())

    assert (response["X-Robots-Tag"], "no-store" in response["Cache-Control"]) == ("noindex", True)


# --- A link whose mail had to wait ---


def test_the_time_of_a_link_begins_when_its_mail_leaves(client, clock, settings):
    make_comment(email=VICTIM)
    access.ask(VICTIM, None)
    link = link_in(Mail.objects.get(), "mine/link")
    Outage.objects.note("Connection refused")
    clock.shift(5 * HOUR)
    access.forget_old()

    deliver_due()
    clock.shift(29 * MINUTE)
    access.forget_old()

    assert client.get(link).status_code == 200
    clock.shift(MINUTE)
    assert client.get(link).status_code == 410
    clock.shift(HOUR)
    access.forget_old()
    assert AccessLink.objects.count() == 0


def test_a_link_that_nobody_tried_to_send_in_time_is_not_sent_dead(clock):
    make_comment(email=VICTIM)
    access.ask(VICTIM, None)
    clock.shift(HOUR)

    access.forget_old()

    assert Mail.objects.count() == 0
