"""What the mails to moderators and to authors of stories say, and what the links in them mean."""

from typing import Any, NamedTuple

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from comments.models import Comment, Decision, Rule
from comments.recipients import LISTED, Held, Staff
from comments.staff_notices import MailChoice, StaffNotice
from mail import links, quotes
from mail.models import Mail

Kind = StaffNotice.Kind
Reason = MailChoice.Reason

# So many reports stand in a mail.
REPORTS_SHOWN = 10

CHOICE = "admin:comments_mailchoice_changelist"

DECIDE_LINK_LASTS = 7 * 24 * 60 * 60  # seconds
DECIDE_SALT = "comments.moderator_texts.decide"
STOP_SALT = "comments.moderator_texts.stop"
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
        link = cls(*links.read(token, DECIDE_SALT, int, str, int, int, str, max_age=DECIDE_LINK_LASTS))
        if link.kind not in LINKS[Comment.Status.HELD]:
            raise signing.BadSignature
        return link

    def is_for(self, user: Any) -> bool:
        return constant_time_compare(self.key, _key_of(user))


def _key_of(user: Any) -> str:
    what = f"{user.email.lower()} {user.get_session_auth_hash()}"
    return salted_hmac("comments.moderator_texts.account", what).hexdigest()[:16]


class Entry(NamedTuple):
    """A comment as a mail shows it."""

    comment: Comment
    # Marked line by line, so that nothing a stranger writes looks like the mail's own words.
    quoted: str
    answered: str
    why: list[str]
    reports: list[tuple[str, str]]
    links: list[tuple[str, str]]


class Facts(NamedTuple):
    """What the mails of one round are made of, read for all of them together."""

    staff: Staff
    held: Held
    comments: dict[int, Comment]
    # The newest change of each comment.
    seen: dict[int, int]


def about_one(user: Any, notice: StaffNotice, facts: Facts) -> Mail:
    comment = notice.comment
    subjects = {
        Kind.HELD: _("Held: %(name)s on “%(headline)s”"),
        Kind.REPORTED: _("Reported: %(name)s on “%(headline)s”"),
        Kind.PUBLIC: _("%(name)s commented on “%(headline)s”"),
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


def about_many(user: Any, reasons: list[str], held: list[Comment], news: list[Comment], facts: Facts) -> Mail:
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
        quoted=quotes.quoted(comment.body),
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
    return quotes.beginning(answered.body)


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
