"""What moderators do to comments, and undoing it: to one, to some, or to all that match a filter.

A decision on many is carried out in steps, each in a transaction of its own, so that a
hundred thousand comments need no more memory than a few hundred, and one that is broken
off goes on where it was.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from comments import bans, rights, staff_notices
from comments.models import Change, Comment, CommentQuerySet, Decision, Left, Outcome, Seen, Standing
from comments.staff_notices import StaffNotice

# So many comments are changed, and so many looked at, in one step.
STEP = 500

Kind = Decision.Kind
# The decisions that give comments a status, one or many, each by the queryset method of its name.
STATUS_KINDS = [Kind.APPROVE, Kind.HOLD, Kind.MARK_AS_SPAM, Kind.TRASH, Kind.RESTORE]
# The decisions on whoever wrote the comments.
PEOPLE_KINDS = [Kind.TRUST, Kind.BAN]
EDITED_FIELDS = ["name", "email", "website"]


def kinds_for(by) -> list[Decision.Kind]:
    """Return what someone may decide on many comments: people write below others' stories too."""
    return [*STATUS_KINDS, *PEOPLE_KINDS] if rights.moderates_everywhere(by) else STATUS_KINDS


def decide(comments: CommentQuerySet, kind: str, by, **how: Any) -> Outcome:
    """Carry out a decision of this kind on comments, or on whoever wrote them.

    What else is known of how it is taken is explained at `CommentQuerySet._decide()`; a ban
    has its `terms` besides.
    """
    if kind in PEOPLE_KINDS:
        return _decide_on_people(comments, kind, by, **how)
    if kind in STATUS_KINDS:
        return getattr(comments, kind)(by, **how)
    raise ValueError(f"{kind} is no decision on comments")


def start(
    kind: str, by, *, filters: dict, total: int, newest: int, seen: int, terms: bans.Terms | None = None
) -> Decision:
    """Begin a decision on all comments that match a filter, up to the newest that was on the page.

    `filters` is what the queue filters by; `step()` is told how to find the comments by it.
    """
    return Decision.objects.create(
        by=by,
        kind=kind,
        filters=filters,
        terms=terms._asdict() if terms else {},
        total=total,
        reached=newest + 1,
        seen=seen,
        finished_at=None,
    )


def step(decision: Decision, matching_comments: Callable[[Decision], CommentQuerySet]) -> Decision:
    """Carry out the next step of a decision on many, newest first, and return how it stands.

    Two who do it at once wait for each other. A decision that is finished stays as it is.
    """
    with transaction.atomic():
        decision = Decision.objects.select_for_update(of=("self",)).get(pk=decision.pk)
        if decision.finished_at:
            return decision
        if decision.by is None:
            # The account was deleted since it began.
            are_left = False
        elif decision.kind == Kind.UNDO:
            are_left = _undo_some(decision)
        elif decision.kind in kinds_for(decision.by):
            are_left = _decide_some(decision, matching_comments(decision))
        else:
            # Since they began they have lost the right to decide on people.
            are_left = False
        if not are_left:
            decision.finish()
        decision.save(update_fields=["reached", "done", "finished_at", "filters", "terms"])
    return decision


def _decide_some(decision: Decision, matching: CommentQuerySet) -> bool:
    """Decide on the next comments, and say whether more may be left."""
    chosen = matching.filter(pk__lt=decision.reached).order_by("-pk")
    pks = list(chosen.values_list("pk", flat=True)[:STEP])
    how: dict[str, Any] = {"seen": decision.seen, "overrules_self": True, "decision": decision}
    if decision.kind == Kind.BAN:
        how |= {"terms": bans.Terms(**decision.terms), "among": matching}
    decide(Comment.objects.filter(pk__in=pks), decision.kind, decision.by, **how)
    decision.reached = pks[-1] if pks else 0
    decision.done += len(pks)
    return len(pks) == STEP


def undo(decision: Decision, by) -> Decision | None:
    """Begin to take back a decision, carry out the first step, and return the undoing.

    Comments that someone has decided on since are left as they are. None where it is too
    late, or someone has undone it already. Raises `PermissionDenied` where it is about people,
    and whoever undoes it may not decide on them.
    """
    if decision.kind in PEOPLE_KINDS and decision.kind not in kinds_for(by):
        raise PermissionDenied
    with transaction.atomic():
        locked = Decision.objects.undoable().select_for_update(of=("self",)).filter(pk=decision.pk).first()
        if locked is None:
            return None
        # What is still going on ends here.
        locked.finish()
        undoing = Decision.objects.create(
            by=by, kind=Kind.UNDO, total=locked.count, reached=0, finished_at=None
        )
        locked.undone_by = undoing
        locked.save(update_fields=["undone_by", "finished_at", "filters", "terms"])
        # Those whom it banned or trusted are as they were.
        standings = Standing.objects.filter(decision=locked)
        if standings.exists():
            undoing.count = undoing.done = standings.delete()[0]
            undoing.save(update_fields=["count", "done"])
    return step(undoing, lambda undoing: Comment.objects.none())


def ban(by, *, kind: str, value: str, ends_at: datetime | None, note: str) -> Decision | None:
    """Ban whoever has this address, name or website. None where they are banned already."""
    with transaction.atomic():
        if bans.lasting(kind, [value], ends_at):
            return None
        decision = Decision.objects.create(by=by, kind=Kind.BAN)
        banned = Standing(standing=Standing.State.BANNED, kind=kind, value=value, ends_at=ends_at, note=note)
        decision.add_standings([banned])
    return decision


def _decide_on_people(
    comments: CommentQuerySet,
    kind: str,
    by,
    *,
    terms: bans.Terms | None = None,
    among: CommentQuerySet | None = None,
    seen: Seen = None,
    overrules_self: bool = False,
    decision: Decision | None = None,
) -> Outcome:
    """Trust whoever wrote each of these comments, or ban them on these terms.

    Where something speaks against it, a comment is left as it is. `among` are all comments
    that the decision is about, where these are only some.
    """
    with transaction.atomic():
        chosen = comments.select_related("user").defer("body", "body_html").order_by("pk")
        locked = list(chosen.select_for_update(of=("self",), no_key=True))
        pks = [comment.pk for comment in locked]
        overtaken = Change.objects.overtaking(pks, seen, by if overrules_self else None)
        decided = decision or Decision.objects.create(by=by, kind=kind)
        judged = [comment for comment in locked if comment.pk not in overtaken]
        if terms is None:
            standings, left = _trust(judged, decided)
        else:
            all_chosen = comments if among is None else among
            standings, left = bans.on_each(judged, terms, decided, all_chosen)
        reasons: Counter[str] = Counter([*left.values(), *[Left.DECIDED] * len(overtaken)])
        decided.add_standings(standings, reasons)
        if terms and terms.mark_as_spam:
            spared = {pk for pk, why in left.items() if why in bans.SPARED}
            spam = Comment.objects.filter(pk__in={comment.pk for comment in judged} - spared)
            spam.mark_as_spam(by, decision=decided)
        if decision is None and not decided.count:
            decided.delete()
    return Outcome(decided.count, [], decided if decided.pk else None, reasons)


def _trust(comments: list[Comment], decision: Decision) -> tuple[list[Standing], dict[int, Left]]:
    """Return whom to trust for these comments, and which of them are left, and why."""
    known = Standing.objects.first_of(comments)
    trusted: dict[str, Standing] = {}
    left = {}
    for comment in comments:
        standing, wanted = known.get(comment.pk), Standing.trust_in(comment)
        if standing and standing.standing == Standing.State.BANNED:
            left[comment.pk] = Left.BANNED
        elif standing:
            # An earlier step may have come upon the same person.
            if standing.decision_id != decision.pk:
                left[comment.pk] = Left.TRUSTED
        elif wanted is None:
            left[comment.pk] = Left.UNKNOWN
        else:
            trusted.setdefault(f"{wanted.kind} {wanted.key}", wanted)
    return list(trusted.values()), left


def edit(comment: Comment, by, *, seen: Seen = None, **fields: str) -> Outcome:
    """Give a comment other words, or its author another name, e-mail address or website."""
    with transaction.atomic():
        comment = Comment.objects.select_for_update(of=("self",), no_key=True).get(pk=comment.pk)
        changed = {name: value for name, value in fields.items() if getattr(comment, name) != value}
        if not changed:
            return Outcome(0, [], None)
        if comment.is_gone or Change.objects.overtaking([comment.pk], seen, by):
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
    # Akismet has not seen it like this.
    comment.akismet_says_spam = None
    fields = {*changed, "akismet_says_spam"}
    if "body" in changed:
        comment.edited_at = edited_at
        fields |= {"body_html", "edited_at"}
    comment.save(update_fields=fields)
    # A mail that has not left would tell what it said before.
    comment.staff_notices.rewrite()
    return change


def _overtaken(undoing: Decision, changes: list[int]) -> set[int]:
    """Return which of these changes stay, since someone has decided again.

    An edit is undone beside later decisions of the same moderator, who knew the words; the
    others may have decided on what it says now.
    """
    since = Change.objects.filter(comment=OuterRef("comment"), pk__gt=OuterRef("pk"))
    if undoing.undoes.kind == Kind.EDIT:
        rewrites = ~Q(body_before="") | Q(before__has_any_keys=EDITED_FIELDS)
        since = since.filter(~Q(by=undoing.by) | rewrites)
    found = Change.objects.filter(Exists(since), pk__in=changes)
    return set(found.values_list("pk", flat=True))


def _note_what_waits_again(undoing: Decision, done: list[Change]) -> None:
    """Let the staff be told of what waits once more and of which they were not told before."""
    held = Comment.Status.HELD
    pks = [change.comment_id for change in done if change.from_status != change.to_status == held]
    told = StaffNotice.objects.filter(kind=StaffNotice.Kind.HELD).exclude(told_at=None)
    waiting = Comment.objects.filter(pk__in=pks).exclude(staff_notices__in=told).order_by("pk")
    staff_notices.note(waiting, StaffNotice.Kind.HELD, decided_by=undoing.by)


def _undo_some(undoing: Decision) -> bool:
    """Undo the next changes of a decision, oldest first, and say whether more may be left."""
    next_ones = Change.objects.filter(decision=undoing.undoes, pk__gt=undoing.reached).order_by("pk")
    comment_of = dict(next_ones.values_list("pk", "comment")[:STEP])
    ids = set(comment_of.values())
    locked = Comment.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",), no_key=True)
    comments = {comment.pk: comment for comment in locked}
    # Read when nobody can erase any more what they say. Some may have been deleted for good.
    changes = Change.objects.filter(pk__in=comment_of).order_by("pk")
    overtaken = _overtaken(undoing, list(comment_of))
    # Since yesterday they may have lost the right that they decided with.
    allowed = set(rights.moderated_by(undoing.by).filter(pk__in=ids).values_list("pk", flat=True))
    done: list[Change] = []
    reports: dict[int, list[int]] = {}
    for change in changes:
        comment = comments[change.comment_id]
        if comment.pk not in allowed:
            continue
        if change.pk in overtaken or comment.status == Comment.Status.WITHDRAWN:
            continue
        before = dict(change.before)
        if number := before.pop("open_reports", 0):
            reports.setdefault(number, []).append(comment.pk)
        if undoing.undoes.kind == Kind.EDIT:
            words = {"body": change.body_before} if change.body_before else {}
            # Nothing is left of what it was where its author had it erased since.
            edited_at = parse_datetime(before.pop("edited_at", ""))
            if was := {**words, **before}:
                done.append(_rewrite(comment, undoing.by, was, edited_at))
            continue
        # An answer that was posted with the decision goes into the trash.
        status = change.from_status or Comment.Status.TRASH
        done.append(Change(comment=comment, by=undoing.by, from_status=comment.status, to_status=status))
    Comment.objects.carry_out(undoing, done)
    for number, pks in reports.items():
        # More may have come since.
        Comment.objects.filter(pk__in=pks).update(open_reports=F("open_reports") + number)
    _note_what_waits_again(undoing, done)
    undoing.reached = max(comment_of, default=undoing.reached)
    undoing.done += len(comment_of)
    return len(comment_of) == STEP
