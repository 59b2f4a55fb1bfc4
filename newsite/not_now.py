"""What fails although the site is right: the database is away or busy, the disk is full.

It passes, so that what was sent can be sent again. A fault of the code does not.
"""

import errno
import sqlite3

from django.db import InterfaceError, InternalError, OperationalError
from django.db.transaction import TransactionManagementError

# After so many seconds whoever sent something may try again.
RETRY_AFTER = 60

# SQLite calls it an OperationalError, too, where a table is missing.
SQLITE_CODES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}
# PostgreSQL calls it an InternalError where a server takes no writes.
READ_ONLY = "25006"

ERRNOS = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOSPC,
    errno.EROFS,
}


def is_not_now(error: BaseException | None) -> bool:
    """Say whether an error is of the kind that passes."""
    if isinstance(error, TransactionManagementError):
        # What came after the error that broke the transaction.
        return is_not_now(error.__cause__)
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "sqlstate", None) == READ_ONLY
    if isinstance(error, OperationalError | InterfaceError):
        code = getattr(error.__cause__, "sqlite_errorcode", None)
        # The lowest byte tells the kind, the others tell more of it.
        return code is None or code & 0xFF in SQLITE_CODES
    return isinstance(error, OSError) and error.errno in ERRNOS
