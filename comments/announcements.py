"""Who is told by mail of a comment that has become public, and in which words.

That there is something to tell is noted by `comments.notifications`, in the transaction of
its cause. Beside the requests the mails are written here, about the oldest comments first,
to some people at a time. So what is broken off goes on where it was.
"""

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import takewhile
from threading import Event
from typing import NamedTuple

from django.conf import settings
from django.db import OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comments import questions
from comments.models import Change, Comment
from comments.subscriptions import Announcement, Notice, Subscriber, Subscription
from mail import links, quotes
from mail.models import Mail

logger = logging.getLogger(__name__)

Kind = Notice.Kind
Rhythm = Subscription.Rhythm

# Of so many comments people are told in one transaction,
COMMENTS = 20
# and in so many mails, shared out among them.
CHUNK = 100
# Between these transactions others write. On SQLite one does at a time, and whoever waits looks
# every tenth of a second whether it is their turn.
PAUSE = 0.1
# After so long whoever wants to be told of something has been told.
TOLD_AFTER = timedelta(hours=1)
# So many seconds it may keep the other chores waiting. It goes on after them.
PATIENCE = 5


class Told(NamedTuple):
    subscriber: Subscriber
    kind: Notice.Kind
    at_once: bool


def send_due(stopped: Event | None = None) -> None:
    """Write the mails about what has become public, in the order in which it did, and ask who wants some.

    Any number of processes may do so at once: one writes, and whoever finds that leaves it
    alone, so that nobody is told of the second comment before the first. What fails for one
    comment stops no other.
    """
    _tell_all(stopped or Event())
    questions.ask_due()


def _tell_all(stopped: Event) -> None:
    until = time.monotonic() + PATIENCE
    pause = 0.0
    at_a_time = COMMENTS
    failed: list[int] = []
    while oldest := Announcement.objects.exclude(pk__in=failed).order_by("pk").first():
        if stopped.wait(pause):
            return
        pause = PAUSE
        try:
            if not _tell_some(oldest.pk, at_a_time):
                return
        except OperationalError:  # the database is away, for everybody
            raise
        except Exception:
            if at_a_time > 1:
                at_a_time = 1
            else:
                logger.exception("The mails about comment %d could not be written.", oldest.comment_id)
                failed.append(oldest.pk)
        if time.monotonic() > until:
            return


@transaction.atomic
def _tell_some(oldest: int, at_a_time: int) -> bool:
    """Tell the next people of the oldest comments. False where another process does, or takes it back."""
    waiting = Announcement.objects.filter(pk__gte=oldest).order_by("pk").with_comments()
    locked = list(waiting.select_for_update(of=("self",), skip_locked=True)[:at_a_time])
    if not locked or locked[0].pk != oldest:
        return False
    reached = locked[0].reached
    together = list(takewhile(lambda one: one.reached == reached, locked))
    comments = Comment.objects.public().filter(pk__in=[one.comment_id for one in together])
    public = set(comments.values_list("pk", flat=True))
    news = [one for one in together if one.comment_id in public]
    most = max(1, CHUNK // max(1, len(news)))
    if not reached:
        Subscription.objects.filter(comment__in=public).ask()
    people = _next_people(news, reached, most)
    _tell(news, people)
    done = Announcement.objects.filter(pk__in=[one.pk for one in together])
    if len(people) < most:
        done.delete()
    else:
        done.update(reached=people[-1])
    return True


def _next_people(news: list[Announcement], reached: int, most: int) -> list[int]:
    """Return whom these may concern, after the last who was told.

    They are locked: whoever ends their mails at this moment waits, and then finds what is
    written here, or has ended them before this goes on.
    """
    concerned = Subscription.objects.concerned_by([one.comment for one in news]).values("subscriber")
    people = Subscriber.objects.filter(pk__in=concerned, pk__gt=reached).order_by("pk")
    return list(people.select_for_update(no_key=True).values_list("pk", flat=True)[:most])


def _tell(news: list[Announcement], people: list[int]) -> None:
    """Write to these people, but to nobody who knows it: it may have been public before."""
    comments = [one.comment for one in news]
    known = Notice.objects.filter(comment__in=comments, subscriber__in=people)
    already = set(known.values_list("comment", "subscriber"))
    wanted = Subscription.objects.concerned_by(comments).filter(subscriber__in=people)
    subscriptions = list(wanted.select_related("subscriber").order_by("pk"))
    to_authors = {one.comment_id for one in news if one.to_author}
    to_authors -= _were_public(to_authors)
    notices = [
        _notice(one, told)
        for one in news
        for told in _who_is_told(one.comment, subscriptions, one.comment_id in to_authors)
        if (one.comment_id, told.subscriber.pk) not in already
    ]
    Mail.objects.queue_all([notice.mail for notice in notices if notice.mail], skip_known=True)
    Notice.objects.bulk_create(notices)


def _were_public(comments: set[int]) -> set[int]:
    """Return which comments have been public before, and not only for a moment.

    Their authors know it, or did not want to. What a moderator has approved and taken back
    soon may have been told to nobody.
    """
    approved, public = Comment.Status.APPROVED, set()
    approved_at: dict[int, datetime] = {}
    changes = Change.objects.filter(comment__in=comments).order_by("pk")
    for pk, before, after, at in changes.values_list("comment", "from_status", "to_status", "at"):
        if before == approved != after and (pk not in approved_at or at - approved_at[pk] >= TOLD_AFTER):
            public.add(pk)
        elif after == approved != before and before:
            approved_at[pk] = at
    return public


def _who_is_told(comment: Comment, subscriptions: Iterable[Subscription], to_author: bool) -> Iterable[Told]:
    """Return each person once, with the most personal reason to be told and the quickest way."""
    told: dict[int, Told] = {}
    for subscription in subscriptions:
        subscriber = subscription.subscriber
        at_once = subscription.rhythm == Rhythm.AT_ONCE
        is_own = subscriber.email == comment.email
        if is_own and to_author and subscription.comment_id == comment.pk:
            told[subscriber.pk] = Told(subscriber, Kind.APPROVAL, at_once=True)
            continue
        is_answer = subscription.comment_id == comment.parent_id
        is_story = subscription.scope == Subscription.Scope.STORY
        is_here = is_story and subscription.article_id == comment.article_id
        if is_own or not (is_answer or is_here):
            continue
        before = told.get(subscriber.pk, Told(subscriber, Kind.STORY, at_once=False))
        kind = Kind.ANSWER if is_answer else before.kind
        told[subscriber.pk] = Told(subscriber, kind, at_once or before.at_once)
    return told.values()


def _notice(announcement: Announcement, told: Told) -> Notice:
    comment, since = announcement.comment, announcement.created_at
    # However late it is written, it is news of that moment: sent as such, or given up as stale.
    notice = Notice(comment=comment, subscriber=told.subscriber, kind=told.kind, created_at=since)
    if told.at_once:
        notice.mail = _mail(comment, told)
        notice.mail.date_back(since)
        notice.told_at = timezone.now()
    return notice


def _mail(comment: Comment, told: Told) -> Mail:
    names = {"name": comment.name, "headline": comment.article.title}
    subjects = {
        Kind.ANSWER: _("%(name)s replied to your comment on “%(headline)s”"),
        Kind.STORY: _("%(name)s commented on “%(headline)s”"),
        Kind.APPROVAL: _("Your comment on “%(headline)s” has been published"),
    }
    is_reply = told.kind == Kind.ANSWER
    stop_url = links.url("comments:stop", told.subscriber.stop_token(comment.article))
    answered = _message_id(comment.parent_id, told.subscriber) if comment.parent_id else ""
    thread = links.conversation(f"story-{comment.article_id}", answered)
    return Mail.compose(
        recipient=told.subscriber.email,
        subject=subjects[told.kind] % names,
        template="comments/mail/approval" if told.kind == Kind.APPROVAL else "comments/mail/answer",
        context={
            "comment": comment,
            "article": comment.article,
            "quoted": quotes.quoted(comment.body),
            "is_reply": is_reply,
            "own_words": quotes.beginning(comment.parent.body) if is_reply and comment.parent else "",
            "why": _("You’re getting this because you asked to be told of replies to your comment.")
            if is_reply
            else _("You’re getting this because you asked to be told of comments on this story."),
            "stop_url": stop_url,
            "stop_all_url": links.url("comments:stop", told.subscriber.stop_token()),
        },
        headers={**links.one_click(stop_url), **thread},
        about=[comment.pk],
        message_id=_message_id(comment.pk, told.subscriber),
    )


def _message_id(comment_pk: int, subscriber: Subscriber) -> str:
    return f"<comment-{comment_pk}.{subscriber.message_key()}@{settings.MAIL_DOMAIN}>"
