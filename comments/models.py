from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Func
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from articles.models import Article
from comments import notifications
from newsite import markup

# A comment's path is the ids of its ancestors and its own, each this many digits wide,
# so that sorting by path is reading the conversation from top to bottom.
KEY_WIDTH = 10
# The key of the comment that began the thread. Its numbers stand in the SQL itself: beside
# a parameter, SQLite would not see that this is the expression of an index.
THREAD_KEY = Func(
    F("path"), template=f"SUBSTR(%(expressions)s, 1, {KEY_WIDTH})", output_field=models.CharField()
)
# A deeper reply is placed beside its parent. WordPress lets owners choose up to ten levels.
STORED_LEVELS = 10
# So long a link by mail may be opened, and so long what it opens stays open.
LINK_LASTS = timedelta(minutes=30)


def edit_window() -> timedelta:
    """Return how long its author may change a comment, unless someone has answered it."""
    return timedelta(minutes=settings.EDIT_WINDOW_MINUTES)


class CommentQuerySet(models.QuerySet["Comment"]):
    def approved(self):
        return self.filter(status=Comment.Status.APPROVED)

    def held(self):
        return self.filter(status=Comment.Status.HELD)

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

    def editable(self):
        """Return what its author may still change: new, in the open, and not answered."""
        answers = Comment.objects.approved().filter(parent=models.OuterRef("pk"))
        return self.filter(
            ~models.Exists(answers),
            status__in=[Comment.Status.HELD, Comment.Status.APPROVED],
            created_at__gt=timezone.now() - edit_window(),
            erased_at=None,
        )

    def approve(self, by, *, seen: int | None = None) -> "Decision":
        return self._decide(lambda comment: Comment.Status.APPROVED, by, seen)

    def hold(self, by, *, seen: int | None = None) -> "Decision":
        return self._decide(lambda comment: Comment.Status.HELD, by, seen)

    def mark_as_spam(self, by, *, seen: int | None = None) -> "Decision":
        return self._decide(lambda comment: Comment.Status.SPAM, by, seen)

    def trash(self, by, *, seen: int | None = None) -> "Decision":
        return self._decide(lambda comment: Comment.Status.TRASH, by, seen)

    def restore(self, by, *, seen: int | None = None) -> "Decision":
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

        return self._decide(restored, by, seen)

    def delete(self):
        """Delete comments for good, and the mails about them that have not left."""
        notifications.take_back(list(self.values_list("pk", flat=True)))
        return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def _decide(self, new_status, by, seen: int | None) -> "Decision":
        """Give each comment the status that `new_status` names for it, and record it.

        `seen` is the newest change that the person deciding had before their eyes: a
        comment that someone has decided on since is left as it is and handed back.
        """
        changes: list[Change] = []
        untouched: list[int] = []
        with transaction.atomic():
            withdrawn = Comment.Status.WITHDRAWN
            comments = list(self.exclude(status=withdrawn).order_by("pk").select_for_update(of=("self",)))
            overtaken = set()
            if seen is not None:
                overtaken = set(
                    Change.objects.filter(comment__in=comments, pk__gt=seen).values_list("comment", flat=True)
                )
            for comment in comments:
                status = new_status(comment)
                if comment.pk in overtaken or comment.status == status:
                    untouched.append(comment.pk)
                    continue
                changes.append(Change(comment=comment, by=by, from_status=comment.status, to_status=status))
            Change.objects.bulk_create(changes)
            for status in {change.to_status for change in changes}:
                moved = [c.comment_id for c in changes if c.to_status == status]
                Comment.objects.filter(pk__in=moved).update(status=status)
                if status == Comment.Status.APPROVED:
                    shown = Comment.objects.filter(pk__in=moved).select_related("article").order_by("pk")
                    notifications.announce(shown, to_authors=True)
                else:
                    notifications.take_back(moved)
        return Decision(len(changes), list(Change.objects.latest_of(untouched)))


class Comment(models.Model):
    class Status(models.TextChoices):
        HELD = "held", _("Held")
        APPROVED = "approved", _("Approved")
        SPAM = "spam", _("Spam")
        TRASH = "trash", _("Trash")
        # Its author has deleted it. No moderator brings it back.
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class HeldBecause(models.TextChoices):
        NOTHING = "", _("Nothing held it")
        FIRST_COMMENT = "first-comment", _("First comment under this name and email address")
        LINKS = "links", _("Two or more links")
        REGISTERED = "registered", _("A visitor used the name or email address of a registered user")
        TRAP = "trap", _("Filled in a field that people do not see")
        REPORTED = "reported", _("Reported by readers")

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
        help_text=_("Set when the comment was written by someone who was signed in."),
    )
    body = models.TextField(_("comment"), max_length=10_000)
    body_html = models.TextField(editable=False)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.HELD)
    held_because = models.CharField(
        _("held because"), max_length=20, choices=HeldBecause, default=HeldBecause.NOTHING, blank=True
    )
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
        indexes = [
            models.Index(fields=["article", "status", "path"], name="comment_thread"),
            models.Index(
                F("article"), F("status"), THREAD_KEY.desc(), F("path"), name="comment_thread_newest"
            ),
            models.Index(fields=["status", "-id"], name="comment_queue"),
            models.Index(fields=["email", "status"], name="comment_person"),
            models.Index(fields=["-created_at"], name="comment_recent"),
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
        return self.created_at + edit_window()

    @property
    def is_found_by_address(self) -> bool:
        """Say of one comment whether `written_with()` finds it by its address."""
        return bool(self.email) and self.user_id is None

    @property
    def why_held(self) -> str:
        """Tell its author what held the comment, and nothing about anybody else."""
        return str(WHY_HELD.get(self.held_because, ""))

    def approve(self, by) -> "Decision":
        return self._only_this().approve(by)

    def hold(self, by) -> "Decision":
        return self._only_this().hold(by)

    def mark_as_spam(self, by) -> "Decision":
        return self._only_this().mark_as_spam(by)

    def trash(self, by) -> "Decision":
        return self._only_this().trash(by)

    def restore(self, by) -> "Decision":
        return self._only_this().restore(by)

    def hold_as_reported(self) -> None:
        """Take a comment that readers have reported back to the queue."""
        held = Comment.Status.HELD
        Change.objects.create(
            comment=self, actor=Change.Actor.READERS, from_status=self.status, to_status=held
        )
        self.status, self.held_because = held, Comment.HeldBecause.REPORTED
        self.save(update_fields=["status", "held_because"])
        notifications.take_back([self.pk])

    def reports_since_approval(self) -> models.QuerySet["Report"]:
        """Return the reports that no moderator has answered by approving the comment."""
        approvals = self.changes.filter(to_status=Comment.Status.APPROVED)
        approval = approvals.exclude(from_status=Comment.Status.APPROVED).first()
        return self.reports.filter(created_at__gt=approval.at) if approval else self.reports.all()

    def _only_this(self) -> CommentQuerySet:
        return Comment.objects.filter(pk=self.pk)

    def _place(self) -> str:
        key = f"{self.pk:0{KEY_WIDTH}d}"
        if self.parent is None:
            return key
        return self.parent.path[: KEY_WIDTH * (STORED_LEVELS - 1)] + key


WHY_HELD: dict[str, Any] = {
    Comment.HeldBecause.FIRST_COMMENT: _(
        "The first comment under a name and an email address is read by a moderator before it is shown."
    ),
    Comment.HeldBecause.LINKS: _(
        "A comment with two or more links is read by a moderator before it is shown."
    ),
    Comment.HeldBecause.REGISTERED: _(
        "A comment under this name or email address is read by a moderator before it is shown."
    ),
    Comment.HeldBecause.REPORTED: _(
        "Readers have asked that a moderator read this comment again before it is shown."
    ),
}


class ChangeQuerySet(models.QuerySet["Change"]):
    def latest_of(self, comments: list[int]):
        """Return the newest change of each of these comments, where there is one."""
        newest = self.filter(comment=models.OuterRef("comment")).order_by("-pk").values("pk")[:1]
        return self.filter(comment__in=comments, pk=models.Subquery(newest)).select_related("comment", "by")

    def newest(self) -> int:
        """Return the id of the newest change of all, 0 before the first."""
        return self.aggregate(newest=models.Max("pk"))["newest"] or 0


class Change(models.Model):
    """A comment went from one status to another, or to another text. Never edited."""

    class Actor(models.TextChoices):
        MODERATOR = "moderator", _("a moderator")
        # On the comment's private page.
        COMMENTER = "commenter", _("the commenter")
        READERS = "readers", _("readers, by their reports")

    comment = models.ForeignKey(
        Comment, verbose_name=_("comment"), on_delete=models.CASCADE, related_name="changes"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # Who it was where `by` is empty, or was emptied when the account was deleted.
    actor = models.CharField(max_length=10, choices=Actor, default=Actor.MODERATOR)
    at = models.DateTimeField(_("at"), auto_now_add=True)
    from_status = models.CharField(_("from"), max_length=10, choices=Comment.Status)
    to_status = models.CharField(_("to"), max_length=10, choices=Comment.Status)

    body_before = models.TextField(_("text before"), blank=True)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("change")
        verbose_name_plural = _("history")

    def __str__(self) -> str:
        return f"{self.get_from_status_display()} → {self.get_to_status_display()}"

    @property
    def who(self) -> str:
        return str(self.by or self.get_actor_display())


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


class Decision(NamedTuple):
    """What became of a moderator's decision.

    `changed` counts the comments that it changed. `untouched` holds the latest change of
    each comment that it left alone, since someone had already decided.
    """

    changed: int
    untouched: list[Change]


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
