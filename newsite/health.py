"""What should happen beside the requests, and does not.

The admin's front page says so, `/readyz`, and `manage.py check`. Readers notice nothing of it.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mail.models import Mail, Outage
from newsite.models import Heartbeat

# Longer than whatever keeps the chores from saying that they are done: see `newsite.chores`.
MISSED_AFTER = timedelta(minutes=5)


def missing_worker() -> str:
    """Say since when the worker does not run that this site needs. Empty where all is well."""
    if not settings.MAIL_WORKER:
        return ""
    last_seen = Heartbeat.last_seen()
    if last_seen is None:
        return _("The worker has not been seen yet: no mail leaves, and nobody keeps house.")
    if timezone.now() - last_seen <= MISSED_AFTER:
        return ""
    text = _("The worker has not been seen since %(time)s: no mail leaves, and nobody keeps house.")
    return text % {"time": _written(last_seen)}


def waiting_mails() -> str:
    """Say how many mails wait for the mail server, since when and why, or are late. Empty where none is."""
    if outage := Outage.objects.first():
        count = Mail.objects.overdue().count()
        text = ngettext(
            "%(count)d mail waits, since %(time)s: %(reason)s",
            "%(count)d mails wait, since %(time)s: %(reason)s",
            count,
        )
        return (
            text % {"count": count, "time": _written(outage.since), "reason": outage.reason} if count else ""
        )
    late = Mail.objects.late()
    count = late.count() if settings.SENDS_MAIL else 0
    text = ngettext(
        "%(count)d mail has waited for longer than an hour: %(reason)s",
        "%(count)d mails have waited for longer than an hour: %(reason)s",
        count,
    )
    reason = late.commonest_reason() or _("none was tried.")
    return text % {"count": count, "reason": reason} if count else ""


def _written(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")
