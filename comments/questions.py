"""Whether an address wants mails is asked when a comment that it was typed with has become public.

So what is spam, or waits for a moderator, makes the site write to nobody. Each address has a
total: see `comments.mailboxes`. So has each sender: what is beyond it waits for its turn.
"""

from datetime import datetime, timedelta

from django.core import signing
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from comments.mailboxes import Mailbox
from comments.models import AccessLink, Comment
from comments.subscriptions import DAY, Subscriber, Subscription
from mail import links
from mail.models import Mail
from newsite.limits import Limit

# One sender's comments may cause so many questions, whoever's addresses they were written with.
IN_AN_HOUR = Limit("comments.questions", attempts=5, interval=timedelta(hours=1))
IN_A_DAY = Limit("comments.questions.day", attempts=20, interval=DAY)
NEVER_SALT = "comments.questions.never"
# So many people are seen to in one transaction.
CHUNK = 100


def ask_due() -> None:
    """Ask whoever it is the turn of. Any number of processes may do so at once."""
    # Looked at before a transaction begins, which on SQLite keeps others from writing.
    while _due().exists() and _ask_some() == CHUNK:
        pass


def _due() -> QuerySet[Subscription]:
    return Subscription.objects.filter(ask_at__lte=timezone.now())


@transaction.atomic
def _ask_some() -> int:
    due = _due()
    # First the people, as whoever stops all of their mails does. Who is seen to elsewhere is passed by.
    waiting = Subscriber.objects.filter(Exists(due.filter(subscriber=OuterRef("pk")))).order_by("pk")
    people = list(waiting.select_for_update(no_key=True, skip_locked=True)[:CHUNK])
    wanted = list(due.filter(subscriber__in=people).select_related("subscriber", "article", "comment"))
    comments = Comment.objects.public().filter(pk__in=[one.comment_id for one in wanted])
    public = set(comments.values_list("pk", flat=True))
    for subscription in wanted:
        is_wanted = subscription.comment_id in public and not subscription.subscriber.confirmed_at
        subscription.ask_at = _ask(subscription) if is_wanted else None
    Subscription.objects.bulk_update(wanted, ["ask_at", "question"])
    return len(people)


def _ask(subscription: Subscription) -> datetime | None:
    """Write a question, or return when it is its turn. One whose address has had enough has none."""
    subscriber, now = subscription.subscriber, timezone.now()
    box = Mailbox.objects.of(subscriber.email)
    # Whoever has stopped all mails is left alone for a day.
    has_just_stopped = subscriber.stopped_at and subscriber.stopped_at > now - DAY
    if has_just_stopped or not box.may_be_asked():
        return None
    sender = subscription.comment.ip_address
    if seconds := max(limit.seconds_left(sender) for limit in (IN_AN_HOUR, IN_A_DAY)):
        return now + timedelta(seconds=seconds)
    for limit in (IN_AN_HOUR, IN_A_DAY):
        limit.count(sender)
    box.note_question()
    subscriber.confirmation_sent_at = now
    subscriber.save(update_fields=["confirmation_sent_at"])
    never_url = never_link(subscriber.email)
    subscription.question = Mail.objects.queue(
        recipient=subscriber.email,
        subject=_("Please confirm your email alerts"),
        template="comments/mail/confirm",
        context={
            "article": subscription.article,
            "confirm_url": links.url("comments:confirm", subscriber.confirm_token),
            "never_url": never_url,
        },
        headers=links.one_click(never_url),
        about=[subscription.comment_id],
    )
    return None


def never_link(email: str) -> str:
    """Return what ends the mails that strangers cause to an address. It works for ever, and for no other."""
    return links.url("comments:never", signing.dumps([email], salt=NEVER_SALT))


@transaction.atomic
def close(email: str) -> None:
    """Write to an address no more, whoever asks for it, until its owner takes that back."""
    # First the person, as whoever asks them does: what is being written is then found.
    people = list(Subscriber.objects.filter(email=email).select_for_update(no_key=True))
    Mailbox.objects.of(email).close()
    asked = Subscription.objects.filter(subscriber__email=email).values("question")
    linked = AccessLink.objects.filter(email=email).values("mail")
    Mail.objects.unsent().filter(Q(pk__in=asked) | Q(pk__in=linked)).delete()
    for subscriber in people:
        subscriber.stop(None)


def open_again(email: str) -> None:
    """Take it back: whoever types the address is asked and answered as at the beginning."""
    Mailbox.objects.of(email).open()
