from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# Of all the processes that do the chores, one writes about so often.
BEAT = timedelta(minutes=1)
# No limit counts what is older.
ATTEMPTS_KEPT = timedelta(days=1)


class Heartbeat(models.Model):
    """When the chores were last done by anybody: one row, by which others know that somebody does them."""

    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.seen_at)

    @classmethod
    def beat(cls) -> None:
        """Note that the chores are done, unless another process has just said so."""
        last, now = cls.last_seen(), timezone.now()
        # A little less than a minute, or who looks once a minute would write every other time.
        if last is None or now - last > BEAT * 0.9:
            cls.objects.update_or_create(pk=1, defaults={"seen_at": now})

    @classmethod
    def last_seen(cls) -> datetime | None:
        return cls.objects.values_list("seen_at", flat=True).first()


class AttemptQuerySet(models.QuerySet["Attempt"]):
    def forgettable(self):
        return self.filter(at__lte=timezone.now() - ATTEMPTS_KEPT)


class Attempt(models.Model):
    """A sender has done once what has a limit. Who it is, is not kept."""

    # A keyed hash of what is done and of a network or an account: see `newsite.limits`.
    sender = models.CharField(max_length=64, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        indexes = [
            models.Index(fields=["sender", "-at"], name="attempt_sender"),
            models.Index(fields=["at"], name="attempt_forgettable"),
        ]

    def __str__(self) -> str:
        return str(self.at)
