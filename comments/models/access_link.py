from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mail.models import Mail

# So long a link by mail may be opened, and so long what it opens stays open.
LINK_LASTS = timedelta(minutes=30)


class AccessLinkQuerySet(models.QuerySet["AccessLink"]):
    def unopened(self):
        """Return the links that still work. The time of one whose mail had to wait begins when that leaves."""
        since = timezone.now() - LINK_LASTS
        is_new = models.Q(created_at__gt=since) | models.Q(mail__sent_at__gt=since)
        return self.filter(is_new, opened_at=None).exclude(email="")

    def opened(self):
        """Return the links that were opened lately: what they opened is still open."""
        return self.filter(opened_at__gt=timezone.now() - LINK_LASTS)


class AccessLink(models.Model):
    """A request for a link to everything written with an address. The link opens once.

    Every request has a row, so that it takes as long for every address. The address is kept
    only where a mail was sent.
    """

    email = models.EmailField(_("email"), max_length=254, blank=True)
    # Of the token in the link. Who reads the table can open nothing with it.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    mail = models.ForeignKey(
        Mail, on_delete=models.SET_NULL, null=True, editable=False, related_name="access_links"
    )
    created_at = models.DateTimeField(_("asked for"), default=timezone.now, editable=False)
    opened_at = models.DateTimeField(_("opened"), null=True, editable=False)

    objects = AccessLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("link by email")
        verbose_name_plural = _("links by email")
        indexes = [models.Index(fields=["email", "created_at"], name="access_link_person")]

    def __str__(self) -> str:
        return f"{self.email} {self.created_at}"
