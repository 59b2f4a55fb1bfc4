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
from newsite.not_now import is_not_now

logger = logging.getLogger(__name__)

# So often, in seconds, the thread looks for what became due, or was written elsewhere.
PAUSE = 5


class Chores(threading.Thread):
    """Does what is due, again and again. A process that ends takes the thread with it."""

    def __init__(self) -> None:
        super().__init__(name="chores", daemon=True)
        self.stopped = threading.Event()
        # What waits for a database that is away, or a disk that is full.
        self.waiting: set[str] = set()

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
                self._attempt(delivery.tell_of_late)
            self._attempt(moderator_mails.send_due)
            self._attempt(delivery.deliver_due, self.stopped, last_look.discard)
            written.wait(PAUSE)
        self._attempt(delivery.note_taken)
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
        except Exception as error:
            # What fails now is tried again in the next round.
            if is_not_now(error):
                self._wait(chore, error)
            else:
                logger.exception("A chore failed.")
        else:
            self._go_on(chore)
        finally:
            close_old_connections()

    def _wait(self, chore, error: Exception) -> None:
        """Tell once of what passes, however long it takes."""
        if not self.waiting:
            logger.warning("What is due beside the requests waits: %s", str(error).partition("\n")[0])
        self.waiting.add(chore.__qualname__)

    def _go_on(self, chore) -> None:
        if chore.__qualname__ in self.waiting:
            self.waiting.remove(chore.__qualname__)
            if not self.waiting:
                logger.warning("What is due beside the requests goes on.")


def start_beside_requests() -> None:
    """Do the chores in this web process, unless a worker of its own does them."""
    if not settings.MAIL_WORKER:
        Chores().start()
