from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Func
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from articles.models import Article
from comments import matching, notifications, staff_notices
from comments.discussion import DiscussionSettings
from comments.staff_notices import StaffNotice
from newsite import markup

# A comment's path is the ids of its ancestors and its own, each this many digits wide,
# so that sorting by path is reading the conversation from top to bottom.
KEY_WIDTH = 10
# The key of the comment that began the thread. Its numbers stand in the SQL itself: beside
# a parameter, SQLite would not see that this is the expression of an index.
THREAD_KEY = Func(
    F("path"), template=f"SUBSTR(%(expressions)s, 1, {KEY_WIDTH})", output_field=models.CharField()
)
# With what tells from where a comment came, until that is erased.
IDENTIFIED = models.Q(ip_address__isnull=False) | models.Q(user_agent__gt="")
# A deeper reply is placed beside its parent. WordPress lets owners choose up to ten levels.
STORED_LEVELS = 10
# So long a link by mail may be opened, and so long what it opens stays open.
LINK_LASTS = timedelta(minutes=30)
# What whoever tries to rewrite the history is told.
ADDED_TO = "The history is only ever added to."
# Much longer than a process keeps house at a time.
HOUSEKEEPING_CLAIM = timedelta(minutes=10)
# So long a decision can be undone.
UNDO_LASTS = timedelta(days=1)


class Rule(models.TextChoices):
    """What can decide on a comment by itself. The words are what moderators read of it.

    `comments.moderation` says what each rule does, and in which order they are asked.
    """

    NOTHING = "", _("Nothing held it")
    AT_HOME = "at-home", _("Written by the story’s author or by staff")
    BANNED = "banned", _("Banned")
    REFUSED = "refused", _("From a refused address")
    TRAP = "trap", _("Filled in a field that people do not see")
    TRUSTED = "trusted", _("Written by someone whom a moderator trusts")
    ALLOWED = "allowed", _("From an allowed address")
    TRASH_WORDS = "trash-words", _("Has a word that moves it to the trash")
    AKISMET = "akismet", _("Akismet takes it for spam")
    WEBHOOK = "webhook", _("The moderation service objects")
    EVERYTHING = "everything", _("Every comment is held here")
    REPORTED = "reported", _("Reported by readers")
    REGISTERED = "registered", _("A visitor used the name or email address of a registered user")
    WORDS = "words", _("Has a word that holds it")
    LINKS = "links", _("Many links")
    TOO_FAST = "too-fast", _("Written faster than anyone types")
    FIRST_COMMENT = "first-comment", _("First comment under this name and email address")


class CommentQuerySet(models.QuerySet["Comment"]):
    def approved(self):
        return self.filter(status=Comment.Status.APPROVED)

    def held(self):
        return self.filter(status=Comment.Status.HELD)

    def reported(self):
        """Return the comments with reports that no moderator has answered."""
        return self.filter(open_reports__gt=0)

    def public(self):
        """Return what a visitor may see now: approved comments of published stories."""
        return self.approved().filter(article__in=Article.objects.published())

    def newest(self) -> int:
        """Return the id of the newest comment of all, 0 before the first."""
        return self.aggregate(newest=models.Max("pk"))["newest"] or 0

    def written_with(self, email: str):
        """Return what visitors wrote with this address, in every state.

        What someone wrote with an account belongs to the account, whatever its address is.
        """
        return self.filter(email=email.lower(), user=None).exclude(email="")

    def editable(self, window: timedelta | None = None):
        """Return what its author may still change: new, in the open, and not answered.

        `window` is the owner's setting, where the caller has it already.
        """
        if window is None:
            window = DiscussionSettings.load().edit_window
        answers = Comment.objects.approved().filter(parent=models.OuterRef("pk"))
        return self.filter(
            ~models.Exists(answers),
            status__in=[Comment.Status.HELD, Comment.Status.APPROVED],
            created_at__gt=timezone.now() - window,
            erased_at=None,
        )

    def approve(self, by, **how: Any) -> "Outcome":
        return self._decide(Decision.Kind.APPROVE, lambda comment: Comment.Status.APPROVED, by, **how)

    def hold(self, by, **how: Any) -> "Outcome":
        return self._decide(Decision.Kind.HOLD, lambda comment: Comment.Status.HELD, by, **how)

    def mark_as_spam(self, by, **how: Any) -> "Outcome":
        return self._decide(Decision.Kind.MARK_AS_SPAM, lambda comment: Comment.Status.SPAM, by, **how)

    def trash(self, by, **how: Any) -> "Outcome":
        return self._decide(Decision.Kind.TRASH, lambda comment: Comment.Status.TRASH, by, **how)

    def restore(self, by, **how: Any) -> "Outcome":
        """Take comments out of spam and trash, back to what they were before.

        What was caught on arrival goes to the queue. Others stay as they are.
        """
        stood_in_the_open = [Comment.Status.HELD, Comment.Status.APPROVED]
        former = dict(
            Change.objects.filter(comment__in=self, from_status__in=stood_in_the_open)
            .order_by("pk")
            .values_list("comment", "from_status")
        )

        def restored(comment):
            if comment.status in stood_in_the_open:
                return comment.status
            return former.get(comment.pk, Comment.Status.HELD)

        return self._decide(Decision.Kind.RESTORE, restored, by, **how)

    def delete(self):
        """Delete comments for good, and the mails about them that have not left."""
        pks = list(self.values_list("pk", flat=True))
        notifications.take_back(pks)
        staff_notices.take_back(pks)
        return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def _decide(
        self,
        kind,
        new_status,
        by,
        *,
        seen: int | None = None,
        overrules_self: bool = False,
        decision: "Decision | None" = None,
        note: str = "",
    ) -> "Outcome":
        """Give each comment the status that `new_status` names for it, and record it.

        `seen` is the newest change that the person deciding had before their eyes: a
        comment that someone has decided on since is left as it is and handed back, but for
        what this very person decided, where `overrules_self` says so. `decision` is the one
        that this is a part of, where it is taken in parts. `note` goes into the history.
        """
        changes: list[Change] = []
        untouched: list[int] = []
        with transaction.atomic():
            withdrawn = Comment.Status.WITHDRAWN
            comments = list(self.exclude(status=withdrawn).order_by("pk").select_for_update(of=("self",)))
            overtaken = set()
            if seen is not None:
                since = Change.objects.filter(comment__in=comments, pk__gt=seen)
                if overrules_self:
                    since = since.exclude(by=by)
                overtaken = set(since.values_list("comment", flat=True))
            for comment in comments:
                status = new_status(comment)
                # Approving what is public already answers the reports about it.
                is_answer = kind == Decision.Kind.APPROVE and comment.open_reports > 0
                if comment.pk in overtaken or (comment.status == status and not is_answer):
                    untouched.append(comment.pk)
                    continue
                change = Change(
                    comment=comment, by=by, from_status=comment.status, to_status=status, note=note
                )
                if comment.open_reports:
                    change.before = {"open_reports": comment.open_reports}
                changes.append(change)
            if changes:
                decision = decision or Decision.objects.create(by=by, kind=kind)
                decision.add(changes)
                staff_notices.take_back([c.comment_id for c in changes if c.from_status != c.to_status])
            for status in {change.to_status for change in changes}:
                moved = [c.comment_id for c in changes if c.to_status == status]
                Comment.objects.filter(pk__in=moved).update(status=status, open_reports=0)
                if status == Comment.Status.APPROVED:
                    shown = [c.comment_id for c in changes if c.to_status == status != c.from_status]
                    public = Comment.objects.filter(pk__in=shown).select_related("article").order_by("pk")
                    notifications.announce(public, to_authors=True)
                    staff_notices.note(public, StaffNotice.Kind.PUBLIC, decided_by=by)
                else:
                    notifications.take_back(moved)
        return Outcome(len(changes), list(Change.objects.latest_of(untouched)), decision)


class Comment(models.Model):
    class Status(models.TextChoices):
        HELD = "held", _("Held")
        APPROVED = "approved", _("Approved")
        SPAM = "spam", _("Spam")
        TRASH = "trash", _("Trash")
        # Its author has deleted it. No moderator brings it back.
        WITHDRAWN = "withdrawn", _("Withdrawn")

    article = models.ForeignKey(
        Article, verbose_name=_("story"), on_delete=models.CASCADE, related_name="comments"
    )
    parent = models.ForeignKey(
        "self",
        verbose_name=_("in reply to"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="replies",
    )
    path = models.CharField(max_length=KEY_WIDTH * STORED_LEVELS, editable=False)
    name = models.CharField(_("name"), max_length=100)
    email = models.EmailField(_("email"), max_length=254, blank=True)
    website = models.URLField(_("website"), max_length=200, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("account"),
        # Without the account, whoever types its name and address would inherit its trust.
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="comments",
        db_index=False,  # comment_account begins with it
        help_text=_("Set when the comment was written by someone who was signed in."),
    )
    body = models.TextField(_("comment"), max_length=10_000)
    body_html = models.TextField(editable=False)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.HELD)
    held_because = models.CharField(
        _("held because"), max_length=20, choices=Rule, default=Rule.NOTHING, blank=True
    )
    # Reports that no moderator has answered yet.
    open_reports = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("posted"), default=timezone.now, editable=False)
    edited_at = models.DateTimeField(_("edited"), null=True, blank=True, editable=False)
    ip_address = models.GenericIPAddressField(_("IP address"), null=True, blank=True)
    user_agent = models.CharField(_("user agent"), max_length=254, blank=True)
    erased_at = models.DateTimeField(
        _("erased"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When everything that told who wrote it was removed."),
    )

    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        permissions = [("moderate_own_stories", _("Can moderate comments on own stories"))]
        indexes = [
            models.Index(fields=["article", "status", "path"], name="comment_thread"),
            models.Index(
                F("article"), F("status"), THREAD_KEY.desc(), F("path"), name="comment_thread_newest"
            ),
            # The queue, newest first: of one status, of one story, person or address, and of all.
            models.Index(fields=["status", "-created_at", "-id"], name="comment_queue"),
            models.Index(fields=["article", "status", "-created_at", "-id"], name="comment_queue_of_story"),
            models.Index(fields=["email", "status", "-created_at", "-id"], name="comment_person"),
            models.Index(fields=["user", "status", "-created_at", "-id"], name="comment_account"),
            models.Index(fields=["ip_address", "-created_at", "-id"], name="comment_address"),
            models.Index(fields=["-created_at", "-id"], name="comment_recent"),
            models.Index(
                fields=["-created_at", "-id"], condition=models.Q(open_reports__gt=0), name="comment_reported"
            ),
            models.Index(fields=["created_at", "id"], condition=IDENTIFIED, name="comment_identified"),
        ]

    def __str__(self) -> str:
        return _("%(name)s on “%(story)s”") % {"name": self.name, "story": self.article}

    def save(self, **kwargs):
        """Save the comment with its HTML and, the first time, its place in the thread."""
        self.email = self.email.lower()
        self.body_html = markup.comment_html(self.body)
        with transaction.atomic():
            super().save(**kwargs)
            if not self.path:
                self.path = self._place()
                Comment.objects.filter(pk=self.pk).update(path=self.path)

    def get_absolute_url(self) -> str:
        return reverse("comments:permalink", args=[self.pk])

    def delete(self, **kwargs):
        """Delete the comment for good, and the mails about it that have not left."""
        notifications.take_back([self.pk])
        staff_notices.take_back([self.pk])
        return super().delete(**kwargs)

    @property
    def lineage(self) -> list[int]:
        """The ids of the comment's ancestors, from the top of the thread, and its own."""
        return [int(self.path[start : start + KEY_WIDTH]) for start in range(0, len(self.path), KEY_WIDTH)]

    @property
    def is_editable(self) -> bool:
        """Whether its author may still change it. Costs a query, for the answers."""
        return self._only_this().editable().exists()

    @property
    def editable_until(self) -> datetime:
        """When the time for that is over. Costs a query, for the owner's setting."""
        return self.created_at + DiscussionSettings.load().edit_window

    @property
    def is_gone(self) -> bool:
        """Whether its author has deleted it, or had it erased: nobody writes it anew."""
        return self.status == Comment.Status.WITHDRAWN or self.erased_at is not None

    @property
    def is_found_by_address(self) -> bool:
        """Say of one comment whether `written_with()` finds it by its address."""
        return bool(self.email) and self.user_id is None

    @property
    def why_held(self) -> str:
        """Tell its author what held the comment, and nothing about anybody else."""
        return str(WHY_HELD.get(self.held_because, ""))

    def approve(self, by) -> "Outcome":
        return self._only_this().approve(by)

    def hold(self, by) -> "Outcome":
        return self._only_this().hold(by)

    def mark_as_spam(self, by) -> "Outcome":
        return self._only_this().mark_as_spam(by)

    def trash(self, by) -> "Outcome":
        return self._only_this().trash(by)

    def restore(self, by) -> "Outcome":
        return self._only_this().restore(by)

    def hold_as_reported(self) -> None:
        """Take a comment that readers have reported back to the queue."""
        held = Comment.Status.HELD
        Change.objects.create(
            comment=self,
            actor=Change.Actor.READERS,
            because=Rule.REPORTED,
            from_status=self.status,
            to_status=held,
        )
        self.status, self.held_because = held, Rule.REPORTED
        self.save(update_fields=["status", "held_because"])
        notifications.take_back([self.pk])
        staff_notices.take_back([self.pk])
        staff_notices.note([self], StaffNotice.Kind.REPORTED)

    def reports_since_approval(self) -> models.QuerySet["Report"]:
        """Return the reports that no moderator has answered by approving the comment."""
        approvals = self.changes.filter(to_status=Comment.Status.APPROVED)
        # An edited comment that stays public is no moderator's word.
        edits = models.Q(from_status=Comment.Status.APPROVED, actor=Change.Actor.COMMENTER)
        approval = approvals.exclude(edits).first()
        return self.reports.filter(created_at__gt=approval.at) if approval else self.reports.all()

    def _only_this(self) -> CommentQuerySet:
        return Comment.objects.filter(pk=self.pk)

    def _place(self) -> str:
        key = f"{self.pk:0{KEY_WIDTH}d}"
        if self.parent is None:
            return key
        return self.parent.path[: KEY_WIDTH * (STORED_LEVELS - 1)] + key


WHY_HELD: dict[str, Any] = {
    Rule.FIRST_COMMENT: _(
        "The first comment under a name and an email address is read by a moderator before it is shown."
    ),
    Rule.LINKS: _("A comment with several links is read by a moderator before it is shown."),
    Rule.REGISTERED: _(
        "A comment under this name or email address is read by a moderator before it is shown."
    ),
    Rule.EVERYTHING: _("Every comment on this story is read by a moderator before it is shown."),
    Rule.REPORTED: _("Readers have asked that a moderator read this comment again before it is shown."),
}


class Firing(models.Model):
    """What a rule said of a comment: the first that fired has decided, the others go on record."""

    comment = models.ForeignKey(
        Comment, verbose_name=_("comment"), on_delete=models.CASCADE, related_name="firings"
    )
    rule = models.CharField(_("rule"), max_length=20, choices=Rule)
    verdict = models.CharField(_("verdict"), max_length=10, choices=Comment.Status)
    # The word, the entry of a list, or the number that the rule found.
    detail = models.CharField(_("detail"), max_length=200, blank=True)
    has_decided = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("rule that fired")
        verbose_name_plural = _("rules that fired")
        constraints = [models.UniqueConstraint(fields=["comment", "rule"], name="one_firing_of_each_rule")]
        indexes = [models.Index(fields=["rule", "-comment"], name="firing_rule")]

    def __str__(self) -> str:
        label = self.get_rule_display()
        return f"{label}: {self.detail}" if self.detail else str(label)


class DecisionQuerySet(models.QuerySet["Decision"]):
    def undoable(self):
        """Return what can still be undone, newest first: what is less than a day old, and stands."""
        since = timezone.now() - UNDO_LASTS
        undoable = self.filter(at__gt=since, undone_by=None, count__gt=0).exclude(kind=Decision.Kind.UNDO)
        return undoable.order_by("-at", "-pk")


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
    # How many comments it has changed.
    count = models.PositiveIntegerField(_("comments"), default=0)
    # A decision on more comments than one request should take is carried out in steps. These
    # say of which comments it is, how far it has come, and what its moderator had seen.
    filters = models.JSONField(default=dict, blank=True, editable=False)
    total = models.PositiveIntegerField(default=0, editable=False)
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
        indexes = [models.Index(fields=["by", "-at", "-id"], name="decision_of_moderator")]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    def add(self, changes: list["Change"]) -> None:
        """Record changes as parts of this decision."""
        for change in changes:
            change.decision = self
        Change.objects.bulk_create(changes)
        Decision.objects.filter(pk=self.pk).update(count=F("count") + len(changes))
        self.count += len(changes)


class ChangeQuerySet(models.QuerySet["Change"]):
    def latest_of(self, comments: list[int]):
        """Return the newest change of each of these comments, where there is one."""
        newest = self.filter(comment=models.OuterRef("comment")).order_by("-pk").values("pk")[:1]
        return self.filter(comment__in=comments, pk=models.Subquery(newest)).select_related("comment", "by")

    def newest(self) -> int:
        """Return the id of the newest change of all, 0 before the first."""
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
        return super().bulk_create(objs, *args, **how)

    def erase(self) -> None:
        """Forget what comments said before: the one thing that the history lets go of."""
        super().update(body_before="", before={})


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
        Comment, verbose_name=_("comment"), on_delete=models.CASCADE, related_name="changes"
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
    # Who it was where `by` is empty, or was emptied when the account was deleted.
    actor = models.CharField(max_length=10, choices=Actor, default=Actor.MODERATOR)
    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    from_status = models.CharField(_("from"), max_length=10, choices=Comment.Status, blank=True)
    to_status = models.CharField(_("to"), max_length=10, choices=Comment.Status)
    because = models.CharField(_("because"), max_length=20, choices=Rule, default=Rule.NOTHING, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    body_before = models.TextField(_("text before"), blank=True)
    # Name, e-mail and website, where a moderator has changed them.
    before = models.JSONField(_("before"), default=dict, blank=True)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("change")
        verbose_name_plural = _("history")
        indexes = [models.Index(fields=["-at", "-id"], name="change_recent")]

    def __str__(self) -> str:
        if not self.from_status:
            return str(self.get_to_status_display())
        return f"{self.get_from_status_display()} → {self.get_to_status_display()}"

    def save(self, **kwargs):
        if self.pk is not None:
            raise TypeError(ADDED_TO)
        super().save(**kwargs)

    def delete(self, **kwargs):
        raise TypeError(ADDED_TO)

    @property
    def who(self) -> str:
        return str(self.by or self.get_actor_display())


class StandingQuerySet(models.QuerySet["Standing"]):
    def in_force(self):
        return self.filter(models.Q(ends_at=None) | models.Q(ends_at__gt=timezone.now()))

    def about(self, email: str):
        """Return what moderators have said of an address itself, alone or with a name."""
        address = models.Q(kind=Standing.Kind.EMAIL, value=email.lower())
        person = models.Q(kind=Standing.Kind.PERSON, value__endswith=f" <{email.lower()}>")
        return self.filter(address | person)

    def trusting(self, email: str):
        return self.about(email).filter(standing=Standing.State.TRUSTED)

    def of(self, comment: Comment):
        """Return what moderators have said of whoever wrote a comment, bans first."""
        keys = Standing.keys_of(comment)
        found = models.Q()
        for kind, values in keys.items():
            found |= models.Q(kind=kind, value__in=values)
        return self.in_force().filter(found).order_by("standing", "pk")


class Standing(models.Model):
    """What a moderator thinks of a person: bans, and people who are trusted."""

    class State(models.TextChoices):
        BANNED = "banned", _("Banned")
        TRUSTED = "trusted", _("Trusted")

    class Kind(models.TextChoices):
        EMAIL = "email", _("Email address, or @domain")
        ADDRESS = "address", _("IP address or network")
        NAME = "name", _("Name")
        WEBSITE = "website", _("Website")
        # Trusted are only these two. Whoever types an address that is not theirs knows it, but
        # readers never see addresses; nobody is trusted for a name.
        PERSON = "person", _("Name and email address together")
        ACCOUNT = "account", _("Account")

    standing = models.CharField(_("standing"), max_length=10, choices=State)
    kind = models.CharField(_("what"), max_length=10, choices=Kind)
    value = models.CharField(
        _("value"),
        max_length=400,
        help_text=_("Name and email address together are written like “Ada <ada@example.com>”."),
    )
    ends_at = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("Empty: for good."))
    note = models.CharField(_("note"), max_length=400, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)
    decision = models.ForeignKey(
        Decision, on_delete=models.SET_NULL, null=True, editable=False, related_name="standings"
    )

    objects = StandingQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("banned or trusted person")
        verbose_name_plural = _("banned and trusted people")
        indexes = [models.Index(fields=["kind", "value"], name="standing_value")]

    def __str__(self) -> str:
        return f"{self.get_standing_display()}: {self.value}"

    def clean(self):
        """Put the value into the form that `keys_of()` finds it under, or say what is wrong with it."""
        if not self.value:
            return
        try:
            self.value = self.normal(self.kind, self.value)
        except ValueError as error:
            raise ValidationError({"value": str(error)}) from error
        accounts = get_user_model().objects.filter(username=self.value)
        if self.kind == self.Kind.ACCOUNT and not accounts.exists():
            raise ValidationError({"value": _("There is no account with this username.")})
        trusts_one = self.kind in {self.Kind.PERSON, self.Kind.ACCOUNT}
        if self.standing == self.State.TRUSTED and not trusts_one:
            raise ValidationError(
                {"kind": _("Trust a name and an email address together, or an account: others can be typed.")}
            )

    @classmethod
    def normal(cls, kind: str, value: str) -> str:
        """Return a value as it is stored and compared. Raises `ValueError`, in words for a moderator."""
        value = value.strip()
        if kind in {cls.Kind.EMAIL, cls.Kind.ADDRESS}:
            normal = matching.normal_address(value)
            if normal is None or ("@" in normal) != (kind == cls.Kind.EMAIL):
                raise ValueError(
                    _("Enter an email address like name@example.com, or @example.com for a whole domain.")
                    if kind == cls.Kind.EMAIL
                    else _("Enter an IP address like 192.0.2.7, or a network like 192.0.2.0/24.")
                )
            if matching.is_too_large(normal):
                raise ValueError(
                    _(
                        "A good part of all readers is in this network. Name one of /8 or smaller, in IPv6 /16."
                    )
                )
            return normal
        if kind == cls.Kind.WEBSITE:
            host = matching.host_of(value)
            if not host:
                raise ValueError(_("Enter a website like https://example.com."))
            return host
        if kind == cls.Kind.PERSON:
            name, _space, email = value.rpartition(" ")
            email = email.strip("<>").lower()
            is_one_address = "@" in email[1:] and matching.normal_address(email) is not None
            if not name or not is_one_address:
                raise ValueError(_("Write both like “Ada <ada@example.com>”."))
            return f"{name} <{email}>"
        if kind == cls.Kind.ACCOUNT:
            return value
        name = " ".join(matching.fold(value).split())
        if not name:
            raise ValueError(_("Enter a name that readers can see."))
        return name

    @classmethod
    def keys_of(cls, comment: Comment) -> dict[str, list[str]]:
        """Return under which values whoever wrote a comment may be found."""
        keys: dict[str, list[str]] = {
            cls.Kind.EMAIL: matching.email_keys(comment.email),
            cls.Kind.ADDRESS: matching.network_keys(comment.ip_address),
            cls.Kind.NAME: [" ".join(matching.fold(comment.name).split())],
            cls.Kind.WEBSITE: matching.host_keys(comment.website),
        }
        if comment.user_id:
            keys[cls.Kind.ACCOUNT] = [cls.account(comment.user)]
        elif comment.email:
            keys[cls.Kind.PERSON] = [cls.person(comment)]
        return keys

    @staticmethod
    def person(comment: Comment) -> str:
        return f"{comment.name} <{comment.email.lower()}>"

    @staticmethod
    def account(user) -> str:
        return user.get_username()


class Report(models.Model):
    """A reader asks the moderators to look at a comment. Who it is, is not kept."""

    class Reason(models.TextChoices):
        SPAM = "spam", _("Spam or advertising")
        ABUSE = "abuse", _("Insults, threats or hatred")
        PERSONAL_DATA = "personal-data", _("Somebody’s personal data")
        OTHER = "other", _("Something else")

    comment = models.ForeignKey(
        Comment, verbose_name=_("comment"), on_delete=models.CASCADE, related_name="reports"
    )
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    text = models.TextField(_("text"), max_length=1000, blank=True)
    # A keyed hash of the address: enough to tell two senders apart.
    sender = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(_("reported"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        indexes = [models.Index(fields=["sender", "-created_at"], name="report_sender")]

    def __str__(self) -> str:
        return str(self.get_reason_display())


class Outcome(NamedTuple):
    """What became of a moderator's decision.

    `changed` counts the comments that it changed. `untouched` holds the latest change of
    each comment that it left alone, since someone had already decided. `decision` is what
    can be undone, None where nothing was changed.
    """

    changed: int
    untouched: list[Change]
    decision: Decision | None


class Housekeeping(models.Model):
    """When the daily housekeeping is due: one row, by which all processes know who does it."""

    due_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("housekeeping")
        verbose_name_plural = _("housekeeping")

    def __str__(self) -> str:
        return str(self.due_at)

    @classmethod
    def claim(cls) -> bool:
        """Say whether it is due, and if so keep the others from it until it is put off again.

        Where whoever has claimed it dies, another goes on after a while.
        """
        row, _is_new = cls.objects.get_or_create(pk=1)
        now = timezone.now()
        is_due = row.due_at <= now
        return is_due and bool(cls.objects.filter(due_at=row.due_at).update(due_at=now + HOUSEKEEPING_CLAIM))

    @classmethod
    def put_off(cls, pause: timedelta) -> None:
        cls.objects.update_or_create(pk=1, defaults={"due_at": timezone.now() + pause})


class AccessLinkQuerySet(models.QuerySet["AccessLink"]):
    def unopened(self):
        """Return the links that still work."""
        since = timezone.now() - LINK_LASTS
        return self.filter(opened_at=None, created_at__gt=since).exclude(email="")

    def opened(self):
        """Return the links that were opened lately: what they opened is still open."""
        return self.filter(opened_at__gt=timezone.now() - LINK_LASTS)


class AccessLink(models.Model):
    """Someone asked for a link to everything written with an address. It opens once.

    Each request is counted. Where none was mailed in answer, no address is kept.
    """

    email = models.EmailField(_("email"), max_length=254, blank=True)
    # Of the token in the link. Who reads the table can open nothing with it.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # Of the IP address of who asked.
    sender = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(_("asked for"), default=timezone.now, editable=False)
    opened_at = models.DateTimeField(_("opened"), null=True, editable=False)

    objects = AccessLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("link by email")
        verbose_name_plural = _("links by email")
        indexes = [
            models.Index(fields=["email", "created_at"], name="access_link_person"),
            models.Index(fields=["sender", "created_at"], name="access_link_sender"),
        ]

    def __str__(self) -> str:
        return f"{self.email} {self.created_at}"
