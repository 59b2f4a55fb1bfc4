"""What commenters want to be told of by mail, and what there is to tell them.

Comments are handed to these functions, by the code that changes them and in its
transaction. So this module stands below `comments.models`, and imports nothing from it.
Who is told of a comment that has become public is found out later, beside the requests,
by `comments.announcements`. So ten thousand who want to know cost whoever posts it one row.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q, QuerySet

from articles.models import Article
from comments.subscriptions import STANDING, Announcement, Notice, Subscriber, Subscription
from mail.models import Mail, written

if TYPE_CHECKING:
    from comments.models import Comment

Rhythm = Subscription.Rhythm


@transaction.atomic
def subscribe(comment: "Comment", scope: str, rhythm: str = Rhythm.AT_ONCE) -> None:
    """Note what the author of a comment wants to be told of.

    An address that is new is asked once the comment is public: see `comments.questions`. For
    what went to the spam or the trash nobody's address is kept.
    """
    if not comment.email or comment.status not in STANDING:
        return
    subscriber, _created = Subscriber.objects.get_or_create(email=comment.email)
    choice = {
        "subscriber": subscriber,
        "article": comment.article,
        "scope": scope,
        "rhythm": rhythm,
    }
    Subscription.objects.update_or_create(comment=comment, defaults=choice)


@transaction.atomic
def choose(comment: "Comment", scope: str, rhythm: str) -> None:
    """Change what the author of a comment wants to be told of, or end it."""
    subscriptions = Subscription.objects.filter(comment=comment)
    if not scope:
        subscriptions.end()
        return
    subscribe(comment, scope, rhythm)
    if comment.status == comment.Status.APPROVED:
        subscriptions.ask()
        transaction.on_commit(written.set)
    for subscription in subscriptions.select_related("subscriber"):
        subscription.subscriber.cancel_unwanted(comment.article_id)


def announce(comments: Iterable["Comment"], *, to_authors: bool = False) -> None:
    """Let the chores tell those who asked for it of comments that have just become public.

    With `to_authors`, the authors too are told, who did not see it happen. Nobody looks here
    whether there is anyone to tell: that would take a query, and this takes no more.
    """
    announcements = [Announcement(comment=comment, to_author=to_authors) for comment in comments]
    # What a script has hidden and a moderator shows again may still wait.
    Announcement.objects.bulk_create(announcements, ignore_conflicts=True)
    transaction.on_commit(written.set)


def cancel(comments: Sequence[int]) -> None:
    """Send nothing any more of comments that are no longer public, where it has not left yet."""
    # First: who writes mails about one of them is waited for, and then they are found.
    Announcement.objects.filter(comment__in=comments).delete()
    Notice.objects.filter(comment__in=comments).cancel()


def forget(comments: QuerySet["Comment"] | Sequence[int]) -> None:
    """Keep no mail that tells who wrote these comments, or quotes them below a reply, not even one that has left."""
    Announcement.objects.filter(comment__in=comments).delete()
    concerned = Q(comment__in=comments) | Q(comment__parent__in=comments, kind=Notice.Kind.ANSWER)
    notices = Notice.objects.filter(concerned)
    notices.cancel()
    Mail.objects.filter(notices__in=notices).delete()


def cancel_about(stories: Iterable[Article]) -> None:
    """Send nothing any more about stories that are no longer public."""
    pks = [story.pk for story in stories]
    Announcement.objects.filter(comment__article__in=pks).delete()
    Notice.objects.filter(comment__article__in=pks).cancel()
