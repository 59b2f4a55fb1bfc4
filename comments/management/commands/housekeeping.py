import signal
from threading import Event

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from comments import housekeeping
from comments.models import Housekeeping


class Command(BaseCommand):
    help = (
        "Delete what is not kept for ever: old spam and trash, IP addresses, expired sessions and links. "
        "The site does so daily by itself. It can be broken off, and run again, at any time."
    )

    def handle(self, **options):
        stopped = Event()
        before = {
            end: signal.signal(end, lambda *_args: stopped.set()) for end in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            done, is_over = housekeeping.run(stopped)
        finally:
            for end, handler in before.items():
                signal.signal(end, handler)
        for what, count in done.items():
            self.stdout.write(f"{what}: {count}")
        if waiting := housekeeping.put_off():
            begins_at, plans = waiting
            date = date_format(timezone.localtime(begins_at), "DATE_FORMAT")
            self.stdout.write(_("Not before %(date)s: %(what)s") % {"date": date, "what": "; ".join(plans)})
        if is_over:
            Housekeeping.put_off(housekeeping.PAUSE)
            self.stdout.write(_("All is done.") if done else _("There was nothing to do."))
        else:
            self.stdout.write(_("Stopped before the end: the next time goes on."))
