"""What many tests start from."""

from datetime import UTC, datetime

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
# What a browser says of a form that one of our own pages has sent.
SAME_ORIGIN = {"sec-fetch-site": "same-origin"}
