"""The daily mails, for those who do not want one mail for each comment."""

from collections.abc import Sequence
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from articles.models import Article
from comments.models import Comment
from comments.subscriptions import DAY, Notice, Subscriber, Subscription
from mail import links, quotes
from mail.models import Mail

# So many people get theirs in one transaction.
CHUNK = 100


class Entry(NamedTuple):
    """A comment as a daily mail shows it."""

    comment: Comment
    is_reply: bool
    words: str


def send_digests() -> None:
    while _send_some():
        pass


@transaction.atomic
def _send_some() -> int:
    """Write the daily mails of some people for whom one is due, and return of how many."""
    waited = Notice.objects.waiting().filter(created_at__lte=timezone.now() - DAY)
    due = Subscriber.objects.filter(Exists(waited.filter(subscriber=OuterRef("pk"))))
    # Whoever else is doing the same waits here, and then finds nothing due.
    subscribers = list(due.order_by("pk").select_for_update()[:CHUNK])
    waiting = Notice.objects.waiting().filter(subscriber__in=subscribers)
    # Read once: what comes after this waits for the next.
    waiting = Notice.objects.waiting().filter(pk__in=list(waiting.values_list("pk", flat=True)))
    wanted = Subscription.objects.in_force().filter(
        subscriber=OuterRef("subscriber"), article=OuterRef("comment__article")
    )
    public = waiting.filter(Exists(wanted), comment__in=Comment.objects.public())
    notices = list(public.select_related("comment__article").order_by("comment__article_id", "comment_id"))
    for subscriber in subscribers:
        own = [notice for notice in notices if notice.subscriber_id == subscriber.pk]
        if own:
            (mail,) = Mail.objects.queue_all([digest(subscriber, own)])
            Notice.objects.filter(pk__in=[notice.pk for notice in own]).update(
                mail=mail, told_at=timezone.now()
            )
    # What is left is not public any more, or not wanted. Shown again, it may be told of again.
    waiting.delete()
    return len(subscribers)


def digest(subscriber: Subscriber, notices: Sequence[Notice]) -> Mail:
    """Return one mail that tells of several comments, oldest first."""
    stop_url = links.url("comments:stop", subscriber.stop_token())
    stories: dict[Article, list[Entry]] = {}
    for notice in notices:
        comment, is_reply = notice.comment, notice.kind == Notice.Kind.ANSWER
        entry = Entry(comment, is_reply, quotes.first_sentence(comment.body))
        stories.setdefault(comment.article, []).append(entry)
    subject = _("New comments on %(site)s") % {"site": settings.SITE_NAME}
    return Mail.compose(
        recipient=subscriber.email,
        subject=f"{subject}: {', '.join(article.title for article in stories)}",
        template="comments/mail/digest",
        context={
            "stories": [
                (article, entries, links.url("comments:stop", subscriber.stop_token(article)))
                for article, entries in stories.items()
            ],
            "why": _("You’re getting this because you asked to be told of comments on these stories."),
            "stop_all_url": stop_url,
        },
        headers=links.one_click(stop_url),
        about=[notice.comment_id for notice in notices],
    )
