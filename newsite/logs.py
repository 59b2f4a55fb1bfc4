"""What is written into the log, and what neither the log nor a mail that has left may keep."""

import re
import time
import traceback
from copy import copy
from logging import Formatter, LogRecord, StreamHandler, makeLogRecord
from textwrap import indent

from newsite.not_now import is_not_now

# For so many seconds a fault is not written again, only counted, and so many are known at once.
COUNTED_FOR = 5 * 60
KNOWN = 100

# What stands behind these addresses opens somebody's own pages, or decides for somebody.
TOKENS = re.compile(r"(/comments/(?:mail|mine|moderate|yours)/)[^\s'\"<>]+")

# What ends a line, or does so in the eyes of some program.
BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# No line of a traceback looks like one of the log's own.
INDENTED = "  "


def without_tokens(text: str) -> str:
    return TOKENS.sub(r"\1…", text)


class SafeFormatter(Formatter):
    """Keeps tokens out of the log, and lets nobody but the site begin a line of it.

    Django names the address of every request that fails, errors have the words of strangers
    and of other servers in them, and fail2ban shuts out at the firewall whom a line names.
    """

    def format(self, record: LogRecord) -> str:
        return without_tokens(super().format(record))

    def formatMessage(self, record: LogRecord) -> str:
        return BREAKS.sub(lambda found: ascii(found[0])[1:-1], super().formatMessage(record))

    def formatException(self, exc_info) -> str:
        return indent(super().formatException(exc_info), INDENTED)


def keep_tracebacks_for_faults(record: LogRecord) -> bool:
    """Write one line about a bad request: only a fault of our own needs a traceback."""
    if record.name.startswith("django.security") or getattr(record, "status_code", 500) < 500:
        record.exc_info = None
    return True


class CountingHandler(StreamHandler):
    """Writes a fault once, and in one line how often it has come again.

    That line is written before whatever is logged next after five minutes, and when the process ends.
    Python calls `emit` and `close` for one thread at a time.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.known: dict[tuple, Repeated] = {}

    def emit(self, record: LogRecord) -> None:
        now = time.time()
        for key in [key for key, repeated in self.known.items() if repeated.since <= now - COUNTED_FOR]:
            self._tell(key)
        key = _fault(record)
        if key in self.known:
            self.known[key].times += 1
            return
        if key:
            if len(self.known) == KNOWN:
                self._tell(next(iter(self.known)))
            self.known[key] = Repeated(record, now)
        super().emit(_in_one_line(record))

    def close(self) -> None:
        self.acquire()
        try:
            for key in list(self.known):
                self._tell(key)
        finally:
            self.release()
        super().close()

    def _tell(self, key: tuple) -> None:
        repeated = self.known.pop(key)
        if repeated.times:
            super().emit(repeated.told())


class Repeated:
    """A fault, since when it is counted, and how often it has come again."""

    def __init__(self, record: LogRecord, since: float):
        self.since, self.times = since, 0
        self.facts = {name: getattr(record, name) for name in ("name", "levelno", "levelname")}
        self.text = _error_text(record)

    def told(self) -> LogRecord:
        minutes = max(1, round((time.time() - self.since) / 60))
        text = f"The same again, {self.times} times in {minutes} min: {self.text}"
        return makeLogRecord({**self.facts, "msg": text})


def _fault(record: LogRecord) -> tuple:
    """Return what tells one fault from another. Empty where a record is of none."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return ()
    if is_not_now(error):
        # Wherever the database is away, it is the same.
        return (type(error), _error_text(record))
    places = traceback.extract_tb(error.__traceback__)
    place = (places[-1].filename, places[-1].lineno) if places else ()
    return (record.name, type(error), *place)


def _error_text(record: LogRecord) -> str:
    error = record.exc_info[1] if record.exc_info else None
    lines = traceback.format_exception_only(error)
    return lines[0].partition("\n")[0]


def _in_one_line(record: LogRecord) -> LogRecord:
    """Name what passes, without the traceback: it shows no fault of the code."""
    if not record.exc_info or not is_not_now(record.exc_info[1]):
        return record
    shown = copy(record)
    shown.msg, shown.args, shown.exc_info = f"{record.getMessage()} ({_error_text(record)})", None, None
    return shown
