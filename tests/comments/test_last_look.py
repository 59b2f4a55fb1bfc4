from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.db import connection

from articles.models import Article
from comments import access, announcements, digests, last_look, moderator_mails, notifications
from comments.models import Comment
from comments.staff_notices import MailChoice, StaffNotice
from comments.subscriptions import Notice
from mail.delivery import deliver_due
from mail.models import Mail
from tests.factories import (
    make_article,
    make_author,
    make_comment,
    make_staff,
    make_user,
    reply_to,
    set_discussion,
)
from tests.givens import NOON, announced

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def subscribed(rhythm="at-once", **fields) -> Comment:
    """A comment of Ada's, who wants to be told of all that is new under the story."""
    comment = make_comment(**{"name": "Ada", "email": "ada@example.com", **fields})
    notifications.subscribe(comment, "story", rhythm)
    comment.subscription.subscriber.confirm()
    Mail.objects.all().delete()
    return comment


def answered(comment: Comment, **fields) -> Comment:
    answer = reply_to(comment, **fields)
    announced(answer)
    return answer


def texts() -> list[str]:
    return [sent.body for sent in django_mail.outbox]


@pytest.mark.parametrize(
    "hide",
    [
        lambda story: story.delete(),
        lambda story: Article.objects.filter(pk=story.pk).delete(),
        lambda story: story.unpublish(),
        lambda story: Article.objects.update(status="draft"),
        lambda story: Article.objects.update(published_at=NOON + timedelta(hours=1)),
        lambda story: Comment.objects.update(status="trash"),
    ],
    ids=["delete", "delete many", "unpublish", "unpublish many", "schedule", "trash"],
)
def test_what_a_script_has_hidden_or_deleted_is_not_sent(hide):
    answer = answered(subscribed())

    hide(answer.article)
    deliver_due(discard=last_look.discard)

    assert (texts(), Mail.objects.count(), Notice.objects.count()) == ([], 0, 0)


def test_what_is_still_public_is_sent():
    answered(subscribed(), body="Quite so.")

    deliver_due(discard=last_look.discard)

    assert "Quite so." in texts()[0]
    assert Notice.objects.get().mail == Mail.objects.get()


def test_a_mail_about_no_comment_is_sent():
    make_comment(email="ada@example.com").article.unpublish()
    access.ask("ada@example.com", None)

    deliver_due(discard=last_look.discard)

    assert len(texts()) == 1


@pytest.mark.parametrize(("status", "sent"), [("approved", 1), ("held", 0), ("spam", 0)])
def test_whether_mails_are_wanted_is_not_asked_about_what_a_script_has_hidden(status, sent):
    comment = make_comment(email="ada@example.com")
    notifications.subscribe(comment, "story")
    announced(comment)
    Comment.objects.update(status=status)

    deliver_due(discard=last_look.discard)

    assert (len(texts()), Mail.objects.count()) == (sent, sent)


def test_what_a_daily_mail_tells_besides_goes_into_the_next(clock):
    answered(subscribed("daily", article=make_article()), body="Stays.")
    gone = answered(subscribed("daily", article=make_article()), body="Goes.")
    clock.shift(timedelta(days=1))
    digests.send_digests()
    gone.article.delete()

    deliver_due(discard=last_look.discard)
    assert texts() == []
    digests.send_digests()
    deliver_due(discard=last_look.discard)

    (text,) = texts()
    assert ("Stays." in text, "Goes." in text) == (True, False)


def test_a_daily_mail_that_was_being_written_while_somebody_was_erased_is_not_sent(clock):
    """On PostgreSQL an erasure in that moment finds the notice, and not yet the mail."""
    story = make_article()
    subscribed("daily", article=story)
    stays = make_comment(article=story, name="Cleo", body="Stays.")
    erased = make_comment(article=story, name="Bo", body="Hello.")
    announced(stays, erased)
    clock.shift(timedelta(days=1))
    digests.send_digests()
    Notice.objects.filter(comment=erased).delete()
    Comment.objects.filter(pk=erased.pk).update(name="Anonymous")

    deliver_due(discard=last_look.discard)
    assert (texts(), Mail.objects.count()) == ([], 0)
    digests.send_digests()
    deliver_due(discard=last_look.discard)

    (text,) = texts()
    assert ("Stays." in text, "Hello." in text) == (True, False)


def test_what_was_hidden_and_is_shown_again_is_told_of_when_a_moderator_approves_it():
    answer = answered(subscribed())
    Comment.objects.filter(pk=answer.pk).update(status="held")
    deliver_due(discard=last_look.discard)

    answer.approve(by=None)
    announcements.send_due()
    deliver_due(discard=last_look.discard)

    assert len(texts()) == 1


# --- Mails to the staff ---


def held(**fields) -> Comment:
    """A held comment, of which a mail to a moderator is written."""
    comment = make_comment(status="held", **fields)
    StaffNotice.objects.create(comment=comment, kind="held")
    moderator_mails.send_due()
    return comment


@pytest.mark.parametrize(
    "change",
    [
        lambda mo: mo.delete(),
        lambda mo: type(mo).objects.filter(pk=mo.pk).update(is_active=False),
        lambda mo: type(mo).objects.filter(pk=mo.pk).update(email=""),
        lambda mo: mo.groups.clear(),
        lambda mo: MailChoice.objects.create(user=mo, moderation=False),
        lambda mo: set_discussion(held_mails="never"),
        lambda mo: Comment.objects.update(status="approved"),
        lambda mo: Article.objects.all().delete(),
    ],
    ids=[
        "deleted",
        "not active",
        "no address",
        "no right",
        "not wanted",
        "never",
        "decided",
        "story deleted",
    ],
)
def test_what_a_moderator_may_or_wants_to_read_no_longer_is_not_sent(change):
    mo = make_staff("Moderator")
    held()
    assert Mail.objects.count() == 1

    change(mo)
    deliver_due(discard=last_look.discard)
    moderator_mails.send_due()

    assert (texts(), Mail.objects.count(), StaffNotice.objects.count()) == ([], 0, 0)


@pytest.mark.parametrize(
    "hide",
    [
        lambda story: story.unpublish(),
        lambda story: story.bylines.all().delete(),
        lambda story: story.authors.get().user.delete(),
    ],
    ids=["unpublish", "byline", "account"],
)
def test_an_author_is_told_of_no_comment_on_a_story_that_is_not_public_or_not_theirs(hide):
    story = make_article(authors=[make_author(user=make_user())])
    StaffNotice.objects.create(comment=make_comment(article=story), kind="public")
    moderator_mails.send_due()
    assert Mail.objects.count() == 1

    hide(story)
    deliver_due(discard=last_look.discard)

    assert (texts(), Mail.objects.count()) == ([], 0)


@pytest.mark.parametrize("items", [1, 3])
def test_the_last_look_takes_the_same_queries_however_much_a_mail_tells(
    clock, django_assert_num_queries, items
):
    set_discussion(author_mails="daily")
    ida = make_author(user=make_user())
    for _ in range(items):
        story = make_article(authors=[ida])
        StaffNotice.objects.create(comment=make_comment(article=story), kind="public")
    moderator_mails.send_due()
    clock.shift(timedelta(days=1))
    moderator_mails.send_due()
    mail = Mail.objects.get()

    with django_assert_num_queries(7):
        assert last_look.discard(mail) is False


def test_what_still_waits_for_a_moderator_is_sent_once():
    make_staff("Moderator")
    held(body="Quite so.")

    for _ in range(2):
        deliver_due(discard=last_look.discard)
        moderator_mails.send_due()

    assert ["> Quite so." in text for text in texts()] == [True]


def test_a_mail_goes_to_the_new_address_of_a_moderator():
    mo = make_staff("Moderator", email="old@newsroom.example")
    held()
    type(mo).objects.filter(pk=mo.pk).update(email="new@newsroom.example")

    deliver_due(discard=last_look.discard)
    moderator_mails.send_due()
    deliver_due(discard=last_look.discard)

    assert [sent.to for sent in django_mail.outbox] == [["new@newsroom.example"]]


def test_a_mail_about_many_is_written_again_without_what_a_script_has_hidden():
    make_staff("Moderator")
    old = make_comment(status="held", body="From long ago.", created_at=NOON - timedelta(days=9))
    wave = [make_comment(status="held", body=f"Wave {number}.") for number in range(21)]
    StaffNotice.objects.bulk_create(StaffNotice(comment=comment, kind="held") for comment in wave)
    moderator_mails.send_due()
    Comment.objects.filter(pk__in=[old.pk, wave[0].pk]).update(status="spam")

    deliver_due(discard=last_look.discard)
    assert texts() == []
    moderator_mails.send_due()
    deliver_due(discard=last_look.discard)

    found = [line for text in texts() for line in text.splitlines() if line.startswith("> ")]
    # Twenty may come one by one.
    assert sorted(found) == sorted(f"> {comment.body}" for comment in wave[1:])


def test_a_comment_that_is_deleted_while_its_mail_is_looked_at_does_not_stop_the_others():
    set_discussion(held_mails="at-once")
    make_staff("Moderator", email="mo@newsroom.example")
    comments = [make_comment(status="held") for _ in range(2)]
    for comment in comments:
        StaffNotice.objects.create(comment=comment, kind="held")
    moderator_mails.send_due()
    first = Mail.objects.order_by("pk").first()

    deleted_next = [comments[0]]

    def delete_meanwhile(execute, sql, *args):
        result = execute(sql, *args)
        if deleted_next and 'FROM "comments_staffnotice"' in sql:
            deleted_next.pop().delete()
        return result

    with connection.execute_wrapper(delete_meanwhile):
        last_look.discard(first)
    deliver_due(discard=last_look.discard)

    assert len(django_mail.outbox) == 1
