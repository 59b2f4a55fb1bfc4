"""The database of a site on SQLite, saved and put back."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from transfer.manifest import Refused

FILE = "newsite.sqlite3"
# What SQLite keeps beside a database that is in use.
BESIDE = ["-wal", "-shm", "-journal"]


def save(settings: dict, folder: Path) -> tuple[dict[str, int], list[list[str]]]:
    """Save the database while the site runs. Return its rows by table and its migrations."""
    source_file = Path(settings["NAME"])
    if not source_file.is_file():
        raise Refused(f"There is no database {source_file}.")
    try:
        with closing(opened(source_file)) as source, closing(opened(folder / FILE)) as copy:
            # What is counted and what is copied are of one moment.
            source.execute("BEGIN")
            rows = count(source)
            source.backup(copy)
            # A file by itself: nothing of it stands in a -wal.
            copy.execute("PRAGMA journal_mode=DELETE")
            check(copy, rows)
            return rows, migrations(copy)
    except sqlite3.Error as error:
        raise Refused(f"The database could not be saved: {error}") from error


def put_back(settings: dict, folder: Path, rows: dict[str, int], aside: str) -> list[Path]:
    """Make the copy in folder the database, at once. Return the files of the old one, set aside."""
    target = Path(settings["NAME"])
    staged = target.with_name(f"{target.name}.restoring")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        shutil.copyfile(folder / FILE, staged)
        staged.chmod(0o600)
        with closing(opened(staged)) as copy:
            check(copy, rows)
        synchronise(staged)
        return replaced(target, staged, f"{target.name}.{aside}")
    except sqlite3.Error as error:
        raise Refused(f"The database could not be restored: {error}") from error
    finally:
        staged.unlink(missing_ok=True)


def replaced(target: Path, staged: Path, old_name: str) -> list[Path]:
    """Rename what is there, and then what comes, while nobody else has the old one open."""
    old = target.with_name(old_name)
    beside = []
    with closing(opened(target)) as holder:
        try:
            # Takes what stands in the -wal into the file, and fails while another has it open.
            holder.execute("PRAGMA journal_mode=DELETE")
            holder.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorname.startswith("SQLITE_BUSY"):
                raise Refused("The database is in use. Stop the site first.") from error
            # It is broken, which may be why a backup is wanted: it is set aside as it is.
            beside = BESIDE
        is_empty = target.stat().st_size == 0
        moved = []
        for ending in ["", *beside]:
            if (path := target.with_name(target.name + ending)).exists():
                moved.append(path.rename(old.with_name(old.name + ending)))
        staged.rename(target)
    synchronise(target.parent)
    if is_empty:
        old.unlink()
    return [path for path in moved if path.exists()]


def opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=5, isolation_level=None)


def tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY 1"
    )
    return [name for (name,) in found]


def count(connection: sqlite3.Connection) -> dict[str, int]:
    return {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 (a name of its own)
        for name in tables(connection)
    }


def migrations(connection: sqlite3.Connection) -> list[list[str]]:
    return [list(row) for row in connection.execute("SELECT app, name FROM django_migrations ORDER BY id")]


def check(connection: sqlite3.Connection, rows: dict[str, int]) -> None:
    (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise Refused(f"The database is broken: {verdict}")
    if count(connection) != rows:
        raise Refused("The copy of the database has not as many rows as were saved.")


def synchronise(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
