"""Guessing a password: what django-axes counts, and when it has been enough.

Counted is a name together with an address, so nobody can lock an editor out from
elsewhere. A sender who tries one name after the other is stopped as well. The counts
are in the database, which all processes share.
"""

from datetime import timedelta
from math import ceil

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Max
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import ngettext

from newsite.limits import Limit
from newsite.origin import client_address, sender_networks
from staff import notices, sign_in_log

# So many failures a sender has for all names together. A whole office may share one address.
FAILURES = Limit("staff.failures", attempts=50, interval=settings.AXES_COOLOFF_TIME)


class Handler(AxesDatabaseHandler):
    def is_locked(self, request, credentials=None):
        return super().is_locked(request, credentials) or seconds_for_all_names(request) > 0

    def user_login_failed(self, sender, credentials, request=None, **kwargs):
        """Count a wrong password, log it, and tell the account's owner when it has been enough."""
        was_locked = request is not None and request.axes_locked_out
        super().user_login_failed(sender, credentials, request, **kwargs)
        if request is None:
            return
        if not was_locked:
            FAILURES.count(client_address(request))
        account = User.objects.filter(username=credentials["username"]).first()
        sign_in_log.write(sign_in_log.LOCKED_OUT if was_locked else sign_in_log.FAILED, request, account)
        if request.axes_locked_out and not was_locked and account:
            notices.tell(account, notices.Kind.WRONG_PASSWORDS, request)


def sender_address(request: HttpRequest) -> str | None:
    """Return the address that failures count for: of IPv6 the network, since who has one has all."""
    networks = sender_networks(client_address(request))
    return networks[0].text.partition("/")[0] if networks else None


def recent(**conditions):
    return AccessAttempt.objects.filter(
        attempt_time__gte=timezone.now() - settings.AXES_COOLOFF_TIME, **conditions
    )


def seconds_for_all_names(request: HttpRequest) -> int:
    """Return how long nobody is let in from here, because of wrong passwords for whatever names."""
    return FAILURES.seconds_left(client_address(request))


def seconds_to_wait(request: HttpRequest, username: str) -> int:
    """Return how long whoever is locked out has to wait at most."""
    if seconds := seconds_for_all_names(request):
        return seconds
    attempts = recent(ip_address=sender_address(request), username=username)
    last = attempts.aggregate(last=Max("attempt_time"))["last"] or timezone.now()
    left: timedelta = last + settings.AXES_COOLOFF_TIME - timezone.now()
    return max(1, ceil(left.total_seconds()))


def in_words(seconds: int) -> str:
    """Tell who is locked out how long to wait."""
    minutes = ceil(seconds / 60)
    text = ngettext(
        "Too many wrong passwords from here. Try again in %d minute.",
        "Too many wrong passwords from here. Try again in %d minutes.",
        minutes,
    )
    return text % minutes


def forget(request: HttpRequest, username: str) -> None:
    """Forget the wrong passwords of who has given the right one. django-axes does so at sign-in alone."""
    AccessAttempt.objects.filter(username=username, ip_address=sender_address(request)).delete()


def forget_names(names: set[str]) -> None:
    """Forget who has typed these as their name."""
    typed = AccessAttempt.objects.alias(name=Lower("username"))
    typed.filter(name__in={name.lower() for name in names}).delete()


def over():
    """Return the attempts that count no more, with the names that were typed and the addresses."""
    return AccessAttempt.objects.filter(attempt_time__lt=timezone.now() - settings.AXES_COOLOFF_TIME)
