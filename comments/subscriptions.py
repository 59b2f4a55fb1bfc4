"""Who wants to be told of what by mail, and what they were told.

A stranger may type anybody's address into Leave a Reply. So a subscription belongs to the
comment that was written with it, and nothing that is done about one comment changes what
the owner of the address has chosen for another.
"""

from datetime import datetime, timedelta

from django.core import signing
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from articles.models import Article
from comments.mailboxes import Mailbox
from mail.models import Mail

# A daily mail goes out a day after its oldest news.
DAY = timedelta(days=1)
CONFIRMATION_LASTS = 7 * 24 * 60 * 60  # seconds
CONFIRM_SALT = "comments.subscriptions.confirm"
STOP_SALT = "comments.subscriptions.stop"
# What a comment's author asked for counts while the comment has one of these statuses.
STANDING = ["held", "approved"]
NOT_YET_PUBLIC = ["held"]
# So long is known who was told of what, so that nobody is told twice.
TOLD_KEPT = timedelta(days=90)


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def forgettable(self):
        """Return the addresses whose owners have left the question unanswered until its link expired.

        Where a comment waits for a moderator, or the question for its turn, so does the address.
        """
        expired = timezone.now() - timedelta(seconds=CONFIRMATION_LASTS)
        unanswered = self.filter(confirmed_at=None, stopped_at=None)
        old = unanswered.alias(since=Coalesce("confirmation_sent_at", "noted_at")).filter(since__lt=expired)
        to_be_asked = Q(ask_at__isnull=False) | Q(comment__status__in=NOT_YET_PUBLIC)
        return old.exclude(Exists(Subscription.objects.filter(to_be_asked, subscriber=OuterRef("pk"))))


class Subscriber(models.Model):
    """An address that somebody wants mails to, once its owner has confirmed it."""

    email = models.EmailField(_("email"), max_length=254, unique=True)
    noted_at = models.DateTimeField(default=timezone.now, editable=False)
    confirmation_sent_at = models.DateTimeField(_("asked to confirm"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    stopped_at = models.DateTimeField(_("stopped all mails"), null=True, blank=True)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscriber")
        verbose_name_plural = _("subscribers")

    def __str__(self) -> str:
        return self.email

    @property
    def confirm_token(self) -> str:
        return signing.dumps([self.pk, str(self.confirmation_sent_at)], salt=CONFIRM_SALT)

    def awaits(self, asked_at: str) -> bool:
        """Say whether what was asked then was not answered since by stopping all mails."""
        if self.stopped_at is None:
            return True
        try:
            return self.stopped_at < datetime.fromisoformat(asked_at)
        except ValueError:
            return False

    def stop_token(self, article: Article | None = None) -> str:
        """Return what stops the mails about one story, or all. It works as long as the mail is kept."""
        return signing.dumps([self.pk, article.pk if article else None], salt=STOP_SALT)

    def message_key(self) -> str:
        """Return what makes a Message-ID this person's own, and tells nobody who that is."""
        return salted_hmac("comments.subscriptions.message", str(self.pk)).hexdigest()[:16]

    def confirm(self) -> None:
        if self.confirmed_at is None:
            self.confirmed_at, self.stopped_at = timezone.now(), None
            self.save(update_fields=["confirmed_at", "stopped_at"])
            Mailbox.objects.of(self.email).note_answer()

    def gets_mails(self, article_id: int | None) -> bool:
        """Say whether anything about a story, or about any, is still asked for."""
        about = {} if article_id is None else {"article": article_id}
        return self.subscriptions.filter(**about).exists()

    def wait_for_mails(self) -> None:
        """Wait for whoever writes mails to this person at this moment, so that they are found."""
        list(Subscriber.objects.filter(pk=self.pk).select_for_update(no_key=True))

    def cancel_unwanted(self, article_id: int) -> None:
        """Send nothing any more about a story that none of this person's subscriptions asks for."""
        self.wait_for_mails()
        subscriptions = self.subscriptions.filter(article=article_id)
        if not subscriptions.filter(scope=Subscription.Scope.STORY).exists():
            asked_by = list(subscriptions.values_list("comment", flat=True))
            about = self.notices.filter(comment__article=article_id)
            about.exclude(Q(comment__in=asked_by) | Q(comment__parent__in=asked_by)).cancel()

    @transaction.atomic
    def stop(self, article_id: int | None) -> None:
        """Send this person no more mails about a story, or none at all."""
        self.wait_for_mails()
        if article_id is not None:
            self.subscriptions.filter(article=article_id).delete()
            self.notices.filter(comment__article=article_id).cancel()
            return
        self.subscriptions.all().delete()
        self.notices.all().cancel()
        self.confirmed_at, self.stopped_at = None, timezone.now()
        self.save(update_fields=["confirmed_at", "stopped_at"])


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def in_force(self):
        """Return what confirmed people asked for with comments that still stand.

        What came with a robot's comment may carry anybody's address.
        """
        return self.filter(
            subscriber__confirmed_at__isnull=False,
            comment__status__in=STANDING,
            comment__erased_at=None,
        )

    def concerned_by(self, comments):
        """Return what is asked for with these comments, with those that they answer, and of their stories."""
        near = {pk for comment in comments for pk in (comment.pk, comment.parent_id) if pk}
        stories = {comment.article_id for comment in comments}
        of_stories = Q(article__in=stories, scope=Subscription.Scope.STORY)
        return self.in_force().filter(of_stories | Q(comment__in=near))

    def ask(self) -> None:
        """Let the chores ask those who have not confirmed that they want these mails."""
        self.filter(subscriber__confirmed_at=None).update(ask_at=timezone.now())

    @transaction.atomic
    def end(self) -> None:
        """Delete these, and send nothing any more that nothing else asks for."""
        # First the person, as whoever stops all of their mails does: neither then waits for the other.
        people = self.select_related("subscriber").select_for_update(of=("subscriber",), no_key=True)
        for subscription in people:
            subscription.delete()
            subscription.subscriber.cancel_unwanted(subscription.article_id)


class Subscription(models.Model):
    """What the author of a comment wants to be told of."""

    class Scope(models.TextChoices):
        ANSWERS = "answers", _("Replies to my comment")
        STORY = "story", _("All new comments on this story")

    class Rhythm(models.TextChoices):
        AT_ONCE = "at-once", _("Straight away")
        DAILY = "daily", _("Once a day, all in one email")

    subscriber = models.ForeignKey(
        Subscriber,
        verbose_name=_("subscriber"),
        on_delete=models.CASCADE,
        related_name="subscriptions",
    )
    comment = models.OneToOneField(
        "comments.Comment", verbose_name=_("comment"), on_delete=models.CASCADE, related_name="subscription"
    )
    article = models.ForeignKey(Article, verbose_name=_("story"), on_delete=models.CASCADE, related_name="+")
    scope = models.CharField(_("tell me of"), max_length=10, choices=Scope, default=Scope.ANSWERS)
    rhythm = models.CharField(_("how often"), max_length=10, choices=Rhythm, default=Rhythm.AT_ONCE)
    # When to ask whether these mails are wanted. Empty before the comment is public, and afterwards.
    ask_at = models.DateTimeField(null=True, editable=False)
    question = models.ForeignKey(
        "mail.Mail", on_delete=models.SET_NULL, null=True, editable=False, related_name="asks_of"
    )

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        indexes = [
            models.Index(fields=["ask_at"], name="subscription_to_ask", condition=Q(ask_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} · {self.get_scope_display()}"


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    def with_comments(self):
        """Read the comments too, and of their stories what mails tell."""
        texts = ["comment__article__body", "comment__article__body_html"]
        return self.select_related("comment__article", "comment__parent").defer(*texts)


class Announcement(models.Model):
    """A comment has become public, and those who asked for it are to be told."""

    comment = models.OneToOneField("comments.Comment", on_delete=models.CASCADE, related_name="+")
    # Its author is told too, who did not see it happen.
    to_author = models.BooleanField()
    created_at = models.DateTimeField(default=timezone.now)
    # The last subscriber who was told. The others come after, by their number.
    reached = models.BigIntegerField(default=0)

    objects = AnnouncementQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.comment)


class NoticeQuerySet(models.QuerySet["Notice"]):
    def waiting(self):
        """Return what waits for a daily mail."""
        return self.filter(told_at=None)

    def forgettable(self):
        """Return notices so old that the same comment, approved again, would be news."""
        return self.filter(told_at__lt=timezone.now() - TOLD_KEPT)

    @transaction.atomic(savepoint=False)
    def cancel(self) -> None:
        """Tell nothing of this any more, where its mail has not left yet."""
        unsent = Mail.objects.unsent().filter(pk__in=self.exclude(mail=None).values("mail"))
        # Locked, so that nobody begins to send one of them between these steps.
        mails = list(unsent.order_by("pk").select_for_update().values_list("pk", flat=True))
        unwanted = list(self.filter(Q(mail__in=mails) | Q(told_at=None)).values_list("pk", flat=True))
        # What a daily mail tells besides goes into the next.
        Notice.objects.filter(mail__in=mails).update(mail=None, told_at=None)
        Notice.objects.filter(pk__in=unwanted).delete()
        Mail.objects.filter(pk__in=mails).delete()


class Notice(models.Model):
    """Somebody was told of a comment, or will be in the next daily mail. Nobody is told twice."""

    class Kind(models.TextChoices):
        ANSWER = "answer", _("A reply")
        STORY = "story", _("A new comment")
        APPROVAL = "approval", _("The approval of an own comment")

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="notices")
    comment = models.ForeignKey("comments.Comment", on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind)
    mail = models.ForeignKey("mail.Mail", on_delete=models.SET_NULL, null=True, related_name="notices")
    created_at = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "comment"], name="told_once_of_a_comment")
        ]
        indexes = [
            models.Index(fields=["created_at"], name="notice_waiting", condition=Q(told_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} · {self.get_kind_display()}"
