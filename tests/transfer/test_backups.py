import fcntl
import json
import os
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from articles.models import Article
from tests.factories import make_article
from transfer import backups, sqlite
from transfer.manifest import digest_of

NOW = "2026-11-29T15:26:11Z"

sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="It is about a file of SQLite.")


def backup(folder: Path, **options) -> str:
    output = StringIO()
    call_command("backup", str(folder), stdout=output, **options)
    return output.getvalue()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_backup_holds_all_that_cannot_be_made_again_and_says_so(site, tmp_path, time_machine):
    time_machine.move_to(NOW, tick=False)

    said = backup(tmp_path / "backups")

    made = tmp_path / "backups/newsite-20261129-152611"
    database = "newsite.sqlite3" if connection.vendor == "sqlite" else "newsite.dump"
    manifest = json.loads((made / "manifest.json").read_text())
    rows = manifest.pop("rows")
    assert said == f"Saved: {made}\n"
    assert names(made) == ["env", "manifest.json", "media", database, "secret_key"]
    assert (made / "media/images/2026/lead.png").read_bytes() == b"a picture"
    assert ((made / "env").read_text(), (made / "secret_key").read_text()) == ("SITE_NAME=Bote\n", "the key")
    files = ["env", "media/images/2026/lead.png", database, "secret_key"]
    assert manifest == {
        "format": 1,
        "made": "2026-11-29T15:26:11+00:00",
        "database": connection.vendor,
        "migrations": [list(key) for key in MigrationRecorder(connection).applied_migrations()],
        "files": {name: digest_of(made / name) for name in files},
    }
    assert (rows["articles_article"], rows["comments_comment"], rows["articles_author"]) == (1, 1, 0)
    assert sorted(rows) == sorted(connection.introspection.table_names())


def test_nobody_else_may_read_a_backup(site, tmp_path):
    backup(tmp_path / "backups")

    found = [tmp_path / "backups", *(tmp_path / "backups").rglob("*")]
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in found}
    assert modes == {(True, 0o700), (False, 0o600)}


@sqlite_only
def test_a_backup_is_of_one_moment_while_somebody_writes(site, tmp_path):
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM mail_mail")
        other.execute("UPDATE articles_article SET title = 'Half'")

        backup(tmp_path)

        other.execute("ROLLBACK")
    (made,) = tmp_path.glob("newsite-*")
    with closing(sqlite3.connect(made / sqlite.FILE)) as copy:
        assert copy.execute("SELECT title FROM articles_article").fetchall() == [("Kept",)]
    assert names(made) == ["env", "manifest.json", "media", "newsite.sqlite3", "secret_key"]


def test_a_backup_that_fails_leaves_nothing(site, tmp_path, settings):
    picture = Path(settings.MEDIA_ROOT, "images/2026/lead.png")
    picture.unlink()
    os.mkfifo(picture)  # no file that could be copied

    with pytest.raises(CommandError, match="is a named pipe"):
        backup(tmp_path / "backups")

    assert names(tmp_path / "backups") == []


def test_what_a_killed_backup_has_left_goes_with_the_next(site, tmp_path):
    left = tmp_path / "backups/.newsite-20261128-030000"
    left.mkdir(parents=True)
    (left / "newsite.sqlite3").write_text("half")
    (tmp_path / "backups/.snapshots").mkdir()

    backup(tmp_path / "backups")

    assert [name for name in names(tmp_path / "backups") if name[0] == "."] == [".snapshots"]


def test_the_newest_backups_are_kept_and_nothing_else_is_deleted(site, tmp_path, time_machine):
    folder = tmp_path / "backups"
    for day in range(3):
        time_machine.move_to(f"2026-11-{26 + day}T03:00:00Z")
        backup(folder)
    (folder / "newsite-20200101-000000").mkdir()  # not one of ours: it has no manifest
    (folder / "newsite-old").mkdir()
    time_machine.move_to("2026-11-29T03:00:00Z", tick=False)

    said = backup(folder, keep=2)

    gone = [f"Deleted: {folder}/newsite-20261126-030000", f"Deleted: {folder}/newsite-20261127-030000"]
    assert said.splitlines()[1:] == gone
    assert names(folder) == [
        "newsite-20200101-000000",
        "newsite-20261128-030000",
        "newsite-20261129-030000",
        "newsite-old",
    ]


def test_no_older_backup_goes_where_the_new_one_fails(site, tmp_path, settings, time_machine):
    time_machine.move_to(NOW)
    backup(tmp_path / "backups")
    time_machine.shift(timedelta(days=1))
    os.mkfifo(Path(settings.MEDIA_ROOT, "pipe"))

    with pytest.raises(CommandError):
        backup(tmp_path / "backups", keep=1)

    assert names(tmp_path / "backups") == ["newsite-20261129-152611"]


def test_no_backup_is_written_over_another(site, tmp_path, time_machine):
    time_machine.move_to(NOW, tick=False)
    backup(tmp_path / "backups")
    make_article(title="Later")

    with pytest.raises(CommandError, match="There is already .*newsite-20261129-152611"):
        backup(tmp_path / "backups")

    manifest = json.loads((tmp_path / "backups/newsite-20261129-152611/manifest.json").read_text())
    assert (manifest["rows"]["articles_article"], Article.objects.count()) == (1, 2)


@pytest.mark.parametrize("public", ["MEDIA_ROOT", "STATIC_ROOT"])
def test_no_backup_stands_where_anyone_could_fetch_it(site, settings, public):
    with pytest.raises(CommandError, match="Anyone could fetch a backup"):
        backup(Path(getattr(settings, public), "backups"))

    assert not Path(getattr(settings, public), "backups").exists()


def test_one_backup_is_made_at_a_time(site, tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        with pytest.raises(CommandError, match="Another backup is being made"):
            backup(tmp_path)
    finally:
        os.close(folder)

    assert backups.finished_in(tmp_path) == []


@pytest.mark.parametrize("keep", ["0", "-1", "x"])
def test_at_least_the_backup_itself_is_kept(site, tmp_path, keep):
    with pytest.raises(CommandError, match="--keep"):
        call_command("backup", str(tmp_path / "backups"), f"--keep={keep}")

    assert not (tmp_path / "backups").exists()


@sqlite_only
def test_a_site_without_a_database_is_told_so(site, tmp_path, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "none.sqlite3"))

    with pytest.raises(CommandError, match=r"There is no database .*none\.sqlite3"):
        backup(tmp_path / "backups")

    assert (names(tmp_path / "backups"), (tmp_path / "none.sqlite3").exists()) == ([], False)
