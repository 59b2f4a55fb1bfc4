"""The way to everything written with an address: a link by mail, which opens once."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from comments import privacy, questions
from comments.addresses import mailbox
from comments.mailboxes import Mailbox
from comments.models import LINK_LASTS, AccessLink, Comment
from comments.subscriptions import Subscriber
from mail import links
from mail.models import Mail, Outage
from newsite.limits import Limit

# From one sender come at most so many requests in this time, whatever they ask for.
REQUESTS = Limit("comments.access", attempts=10, interval=timedelta(hours=1))
# So long a request is kept, much longer than what it opened.
KEPT = timedelta(hours=1)


class TooMany(Exception):
    """Too many links were asked for by one sender; says in how many seconds to try again."""

    def __init__(self, seconds: int):
        super().__init__(seconds)
        self.seconds = seconds


@transaction.atomic
def ask(email: str, ip_address: str | None) -> None:
    """Mail a link to an address, if anything was written with it, and say nothing of that.

    The same is done for a known and an unknown address, the last step excepted, so that
    the time it takes tells nothing either. Raises `TooMany`.
    """
    email = mailbox(email)
    _take_turns(email)
    forget_old()
    if seconds := REQUESTS.take(ip_address):
        raise TooMany(seconds)
    box = Mailbox.objects.of(email)
    is_due = privacy.is_known(email) and box.may_get_link()
    token = secrets.token_urlsafe()
    never_url = questions.never_link(email)
    mail = Mail.compose(
        recipient=email,
        subject=_("Your link to your comments on %(site)s") % {"site": settings.SITE_NAME},
        template="comments/mail/access",
        context={
            "address": reverse("comments:mine_link", args=[token]),
            "minutes": LINK_LASTS // timedelta(minutes=1),
            "never_url": never_url,
        },
        headers=links.one_click(never_url),
    )
    if is_due:
        Mail.objects.queue_all([mail])
        box.note_link()
    else:
        box.note_no_link()
    AccessLink.objects.create(
        email=email if is_due else "",
        digest=_digest(token),
        mail=mail if is_due else None,
    )


def forgettable() -> QuerySet[AccessLink]:
    """Return the requests that count no more. What they opened is over, too."""
    long_ago = timezone.now() - KEPT
    is_over = Q(mail__sent_at=None) | Q(mail__sent_at__lte=long_ago)
    old = AccessLink.objects.filter(is_over, created_at__lte=long_ago)
    # While the mail server takes nothing, the time of what waits for it has not begun.
    waits = [Mail.State.WAITING, Mail.State.SENDING]
    return old.exclude(mail__state__in=waits) if Outage.objects.exists() else old


@transaction.atomic
def forget_old(at_most: int = 500) -> int:
    """Delete requests that count no more, with the mails that have not left in their time. Return how many."""
    old = forgettable().select_for_update(of=("self",), skip_locked=True)
    mails = dict(old.values_list("pk", "mail")[:at_most])
    Mail.objects.unsent().filter(pk__in=filter(None, mails.values())).delete()
    AccessLink.objects.filter(pk__in=mails).delete()
    return len(mails)


def find(token: str) -> AccessLink | None:
    """Return the link, if it still opens something."""
    return AccessLink.objects.unopened().filter(digest=_digest(token)).first()


def open_once(token: str) -> AccessLink | None:
    """Use the link up and return it, or None where someone has done so before."""
    link = find(token)
    # Of two who have found it, one changes the row.
    if link and AccessLink.objects.unopened().filter(pk=link.pk).update(opened_at=timezone.now()):
        Mailbox.objects.of(link.email).note_answer()
        return link
    return None


def _take_turns(email: str) -> None:
    """Let two requests for one address wait for each other, or both would find that none was mailed lately."""
    comments = Comment.objects.ever_written_with(email).order_by("pk")
    for known in (comments, Subscriber.objects.filter(email=email)):
        known.select_for_update(no_key=True).values_list("pk", flat=True).first()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
