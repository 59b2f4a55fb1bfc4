from django.db import models
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

# The hash of a sender has hexadecimal digits only. In every order of letters, this comes after them.
NOBODY = "x"


class Report(models.Model):
    """A reader asks the moderators to look at a comment. Who it is, is not kept."""

    class Reason(models.TextChoices):
        SPAM = "spam", _("Spam or advertising")
        ABUSE = "abuse", _("Insults, threats or hatred")
        PERSONAL_DATA = "personal-data", _("Someone’s personal information")
        OTHER = "other", _("Something else")

    comment = models.ForeignKey(
        "comments.Comment", verbose_name=_("comment"), on_delete=models.CASCADE, related_name="reports"
    )
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    text = models.TextField(_("text"), max_length=1000, blank=True)
    # Keyed hashes of the network that it came from, and of the widest that may be one person's:
    # enough to tell two senders apart, and to count those who are surely not one.
    sender = models.CharField(max_length=64, editable=False)
    neighbourhood = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(_("reported"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        indexes = [models.Index(fields=["sender", "-created_at"], name="report_sender")]

    def __str__(self) -> str:
        return str(self.get_reason_display())

    def forget_sender(self) -> None:
        """Forget who sent it, and the words, which may tell that. Two senders stay two."""
        self.sender = self.neighbourhood = nobody()
        self.text = ""
        self.save(update_fields=["sender", "neighbourhood", "text"])


def nobody() -> str:
    """Return a sender who is nobody, and another one each time."""
    return NOBODY + get_random_string(31)
