"""A backup becomes the site again; what was there is set aside."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import DatabaseError, OperationalError, connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model

from articles.models import Article
from comments.models import Comment
from transfer import backups, moving, sqlite
from transfer.manifest import Manifest, Refused, digest_of

STAGED = ".restoring"


def restore(backup: Path, *, replace: bool) -> list[str]:
    """Restore a backup, or change nothing. Return what was set aside, to be deleted by the owner."""
    manifest = Manifest.read(backup)
    refuse_newer(manifest)
    refuse_other_settings(backup)
    has_others = pictures_here().items() - pictures_in(manifest).items()
    if not replace and (has_others or has_rows()):
        raise Refused(
            "This site has stories, comments, accounts or pictures. To set them aside and restore: --replace"
        )
    manifest.check_files(backup)
    aside = f"before-restore-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    with pictures_of(backup, aside, manifest) as old_pictures:
        old_database = put_back_database(backup, manifest, aside)
    old_key = put_back_key(backup, aside)
    return [str(old) for old in [*old_database, *old_pictures, *old_key]]


def put_back_database(backup: Path, manifest: Manifest, aside: str) -> list:
    kind, module = backups.database()
    connections.close_all()
    if kind == manifest.database:
        return module.put_back(connection.settings_dict, backup, manifest.rows, aside)
    if (manifest.database, kind) != ("sqlite", "postgresql"):
        raise Refused(f"The backup is of {manifest.database}, and this site's database is {kind}.")
    if has_rows():
        raise Refused("From SQLite to PostgreSQL a site moves into an empty database alone.")
    moving.move(backup / sqlite.FILE, manifest)
    return []


def refuse_newer(manifest: Manifest) -> None:
    loader = MigrationLoader(None)
    unknown = [
        f"{app} {name}"
        for app, name in manifest.migrations
        if app in loader.migrated_apps and (app, name) not in loader.disk_migrations
    ]
    if unknown:
        raise Refused(f"A newer Newsite made this backup ({unknown[-1]}): upgrade the program first.")


def refuse_other_settings(backup: Path) -> None:
    """The settings say where the database and the pictures are: they have to be there before."""
    if (backup / "env").is_file() and not (settings.BASE_DIR / ".env").is_file():
        raise Refused(
            f"The settings come first: copy {backup / 'env'} to {settings.BASE_DIR / '.env'} with mode 600, "
            "change in it what is different on this machine, and restore again."
        )


def notes(backup: Path) -> list[str]:
    """Return what the owner should know after a restore."""
    applied = {tuple(migration) for migration in Manifest.read(backup).migrations}
    lines = []
    if not MigrationLoader(None).disk_migrations.keys() <= applied:
        lines.append("The backup is of an older Newsite. Before the start: manage.py migrate")
    saved, here = backup / "env", settings.BASE_DIR / ".env"
    if saved.is_file() and saved.read_bytes() != here.read_bytes():
        lines.append(f"{here} stays as it is. Other settings were saved: {saved}")
    return lines


def pictures_here() -> dict[str, str]:
    """Return the SHA-256 of each picture of the site, by its path in a backup."""
    media = Path(settings.MEDIA_ROOT)
    walked = backups.walk_pictures(media)
    found = [place / name for place, _folders, names in walked for name in names]
    return {Path("media", path.relative_to(media)).as_posix(): digest_of(path) for path in found}


def pictures_in(manifest: Manifest) -> dict[str, str]:
    return {name: digest for name, digest in manifest.files.items() if name.startswith("media/")}


def has_rows() -> bool:
    """Say whether the database has an account, a story or a comment."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite" and not (Path(name).is_file() and Path(name).stat().st_size):
        return False
    try:
        tables = set(connection.introspection.table_names())
        models: list[type[Model]] = [get_user_model(), Article, Comment]
        return any(model._meta.db_table in tables and model._default_manager.exists() for model in models)
    except OperationalError as error:
        raise Refused(f"The database cannot be reached: {error}") from error
    except DatabaseError:
        # It is broken, and what was in it may be saved yet.
        return True


@contextmanager
def pictures_of(backup: Path, aside: str, manifest: Manifest) -> Iterator[list[Path]]:
    """Let the pictures of a backup be those of the site, unless the block fails.

    Yield where the old ones are. The media folder itself stays, with its owner and its rights.
    """
    if pictures_here() == pictures_in(manifest):
        # As where a site moves to another database.
        yield []
        return
    media = Path(settings.MEDIA_ROOT)
    media.mkdir(parents=True, exist_ok=True)
    staged, old = media / STAGED, media / f".{aside}"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(mode=0o700)
    try:
        stage(backup / "media", staged, media.stat().st_mode & 0o7777)
        before = [path for path in media.iterdir() if not backups.SET_ASIDE.fullmatch(path.name)]
        old.mkdir(mode=0o700)
        swap(before, old)
        arrived = swap(list(staged.iterdir()), media)
        try:
            yield [old] if before else []
        except BaseException:
            swap(arrived, staged)
            swap(list(old.iterdir()), media)
            raise
        finally:
            if not any(old.iterdir()):
                old.rmdir()
    finally:
        shutil.rmtree(staged)


def stage(source: Path, target: Path, folder_mode: int) -> None:
    """Copy pictures so that the web server may read them, as it may those that were uploaded."""
    for entry in sorted(source.iterdir()):
        copy = target / entry.name
        if entry.is_dir():
            copy.mkdir()
            stage(entry, copy, folder_mode)
            copy.chmod(folder_mode)
        else:
            shutil.copyfile(entry, copy)
            copy.chmod(settings.FILE_UPLOAD_PERMISSIONS)
            sqlite.synchronise(copy)


def swap(paths: list[Path], folder: Path) -> list[Path]:
    return [path.rename(folder / path.name) for path in paths]


def put_back_key(backup: Path, aside: str) -> list[Path]:
    """Put back the file with the key, which signs links that are out already."""
    saved, key = backup / "secret_key", settings.VAR_DIR / "secret_key"
    if not saved.is_file() or (key.is_file() and key.read_bytes() == saved.read_bytes()):
        return []
    old = [key.rename(key.with_name(f"{key.name}.{aside}"))] if key.is_file() else []
    with backups.private_files():
        shutil.copyfile(saved, key)
    return old
