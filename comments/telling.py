"""What became of a comment, in one wording wherever a moderator reads it."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from comments.models import Change, Comment, Decision

Kind = Decision.Kind
Status = Comment.Status

EDITED = "edited"
# What is told of the latest change of a comment, and what whoever comes too late is told of it.
TOLD: dict[str, tuple[Any, Any]] = {
    Status.APPROVED: (
        gettext_lazy("Approved by %(who)s, %(ago)s"),
        gettext_lazy("%(comment)s: already approved by %(who)s, %(ago)s."),
    ),
    Status.HELD: (
        gettext_lazy("Held by %(who)s, %(ago)s"),
        gettext_lazy("%(comment)s: already held by %(who)s, %(ago)s."),
    ),
    Status.SPAM: (
        gettext_lazy("Marked as spam by %(who)s, %(ago)s"),
        gettext_lazy("%(comment)s: already marked as spam by %(who)s, %(ago)s."),
    ),
    Status.TRASH: (
        gettext_lazy("Moved to the trash by %(who)s, %(ago)s"),
        gettext_lazy("%(comment)s: already moved to the trash by %(who)s, %(ago)s."),
    ),
    Status.WITHDRAWN: (
        gettext_lazy("Deleted by %(who)s, %(ago)s"),
        gettext_lazy("%(comment)s: already deleted by %(who)s, %(ago)s."),
    ),
    EDITED: (
        gettext_lazy("Edited by %(who)s, %(ago)s"),
        gettext_lazy("%(comment)s: edited by %(who)s, %(ago)s. Read it again first."),
    ),
    Kind.UNDO: (
        gettext_lazy("Undone by %(who)s, %(ago)s"),
        gettext_lazy("%(comment)s: undone by %(who)s, %(ago)s. Read it again first."),
    ),
}
# What a decision on one comment has done to it; the comment is named after it.
DONE: dict[str, Any] = {
    Kind.APPROVE: gettext_lazy("Approved"),
    Kind.HOLD: gettext_lazy("Held"),
    Kind.MARK_AS_SPAM: gettext_lazy("Marked as spam"),
    Kind.TRASH: gettext_lazy("Moved to the trash"),
    Kind.RESTORE: gettext_lazy("Restored"),
    Kind.EDIT: gettext_lazy("Edited"),
    Kind.REPLY: gettext_lazy("Reply posted"),
}


def told(change: Change) -> str:
    """Say what a change did, who made it, and when."""
    return TOLD[_what(change)][0] % {"who": change.who, "ago": ago(change.at)}


def already(change: Change, moderator: Any) -> str:
    """Say of a comment that a moderator's decision came too late for it, and for what."""
    who = _("you") if change.by == moderator else change.who
    return TOLD[_what(change)][1] % {"comment": change.comment, "who": who, "ago": ago(change.at)}


def done(decision: Decision) -> str:
    """Say what a decision has done to the one comment that it was on. Empty where it was on people."""
    return str(DONE.get(decision.kind, ""))


def done_to(decision: Decision, comment: Comment) -> str:
    """Say what a decision has done, and to whose comment."""
    # Names and texts keep their own direction.
    name, text = (f"\u2068{words}\u2069" for words in (comment.name, Truncator(comment.body).chars(60)))
    return _("%(done)s: %(name)s, “%(text)s”") % {"done": done(decision), "name": name, "text": text}


def ago(at: datetime) -> str:
    """Say how long ago something was. Nobody counts less than a minute."""
    is_new = timezone.now() - at < timedelta(minutes=1)
    return _("a moment ago") if is_new else _("%(time)s ago") % {"time": timesince(at)}


def _what(change: Change) -> str:
    """Return by which words a change is told.

    Answering reports leaves a comment approved. That is no edit.
    """
    kind = change.decision.kind if change.decision else None
    if kind == Kind.UNDO:
        return kind
    is_of_author = change.actor == Change.Actor.COMMENTER and change.to_status != Status.WITHDRAWN
    is_unnamed = kind is None and change.from_status == change.to_status
    return EDITED if kind == Kind.EDIT or is_of_author or is_unnamed else change.to_status
