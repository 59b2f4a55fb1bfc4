"""Backups: each is a folder that holds all that cannot be made again.

newsite-20261129-152611/    when it was begun, in UTC
    manifest.json           what is in it: see transfer/manifest.py
    newsite.sqlite3         the database; newsite.dump with PostgreSQL
    media/                  the pictures
    env, secret_key         the settings and the key, where the site has such files
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from django.conf import settings
from django.db import connection

from transfer import postgresql, sqlite
from transfer.manifest import NAME as MANIFEST
from transfer.manifest import Manifest, Refused, digest_of

FINISHED = re.compile(r"newsite-\d{8}-\d{6}")
UNFINISHED = re.compile(r"\.newsite-\d{8}-\d{6}")
# What a restore keeps beside the pictures is no picture.
SET_ASIDE = re.compile(r"\.(restoring|before-restore-\d{8}-\d{6})")


def database() -> tuple[str, ModuleType]:
    """Return the kind of the site's database, and the module that saves it."""
    kinds = {"sqlite": sqlite, "postgresql": postgresql}
    return connection.vendor, kinds[connection.vendor]


def make(folder: Path) -> Path:
    """Make a backup in folder, whole or not at all, and return where it is."""
    refuse_public(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"newsite-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    finished, unfinished = folder / name, folder / f".{name}"
    with alone_in(folder), private_files():
        if finished.exists():
            raise Refused(f"There is already {finished}.")
        for left in folder.iterdir():
            # Nobody else writes here now: the backup was broken off.
            if UNFINISHED.fullmatch(left.name):
                shutil.rmtree(left)
        unfinished.mkdir(mode=0o700)
        try:
            fill(unfinished)
            unfinished.rename(finished)
        except BaseException:
            shutil.rmtree(unfinished)
            raise
        sqlite.synchronise(folder)
    return finished


def fill(folder: Path) -> None:
    """Save the database first, so that every picture that it names is there still."""
    begun = datetime.now(UTC).isoformat(timespec="seconds")
    kind, module = database()
    rows, migrations = module.save(connection.settings_dict, folder)
    for source, name in [
        (settings.BASE_DIR / ".env", "env"),
        (settings.VAR_DIR / "secret_key", "secret_key"),
    ]:
        if source.is_file():
            shutil.copyfile(source, folder / name)
    copy_pictures(Path(settings.MEDIA_ROOT), folder / "media")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digests = {path.relative_to(folder).as_posix(): digest_of(path) for path in files}
    Manifest(begun, kind, migrations, rows, digests).write(folder)
    for path in [*folder.rglob("*"), folder]:
        sqlite.synchronise(path)


def walk_pictures(media: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Walk through the pictures, but for those that a restore has set aside."""
    for place, folders, names in os.walk(media):
        if Path(place) == media:
            folders[:] = [name for name in folders if not SET_ASIDE.fullmatch(name)]
        yield Path(place), folders, names


def copy_pictures(source: Path, target: Path) -> None:
    target.mkdir()
    for place, folders, names in walk_pictures(source):
        here = target / place.relative_to(source)
        for name in folders:
            (here / name).mkdir()
        for name in names:
            try:
                shutil.copyfile(place / name, here / name)
            except FileNotFoundError:
                # An editor has deleted it meanwhile.
                (here / name).unlink(missing_ok=True)


def finished_in(folder: Path) -> list[Path]:
    """Return the backups in a folder, the oldest first."""
    return sorted(
        path for path in folder.iterdir() if FINISHED.fullmatch(path.name) and (path / MANIFEST).is_file()
    )


def forget_older(folder: Path, keep: int) -> list[Path]:
    """Delete all but the newest backups, and return those that went."""
    older = finished_in(folder)[:-keep]
    with alone_in(folder):
        for path in older:
            # Without its manifest it is no backup any more, should the deletion be broken off.
            (path / MANIFEST).unlink()
            shutil.rmtree(path)
    return older


def refuse_public(folder: Path) -> None:
    public = [Path(settings.MEDIA_ROOT), Path(settings.STATIC_ROOT)]
    if any(folder.resolve().is_relative_to(place.resolve()) for place in public):
        raise Refused(f"Anyone could fetch a backup in {folder}: it is a folder of the website.")


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise Refused(f"Another backup is being made in {folder}.") from error
    finally:
        os.close(descriptor)


@contextmanager
def private_files() -> Iterator[None]:
    """Let nobody else read what is written: it has passwords, addresses and sessions in it."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
