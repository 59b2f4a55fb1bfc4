from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, F, Func, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from articles.models import Article
from comments import addresses, matching, notifications, staff_notices, websites
from comments.discussion import DiscussionSettings
from comments.models import states
from comments.models.history import Change, Decision, Outcome, Seen
from comments.models.report import Report
from comments.models.states import Rule
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
        return self.filter(email=addresses.mailbox(email), user=None).exclude(email="")

    def ever_written_with(self, email: str):
        """Return these, and what arrived with this address and had it replaced by a moderator since."""
        email = addresses.mailbox(email)
        arrived = Change.objects.arrived_with(email)
        return (
            self.filter(models.Q(email=email) | models.Q(pk__in=arrived), user=None) if email else self.none()
        )

    def with_removals(self):
        """Say of each comment whether a moderator has removed it and what it waits for, as its author is told.

        What a word has moved to the trash waits, as far as its author knows, until somebody
        decides on it. What comes from who is banned or refused waits for what it would wait for
        without that: whoever types somebody's address must not learn that it is banned.
        """
        trash = Comment.Status.TRASH
        moves = Change.objects.filter(comment=models.OuterRef("pk"), to_status=trash)
        last_move = moves.exclude(from_status=trash).order_by("-pk").values("actor")[:1]
        by_moderator = Exact(models.Subquery(last_move), Change.Actor.MODERATOR)
        is_removed = models.Q(by_moderator, status=trash)
        firings = Firing.objects.filter(comment=models.OuterRef("pk")).exclude(rule__in=PERSONAL)
        other = firings.exclude(verdict=Comment.Status.APPROVED).order_by("pk").values("rule")[:1]
        is_personal = models.Q(status=Comment.Status.SPAM, held_because__in=PERSONAL)
        else_because = Coalesce(models.Subquery(other), models.Value(Rule.FIRST_COMMENT))
        return self.annotate(
            waits_for=Case(When(is_personal, then=else_because), default=F("held_because")),
            is_removed=models.ExpressionWrapper(is_removed, output_field=models.BooleanField()),
        )

    def looked_at(self, conditions: models.Q):
        """Filter so that the database goes on reading the index of the order.

        It might choose another index for these conditions, and then sort all that it finds.
        """
        return self.filter(Exact(Case(When(conditions, then=1), default=0), 1)) if conditions else self

    def editable(self):
        """Return what its author may still change: new, in the open, and not answered.

        What is spam for its sender's sake may be changed as well, and stays spam: or the missing
        links would tell that an address is banned.
        """
        answers = Comment.objects.approved().filter(parent=models.OuterRef("pk"))
        return self.filter(
            ~models.Exists(answers),
            models.Q(status__in=[Comment.Status.HELD, Comment.Status.APPROVED])
            | models.Q(status=Comment.Status.SPAM, held_because__in=PERSONAL),
            created_at__gt=timezone.now() - DiscussionSettings.load().edit_window,
            erased_at=None,
        )

    def approve(self, by, **how: Any) -> Outcome:
        return self._decide(Decision.Kind.APPROVE, _all_to(Comment.Status.APPROVED), by, **how)

    def hold(self, by, **how: Any) -> Outcome:
        return self._decide(Decision.Kind.HOLD, _all_to(Comment.Status.HELD), by, **how)

    def mark_as_spam(self, by, **how: Any) -> Outcome:
        return self._decide(Decision.Kind.MARK_AS_SPAM, _all_to(Comment.Status.SPAM), by, **how)

    def trash(self, by, **how: Any) -> Outcome:
        return self._decide(Decision.Kind.TRASH, _all_to(Comment.Status.TRASH), by, **how)

    def restore(self, by, **how: Any) -> Outcome:
        """Take comments out of spam and trash, back to what they were before.

        What was caught on arrival goes to the queue. Others stay as they are.
        """
        return self._decide(Decision.Kind.RESTORE, _back, by, **how)

    def delete(self):
        """Delete comments for good, and the mails that tell what they said."""
        with transaction.atomic():
            rows = list(self.values_list("pk", "status", "article"))
            pks = [pk for pk, _status, _story in rows]
            stories = {story for _pk, status, story in rows if status == Comment.Status.APPROVED}
            notifications.forget(pks)
            staff_notices.forget(pks)
            deleted = super().delete()
            recount(stories)
        return deleted

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def carry_out(self, decision: Decision, changes: list[Change], *, tells_authors: bool = False) -> None:
        """Record these changes as parts of a decision, and give their comments the new status.

        Whoever is to be told of what has become public is told, with `tells_authors` their
        authors too, and nobody any more of what is not.
        """
        decision.add(changes)
        moved: dict[str, list[int]] = defaultdict(list)
        stories: set[int] = set()
        for change in changes:
            if change.from_status != change.to_status:
                moved[change.to_status].append(change.comment_id)
                stories.add(change.comment.article_id)
        for status, pks in moved.items():
            self.filter(pk__in=pks).update(status=status)
        # Before anybody else's rows are locked: a new comment locks its story first, too.
        recount(stories)
        staff_notices.cancel([pk for pks in moved.values() for pk in pks])
        for status, pks in moved.items():
            comments = self.filter(pk__in=pks).order_by("pk")
            if status == Comment.Status.APPROVED:
                notifications.announce(comments, to_authors=tells_authors)
                staff_notices.note(comments, StaffNotice.Kind.PUBLIC, decided_by=decision.by)
            else:
                notifications.cancel(pks)

    def _decide(
        self,
        kind,
        statuses_of: Callable[[Sequence["Comment"]], dict[int, str]],
        by,
        *,
        seen: Seen = None,
        overrules_self: bool = False,
        decision: Decision | None = None,
        note: str = "",
    ) -> Outcome:
        """Give each comment the status that `statuses_of` names for it, and record it.

        `seen` is the newest change that the moderator's page showed. A comment that changed
        later stays as it is and is handed back. With `overrules_self`, the moderator's own
        later changes do not count. `decision` is the one that this is a part of, where it is
        taken in parts. `note` goes into the history.
        """
        changes: list[Change] = []
        same = 0
        with transaction.atomic():
            # Visitors answer these comments meanwhile: that needs their keys, which stay.
            locked = self.exclude(status=Comment.Status.WITHDRAWN).order_by("pk")
            comments = list(locked.select_for_update(of=("self",), no_key=True))
            statuses = statuses_of(comments)
            overtaken = Change.objects.overtaking(statuses, seen, by if overrules_self else None)
            for comment in comments:
                if comment.pk in overtaken:
                    continue
                status = statuses[comment.pk]
                # Approving what is public already answers the reports about it.
                is_answer = kind == Decision.Kind.APPROVE and comment.open_reports > 0
                if comment.status == status and not is_answer:
                    same += 1
                    continue
                change = Change(
                    comment=comment, by=by, from_status=comment.status, to_status=status, note=note
                )
                if comment.open_reports:
                    change.before = {"open_reports": comment.open_reports}
                changes.append(change)
            if changes:
                decision = decision or Decision.objects.create(by=by, kind=kind)
                Comment.objects.carry_out(decision, changes, tells_authors=True)
                answered = [change.comment_id for change in changes if change.before]
                Comment.objects.filter(pk__in=answered).update(open_reports=0)
        return Outcome(len(changes), list(Change.objects.latest_of(overtaken)), decision, same=same)


def recount(stories: Iterable[int]) -> None:
    """Keep with these stories how many comments visitors see below each.

    Called in the transaction of whatever changed that. The stories are locked before anything
    is counted, or of two changes at once each would miss the other's.
    """
    locked = Article.objects.filter(pk__in=stories).order_by("pk").select_for_update(no_key=True)
    pks = list(locked.values_list("pk", flat=True))
    shown = Comment.objects.approved().filter(article=models.OuterRef("pk")).order_by().values("article")
    count = Coalesce(models.Subquery(shown.annotate(count=models.Count("pk")).values("count")), 0)
    Article.objects.filter(pk__in=pks).update(comment_count=count)


def _all_to(status: str) -> Callable[[Sequence["Comment"]], dict[int, str]]:
    return lambda comments: {comment.pk: status for comment in comments}


def _back(comments: Sequence["Comment"]) -> dict[int, str]:
    """Return what these comments were before they went to spam or trash."""
    in_the_open = [Comment.Status.HELD, Comment.Status.APPROVED]
    earlier = Change.objects.filter(comment__in=comments, from_status__in=in_the_open).order_by("pk")
    former = dict(earlier.values_list("comment", "from_status"))
    return {
        comment.pk: comment.status
        if comment.status in in_the_open
        else former.get(comment.pk, Comment.Status.HELD)
        for comment in comments
    }


class Comment(models.Model):
    Status: TypeAlias = states.Status
    # Where it was read by `with_removals()`.
    is_removed: bool
    waits_for: str

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
    # What all spellings of the name have in common: under it, whoever wrote this is known again.
    spelling = models.CharField(
        max_length=matching.SPELLING_LENGTH, default="", db_default="", blank=True, editable=False
    )
    email = models.EmailField(_("email"), max_length=254, blank=True)
    website = models.CharField(_("website"), max_length=200, blank=True, validators=[websites.validate])
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
    # What Akismet has said of it, or was taught since. Empty where it was not asked, or away.
    akismet_says_spam = models.BooleanField(null=True, editable=False)
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
            # Whether someone has said the same before: asked with every comment.
            models.Index(fields=["article", "spelling", "-id"], name="comment_said"),
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
        self.email = addresses.mailbox(self.email)
        self.spelling = matching.spelling(self.name)
        self.body_html = markup.comment_html(self.body)
        if "name" in (kwargs.get("update_fields") or []):
            kwargs["update_fields"] = {*kwargs["update_fields"], "spelling"}
        with transaction.atomic():
            was_shown = self.pk is not None and self._only_this().approved().exists()
            super().save(**kwargs)
            if not self.path:
                self.path = self._place()
                Comment.objects.filter(pk=self.pk).update(path=self.path)
            if was_shown != (self.status == Comment.Status.APPROVED):
                recount([self.article_id])

    def get_absolute_url(self) -> str:
        return reverse("comments:permalink", args=[self.pk])

    def delete(self, **kwargs):
        """Delete the comment for good, and the mails that tell what it said."""
        with transaction.atomic():
            notifications.forget([self.pk])
            staff_notices.forget([self.pk])
            deleted = super().delete(**kwargs)
            recount([self.article_id])
        return deleted

    @property
    def is_public(self) -> bool:
        """Say of one comment what `public()` says of many: whether visitors see it now."""
        return self.status == Comment.Status.APPROVED and self.article.is_public

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
    def readable_email(self) -> str:
        return addresses.readable(self.email)

    @property
    def is_promised_reading(self) -> bool:
        """Whether its author may be told that a moderator reads it.

        What is spam is perhaps never read, and nothing may tell a robot that it is: so whatever
        is held for the same reasons is promised no more.
        """
        is_personal = self.status == Comment.Status.SPAM and self.held_because in PERSONAL
        return (self.status == Comment.Status.HELD or is_personal) and self.waits_for not in SUSPICIONS

    @property
    def why_held(self) -> str:
        """Tell its author what the comment waits for, and nothing about anybody else."""
        return str(WHY_HELD.get(self.waits_for, "")) if self.is_promised_reading else ""

    def approve(self, by) -> Outcome:
        return self._only_this().approve(by)

    def hold(self, by) -> Outcome:
        return self._only_this().hold(by)

    def mark_as_spam(self, by) -> Outcome:
        return self._only_this().mark_as_spam(by)

    def trash(self, by) -> Outcome:
        return self._only_this().trash(by)

    def restore(self, by) -> Outcome:
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
        notifications.cancel([self.pk])
        staff_notices.cancel([self.pk])
        staff_notices.note([self], StaffNotice.Kind.REPORTED)

    def reports_since_approval(self) -> models.QuerySet[Report]:
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


# What is spam because of who sends it, or says so.
PERSONAL = {Rule.BANNED, Rule.REFUSED}
# What is held, or not even that, because it may come from no person.
SUSPICIONS = {Rule.TRASH_WORDS, Rule.TRAP, Rule.WORDS, Rule.TOO_FAST, Rule.AKISMET, Rule.WEBHOOK}
WHY_HELD: dict[str, Any] = {
    Rule.FIRST_COMMENT: _("We read everyone’s first comment before it appears."),
    Rule.LINKS: _("We read comments with links before they appear."),
    # In the same words, or whoever guesses would learn which name has an account.
    Rule.REGISTERED: _("We read everyone’s first comment before it appears."),
    Rule.EVERYTHING: _("We read every comment on this story before it appears."),
    Rule.REPORTED: _("Readers have asked us to look at this comment again before it appears."),
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
        return f"{label}: {self.found}" if self.detail else str(label)

    @property
    def found(self) -> str:
        return Rule(self.rule).in_words(self.detail)

    @property
    def is_count(self) -> bool:
        return Rule(self.rule).counts
