"""What is written into the log, and what neither the log nor a mail that has left may keep."""

import re
from logging import Formatter, LogRecord

# What stands behind these addresses opens somebody's own pages, or decides for somebody.
TOKENS = re.compile(r"(/comments/(?:mail|mine|moderate|yours)/)[^\s'\"<>]+")


def without_tokens(text: str) -> str:
    return TOKENS.sub(r"\1…", text)


class WithoutTokens(Formatter):
    """Django names the address of every request that fails."""

    def format(self, record: LogRecord) -> str:
        return without_tokens(super().format(record))


def keep_tracebacks_for_faults(record: LogRecord) -> bool:
    """Write one line about a bad request: only a fault of our own needs a traceback."""
    if record.name.startswith("django.security") or getattr(record, "status_code", 500) < 500:
        record.exc_info = None
    return True
