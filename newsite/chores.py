"""What is done beside the requests: by a thread of each web process, or by `manage.py worker`."""

import logging
import threading
import time

from django.conf import settings
from django.db import close_old_connections, connections

from comments import announcements, digests, housekeeping, last_look, moderator_mails
from mail import delivery
from mail.models import written
from newsite.models import Heartbeat

logger = logging.getLogger(__name__)

# So often, in seconds, the thread looks for what became due, or was written elsewhere.
PAUSE = 5


class Chores(threading.Thread):
    """Does what is due, again and again. A process that ends takes the thread with it."""

    def __init__(self):
        super().__init__(name="chores", daemon=True)
        self.stopped = threading.Event()

    def run(self):
        next_minute = 0.0
        while not self.stopped.is_set():
            written.clear()
            self._attempt(announcements.send_due, self.stopped)
            if time.monotonic() >= next_minute:
                next_minute = time.monotonic() + 60
                self._attempt(Heartbeat.beat)
                self._attempt(digests.send_digests)
                self._attempt(housekeeping.run_if_due, self.stopped)
            self._attempt(moderator_mails.send_due)
            self._attempt(delivery.deliver_due, self.stopped, last_look.discard)
            written.wait(PAUSE)
        connections.close_all()

    def stop(self) -> None:
        """End after the mail that is being sent."""
        self.stopped.set()
        written.set()
        self.join()

    def _attempt(self, chore, *args) -> None:
        close_old_connections()
        try:
            chore(*args)
        except Exception:
            # What fails now, as when the database is away, is tried again in the next round.
            logger.exception("A chore failed.")
        finally:
            close_old_connections()


def start_beside_requests() -> None:
    """Do the chores in this web process, unless a worker of its own does them."""
    if not settings.MAIL_WORKER:
        Chores().start()
