"""Mails to the owner of an account about what happened to it, which only its owner can judge."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mail.models import Mail
from newsite.origin import client_address, network_of, shortened
from staff import browsers
from staff.models import Notified, Place

Kind = Notified.Kind

# So many mails of a kind an account gets in such a time. Guessing goes on for days.
LIMITS = {
    Kind.WRONG_PASSWORDS: (1, timedelta(hours=6)),
    Kind.WRONG_CODES: (1, timedelta(hours=6)),
}
USUAL_LIMIT = (3, timedelta(days=1))
# An address from which nobody has signed in for so long is a new one.
PLACES_KEPT = timedelta(days=365)

SENTENCES = {
    Kind.WRONG_PASSWORDS: gettext_lazy(
        "Somebody has typed a wrong password for your account five times. From the same network, "
        "nobody gets in for fifteen minutes."
    ),
    Kind.WRONG_CODES: gettext_lazy(
        "Somebody has typed your password, and then five wrong codes. Now they have to wait before "
        "each further try."
    ),
    Kind.NEW_PLACE: gettext_lazy(
        "Your account was signed in to with a browser, or from a place, that is new to it."
    ),
    Kind.FACTOR_SET_UP: gettext_lazy("A second factor was set up for your account."),
    Kind.FACTOR_REMOVED: gettext_lazy("The second factor of your account was removed."),
    Kind.CODES_MADE: gettext_lazy("New recovery codes were made for your account. Older ones work no more."),
    Kind.CODE_USED: gettext_lazy("Your account was signed in to with one of its recovery codes."),
    Kind.PASSWORD_CHANGED: gettext_lazy("The password of your account was changed."),
    Kind.ADDRESS_CHANGED: gettext_lazy(
        "Your account has another email address now. This is the last mail to the old one."
    ),
}


@transaction.atomic
def tell(account: User, kind: str, request: HttpRequest | None = None, to: str = "") -> None:
    """Mail an account's owner, or the address that was theirs, unless they have heard enough of it.

    Without a request it happened on the server.
    """
    recipient = to or account.email
    if not recipient or not account.is_active or not _has_room(account, kind):
        return
    Notified.objects.create(user=account, kind=kind)
    Mail.objects.queue(
        recipient=recipient,
        subject=_("%(what)s: %(site)s") % {"what": Kind(kind).label, "site": settings.SITE_NAME},
        template="staff/mail/notice",
        context={
            "what": SENTENCES[Kind(kind)],
            "account": account.get_username(),
            "by": _who_else(account, request),
            "at": timezone.now(),
            "browser": _browser(request) if request else _("A command on the server"),
            "network": _network(request),
            "account_url": settings.SITE_URL + reverse("admin:account") if account.is_staff else "",
        },
    )


def _has_room(account: User, kind: str) -> bool:
    most, time = LIMITS.get(Kind(kind), USUAL_LIMIT)
    return Notified.objects.filter(user=account, kind=kind, at__gt=timezone.now() - time).count() < most


def _who_else(account: User, request: HttpRequest | None) -> str:
    """Return the name of who did it for the account's owner, as an administrator may."""
    user = getattr(request, "user", None)
    return user.get_username() if user and user.is_authenticated and user != account else ""


def _browser(request: HttpRequest) -> str:
    return browsers.in_words(request.headers.get("User-Agent", ""))


def _network(request: HttpRequest | None) -> str:
    """Return roughly where a request came from: enough to recognise, too little to look somebody up."""
    address = shortened(client_address(request)) if request else None
    return network_of(address) if address else ""


def note_place(account: User, request: HttpRequest) -> bool:
    """Note where an account signs in, and say whether it is new. Its very first one is not.

    Kept is no address: only what tells one place from another.
    """
    place = f"{account.pk}:{_network(request)}:{_browser(request)}"
    _place, is_new = Place.objects.update_or_create(
        user=account,
        place=salted_hmac("staff.places", place, algorithm="sha256").hexdigest(),
        defaults={"seen_at": timezone.now()},
    )
    return is_new and account.last_login is not None


def forgettable_places():
    return Place.objects.filter(seen_at__lt=timezone.now() - PLACES_KEPT)


def forgettable_notes():
    return Notified.objects.filter(
        at__lt=timezone.now() - max(time for _most, time in [USUAL_LIMIT, *LIMITS.values()])
    )
