import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from django.conf import settings
from django.db import connection, transaction


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run manage.py with the settings of a deployment, not those of the tests."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
    )


def pragma(name: str):
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("variable", "value", "error"),
    [
        ("DATABASE_URL", "nonsense", "newsite.E004"),
        ("DATABASE_URL", "", "newsite.E004"),
        ("DATABASE_URL", "://", "newsite.E004"),
        ("DATABASE_URL", "postgres://newsite@localhost:port/newsite", "newsite.E004"),
        ("DATABASE_URL", "mysql://newsite@localhost/newsite", "newsite.E004"),
        ("EMAIL_URL", "nonsense", "newsite.E008"),
        ("EMAIL_URL", "smtp://", "newsite.E008"),
        ("EMAIL_URL", "http://mail.example", "newsite.E008"),
        ("EMAIL_URL", "smtp://mail.example:x", "newsite.E008"),
        ("TIME_ZONE", "Mars/Base", "newsite.E009"),
        ("TIME_ZONE", "", "newsite.E009"),
        ("LANGUAGE_CODE", "nonsense", "newsite.E010"),
        ("LANGUAGE_CODE", "../../etc", "newsite.E010"),
    ],
)
def test_a_value_that_cannot_be_read_is_explained_without_a_traceback(variable, value, error):
    result = manage("check", **{variable: value})

    assert result.returncode == 1
    assert re.findall(r"\w+\.E\d+", result.stderr) == [error]
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("code", ["de", "de-at", "pt-BR", "zh-hans"])
def test_a_language_that_django_knows_is_taken(code):
    result = manage("check", LANGUAGE_CODE=code)

    assert (result.returncode, result.stderr) == (0, "")


def test_an_unreadable_site_url_is_explained_without_a_traceback():
    result = manage("check", "--deploy", SITE_URL="http://[::")

    assert "newsite.W002" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({"ALLOWED_HOSTS": "localhost"}, "http://localhost:8000"),
        ({"ALLOWED_HOSTS": "news.example,www.news.example", "HTTPS": "on"}, "https://news.example"),
        ({"ALLOWED_HOSTS": ""}, "http://localhost:8000"),
        ({"ALLOWED_HOSTS": "localhost", "SITE_URL": "https://news.example/"}, "https://news.example"),
    ],
)
def test_links_in_mails_begin_with_the_first_host_unless_the_owner_says_otherwise(
    monkeypatch, environment, url
):
    monkeypatch.delenv("SITE_URL")

    result = manage(
        "shell",
        "--no-imports",
        "-c",
        "print(__import__('django.conf').conf.settings.SITE_URL)",
        **environment,
    )

    assert result.stdout.strip() == url


def test_an_empty_media_root_is_refused():
    result = manage("check", MEDIA_ROOT="")

    assert result.returncode == 1
    assert "newsite.E007" in result.stderr


def test_a_production_environment_passes_the_deployment_check():
    result = manage(
        "check",
        "--deploy",
        "--fail-level=WARNING",
        ALLOWED_HOSTS="news.example",
        HTTPS="on",
        SECRET_KEY="0123456789" * 6 + "abcdefghij",
        SITE_URL="https://news.example",
        EMAIL_URL="smtp+tls://newsite:secret@mail.example",
    )

    assert (result.returncode, result.stderr) == (0, "")


def test_browsers_are_told_to_keep_to_https_for_this_host_alone():
    code = "import newsite.settings as s; print(s.SECURE_HSTS_SECONDS, *(n for n in dir(s) if 'HSTS' in n))"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={**os.environ, "HTTPS": "on"},
        capture_output=True,
        text=True,
    )

    assert result.stdout == "31536000 SECURE_HSTS_SECONDS\n"


sqlite_only = pytest.mark.skipif(
    settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3",
    reason="The suite runs on another database.",
)


@sqlite_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),  # FULL
        ("foreign_keys", 1),
        ("busy_timeout", 20_000),
    ],
)
def test_sqlite_is_opened_so_that_nothing_is_lost(name, value):
    assert pragma(name) == value


@sqlite_only
@pytest.mark.django_db(transaction=True)
def test_a_sqlite_transaction_takes_the_write_lock_at_its_start():
    other = sqlite3.connect(connection.settings_dict["NAME"], timeout=0)

    with (
        closing(other),
        transaction.atomic(),
        pytest.raises(sqlite3.OperationalError) as refusal,
    ):
        other.execute("BEGIN IMMEDIATE")

    assert refusal.value.sqlite_errorname == "SQLITE_BUSY"


def test_readme_and_env_example_name_every_variable():
    folder = settings.BASE_DIR
    read = set(
        re.findall(r'(?:env\.\w+|= read_number)\(\s*"(\w+)"', (folder / "newsite/settings.py").read_text())
    )
    in_example = set(re.findall(r"^#(\w+)=", (folder / ".env.example").read_text(), re.MULTILINE))
    in_readme = set(re.findall(r"^\| `(\w+)` \|", (folder / "README.md").read_text(), re.MULTILINE))

    assert in_example == read | {"DEMO_PASSWORD"}
    assert in_readme == read | {"DEMO_PASSWORD", "PORT"}
