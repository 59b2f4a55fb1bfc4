import shutil
from pathlib import Path

import pytest
from django.db import connection

from tests.factories import make_article, make_comment


@pytest.fixture
def site(transactional_db, settings, tmp_path):
    """A site with a story, a comment, a picture, settings and a key, in folders of its own."""
    settings.BASE_DIR = tmp_path / "site"
    settings.VAR_DIR = settings.BASE_DIR / "var"
    settings.VAR_DIR.mkdir(parents=True)
    (settings.BASE_DIR / ".env").write_text("SITE_NAME=Bote\n")
    (settings.VAR_DIR / "secret_key").write_text("the key")
    picture = Path(settings.MEDIA_ROOT, "images/2026/lead.png")
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"a picture")
    make_comment(article=make_article(title="Kept"), body="Kept as well")
    yield settings.BASE_DIR
    clear_away()


def clear_away() -> None:
    """Delete the databases that a restore has set aside."""
    if connection.vendor == "sqlite":
        file = Path(connection.settings_dict["NAME"])
        for old in file.parent.glob(f"{file.name}.before-restore-*"):
            old.unlink()
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'before_restore_%'")
        for (schema,) in cursor.fetchall():
            cursor.execute(f'DROP SCHEMA "{schema}" CASCADE')


@pytest.fixture
def emptied(site, settings):
    """Take everything from the site that a backup gives back, but for its settings."""
    kept = []

    def empty() -> None:
        kept.append(take_away_database())
        for entry in Path(settings.MEDIA_ROOT).iterdir():
            shutil.rmtree(entry)
        (settings.VAR_DIR / "secret_key").unlink()

    yield empty
    # The next test needs it, also where nothing was restored.
    for database in kept:
        bring_back_database(database)


def take_away_database() -> Path | None:
    connection.close()
    if connection.vendor == "sqlite":
        file = Path(connection.settings_dict["NAME"])
        return file.rename(file.with_name("taken.sqlite3"))
    with connection.cursor() as cursor:
        cursor.execute("ALTER SCHEMA public RENAME TO taken; CREATE SCHEMA public")
    connection.close()
    return None


def bring_back_database(file: Path | None) -> None:
    connection.close()
    if file:
        for ending in ("", "-wal", "-shm"):
            Path(connection.settings_dict["NAME"] + ending).unlink(missing_ok=True)
        file.rename(connection.settings_dict["NAME"])
        return
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; ALTER SCHEMA taken RENAME TO public")
