"""What became of comments, by whose decision, and what they said before."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.fields.json import KT
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from comments.models.states import Rule, Status

if TYPE_CHECKING:
    from comments.models.standing import Standing

# What whoever tries to rewrite the history is told.
ADDED_TO = "The history is only ever added to."
# So long a decision can be undone.
UNDO_LASTS = timedelta(days=1)


class Left(StrEnum):
    """Why a decision on those who wrote comments leaves one of the comments as it is."""

    TRUSTED = "trusted"
    BANNED = "banned"
    # Already, and until then or longer.
    BANNED_AS_LONG = "banned-as-long"
    # There is nothing to know its author by again.
    UNKNOWN = "unknown"
    # The ban would hit the moderator, someone who writes for the site, or others than were chosen:
    # several with approved comments, or someone with an account.
    OWN = "own"
    STAFF = "staff"
    SHARED = "shared"
    REGISTERED = "registered"
    # Someone else has decided on it since the moderator opened the page.
    DECIDED = "decided"


# What somebody had before their eyes who decides: the newest change of all, or, to be certain,
# of each comment. Nothing is known of comments that it does not name, and of none where it is None.
Seen: TypeAlias = int | Mapping[int, int] | None
NOTHING_LEFT: Mapping[str, int] = MappingProxyType({})


class DecisionQuerySet(models.QuerySet["Decision"]):
    def undoable(self):
        """Return what can still be undone, newest first: what is less than a day old, and stands."""
        since = timezone.now() - UNDO_LASTS
        undoable = self.filter(at__gt=since, undone_by=None, count__gt=0).exclude(kind=Decision.Kind.UNDO)
        return undoable.order_by("-at", "-pk")

    def unfinished(self):
        """Return what was broken off in the middle, an undoing included, however long ago."""
        return self.filter(finished_at=None).order_by("-pk")

    def broken_off(self):
        """Return what nobody has gone on with for as long as it can be undone.

        An undoing is about no filter, and can be gone on with for ever.
        """
        return self.unfinished().filter(at__lt=timezone.now() - UNDO_LASTS).exclude(kind=Decision.Kind.UNDO)


class Decision(models.Model):
    """What one moderator did at one time, to one comment or to many. It can be undone as a whole."""

    class Kind(models.TextChoices):
        APPROVE = "approve", _("Approve")
        HOLD = "hold", _("Hold")
        MARK_AS_SPAM = "mark_as_spam", _("Spam")
        TRASH = "trash", _("Trash")
        RESTORE = "restore", _("Restore")
        EDIT = "edit", _("Edit")
        REPLY = "reply", _("Reply")
        TRUST = "trust", _("Trust")
        BAN = "ban", _("Ban")
        UNDO = "undo", _("Undo")

    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
    )
    kind = models.CharField(_("decision"), max_length=12, choices=Kind)
    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    # `db_default` is for what has come later: until every machine is upgraded, some know nothing of it.
    # How much it has changed: comments, and the people whom it has trusted or banned.
    count = models.PositiveIntegerField(_("comments"), default=0)
    people = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    # How many comments it has left as they are because of who wrote them, by `Left`.
    left = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    # A decision on more comments than one request should take is carried out in steps. These
    # say of which comments it is, by what and until when a ban is, how far it has come, and
    # what its moderator had seen.
    filters = models.JSONField(default=dict, blank=True, editable=False)
    terms = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    total = models.PositiveIntegerField(default=0, editable=False)
    done = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    reached = models.BigIntegerField(null=True, editable=False)
    seen = models.BigIntegerField(null=True, editable=False)
    # Empty while steps are left.
    finished_at = models.DateTimeField(null=True, default=timezone.now, editable=False)
    undone_by = models.OneToOneField(
        "self", verbose_name=_("undone by"), on_delete=models.SET_NULL, null=True, related_name="undoes"
    )

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        indexes = [
            models.Index(fields=["by", "-at", "-id"], name="decision_of_moderator"),
            models.Index(
                fields=["by", "-id"], condition=models.Q(finished_at=None), name="decision_unfinished"
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    def add(self, changes: list["Change"]) -> None:
        """Record changes as parts of this decision."""
        for change in changes:
            change.decision = self
        Change.objects.bulk_create(changes)
        Decision.objects.filter(pk=self.pk).update(count=F("count") + len(changes))
        self.count += len(changes)

    def finish(self) -> None:
        """End here, whatever is left. What it was about may name people, and is needed no more."""
        self.finished_at = self.finished_at or timezone.now()
        self.filters, self.terms = {}, {}

    def add_standings(self, standings: "list[Standing]", left: Mapping[str, int] = NOTHING_LEFT) -> None:
        """Record whom this decision has trusted or banned, and the comments that it has left."""
        for standing in standings:
            standing.decision, standing.by = self, self.by
        self.standings.bulk_create(standings)
        self.count += len(standings)
        self.people += len(standings)
        self.left = dict(Counter(self.left) + Counter(left))
        self.save(update_fields=["count", "people", "left"])

    @property
    def comments(self) -> int:
        """How many comments it has changed."""
        return self.count - self.people


class ChangeQuerySet(models.QuerySet["Change"]):
    def latest_of(self, comments: Collection[int]):
        """Return the newest change of each of these comments since its arrival, where there is one."""
        newest = self.filter(comment=models.OuterRef("comment")).order_by("-pk").values("pk")[:1]
        latest = self.filter(comment__in=comments, pk=models.Subquery(newest))
        return latest.exclude(from_status="").select_related("comment", "by", "decision")

    def overtaking(self, comments: Iterable[int], seen: Seen, but_by: Any = None) -> set[int]:
        """Return the comments that changed after what was `seen`. Changes by `but_by` do not count.

        Nor does their arrival: whoever sees a comment has seen that it is there.
        """
        if seen is None:
            return set()
        counted = self.exclude(from_status="")
        newest = (counted.exclude(by=but_by) if but_by else counted).newest_of(comments)
        return {
            pk
            for pk, change in newest.items()
            if change > (seen if isinstance(seen, int) else seen.get(pk, change))
        }

    def newest_of(self, comments: Iterable[int]) -> dict[int, int]:
        """Return the id of the newest change of each of these comments."""
        newest = self.filter(comment__in=comments).order_by().values_list("comment")
        return dict(newest.annotate(models.Max("pk")))

    def arrived_with(self, email: str) -> list[int]:
        """Return the comments whose first address was this one, where a moderator has changed it."""
        changed = self.filter(comment=models.OuterRef("comment"), email_before__isnull=False)
        first = changed.order_by("pk").values("pk")[:1]
        found = self.filter(email_before=email, pk=models.Subquery(first)) if email else self.none()
        return list(found.order_by().values_list("comment", flat=True))

    def newest(self) -> int:
        """Return the id of the newest change of all, 0 before the first.

        A change with a smaller id may follow: PostgreSQL numbers changes as they are written,
        and shows them when their transaction ends.
        """
        return self.aggregate(newest=models.Max("pk"))["newest"] or 0

    def update(self, **values):
        raise TypeError(ADDED_TO)

    def delete(self):
        """Refuse. Only a comment that is deleted takes its history with it."""
        raise TypeError(ADDED_TO)

    delete.queryset_only = True  # type: ignore[attr-defined]

    def bulk_create(self, objs, *args: Any, **how: Any):
        if how.get("update_conflicts"):
            raise TypeError(ADDED_TO)
        changes = list(objs)
        for change in changes:
            change.note_name()
        return super().bulk_create(changes, *args, **how)

    def erase(self) -> None:
        """Forget what comments said before, and who they were by: all that the history lets go of."""
        super().update(body_before="", before={})

    def erase_who(self) -> None:
        """Forget who comments were by before a moderator has changed that."""
        super().update(before={})


class Change(models.Model):
    """A comment went from one status to another, or to another text. Never edited.

    The first change of a comment, from no status, is its arrival.
    """

    class Actor(models.TextChoices):
        MODERATOR = "moderator", _("a moderator")
        # On the comment's private page.
        COMMENTER = "commenter", _("the commenter")
        READERS = "readers", _("readers, by their reports")

    comment = models.ForeignKey(
        "comments.Comment", verbose_name=_("comment"), on_delete=models.CASCADE, related_name="changes"
    )
    decision = models.ForeignKey(
        Decision,
        verbose_name=_("decision"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="changes",
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # The name of the account, which stays when the account is deleted.
    by_name = models.CharField(_("by"), max_length=150, default="", db_default="", blank=True, editable=False)
    # Who it was where no account has done it.
    actor = models.CharField(max_length=10, choices=Actor, default=Actor.MODERATOR)
    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    from_status = models.CharField(_("from"), max_length=10, choices=Status, blank=True)
    to_status = models.CharField(_("to"), max_length=10, choices=Status)
    because = models.CharField(_("because"), max_length=20, choices=Rule, default=Rule.NOTHING, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    body_before = models.TextField(_("text before"), blank=True)
    # Name, e-mail and website, where a moderator has changed them.
    before = models.JSONField(_("before"), default=dict, blank=True)
    # Kept by the database, to be found by an index.
    email_before = models.GeneratedField(
        expression=KT("before__email"),
        output_field=models.CharField(max_length=254, null=True),
        db_persist=True,
    )

    objects = ChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("change")
        verbose_name_plural = _("history")
        indexes = [
            models.Index(fields=["-at", "-id"], name="change_recent"),
            models.Index(
                fields=["email_before"],
                condition=models.Q(email_before__isnull=False),
                name="change_email_before",
            ),
        ]

    def __str__(self) -> str:
        if not self.from_status:
            return str(self.get_to_status_display())
        return f"{self.get_from_status_display()} → {self.get_to_status_display()}"

    def save(self, **kwargs):
        if self.pk is not None:
            raise TypeError(ADDED_TO)
        self.note_name()
        super().save(**kwargs)

    def delete(self, **kwargs):
        raise TypeError(ADDED_TO)

    def note_name(self) -> None:
        self.by_name = self.by.get_username() if self.by else ""

    @property
    def who(self) -> str:
        return self.by_name or str(self.get_actor_display())


class Outcome(NamedTuple):
    """What became of a moderator's decision.

    `changed` counts the comments that it changed, and the people whom it trusted or banned.
    `overtaken` holds the latest change of each comment that it left alone, since someone was
    quicker. `decision` is what can be undone, None where nothing was changed. `left` counts
    the comments that a decision on people left as they are, by `Left`, and `same` those that
    were already what they were to become.
    """

    changed: int
    overtaken: list[Change]
    decision: Decision | None
    left: Mapping[str, int] = NOTHING_LEFT
    same: int = 0
