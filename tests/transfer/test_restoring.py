import json
import sqlite3
import stat
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from articles.models import Article
from comments.models import Comment
from tests.factories import make_article
from transfer import backups

sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="It is about a file of SQLite.")


@pytest.fixture
def backup(site, tmp_path) -> Path:
    return backups.make(tmp_path / "backups")


def restore(backup: Path, **options) -> str:
    output = StringIO()
    call_command("restore", str(backup), stdout=output, **options)
    return output.getvalue()


def what_the_site_has() -> tuple:
    return (
        sorted(Article.objects.values_list("title", flat=True)),
        sorted(Comment.objects.values_list("body", flat=True)),
    )


def pictures(settings) -> dict[str, bytes]:
    media = Path(settings.MEDIA_ROOT)
    return {
        str(path.relative_to(media)): path.read_bytes()
        for path in media.rglob("*")
        if path.is_file() and not path.relative_to(media).parts[0].startswith(".")
    }


KEPT = (["Kept"], ["Kept as well"])


def test_what_was_destroyed_is_there_again(backup, emptied, settings):
    emptied()

    said = restore(backup)

    assert what_the_site_has() == KEPT
    assert pictures(settings) == {"images/2026/lead.png": b"a picture"}
    assert (settings.VAR_DIR / "secret_key").read_text() == "the key"
    assert said == f"Restored: {backup}\n"


def test_a_restored_site_goes_on(backup, emptied):
    emptied()
    restore(backup)

    make_article(title="Next")

    assert what_the_site_has() == (["Kept", "Next"], ["Kept as well"])


def test_a_site_that_has_data_is_left_alone(backup, settings):
    make_article(title="Newer")

    with pytest.raises(CommandError, match="To set them aside and restore: --replace"):
        restore(backup)

    assert what_the_site_has() == (["Kept", "Newer"], ["Kept as well"])
    assert pictures(settings) == {"images/2026/lead.png": b"a picture"}


def test_pictures_alone_are_data_too(backup, emptied, settings):
    emptied()
    Path(settings.MEDIA_ROOT, "other.png").write_bytes(b"another")

    with pytest.raises(CommandError, match="--replace"):
        restore(backup)

    assert pictures(settings) == {"other.png": b"another"}


def test_what_is_replaced_is_set_aside(backup, settings):
    make_article(title="Newer")
    Path(settings.MEDIA_ROOT, "newer.png").write_bytes(b"a newer picture")
    (settings.VAR_DIR / "secret_key").write_text("another key")

    said = restore(backup, replace=True).splitlines()

    assert what_the_site_has() == KEPT
    assert pictures(settings) == {"images/2026/lead.png": b"a picture"}
    aside = [line.removeprefix("Set aside, to be deleted when all is well: ") for line in said[1:]]
    database, media, key = aside
    assert Path(media, "newer.png").read_bytes() == b"a newer picture"
    assert stat.S_IMODE(Path(media).stat().st_mode) == 0o700
    assert Path(key).read_text() == "another key"
    assert titles_in(database) == ["Kept", "Newer"]


def titles_in(database: str) -> list[str]:
    """Return the titles in a database that was set aside."""
    query = "SELECT title FROM articles_article ORDER BY 1"
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(database)) as old:
            return [title for (title,) in old.execute(query)]
    with connection.cursor() as cursor:
        cursor.execute(query.replace("articles", f"{database.removeprefix('the schema ')}.articles", 1))
        return [title for (title,) in cursor.fetchall()]


def test_what_was_set_aside_is_no_part_of_the_next_backup(backup, tmp_path, time_machine):
    restore(backup, replace=True)
    time_machine.move_to("2030-01-01T00:00:00Z")

    again = backups.make(tmp_path / "backups")

    assert [path.name for path in (again / "media").iterdir()] == ["images"]


def test_the_web_server_reads_restored_pictures_as_it_reads_uploaded_ones(backup, emptied, settings):
    emptied()
    Path(settings.MEDIA_ROOT).chmod(0o2750)

    restore(backup)

    media = Path(settings.MEDIA_ROOT)
    found = [media, *media.rglob("*")]
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in found}
    assert modes == {(True, 0o2750), (False, 0o644)}


def change(backup: Path, **values) -> None:
    manifest = json.loads((backup / "manifest.json").read_text())
    (backup / "manifest.json").write_text(json.dumps({**manifest, **values}))


def spoil(kind: str, backup: Path) -> None:
    manifest = json.loads((backup / "manifest.json").read_text())
    match kind:
        case "another picture":
            (backup / "media/images/2026/lead.png").write_bytes(b"another")
        case "no picture":
            (backup / "media/images/2026/lead.png").unlink()
        case "no manifest":
            (backup / "manifest.json").unlink()
        case "half a manifest":
            (backup / "manifest.json").write_text('{"format": 1')
        case "another form":
            change(backup, format=2)
        case "a part too many":
            change(backup, colour="red")
        case "no list":
            (backup / "manifest.json").write_text("[]")
        case "files elsewhere":
            change(backup, files={"../../etc/passwd": "0"})
        case "another number of rows":
            change(backup, rows={**manifest["rows"], "articles_article": 2})
        case "a newer version":
            change(backup, migrations=[*manifest["migrations"], ["comments", "9999_from_the_future"]])
        case "another database":
            change(backup, database="oracle")


SPOILT = {
    "another picture": r"not whole: media/images/2026/lead\.png is not what was written",
    "no picture": r"not whole: media/images/2026/lead\.png cannot be read",
    "no manifest": "is no backup",
    "half a manifest": "cannot be read",
    "another form": "in a form that this Newsite does not know",
    "a part too many": "cannot be read",
    "no list": "in a form that this Newsite does not know",
    "files elsewhere": "names files outside",
    "another number of rows": "not as many rows",
    "a newer version": "A newer Newsite made this backup .comments 9999_from_the_future",
    "another database": "The backup is of oracle, and this site's database is",
}


@pytest.mark.parametrize("kind", SPOILT)
def test_a_backup_that_is_not_what_it_was_changes_nothing(backup, settings, kind):
    make_article(title="Newer")
    Path(settings.MEDIA_ROOT, "newer.png").write_bytes(b"newer")
    spoil(kind, backup)

    with pytest.raises(CommandError, match=SPOILT[kind]):
        restore(backup, replace=True)

    assert what_the_site_has() == (["Kept", "Newer"], ["Kept as well"])
    assert pictures(settings) == {"images/2026/lead.png": b"a picture", "newer.png": b"newer"}
    assert [path.name for path in Path(settings.MEDIA_ROOT).iterdir() if path.name[0] == "."] == []


@sqlite_only
def test_nothing_is_restored_below_a_running_site(backup, settings):
    make_article(title="Newer")
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as site:
        site.execute("SELECT * FROM articles_article").fetchone()

        with pytest.raises(CommandError, match="The database is in use. Stop the site first."):
            restore(backup, replace=True)

    assert what_the_site_has() == (["Kept", "Newer"], ["Kept as well"])
    assert pictures(settings) == {"images/2026/lead.png": b"a picture"}


@sqlite_only
def test_what_a_broken_database_has_left_does_not_change_the_restored_one(backup, emptied):
    emptied()
    file = Path(connection.settings_dict["NAME"])
    for ending in ("", "-wal", "-shm"):
        file.with_name(file.name + ending).write_bytes(b"nonsense" * 1000)

    said = restore(backup, replace=True)

    assert what_the_site_has() == KEPT
    assert said.count("Set aside") == 3
    assert [stat.S_IMODE(file.stat().st_mode), file.with_name(f"{file.name}.restoring").exists()] == [
        0o600,
        False,
    ]


def test_the_settings_come_before_the_rest(backup, emptied, settings):
    emptied()
    (settings.BASE_DIR / ".env").unlink()

    with pytest.raises(CommandError, match="The settings come first: copy .*/env to .*/.env with mode 600"):
        restore(backup)

    assert pictures(settings) == {}


def test_other_settings_stay_and_are_pointed_at(backup, emptied, settings):
    emptied()
    (settings.BASE_DIR / ".env").write_text("SITE_NAME=Moved\n")

    said = restore(backup)

    env = settings.BASE_DIR / ".env"
    assert said.splitlines()[1:] == [f"{env} stays as it is. Other settings were saved: {backup}/env"]
    assert env.read_text() == "SITE_NAME=Moved\n"


def test_an_older_backup_is_restored_and_its_owner_told_to_migrate(backup, emptied):
    emptied()
    manifest = json.loads((backup / "manifest.json").read_text())
    change(backup, migrations=manifest["migrations"][:-1])

    said = restore(backup)

    assert said.splitlines()[1:] == ["The backup is of an older Newsite. Before the start: manage.py migrate"]
    assert what_the_site_has() == KEPT
