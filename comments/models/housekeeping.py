from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# Much longer than a process keeps house at a time.
HOUSEKEEPING_CLAIM = timedelta(minutes=10)


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

        If the process that claimed it dies, another may claim it after `HOUSEKEEPING_CLAIM`.
        """
        row, _is_new = cls.objects.get_or_create(pk=1)
        now = timezone.now()
        is_due = row.due_at <= now
        return is_due and bool(cls.objects.filter(due_at=row.due_at).update(due_at=now + HOUSEKEEPING_CLAIM))

    @classmethod
    def put_off(cls, pause: timedelta) -> None:
        cls.objects.update_or_create(pk=1, defaults={"due_at": timezone.now() + pause})
