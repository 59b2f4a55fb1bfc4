"""The mails to moderators and to authors of stories: when they are written, and about what.

What there is to tell is noted by `comments.staff_notices`, in the transaction of its cause.
Beside the requests `comments.recipients` hands it out to those whom it concerns, and then it
is written, as `comments.moderator_texts` says. One mail tells of one comment; where that
would be too many mails, one tells of all that wait.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import OperationalError, transaction
from django.db.models import Count, Max
from django.utils import timezone

from comments import recipients
from comments.discussion import DiscussionSettings
from comments.models import Change, Comment
from comments.moderator_texts import Facts, about_many, about_one
from comments.recipients import LISTED, Held, Staff
from comments.staff_notices import MailChoice, StaffNotice
from comments.subscriptions import DAY
from mail.models import Mail

logger = logging.getLogger(__name__)

Kind = StaffNotice.Kind
Reason = MailChoice.Reason

# So many mails an hour one person gets. A wave of spam comes as one mail about all of it.
MAILS_AN_HOUR, HOUR = 20, timedelta(hours=1)
# To so many people mails are written in one transaction.
PEOPLE = 5


def send_due() -> None:
    """Write the mails that are due."""
    recipients.hand_out()
    due = StaffNotice.objects.due().order_by("user")
    people = list(_room(due.values_list("user", flat=True).distinct(), timezone.now()))
    for start in range(0, len(people), PEOPLE):
        _write_or_log(people[start : start + PEOPLE])


def _write_or_log(people: Sequence[int]) -> None:
    """Write the mails to some people. What fails for one of them stops nobody else's."""
    try:
        _write(people)
    except OperationalError:  # the database is away, for everybody
        raise
    except Exception:
        if len(people) > 1:
            for one in people:
                _write_or_log([one])
        else:
            logger.exception("The mails to account %d could not be written.", *people)


class Told(NamedTuple):
    mail: Mail
    notices: list[StaffNotice]


@dataclass
class Claim:
    """What somebody is to be told of now, in one mail about all of it or in one for each."""

    user: int
    notices: list[StaffNotice]
    is_gathered: bool

    def take_out(self, is_out: Callable[[StaffNotice], bool]) -> list[StaffNotice]:
        out = {one.pk: one for one in self.notices if is_out(one)}
        self.notices = [one for one in self.notices if one.pk not in out]
        return list(out.values())

    def shown(self) -> list[StaffNotice]:
        """Return what is told with its text. What is held, a mail about many lists anyway."""
        if self.is_gathered:
            return [one for one in self.notices if one.kind == Kind.PUBLIC][:LISTED]
        return self.notices


@transaction.atomic
def _write(people: Sequence[int]) -> None:
    """Write the mails to some people for whom some are due.

    Nothing here waits for a decision that is being taken: what somebody else has locked is
    left for the next time. Decisions wait for this, and then find the mails to cancel.
    """
    discussion = DiscussionSettings.objects.select_for_update(skip_locked=True).first()
    if discussion is None:  # another process is writing
        return
    now = timezone.now()
    claims = _claim(people, now)
    if not claims:
        return
    staff = Staff(discussion, {one.comment.article_id for claim in claims for one in claim.notices})
    held = Held(staff)
    unwanted = [one for claim in claims for one in claim.take_out(lambda one: not staff.wants(one))]
    shown = {one.comment_id for claim in claims for one in claim.shown()}
    listed = {pk for claim in claims if claim.is_gathered for pk in held.oldest_for(claim.user)}
    facts = _facts(staff, held, shown | listed)
    told: list[Told] = []
    for claim in claims:
        claim.take_out(lambda one: one.comment_id in shown and one.comment_id not in facts.comments)
        for one in claim.notices:
            one.comment = facts.comments.get(one.comment_id, one.comment)
        # Once more, of what has changed before it was locked.
        unwanted += claim.take_out(lambda one: not staff.wants(one))
        told += _gathered(claim, facts) if claim.is_gathered else _one_by_one(claim, facts)
    Mail.objects.queue_all([mail for mail, _notices in told])
    _note_told(told, now)
    StaffNotice.objects.filter(pk__in=[one.pk for one in unwanted]).delete()


def _room(people: Iterable[int], now: datetime) -> dict[int, int]:
    """Return to whom of these people mails may go now, and how many."""
    people = list(people)
    recent = StaffNotice.objects.filter(user__in=people, told_at__gt=now - HOUR).values_list("user")
    sent = dict(recent.annotate(count=Count("mail", distinct=True)))
    return {user: MAILS_AN_HOUR - sent.get(user, 0) for user in people if sent.get(user, 0) < MAILS_AN_HOUR}


def _claim(people: Sequence[int], now: datetime) -> list[Claim]:
    """Return what these people are to be told of now, which nobody else writes meanwhile."""
    rooms = _room(people, now)
    waiting: dict[int, list[StaffNotice]] = defaultdict(list)
    notices = StaffNotice.objects.handed_out().filter(user__in=rooms).with_comments().order_by("pk")
    for one in notices.select_for_update(of=("self",), skip_locked=True):
        waiting[one.user_id].append(one)
    claims = []
    for user, own in waiting.items():
        at_once = [one for one in own if one.at_once]
        is_day_over = any(one.created_at <= now - DAY for one in own if not one.at_once)
        if is_day_over or len(at_once) > rooms[user]:
            claims.append(Claim(user, own, is_gathered=True))
        elif at_once:
            claims.append(Claim(user, at_once, is_gathered=False))
    return claims


def _facts(staff: Staff, held: Held, wanted: set[int]) -> Facts:
    """Lock the wanted comments that nobody else has locked, and read what is told of them."""
    comments = Comment.objects.filter(pk__in=wanted).order_by("pk").select_related("article", "parent")
    comments = comments.defer("article__body", "article__body_html").prefetch_related("firings", "reports")
    locked = comments.select_for_update(of=("self",), no_key=True, skip_locked=True)
    found = {one.pk: one for one in locked}
    changes = Change.objects.filter(comment__in=found).order_by().values_list("comment")
    return Facts(staff, held, found, seen=dict(changes.annotate(seen=Max("pk"))))


def _note_told(told: list[Told], now: datetime) -> None:
    notices = []
    for mail, own in told:
        for notice in own:
            notice.mail, notice.told_at = mail, now
            notices.append(notice)
    StaffNotice.objects.bulk_create([one for one in notices if one.pk is None])
    known = [one for one in notices if one.kind != Kind.LISTED]
    StaffNotice.objects.bulk_update(known, ["mail", "told_at"], batch_size=500)


def _one_by_one(claim: Claim, facts: Facts) -> list[Told]:
    people = facts.staff.people
    return [Told(about_one(people[claim.user], notice, facts), [notice]) for notice in claim.notices]


def _gathered(claim: Claim, facts: Facts) -> list[Told]:
    """Write one mail about all that waits, and say that it lists what it does."""
    notices = claim.notices
    if not notices:
        return []
    user = facts.staff.people[claim.user]
    reasons = {
        reason for one in notices for reason in facts.staff.rhythms(user, one.comment.article_id, one.kind)
    }
    held = []
    if Reason.MODERATION in reasons:
        found = [facts.comments.get(pk) for pk in facts.held.oldest_for(user.pk)]
        held = [comment for comment in found if comment and comment.status == Comment.Status.HELD]
    news = [one.comment for one in notices if one.kind == Kind.PUBLIC]
    if not held and not news:
        return []
    told = {one.comment_id for one in notices}
    listed = [
        StaffNotice(user=user, comment=comment, kind=Kind.LISTED)
        for comment in held
        if comment.pk not in told
    ]
    return [Told(about_many(user, sorted(reasons), held, news, facts), [*notices, *listed])]
