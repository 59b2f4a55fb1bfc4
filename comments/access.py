"""The way to everything written with an address: a link by mail, which opens once."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from comments import privacy
from comments.addresses import mailbox
from comments.models import LINK_LASTS, AccessLink, Comment
from comments.subscriptions import Subscriber
from mail.models import Mail
from newsite.limits import Limit

# An address is sent no second link within this time.
MAIL_INTERVAL = timedelta(minutes=10)
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
    now = timezone.now()
    forgettable().delete()
    if seconds := REQUESTS.take(ip_address):
        raise TooMany(seconds)
    lately = AccessLink.objects.filter(email=email, created_at__gt=now - MAIL_INTERVAL).exists()
    is_due = privacy.is_known(email) and not lately
    token = secrets.token_urlsafe()
    AccessLink.objects.create(email=email if is_due else "", digest=_digest(token))
    mail = Mail.compose(
        recipient=email,
        subject=_("Your link to your comments on %(site)s") % {"site": settings.SITE_NAME},
        template="comments/mail/access",
        context={
            "address": reverse("comments:mine_link", args=[token]),
            "minutes": LINK_LASTS // timedelta(minutes=1),
        },
    )
    if is_due:
        Mail.objects.queue_all([mail])


def forgettable() -> QuerySet[AccessLink]:
    """Return the requests that count no more. What they opened is over, too."""
    return AccessLink.objects.filter(created_at__lte=timezone.now() - KEPT)


def find(token: str) -> AccessLink | None:
    """Return the link, if it still opens something."""
    return AccessLink.objects.unopened().filter(digest=_digest(token)).first()


def open_once(token: str) -> AccessLink | None:
    """Use the link up and return it, or None where someone has done so before."""
    link = find(token)
    # Of two who have found it, one changes the row.
    if link and AccessLink.objects.unopened().filter(pk=link.pk).update(opened_at=timezone.now()):
        return link
    return None


def _take_turns(email: str) -> None:
    """Let two requests for one address wait for each other, or both would find that none was mailed lately."""
    comments = Comment.objects.ever_written_with(email).order_by("pk")
    for known in (comments, Subscriber.objects.filter(email=email)):
        known.select_for_update(no_key=True).values_list("pk", flat=True).first()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
