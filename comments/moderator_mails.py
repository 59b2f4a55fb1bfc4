"""The mails to moderators and to authors of stories: when they are written, and in which words.

What there is to tell is noted by `comments.staff_notices`, in the transaction of its cause.
Beside the requests `comments.recipients` hands it out to those whom it concerns, and then it
is written. One mail tells of one comment; where that would be too many mails, one tells of
all that wait.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.core import signing
from django.db import OperationalError, transaction
from django.db.models import Count, F, Max, Window
from django.db.models.functions import RowNumber
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from comments import recipients
from comments.discussion import DiscussionSettings
from comments.models import Change, Comment, Decision, Rule
from comments.recipients import Staff
from comments.staff_notices import MailChoice, StaffNotice
from comments.subscriptions import DAY
from mail import links
from mail.models import Mail

logger = logging.getLogger(__name__)

Kind = StaffNotice.Kind
Reason = MailChoice.Reason

# So many mails an hour one person gets. A wave of spam comes as one mail about all of it.
MAILS_AN_HOUR, HOUR = 20, timedelta(hours=1)
# So many comments stand in one mail. Of the others it tells how many they are.
LISTED = 30
# To so many people mails are written in one transaction.
PEOPLE = 20
# So many reports stand in a mail, and so much of an answered comment.
REPORTS_SHOWN, ANSWERED_SHOWN = 10, 300

# Whose own a comment is that waits below somebody's story.
OWNER = F("article__authors__user")

CHOICE = "admin:comments_mailchoice_changelist"

LINK_LASTS = 7 * 24 * 60 * 60  # seconds
DECIDE_SALT = "comments.moderator_mails.decide"
STOP_SALT = "comments.moderator_mails.stop"
# Which decisions a mail has links to.
LINKS = {
    Comment.Status.HELD: [Decision.Kind.APPROVE, Decision.Kind.MARK_AS_SPAM, Decision.Kind.TRASH],
    Comment.Status.APPROVED: [Decision.Kind.MARK_AS_SPAM, Decision.Kind.TRASH],
}


class Link(NamedTuple):
    """What the link in a mail is for: one decision, on one comment, by one person."""

    comment: int
    kind: str
    user: int
    # The newest change of the comment when the mail was written, 0 for none.
    seen: int
    # Another once the account has another address or password: who reads the old mailbox
    # decides no more.
    key: str

    @classmethod
    def to(cls, user: Any, comment: int, kind: str, seen: int) -> "Link":
        return cls(comment, kind, user.pk, seen, _key_of(user))

    @property
    def token(self) -> str:
        return signing.dumps(list(self), salt=DECIDE_SALT)

    @classmethod
    def read(cls, token: str) -> "Link":
        """Raises `BadSignature` for what this site did not sign, and for what it signs otherwise today."""
        link = cls(*links.read(token, DECIDE_SALT, int, str, int, int, str, max_age=LINK_LASTS))
        if link.kind not in LINKS[Comment.Status.HELD]:
            raise signing.BadSignature
        return link

    def is_for(self, user: Any) -> bool:
        return constant_time_compare(self.key, _key_of(user))


def _key_of(user: Any) -> str:
    what = f"{user.email.lower()} {user.get_session_auth_hash()}"
    return salted_hmac("comments.moderator_mails.account", what).hexdigest()[:16]


class Entry(NamedTuple):
    """A comment as a mail shows it."""

    comment: Comment
    # Marked line by line, so that nothing a stranger writes looks like the mail's own words.
    quoted: str
    answered: str
    why: list[str]
    reports: list[tuple[str, str]]
    links: list[tuple[str, str]]


def send_due() -> None:
    """Write the mails that are due."""
    recipients.hand_out()
    due = StaffNotice.objects.due().order_by("user")
    people = list(_room(due.values_list("user", flat=True).distinct(), timezone.now()))
    for start in range(0, len(people), PEOPLE):
        _write_or_log(people[start : start + PEOPLE])


def _write_or_log(people: Sequence[int]) -> None:
    """Write the mails to some people. What fails for one of them keeps nobody else from being told."""
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


# --- What they are told ---


class Held:
    """What waits for each of some moderators: how much it is, and which is the oldest of it."""

    def __init__(self, staff: Staff):
        held = Comment.objects.held()
        self.staff = staff
        self.count = held.count()
        self.oldest = list(held.order_by("created_at", "pk").values_list("pk", flat=True)[:LISTED])
        own = held.filter(article__authors__user__in=staff.below_own).annotate(owner=OWNER)
        self.own_counts = dict(own.order_by().values_list("owner").annotate(count=Count("pk")))
        number = Window(RowNumber(), partition_by=OWNER, order_by=["created_at", "pk"])
        numbered = own.annotate(number=number).filter(number__lte=LISTED).order_by("number")
        self.own_oldest: dict[int, list[int]] = defaultdict(list)
        for owner, pk in numbered.values_list("owner", "pk"):
            self.own_oldest[owner].append(pk)

    def count_for(self, user: int) -> int:
        return self.count if user in self.staff.everywhere else self.own_counts.get(user, 0)

    def oldest_for(self, user: int) -> list[int]:
        return self.oldest if user in self.staff.everywhere else self.own_oldest[user]


class Facts(NamedTuple):
    """What the mails of one round are made of, read for all of them together."""

    staff: Staff
    held: Held
    comments: dict[int, Comment]
    # The newest change of each comment.
    seen: dict[int, int]


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
    user = facts.staff.people[claim.user] if claim.notices else None
    return [Told(_mail(user, notice, facts), [notice]) for notice in claim.notices]


def _mail(user: Any, notice: StaffNotice, facts: Facts) -> Mail:
    comment = notice.comment
    subjects = {
        Kind.HELD: _("Held: %(name)s on “%(headline)s”"),
        Kind.REPORTED: _("Reported: %(name)s on “%(headline)s”"),
        Kind.PUBLIC: _("%(name)s commented: %(headline)s"),
    }
    reasons = list(facts.staff.rhythms(user, comment.article_id, notice.kind))
    return Mail.compose(
        recipient=user.email,
        subject=subjects[Kind(notice.kind)] % {"name": comment.name, "headline": comment.article.title},
        template="comments/mail/moderator",
        context={
            **_frame(user, reasons, [comment], facts),
            "entry": _entry(
                user, comment, facts, may_decide=facts.staff.moderates(user.pk, comment.article_id)
            ),
            "article": comment.article,
            "kind": notice.kind,
        },
        headers={
            **links.one_click(_stop_url(user, reasons)),
            **links.conversation(f"story-{comment.article_id}"),
        },
        about=[comment.pk],
    )


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
    return [Told(_mail_about_many(user, sorted(reasons), held, news, facts), [*notices, *listed])]


def _mail_about_many(
    user: Any, reasons: list[str], held: list[Comment], news: list[Comment], facts: Facts
) -> Mail:
    waiting = facts.held.count_for(user.pk) if held else 0
    count = waiting or len(news)
    if waiting:
        subject = ngettext(
            "%(count)d comment waits on %(site)s", "%(count)d comments wait on %(site)s", count
        )
    else:
        subject = ngettext("%(count)d new comment on %(site)s", "%(count)d new comments on %(site)s", count)
    shown = [comment for comment in news if comment.pk in facts.comments][:LISTED]
    return Mail.compose(
        recipient=user.email,
        subject=subject % {"count": count, "site": settings.SITE_NAME},
        template="comments/mail/moderator_digest",
        context={
            **_frame(user, reasons, news, facts),
            # Below whichever of their stories these wait: it was looked for by their right.
            "held": [_entry(user, comment, facts, may_decide=True) for comment in held],
            "more_held": max(0, waiting - len(held)),
            "news": [
                _entry(user, comment, facts, may_decide=facts.staff.moderates(user.pk, comment.article_id))
                for comment in shown
            ],
            "more_news": len(news) - len(shown),
        },
        headers=links.one_click(_stop_url(user, reasons)),
        about=[comment.pk for comment in [*held, *shown]],
    )


def _entry(user: Any, comment: Comment, facts: Facts, *, may_decide: bool) -> Entry:
    status, seen = Comment.Status(comment.status), facts.seen.get(comment.pk, 0)
    tokens = {kind: Link.to(user, comment.pk, kind, seen).token for kind in LINKS[status] if may_decide}
    return Entry(
        comment=comment,
        quoted=_quoted(comment.body),
        answered=beginning_of(comment.parent),
        why=why_held(comment) if status == Comment.Status.HELD else [],
        reports=reports_of(comment),
        links=[(str(kind.label), links.url("comments:moderate", token)) for kind, token in tokens.items()],
    )


def why_held(comment: Comment) -> list[str]:
    """Return what held a comment: the rules that fired, with what they found, or the readers."""
    fired = [str(one) for one in comment.firings.all() if one.verdict != Comment.Status.APPROVED]
    if comment.held_because == Rule.REPORTED or not fired:
        return [str(comment.get_held_because_display())] if comment.held_because else []
    return fired


def reports_of(comment: Comment) -> list[tuple[str, str]]:
    """Return what readers have said against a comment, in one line each, where that is what holds it."""
    is_reported = comment.status == Comment.Status.HELD and comment.held_because == Rule.REPORTED
    reports = list(comment.reports.all())[:REPORTS_SHOWN] if is_reported else []
    return [(str(one.get_reason_display()), " ".join(one.text.split())) for one in reports]


def beginning_of(answered: Comment | None) -> str:
    """Return the first words of what a comment answers, where everybody may read them."""
    if answered is None or answered.status != Comment.Status.APPROVED:
        return ""
    return Truncator(" ".join(answered.body.split())).chars(ANSWERED_SHOWN)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _frame(user: Any, reasons: list[str], news: list[Comment], facts: Facts) -> dict[str, Any]:
    """Return what stands below every such mail."""
    own = {comment.article_id for comment in news if user.pk in facts.staff.authors[comment.article_id]}
    return {
        "waiting": facts.held.count_for(user.pk) if Reason.MODERATION in reasons else 0,
        "queue_url": settings.SITE_URL + reverse("admin:comments_comment_changelist"),
        "choice_url": settings.SITE_URL + reverse(CHOICE) if user.is_staff else "",
        "moderates": Reason.MODERATION in reasons,
        "own_stories": len(own) if Reason.OWN_STORIES in reasons else 0,
        "stop_url": _stop_url(user, reasons),
    }


def _stop_url(user: Any, reasons: list[str]) -> str:
    return links.url("comments:stop_staff", signing.dumps([user.pk, reasons], salt=STOP_SALT))


def read_stop(token: str) -> tuple[int, list[str]]:
    """Return whose mails a link is to stop, and which. Raises `BadSignature` like `Link.read`."""
    pk, reasons = links.read(token, STOP_SALT, int, list)
    if not reasons or any(reason not in Reason.values for reason in reasons):
        raise signing.BadSignature
    return pk, reasons
