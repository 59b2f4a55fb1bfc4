"""Whether a new comment is shown, held or spam: an ordered list of small rules.

A rule takes a submission and returns its verdict, or None where it has nothing to say.
The first verdict counts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Q, Value
from django.db.models.functions import Concat

from articles.models import Author
from comments.models import Comment
from newsite import markup

# As in WordPress: this many links hold a comment, fewer do not.
LINKS_THAT_HOLD = 2

Because = Comment.HeldBecause


@dataclass
class Submission:
    """A comment not yet saved, and what else the form sent with it."""

    comment: Comment
    trap: str = ""


class Verdict(NamedTuple):
    status: Comment.Status
    because: Comment.HeldBecause = Because.NOTHING


Rule = Callable[[Submission], Verdict | None]


def signed_in(submission: Submission) -> Verdict | None:
    """Show at once what a signed-in moderator writes."""
    user = submission.comment.user
    if user and user.has_perm("comments.change_comment"):
        return Verdict(Comment.Status.APPROVED)
    return None


def trap(submission: Submission) -> Verdict | None:
    """Take whoever fills in the field that people do not see for a robot."""
    if submission.trap:
        return Verdict(Comment.Status.SPAM, Because.TRAP)
    return None


def registered(submission: Submission) -> Verdict | None:
    """Hold a visitor who types the name or e-mail address of someone with an account."""
    comment = submission.comment
    full_name = Concat("first_name", Value(" "), "last_name")
    user = get_user_model().objects.alias(full_name=full_name)
    # An account may have no address, and a comment made in the admin has none either.
    by_email = Q(email__iexact=comment.email) & ~Q(email="")
    by_name = Q(username__iexact=comment.name) | Q(full_name__iexact=comment.name)
    is_byline = Author.objects.filter(name__iexact=comment.name, user__isnull=False)
    if user.filter(by_email | by_name).exists() or is_byline.exists():
        return Verdict(Comment.Status.HELD, Because.REGISTERED)
    return None


def links(submission: Submission) -> Verdict | None:
    """Hold many links, counted as readers would see them."""
    if markup.count_links(markup.comment_html(submission.comment.body)) >= LINKS_THAT_HOLD:
        return Verdict(Comment.Status.HELD, Because.LINKS)
    return None


def first_comment(submission: Submission) -> Verdict | None:
    """Hold the first comment of a person: a name and an e-mail address together."""
    comment = submission.comment
    known = Comment.objects.approved().filter(email=comment.email.lower(), name=comment.name, user=None)
    if known.exists():
        return None
    return Verdict(Comment.Status.HELD, Because.FIRST_COMMENT)


RULES: list[Rule] = [signed_in, trap, registered, links, first_comment]


def decide(submission: Submission) -> Verdict:
    for rule in RULES:
        if verdict := rule(submission):
            return verdict
    return Verdict(Comment.Status.APPROVED)
