"""Whether a new comment is taken at all, and then shown, held or spam.

Two ordered lists of small rules. A rule takes a submission and returns its refusal or
verdict, or None where it has nothing to say; the first that says something counts.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Q, Value
from django.db.models.functions import Concat, Trim
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from articles.models import Author
from comments.models import Comment, CommentQuerySet
from newsite import markup
from newsite.origin import same_network

# As in WordPress: this many links hold a comment, fewer do not.
LINKS_THAT_HOLD = 2
# As in WordPress: one person, or one address, waits this long between two comments.
FLOOD_INTERVAL = timedelta(seconds=15)
# The same text from the same visitor within this time is the same click, or one sent again.
SAME_POST_INTERVAL = timedelta(minutes=1)

# One address may send so many reports within this time.
REPORTS_TAKEN, REPORTS_INTERVAL = 10, timedelta(hours=1)

Because = Comment.HeldBecause


@dataclass
class Submission:
    """A comment not yet saved, and what else the form sent with it."""

    comment: Comment
    trap: str = ""
    wants_mail_about: str = ""


class Verdict(NamedTuple):
    status: Comment.Status
    because: Comment.HeldBecause = Because.NOTHING


class Refusal(NamedTuple):
    """Why a comment is not taken. `status` is an HTTP status, `seconds` how long to wait."""

    status: int
    message: str
    seconds: int | None = None


# --- Refusals ---


def closed(submission: Submission) -> Refusal | None:
    comment = submission.comment
    if comment.article.accepts_comments or (comment.article.is_public and _is_moderator(comment.user)):
        return None
    text = _("Comments on this story are closed, so yours was not posted. You can still copy it from here.")
    return Refusal(403, text)


def duplicate(submission: Submission) -> Refusal | None:
    if not _twins(submission.comment).exists():
        return None
    return Refusal(409, _("You have already said that here, in the same words. Nothing was posted twice."))


def flood(submission: Submission) -> Refusal | None:
    """Make one person, or one address, wait between two comments."""
    comment = submission.comment
    if _is_moderator(comment.user):
        return None
    now = timezone.now()
    recent = Comment.objects.filter(created_at__gt=now - FLOOD_INTERVAL, created_at__lte=now)
    recent = recent.order_by("-created_at").only("created_at", "email", "ip_address", "user")
    times = [other.created_at for other in recent if _same_sender(comment, other)]
    return too_quick(times[0]) if times else None


def too_quick(last: datetime) -> Refusal | None:
    """Refuse what comes too soon after the last time, and say how long to wait."""
    seconds = math.ceil((last + FLOOD_INTERVAL - timezone.now()).total_seconds())
    if seconds <= 0:
        return None
    text = ngettext(
        "You are posting too quickly. Your text is kept below: wait %d second, then post it.",
        "You are posting too quickly. Your text is kept below: wait %d seconds, then post it.",
        seconds,
    )
    return Refusal(429, text % seconds, seconds)


# --- Verdicts ---


def at_home(submission: Submission) -> Verdict | None:
    """Show at once what a signed-in moderator writes, or the author of the story."""
    comment = submission.comment
    if _is_moderator(comment.user) or (comment.user and comment.article.is_by(comment.user)):
        return Verdict(Comment.Status.APPROVED)
    return None


def trap(submission: Submission) -> Verdict | None:
    """Take whoever fills in the field that people do not see for a robot."""
    if submission.trap:
        return Verdict(Comment.Status.SPAM, Because.TRAP)
    return None


def registered(submission: Submission) -> Verdict | None:
    """Hold whoever has the name or e-mail address of someone else's account."""
    comment = submission.comment
    full_name = Trim(Concat("first_name", Value(" "), "last_name"))
    user = get_user_model().objects.alias(full_name=full_name).filter(~Q(pk=comment.user_id))
    # An account may have no address, and a comment made in the admin has none either.
    by_email = Q(email__iexact=comment.email) & ~Q(email="")
    by_name = Q(username__iexact=comment.name) | Q(full_name__iexact=comment.name)
    byline = Author.objects.filter(user__isnull=False).exclude(user=comment.user_id)
    if user.filter(by_email | by_name).exists() or byline.filter(name__iexact=comment.name).exists():
        return Verdict(Comment.Status.HELD, Because.REGISTERED)
    return None


def links(submission: Submission) -> Verdict | None:
    """Hold many links, counted as readers would see them."""
    if markup.count_links(markup.comment_html(submission.comment.body)) >= LINKS_THAT_HOLD:
        return Verdict(Comment.Status.HELD, Because.LINKS)
    return None


def first_comment(submission: Submission) -> Verdict | None:
    """Hold the first comment of a person: an account, or a name and an e-mail address together."""
    comment = submission.comment
    if comment.user:
        known = Comment.objects.approved().filter(user=comment.user)
    else:
        known = Comment.objects.approved().written_with(comment.email).filter(name=comment.name)
    # An edited comment is no proof of itself.
    if known.exclude(pk=comment.pk).exists():
        return None
    return Verdict(Comment.Status.HELD, Because.FIRST_COMMENT)


REFUSALS: list[Callable[[Submission], Refusal | None]] = [closed, duplicate, flood]
RULES: list[Callable[[Submission], Verdict | None]] = [at_home, trap, registered, links, first_comment]


def refuse(submission: Submission) -> Refusal | None:
    return next(filter(None, (rule(submission) for rule in REFUSALS)), None)


def decide(submission: Submission) -> Verdict:
    return next(filter(None, (rule(submission) for rule in RULES)), Verdict(Comment.Status.APPROVED))


def sent_before(comment: Comment) -> Comment | None:
    """Return what a double click, or a form sent again, has made already."""
    since = timezone.now() - SAME_POST_INTERVAL
    sender = {"ip_address": comment.ip_address, "user_agent": comment.user_agent}
    return _twins(comment).filter(created_at__gte=since, **sender).first()


def _same_sender(comment: Comment, other: Comment) -> bool:
    if comment.user_id:
        return other.user_id == comment.user_id
    if other.email == comment.email.lower():
        return True
    return same_network(comment.ip_address, other.ip_address)


def _twins(comment: Comment) -> CommentQuerySet:
    said = Comment.objects.exclude(status__in=[Comment.Status.TRASH, Comment.Status.WITHDRAWN])
    return said.filter(
        article=comment.article,
        parent=comment.parent,
        name=comment.name,
        email=comment.email.lower(),
        body=comment.body,
    )


def _is_moderator(user) -> bool:
    return user is not None and user.has_perm("comments.change_comment")
