"""Services elsewhere that are late are left alone for a while: whoever waits for one holds a thread of the site.

Each process finds out by itself, and begins anew when it is started.
"""

import logging
from datetime import datetime, timedelta
from threading import Lock

from django.utils import timezone

logger = logging.getLogger(__name__)

LATE_IN_A_ROW = 3
PAUSE = timedelta(minutes=1)


class Fuse:
    """Whether one service may be asked: not for a minute, after three times in a row when it was late."""

    def __init__(self, service: str):
        self.service = service
        self.late = 0
        self.ends_at: datetime | None = None
        self.lock = Lock()

    def lets_ask(self) -> bool:
        """Say whether to ask. After the pause the first who comes tries, and the others wait on."""
        with self.lock:
            if self.ends_at is None:
                return True
            now = timezone.now()
            if now < self.ends_at:
                return False
            self.ends_at = now + PAUSE
            return True

    def was_late(self) -> None:
        with self.lock:
            self.late += 1
            if self.late < LATE_IN_A_ROW:
                return
            if self.ends_at is None:
                logger.warning(
                    "%s was late %d times in a row: it is asked once a minute until it answers",
                    self.service,
                    self.late,
                )
            self.ends_at = timezone.now() + PAUSE

    def was_in_time(self) -> None:
        with self.lock:
            if self.ends_at is not None:
                logger.warning("%s answers again: it is asked about every comment", self.service)
            self.late, self.ends_at = 0, None
