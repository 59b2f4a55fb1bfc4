"""What moderators do to comments, and undoing it: to one, to some, or to all that match a filter.

A decision on many is carried out in steps, each in a transaction of its own, so that a
hundred thousand comments need no more memory than a few hundred, and one that is broken
off goes on where it was.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from comments import notifications, rights, staff_notices
from comments.models import Change, Comment, CommentQuerySet, Decision, Outcome, Standing
from comments.staff_notices import StaffNotice

# So many comments are changed, and so many looked at, in one step.
STEP = 500

Kind = Decision.Kind
# The decisions that give comments a status, one or many, each by the queryset method of its name.
STATUS_KINDS = [Kind.APPROVE, Kind.HOLD, Kind.MARK_AS_SPAM, Kind.TRASH, Kind.RESTORE]
EDITED_FIELDS = ["name", "email", "website"]


def decide(comments: CommentQuerySet, kind: str, by, **how: Any) -> Outcome:
    """Give comments the status that a decision of this kind gives them.

    What else is known of how it is taken is explained at `CommentQuerySet._decide()`.
    """
    return _method(comments, kind)(by, **how)


def start(kind: str, by, *, filters: dict, total: int, newest: int, seen: int) -> Decision:
    """Begin a decision on all comments that match a filter, up to the newest that was on the page.

    `filters` is what the queue filters by; `step()` is told how to find the comments by it.
    """
    return Decision.objects.create(
        by=by, kind=kind, filters=filters, total=total, reached=newest + 1, seen=seen, finished_at=None
    )


def step(decision: Decision, matching_comments: Callable[[Decision], CommentQuerySet]) -> Decision:
    """Carry out the next step of a decision on many, newest first, and return how it stands.

    Two who do it at once wait for each other. A decision that is finished stays as it is.
    """
    with transaction.atomic():
        decision = Decision.objects.select_for_update(of=("self",)).get(pk=decision.pk)
        if decision.finished_at:
            return decision
        if decision.kind == Kind.UNDO:
            left = _undo_some(decision)
        else:
            comments = matching_comments(decision).filter(pk__lt=decision.reached)
            pks = list(comments.order_by("-pk").values_list("pk", flat=True)[:STEP])
            chosen = Comment.objects.filter(pk__in=pks)
            how = {"seen": decision.seen, "overrules_self": True, "decision": decision}
            _method(chosen, decision.kind)(decision.by, **how)
            decision.reached = pks[-1] if pks else 0
            left = len(pks) == STEP
        if not left:
            decision.finished_at = timezone.now()
            # They may name a person, and nothing needs them any more.
            decision.filters = {}
        decision.save(update_fields=["reached", "finished_at", "filters"])
    return decision


def undo(decision: Decision, by) -> Decision | None:
    """Begin to take back a decision, carry out the first step, and return the undoing.

    Comments that someone has decided on since are left as they are. None where it is too
    late, or someone has undone it already.
    """
    with transaction.atomic():
        locked = Decision.objects.undoable().select_for_update(of=("self",)).filter(pk=decision.pk).first()
        if locked is None:
            return None
        # What is still going on ends here.
        locked.finished_at = locked.finished_at or timezone.now()
        locked.filters = {}
        undoing = Decision.objects.create(
            by=by, kind=Kind.UNDO, total=locked.count, reached=0, finished_at=None
        )
        locked.undone_by = undoing
        locked.save(update_fields=["undone_by", "finished_at", "filters"])
        # Those whom it banned or trusted are as they were.
        standings = Standing.objects.filter(decision=locked)
        if standings.exists() and by.has_perm(rights.EVERYWHERE):
            undoing.count = standings.delete()[0]
            undoing.save(update_fields=["count"])
    return step(undoing, lambda undoing: Comment.objects.none())


def trust(comment: Comment, by) -> Decision | None:
    """Trust whoever wrote a comment. None where there is nothing to know them by again."""
    if comment.user_id:
        kind, value = Standing.Kind.ACCOUNT, Standing.account(comment.user)
    elif comment.email:
        kind, value = Standing.Kind.PERSON, Standing.person(comment)
    else:
        return None
    return stand(Standing.State.TRUSTED, by, kind=kind, value=value)


def ban(by, *, kind: str, value: str, ends_at: datetime | None, note: str) -> Decision | None:
    """Ban whoever has this address, name or website. None where they are banned already."""
    return stand(Standing.State.BANNED, by, kind=kind, value=value, ends_at=ends_at, note=note)


def stand(standing: str, by, *, kind: str, value: str, **facts) -> Decision | None:
    """Note what a moderator thinks of someone; None where it is on record already."""
    with transaction.atomic():
        known = Standing.objects.in_force().filter(standing=standing, kind=kind, value=value)
        ends_at = facts.get("ends_at")
        lasting = Q(ends_at=None) if ends_at is None else Q(ends_at=None) | Q(ends_at__gte=ends_at)
        if known.filter(lasting).exists():
            return None
        is_trust = standing == Standing.State.TRUSTED
        decision = Decision.objects.create(by=by, kind=Kind.TRUST if is_trust else Kind.BAN, count=1)
        Standing.objects.create(standing=standing, kind=kind, value=value, by=by, decision=decision, **facts)
        return decision


def edit(comment: Comment, by, *, seen: int | None = None, **fields: str) -> Outcome:
    """Give a comment other words, or its author another name, e-mail address or website."""
    with transaction.atomic():
        comment = Comment.objects.select_for_update(of=("self",)).get(pk=comment.pk)
        changed = {name: value for name, value in fields.items() if getattr(comment, name) != value}
        if not changed:
            return Outcome(0, [], None)
        if comment.is_gone or (seen is not None and comment.changes.filter(pk__gt=seen).exists()):
            return Outcome(0, list(Change.objects.latest_of([comment.pk])), None)
        decision = Decision.objects.create(by=by, kind=Kind.EDIT)
        decision.add([_rewrite(comment, by, changed, timezone.now())])
    return Outcome(1, [], decision)


def _rewrite(comment: Comment, by, changed: dict[str, str], edited_at: datetime | None) -> Change:
    """Write a comment anew, and return the change that says what it was before."""
    before = {name: getattr(comment, name) for name in EDITED_FIELDS if name in changed}
    if "body" in changed and comment.edited_at:
        before["edited_at"] = comment.edited_at.isoformat()
    change = Change(
        comment=comment,
        by=by,
        from_status=comment.status,
        to_status=comment.status,
        body_before=comment.body if "body" in changed else "",
        before=before,
    )
    for name, value in changed.items():
        setattr(comment, name, value)
    fields = set(changed)
    if "body" in changed:
        comment.edited_at = edited_at
        fields |= {"body_html", "edited_at"}
    comment.save(update_fields=fields)
    # A mail that has not left would tell what it said before.
    comment.staff_notices.recall()
    return change


def _undo_some(undoing: Decision) -> bool:
    """Undo the next changes of a decision, oldest first, and say whether more may be left."""
    changes = list(
        Change.objects.filter(decision=undoing.undoes, pk__gt=undoing.reached).order_by("pk")[:STEP]
    )
    ids = [change.comment_id for change in changes]
    # Some may have been deleted for good meanwhile.
    comments = {
        comment.pk: comment
        for comment in Comment.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",))
    }
    latest = {change.comment_id: change.pk for change in Change.objects.latest_of(ids)}
    # Since yesterday they may have lost the right that they decided with.
    allowed = set(rights.moderated_by(undoing.by).filter(pk__in=ids).values_list("pk", flat=True))
    back: dict[str, list[int]] = {}
    done: list[Change] = []
    reports: dict[int, int] = {}
    for change in changes:
        comment = comments.get(change.comment_id)
        if comment is None or comment.pk not in allowed:
            continue
        if latest[comment.pk] != change.pk or comment.status == Comment.Status.WITHDRAWN:
            continue
        before = dict(change.before)
        if number := before.pop("open_reports", 0):
            reports[comment.pk] = number
        if undoing.undoes.kind == Kind.EDIT:
            words = {"body": change.body_before} if change.body_before else {}
            # Nothing is left of what it was where its author had it erased since.
            edited_at = parse_datetime(before.pop("edited_at", ""))
            if was := {**words, **before}:
                done.append(_rewrite(comment, undoing.by, was, edited_at))
            continue
        # An answer that was posted with the decision goes into the trash.
        status = change.from_status or Comment.Status.TRASH
        back.setdefault(status, []).append(comment.pk)
        done.append(Change(comment=comment, by=undoing.by, from_status=comment.status, to_status=status))
    undoing.add(done)
    for pk, number in reports.items():
        Comment.objects.filter(pk=pk).update(open_reports=number)
    staff_notices.take_back([pk for pks in back.values() for pk in pks])
    for status, pks in back.items():
        Comment.objects.filter(pk__in=pks).update(status=status)
        if status == Comment.Status.APPROVED:
            shown = Comment.objects.filter(pk__in=pks).select_related("article").order_by("pk")
            notifications.announce(shown)
            staff_notices.note(shown, StaffNotice.Kind.PUBLIC, decided_by=undoing.by)
        else:
            notifications.take_back(pks)
        if status == Comment.Status.HELD:
            told = StaffNotice.objects.filter(kind=StaffNotice.Kind.HELD).exclude(told_at=None)
            waiting = Comment.objects.filter(pk__in=pks).exclude(staff_notices__in=told)
            waiting = waiting.select_related("article").order_by("pk")
            staff_notices.note(waiting, StaffNotice.Kind.HELD, decided_by=undoing.by)
    undoing.reached = changes[-1].pk if changes else undoing.reached
    return len(changes) == STEP


def _method(comments: CommentQuerySet, kind: str) -> Callable[..., Outcome]:
    if kind not in STATUS_KINDS:
        raise ValueError(f"{kind} gives comments no status")
    return getattr(comments, kind)
