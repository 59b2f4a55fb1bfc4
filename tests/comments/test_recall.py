from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail as django_mail

from articles.models import Article
from comments import digests, notifications, recall
from comments.models import Comment
from comments.subscriptions import Notice
from mail.delivery import deliver_due
from mail.models import Mail
from tests.factories import make_article, make_comment, reply_to

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    """It is noon, and stays so until a test moves the clock."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def subscribed(rhythm="at-once", **fields) -> Comment:
    """A comment of Ada's, who wants to be told of all that is new under the story."""
    comment = make_comment(**{"name": "Ada", "email": "ada@example.com", **fields})
    notifications.subscribe(comment, "story", rhythm)
    comment.subscription.subscriber.confirm()
    Mail.objects.all().delete()
    return comment


def answered(comment: Comment, **fields) -> Comment:
    answer = reply_to(comment, **fields)
    notifications.announce([answer])
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
    deliver_due(take_back=recall.take_back)

    assert (texts(), Mail.objects.count(), Notice.objects.count()) == ([], 0, 0)


def test_what_is_still_public_is_sent():
    answered(subscribed(), body="Quite so.")

    deliver_due(take_back=recall.take_back)

    assert "Quite so." in texts()[0]
    assert Notice.objects.get().mail == Mail.objects.get()


def test_a_mail_about_no_comment_is_sent():
    comment = make_comment(email="ada@example.com")
    notifications.subscribe(comment, "story")
    comment.article.unpublish()

    deliver_due(take_back=recall.take_back)

    assert len(texts()) == 1


def test_what_a_daily_mail_tells_besides_goes_into_the_next(clock):
    answered(subscribed("daily", article=make_article()), body="Stays.")
    gone = answered(subscribed("daily", article=make_article()), body="Goes.")
    clock.shift(timedelta(days=1))
    digests.send_digests()
    gone.article.delete()

    deliver_due(take_back=recall.take_back)
    assert texts() == []
    digests.send_digests()
    deliver_due(take_back=recall.take_back)

    (text,) = texts()
    assert ("Stays." in text, "Goes." in text) == (True, False)


def test_what_was_hidden_and_is_shown_again_is_told_of_when_a_moderator_approves_it():
    answer = answered(subscribed())
    Comment.objects.filter(pk=answer.pk).update(status="held")
    deliver_due(take_back=recall.take_back)

    answer.approve(by=None)
    deliver_due(take_back=recall.take_back)

    assert len(texts()) == 1
