"""What moderators and authors of stories are told of by mail: noted here, written by the chores.

Comments are handed to these functions, by the code that changes them and in its
transaction. Who is told, and how, is found out later, beside the requests, by
`comments.moderator_mails`. So a wave of comments costs whoever posts them one row each.
"""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from articles.models import Article
from comments.subscriptions import DAY
from mail.models import KEPT, Mail, written

if TYPE_CHECKING:
    from comments.models import Comment


class StaffNoticeQuerySet(models.QuerySet["StaffNotice"]):
    def waiting(self):
        return self.filter(told_at=None)

    def news(self):
        """Return that of which nobody knows yet whom it concerns."""
        return self.waiting().filter(user=None)

    def handed_out(self):
        """Return what waits for a mail to somebody."""
        return self.waiting().filter(user__isnull=False)

    def due(self):
        """Return what is to be told of now: at once, or since a day has passed."""
        return self.handed_out().filter(Q(at_once=True) | Q(created_at__lte=timezone.now() - DAY))

    def with_comments(self):
        """Read the comments too, and their stories, but not the texts: there may be a thousand."""
        texts = [
            f"comment__{field}" for field in ("body", "body_html", "article__body", "article__body_html")
        ]
        return self.select_related("comment__article").defer(*texts)

    @transaction.atomic(savepoint=False)
    def rewrite(self) -> None:
        """Delete unsent mails that mention these; whatever else they told goes into the next mail."""
        mails = Mail.objects.unsent().filter(pk__in=self.exclude(mail=None).values("mail"))
        # Locked, so that nobody begins to send one of them between these steps.
        pks = list(mails.order_by("pk").select_for_update().values_list("pk", flat=True))
        if pks:
            StaffNotice.objects.filter(mail__in=pks).wait_again()
            Mail.objects.filter(pk__in=pks).delete()

    def cancel(self) -> None:
        """Tell nothing of these any more, where it has not left yet."""
        self.rewrite()
        self.waiting().delete()

    def wait_again(self) -> None:
        """Take what these were told as untold. What a mail only listed is no news."""
        self.filter(kind=StaffNotice.Kind.LISTED).delete()
        self.update(mail=None, told_at=None)

    def forgettable(self):
        """Return old notices whose mail is deleted. While the mail is there, they are how it is found."""
        return self.filter(told_at__lt=timezone.now() - KEPT, mail=None)


class StaffNotice(models.Model):
    """Somebody of the staff was told of a comment, or will be."""

    class Kind(models.TextChoices):
        HELD = "held", _("A held comment")
        REPORTED = "reported", _("A comment that readers have reported")
        PUBLIC = "public", _("A new comment")
        # Stands in a mail about several, and is no news by itself.
        LISTED = "listed", _("A comment that still waits")

    # Empty until the chores have found out who is told.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="staff_notices"
    )
    comment = models.ForeignKey("comments.Comment", on_delete=models.CASCADE, related_name="staff_notices")
    kind = models.CharField(max_length=10, choices=Kind)
    # The moderator whose own decision this is: they know.
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    at_once = models.BooleanField(default=False)
    mail = models.ForeignKey("mail.Mail", on_delete=models.SET_NULL, null=True, related_name="staff_notices")
    created_at = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(null=True)

    objects = StaffNoticeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["user", "created_at"], name="staff_waiting", condition=Q(told_at=None)),
            models.Index(fields=["user", "told_at"], name="staff_told"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_kind_display()}"


class MailChoice(models.Model):
    """What a member of staff wants to be told of by mail. Who has no row wants everything."""

    class Reason(models.TextChoices):
        MODERATION = "moderation", _("Comments that you moderate")
        OWN_STORIES = "own_stories", _("New comments on your own stories")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, editable=False, related_name="mail_choice"
    )
    moderation = models.BooleanField(
        _("comments that I moderate"),
        default=True,
        help_text=_("Those that are held or reported, and new ones where the owner wants that."),
    )
    own_stories = models.BooleanField(_("new comments on my own stories"), default=True)

    class Meta:
        verbose_name = _("mails to me")
        verbose_name_plural = _("mails to me")

    def __str__(self) -> str:
        return str(_("Mails to %(account)s") % {"account": self.user})

    @classmethod
    def stop(cls, user, reasons: Iterable[str]) -> None:
        """Send someone no more mails for these reasons, nor those that have not left."""
        with transaction.atomic():
            cls.objects.update_or_create(user=user, defaults=dict.fromkeys(reasons, False))
            StaffNotice.objects.filter(user=user).rewrite()


def note(comments: Iterable["Comment"], kind: str, *, decided_by=None) -> None:
    """Note that the chores are to tell the staff of these comments."""
    notices = [StaffNotice(comment=comment, kind=kind, decided_by=decided_by) for comment in comments]
    StaffNotice.objects.bulk_create(notices)
    transaction.on_commit(written.set)


def cancel(comments: Collection[int]) -> None:
    """Tell nothing any more of comments that someone has decided on, where it has not left yet."""
    StaffNotice.objects.filter(comment__in=comments).cancel()


def cancel_about(stories: Iterable[Article]) -> None:
    """Tell nothing any more of the conversations below stories that are gone."""
    StaffNotice.objects.filter(comment__article__in=[story.pk for story in stories]).cancel()


def forget(comments: models.QuerySet["Comment"] | Collection[int]) -> None:
    """Delete the mails that show these comments, or quote them above an answer."""
    StaffNotice.objects.filter(comment__in=comments).cancel()
    StaffNotice.objects.filter(comment__parent__in=comments).rewrite()
    concerned = Q(staff_notices__comment__in=comments) | Q(staff_notices__comment__parent__in=comments)
    Mail.objects.filter(concerned).delete()
