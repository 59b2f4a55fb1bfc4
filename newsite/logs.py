"""What is written into the log, and what is not."""

import re
from logging import Formatter, LogRecord

# Django names the address of every request that fails. What stands behind these opens
# somebody's own pages, or decides for somebody.
TOKENS = re.compile(r"(/comments/(?:mail|mine|moderate|yours)/)[^\s'\"]+")


class WithoutTokens(Formatter):
    def format(self, record: LogRecord) -> str:
        return TOKENS.sub(r"\1…", super().format(record))


def keep_tracebacks_for_faults(record: LogRecord) -> bool:
    """Write one line about a bad request: only a fault of our own needs a traceback."""
    if record.name.startswith("django.security") or getattr(record, "status_code", 500) < 500:
        record.exc_info = None
    return True
