"""What many tests start from."""

from datetime import UTC, datetime
from threading import Event

from comments import announcements, notifications
from comments.models import Comment

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
# What a browser says of a form that one of our own pages has sent.
SAME_ORIGIN = {"sec-fetch-site": "same-origin"}


def announced(*comments: Comment) -> None:
    """Say that comments have become public, and let the chores tell of them."""
    notifications.announce(comments)
    announcements.send_due()


class StoppedAfter(Event):
    """An event that is set once it was asked for so often."""

    def __init__(self, times: int):
        super().__init__()
        self.times = times

    def is_set(self) -> bool:
        self.times -= 1
        return self.times < 0
