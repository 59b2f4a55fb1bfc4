from collections.abc import Iterable
from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# Much longer than a process keeps house at a time.
HOUSEKEEPING_CLAIM = timedelta(minutes=10)
# So long owners have to look at a timer that is new to their site.
TIMER_WAITS = timedelta(days=7)


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


class TimerQuerySet(models.QuerySet["Timer"]):
    def put_off(self):
        """Return those that delete nothing yet."""
        return self.filter(begins_at__gt=timezone.now())


class Timer(models.Model):
    """From when on one kind of thing is deleted after its time. Empty: since there is the site.

    An upgrade deletes nothing unasked. A new timer is written down by its migration, which
    sees whether the site has anything yet; one that is met without that waits for a week.
    """

    name = models.CharField(max_length=20, primary_key=True)
    begins_at = models.DateTimeField(null=True)

    objects = TimerQuerySet.as_manager()

    class Meta:
        verbose_name = _("timer")
        verbose_name_plural = _("timers")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def waiting(cls, names: Iterable[str]) -> set[str]:
        """Return which of these timers delete nothing yet."""
        begins_at = dict(cls.objects.values_list("name", "begins_at"))
        unknown = set(names) - begins_at.keys()
        if unknown:
            week = timezone.now() + TIMER_WAITS
            Timer.objects.bulk_create(
                [Timer(name=name, begins_at=week) for name in unknown], ignore_conflicts=True
            )
        return unknown | {name for name, at in begins_at.items() if at is not None and at > timezone.now()}
