"""Moments, as every page shows them: with the site's zone, until times.js knows the reader's."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_tag
def moment(at: datetime) -> str:
    """Show a moment: times.js puts the reader's own words and zone in its place."""
    return _time("moment", at, with_zone(at))


@register.simple_tag
def remaining(until: datetime) -> str:
    """Show how long it is until a moment: times.js counts down."""
    now = timezone.now()
    # Nobody counts less than a minute.
    return _time("remaining", until, timeuntil(max(until, now + timedelta(minutes=1)), now))


@register.filter
def lasting(length: timedelta) -> str:
    """Return how long something lasts, like “15 minutes”."""
    now = timezone.now()
    return timesince(now - length, now)


@register.filter
def with_zone(at: datetime) -> str:
    """Return date and time as the site writes them, and in which zone that is."""
    at = timezone.localtime(at)
    return _("%(time)s %(zone)s") % {"time": date_format(at, "DATETIME_FORMAT"), "zone": _zone(at)}


def _zone(at: datetime) -> str:
    """Return the name of a moment's zone. Many zones have none but a number."""
    name = at.tzname() or ""
    return name if name.isalpha() else f"UTC{at.isoformat()[-6:]}".replace("-", "−")


def _time(kind: str, at: datetime, words: str) -> str:
    iso = timezone.localtime(at).isoformat(timespec="seconds")
    return format_html('<time class="{}" datetime="{}">{}</time>', kind, iso, words)
