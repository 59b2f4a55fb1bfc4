"""SQLite's write-ahead log, which keeps what a transaction has overwritten until others need its room."""

from django.db import DatabaseError, connection

# So long may readers keep it from being emptied. They do not notice.
PATIENCE = 1_000  # milliseconds


def empty() -> bool:
    """Write the log into the database and cut it off. Say whether nothing old is left in it.

    In the middle of a transaction, or while someone reads for long, it stays as it is.
    """
    if connection.vendor != "sqlite":
        return True
    if connection.in_atomic_block:
        return False
    with connection.cursor() as cursor:
        (waits,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {PATIENCE}")
        try:
            (is_busy, _frames, _moved) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except DatabaseError:
            return False
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {waits}")
    return not is_busy
