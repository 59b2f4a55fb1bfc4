"""What is not kept for ever is deleted once a day: by the chores, and by `manage.py housekeeping`.

Akismet is told then too of what it got wrong: see `comments.lessons`.

It is done in chunks, each in a transaction of its own, so that a million rows need no more
memory than a few hundred, and nobody who writes waits for long. Breaking it off loses
nothing, and two processes at once take what the other has not.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from math import inf
from threading import Event
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from comments import access, lessons, matching
from comments.discussion import DiscussionSettings
from comments.models import (
    IDENTIFIED,
    NOBODY,
    Change,
    Comment,
    Decision,
    Firing,
    Housekeeping,
    Report,
    Standing,
    Timer,
    nobody,
)
from comments.staff_notices import StaffNotice
from comments.subscriptions import Notice, Subscriber
from mail.models import Mail
from newsite import write_ahead
from newsite.models import Attempt
from staff import attempts, notices
from staff.models import Session

logger = logging.getLogger(__name__)

CHUNK = 500
PAUSE = timedelta(days=1)
# So many seconds it may keep the chores from delivering mail. Then it goes on in a minute.
PATIENCE = 5


class Job(NamedTuple):
    # For the log.
    what: Any
    chunks: Callable[[DiscussionSettings], Iterator[int]]
    # Of what deletes what somebody may want to keep: its name, and what the owner is told that it
    # deletes, with the setting that has its days.
    timer: str = ""
    plan: Any = ""
    setting: str = ""


def put_off() -> tuple[datetime, list[str]] | None:
    """Return from when on this site will delete what it has kept till now, and what that is."""
    timers = dict(Timer.objects.put_off().values_list("name", "begins_at"))
    settings = DiscussionSettings.load()
    plans = []
    for job in JOBS:
        days = getattr(settings, job.setting) if job.setting else None
        if job.timer in timers and days != 0:
            plans.append(job.plan % days if days else str(job.plan))
    return (min(timers.values()), plans) if plans else None


def run_if_due(stopped: Event) -> None:
    """Do some of it, if it is due and no other process is at it."""
    if not Housekeeping.claim():
        return
    done, is_over = run(stopped, time.monotonic() + PATIENCE)
    Housekeeping.put_off(PAUSE if is_over else timedelta())
    for what, count in done.items():
        logger.info("Housekeeping: %s: %d", what, count)


def run(stopped: Event, until: float = inf) -> tuple[dict[str, int], bool]:
    """Do it until it is done, stopped, or until a time of the monotonic clock.

    Return how many of what were seen to, and whether that was all.
    """
    settings = DiscussionSettings.load()
    done: Counter[str] = Counter()
    waiting = Timer.waiting(job.timer for job in JOBS if job.timer)
    for job in JOBS:
        for count in job.chunks(settings) if job.timer not in waiting else []:
            done[str(job.what)] += count
            if stopped.is_set() or time.monotonic() > until:
                return +done, False
    # What an erasure could not empty, because someone read it.
    return +done, connection.in_atomic_block or write_ahead.empty()


def _spam(settings: DiscussionSettings) -> Iterator[int]:
    yield from _comments([Comment.Status.SPAM], settings.spam_days)


def _trash(settings: DiscussionSettings) -> Iterator[int]:
    # What its author has deleted is kept no longer than what a moderator has.
    yield from _comments([Comment.Status.TRASH, Comment.Status.WITHDRAWN], settings.trash_days)


def _comments(statuses: list[str], days: int) -> Iterator[int]:
    """Delete the comments to which nothing has happened for so many days. 0 is for ever."""
    for status in statuses if days else []:
        place = Q()
        # Looked through once, oldest first: what has only lately become spam is passed by.
        while chunk := _delete_unchanged(status, _ago(days), place):
            yield len(chunk)
            created_at, pk = chunk[-1]
            place = Q(created_at__gt=created_at) | Q(created_at=created_at, pk__gt=pk)
            place &= Q(created_at__gte=created_at)


@transaction.atomic
def _delete_unchanged(status: str, before: datetime, place: Q) -> list[tuple[datetime, int]]:
    """Delete the oldest comments of a status that have been what they are since, and return their places."""
    changed = Change.objects.filter(comment=OuterRef("pk"), at__gte=before)
    found = Comment.objects.filter(~Exists(changed), place, status=status, created_at__lt=before)
    places = _locked(found.order_by("created_at", "pk")).values_list("created_at", "pk")
    chunk = list(places[:CHUNK])
    Comment.objects.filter(pk__in=[pk for _created_at, pk in chunk]).delete()
    return chunk


def _addresses(settings: DiscussionSettings) -> Iterator[int]:
    days = settings.address_days
    while days and (count := _erase_addresses(_ago(days))):
        yield count


@transaction.atomic
def _erase_addresses(before: datetime) -> int:
    """Forget from where comments came, and with which browser."""
    comments = Comment.objects.filter(IDENTIFIED, created_at__lt=before).order_by("created_at", "pk")
    pks = list(_locked(comments).values_list("pk", flat=True)[:CHUNK])
    # The entry of a list that a rule has found may be the address.
    details = Firing.objects.filter(comment__in=pks).exclude(detail="").values_list("pk", "detail")
    addresses = [pk for pk, detail in details if _is_ip_address(detail)]
    Firing.objects.filter(pk__in=addresses).update(detail="")
    Comment.objects.filter(pk__in=pks).update(ip_address=None, user_agent="")
    return len(pks)


def _reporters(settings: DiscussionSettings) -> Iterator[int]:
    days = settings.address_days
    while days and (count := _forget_reporters(_ago(days))):
        yield count


@transaction.atomic
def _forget_reporters(before: datetime) -> int:
    """Forget who sent a report, as far as the hash of an address can tell. Two stay two."""
    reports = Report.objects.filter(sender__lt=NOBODY, created_at__lt=before).order_by("sender").only("pk")
    chunk = list(_locked(reports)[:CHUNK])
    for report in chunk:
        report.sender = report.neighbourhood = nobody()
    Report.objects.bulk_update(chunk, ["sender", "neighbourhood"])
    return len(chunk)


def _rows(find: Callable[[], QuerySet[Any]]) -> Callable[[DiscussionSettings], Iterator[int]]:
    """Return a job that deletes what `find` finds."""

    def chunks(_settings: DiscussionSettings) -> Iterator[int]:
        while count := _delete_some(find()):
            yield count

    return chunks


@transaction.atomic
def _delete_some(over: QuerySet[Any]) -> int:
    pks = list(_locked(over.order_by()).values_list("pk", flat=True)[:CHUNK])
    over.filter(pk__in=pks).delete()
    return len(pks)


def _broken_off(_settings: DiscussionSettings) -> Iterator[int]:
    while count := _finish_some():
        yield count


@transaction.atomic
def _finish_some() -> int:
    """End what nobody has gone on with: what it was about may be an address or a name."""
    decisions = list(_locked(Decision.objects.broken_off())[:CHUNK])
    for decision in decisions:
        decision.finish()
    Decision.objects.bulk_update(decisions, ["finished_at", "filters", "terms"])
    return len(decisions)


def _links(_settings: DiscussionSettings) -> Iterator[int]:
    while count := access.forget_old(CHUNK):
        yield count


def _lessons(_settings: DiscussionSettings) -> Iterator[int]:
    yield from lessons.teach()


JOBS = [
    Job(
        _("IP addresses and browsers of comments erased"),
        _addresses,
        "addresses",
        _("IP address and browser of comments after %d days"),
        "address_days",
    ),
    Job(
        _("senders of reports forgotten"),
        _reporters,
        "reporters",
        _("who sent a report, after %d days"),
        "address_days",
    ),
    Job(_("links by email expired"), _links),
    Job(
        _("unconfirmed email addresses forgotten"),
        _rows(lambda: Subscriber.objects.forgettable()),
        "subscribers",
        _("email addresses that were not confirmed in a week"),
    ),
    Job(_("sessions expired"), _rows(lambda: Session.objects.filter(expire_date__lt=timezone.now()))),
    Job(_("failed sign-ins forgotten"), _rows(attempts.over)),
    Job(_("attempts of senders forgotten"), _rows(lambda: Attempt.objects.forgettable())),
    Job(_("places of sign-ins forgotten"), _rows(notices.forgettable_places)),
    Job(_("notes of mails about accounts deleted"), _rows(notices.forgettable_notes)),
    Job(_("mails deleted"), _rows(lambda: Mail.objects.forgettable()), "mails", _("mails after thirty days")),
    Job(
        _("notes of mails to moderators deleted"),
        _rows(lambda: StaffNotice.objects.forgettable()),
        "staff-notices",
        _("notes of mails to moderators"),
    ),
    Job(
        _("notes of mails to commenters deleted"),
        _rows(lambda: Notice.objects.forgettable()),
        "notices",
        _("notes of mails to commenters after ninety days"),
    ),
    Job(
        _("bans and trust that have ended deleted"),
        _rows(lambda: Standing.objects.forgettable()),
        "standings",
        _("bans ninety days after their end"),
    ),
    Job(_("decisions that were broken off ended"), _broken_off),
    # Before the spam is gone that it may be about.
    Job(_("decisions told to Akismet"), _lessons),
    Job(_("comments deleted from spam"), _spam, "spam", _("spam after %d days"), "spam_days"),
    Job(_("comments deleted from the trash"), _trash, "trash", _("the trash after %d days"), "trash_days"),
]


def _locked(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Pass by what someone else holds: another that keeps house, or a moderator who decides."""
    return rows.select_for_update(of=("self",), skip_locked=True)


def _is_ip_address(text: str) -> bool:
    return "@" not in text and matching.normal_address(text) is not None


def _ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)
