"""The mails about comments: who is told of what, and in which words.

Comments are handed to these functions, by the code that changes them and in its
transaction. So this module stands below `comments.models`, and imports nothing from it.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from articles.models import Article
from comments.subscriptions import Notice, Subscriber, Subscription
from mail import links
from mail.models import Mail

if TYPE_CHECKING:
    from comments.models import Comment

Kind = Notice.Kind
Rhythm = Subscription.Rhythm
# So many people are told at a time. Ten thousand take seconds then, but little memory.
CHUNK = 500


class Told(NamedTuple):
    subscriber: Subscriber
    kind: Notice.Kind
    at_once: bool


@transaction.atomic
def subscribe(comment: "Comment", scope: str, rhythm: str = Rhythm.AT_ONCE) -> None:
    """Note what the author of a comment wants to be told of, and ask an address that is new.

    What a robot sent makes the site write to nobody, and keep nobody's address for it.
    """
    if not comment.email or comment.status == comment.Status.SPAM:
        return
    subscriber, _created = Subscriber.objects.get_or_create(email=comment.email)
    choice = {
        "subscriber": subscriber,
        "article": comment.article,
        "scope": scope,
        "rhythm": rhythm,
    }
    Subscription.objects.update_or_create(comment=comment, defaults=choice)
    if Subscriber.objects.claim_question(subscriber):
        Mail.objects.queue(
            recipient=subscriber.email,
            subject=_("Confirm that %(site)s may write to you") % {"site": settings.SITE_NAME},
            template="comments/mail/confirm",
            context={
                "article": comment.article,
                "confirm_url": links.url("comments:confirm", subscriber.confirm_token),
            },
        )


@transaction.atomic
def choose(comment: "Comment", scope: str, rhythm: str) -> None:
    """Change what the author of a comment wants to be told of, or end it."""
    subscriptions = Subscription.objects.filter(comment=comment)
    if not scope:
        subscriptions.end()
        return
    subscribe(comment, scope, rhythm)
    for subscription in subscriptions.select_related("subscriber"):
        subscription.subscriber.cancel_unwanted(comment.article_id)


def announce(comments: Iterable["Comment"], *, to_authors: bool = False) -> None:
    """Tell those who asked for it of comments that have just become public.

    With `to_authors`, the authors too are told, who did not see it happen. It takes the same
    number of queries for one and for `CHUNK` people, and no more memory for more.
    """
    public = [comment for comment in comments if comment.article.is_public]
    if not public:
        return
    for subscriptions in _some_people_each(Subscription.objects.concerned_by(public)):
        people = {subscription.subscriber_id for subscription in subscriptions}
        known = Notice.objects.filter(comment__in=public, subscriber__in=people)
        already = set(known.values_list("comment", "subscriber"))
        notices = [
            _notice(comment, told)
            for comment in public
            for told in _who_is_told(comment, subscriptions, to_authors)
            if (comment.pk, told.subscriber.pk) not in already
        ]
        Mail.objects.queue_all([notice.mail for notice in notices if notice.mail], skip_known=True)
        Notice.objects.bulk_create(notices)


def cancel(comments: Sequence[int]) -> None:
    """Send nothing any more of comments that are no longer public, where it has not left yet."""
    Notice.objects.filter(comment__in=comments).cancel()


def forget(comments: QuerySet["Comment"] | Sequence[int]) -> None:
    """Keep no mail that tells who wrote these comments, not even one that has left."""
    Notice.objects.filter(comment__in=comments).cancel()
    Mail.objects.filter(notices__comment__in=comments).delete()


def cancel_about(stories: Iterable[Article]) -> None:
    """Send nothing any more about stories that are no longer public."""
    Notice.objects.filter(comment__article__in=[story.pk for story in stories]).cancel()


def digest(subscriber: Subscriber, notices: Sequence[Notice]) -> Mail:
    """Return one mail that tells of several comments, oldest first."""
    stop_url = links.url("comments:stop", subscriber.stop_token())
    stories: dict[Article, list[Comment]] = {}
    for notice in notices:
        stories.setdefault(notice.comment.article, []).append(notice.comment)
    subject = _("New comments on %(site)s") % {"site": settings.SITE_NAME}
    return Mail.compose(
        recipient=subscriber.email,
        subject=f"{subject}: {', '.join(article.title for article in stories)}",
        template="comments/mail/digest",
        context={
            "stories": [
                (article, comments, links.url("comments:stop", subscriber.stop_token(article)))
                for article, comments in stories.items()
            ],
            "stop_all_url": stop_url,
        },
        headers=links.one_click(stop_url),
        about=[notice.comment_id for notice in notices],
    )


def _some_people_each(subscriptions: QuerySet[Subscription]) -> Iterator[list[Subscription]]:
    """Return all that some people want, then all that some others want, and so on."""
    in_order = subscriptions.order_by("subscriber", "pk").iterator(chunk_size=CHUNK)
    people = (list(wanted) for _pk, wanted in groupby(in_order, lambda wanted: wanted.subscriber_id))
    while some := list(islice(people, CHUNK)):
        yield list(chain.from_iterable(some))


def _who_is_told(comment: "Comment", subscriptions: list[Subscription], to_authors: bool) -> Iterable[Told]:
    """Return each person once, with the most personal reason to be told and the quickest way."""
    told: dict[int, Told] = {}
    for subscription in subscriptions:
        subscriber = subscription.subscriber
        at_once = subscription.rhythm == Rhythm.AT_ONCE
        is_own = subscriber.email == comment.email
        if is_own and to_authors and subscription.comment_id == comment.pk:
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


def _notice(comment: "Comment", told: Told) -> Notice:
    notice = Notice(comment=comment, subscriber=told.subscriber, kind=told.kind)
    if told.at_once:
        notice.mail = _mail(comment, told)
        notice.told_at = timezone.now()
    return notice


def _mail(comment: "Comment", told: Told) -> Mail:
    names = {"name": comment.name, "headline": comment.article.title}
    subjects = {
        Kind.ANSWER: _("%(name)s answered you: %(headline)s"),
        Kind.STORY: _("%(name)s commented: %(headline)s"),
        Kind.APPROVAL: _("Your comment is public: %(headline)s"),
    }
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
            "is_answer": told.kind == Kind.ANSWER,
            "stop_url": stop_url,
            "stop_all_url": links.url("comments:stop", told.subscriber.stop_token()),
        },
        headers={**links.one_click(stop_url), **thread},
        about=[comment.pk],
        message_id=_message_id(comment.pk, told.subscriber),
    )


def _message_id(comment_pk: int, subscriber: Subscriber) -> str:
    return f"<comment-{comment_pk}.{subscriber.message_key()}@{settings.MAIL_DOMAIN}>"
