import os
import re
import runpy
import sqlite3
import subprocess
import sys
from contextlib import closing
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.db import connection, transaction

from newsite import settings as site
from newsite.environment import Env


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
        ("SESSION_DAYS", "a week", "newsite.E013"),
        ("SESSION_DAYS", "0", "newsite.E013"),
        ("SESSION_DAYS", "31", "newsite.E013"),
        ("SESSION_DAYS", "", "newsite.E013"),
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


@pytest.fixture
def read(monkeypatch):
    """Read the settings as they are in another environment, without `.env`."""
    monkeypatch.setattr("newsite.environment.Env.read", lambda *args: None)

    def settings_of(**environment: str) -> dict:
        for name in re.findall(r"^#(\w+)=", (settings.BASE_DIR / ".env.example").read_text(), re.MULTILINE):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(settings.BASE_DIR / "newsite/settings.py"))

    return settings_of


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, "http://localhost:8000"),
        ({"ALLOWED_HOSTS": "[::1]"}, "http://[::1]:8000"),
        ({"ALLOWED_HOSTS": "news.example,www.news.example", "HTTPS": "on"}, "https://news.example"),
        ({"ALLOWED_HOSTS": ""}, "http://localhost:8000"),
        ({"ALLOWED_HOSTS": "localhost", "SITE_URL": "https://news.example/"}, "https://news.example"),
    ],
)
def test_links_in_mails_begin_with_the_first_host_unless_the_owner_says_otherwise(read, environment, url):
    assert read(**environment)["SITE_URL"] == url


@pytest.mark.parametrize(
    "name", ['Müller, "The News" & Co: O’Brien', "News; <b>@ home", "新聞, 東京", "A\\B (C)"]
)
def test_whatever_the_site_is_called_it_is_one_sender(read, name):
    sender = read(SITE_URL="https://news.example", SITE_NAME=name)["DEFAULT_FROM_EMAIL"]

    found = EmailMessage("Hello", "You.", sender, ["ada@example.com"]).message()["From"]

    addresses = [(str(make_header(decode_header(shown))), email) for shown, email in getaddresses([found])]
    assert addresses == [(name, "newsite@news.example")]


@pytest.mark.parametrize(
    ("url", "domain"),
    [("https://news.example:8443", "news.example"), ("http://[::", "localhost"), ("/news", "localhost")],
)
def test_the_site_writes_from_the_host_of_its_address(read, url, domain):
    found = read(SITE_URL=url, SITE_NAME="The Town, Weekly")

    assert found["MAIL_DOMAIN"] == domain
    assert found["DEFAULT_FROM_EMAIL"] == f'"The Town, Weekly" <newsite@{domain}>'
    assert read(SITE_URL=url, DEFAULT_FROM_EMAIL="a@b.example")["DEFAULT_FROM_EMAIL"] == "a@b.example"


MAIL_SERVERS = {
    "smtp://localhost": ("localhost", 25, None, None),
    "smtp+tls://ada:secret@mail.example": ("mail.example", 587, True, None),
    "smtp+ssl://ada:secret@mail.example": ("mail.example", 465, None, True),
    "smtp+tls://mail.example:2525": ("mail.example", 2525, True, None),
}


@pytest.mark.parametrize("url", MAIL_SERVERS)
def test_a_mail_server_without_a_port_has_the_usual_one(read, url):
    found = read(EMAIL_URL=url)

    names = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_USE_TLS", "EMAIL_USE_SSL")
    assert tuple(found.get(name) for name in names) == MAIL_SERVERS[url]
    assert (found["SENDS_MAIL"], found["EMAIL_URL_IS_SET"]) == (True, True)


def test_a_mail_server_that_says_nothing_is_left_after_a_while():
    assert get_connection("django.core.mail.backends.smtp.EmailBackend").timeout == 20


def test_the_address_of_the_mail_server_sets_nothing_else(read):
    found = read(EMAIL_URL="smtp://localhost/?debug=on&use_localtime=on")

    assert [name for name in found["EMAIL"] if not name.startswith("EMAIL_")] == []
    assert found["DEBUG"] is False


@pytest.mark.parametrize("url", ["", "smtp://", "nonsense", "smtp://mail.example:x"])
def test_no_mail_leaves_without_a_mail_server(read, url):
    found = read(EMAIL_URL=url)

    assert (found["EMAIL"], found["SENDS_MAIL"], found["EMAIL_URL_IS_SET"]) == ({}, False, bool(url))


def test_the_secret_key_is_the_owners_or_that_of_the_file_or_one_that_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(site, "VAR_DIR", tmp_path)
    monkeypatch.setenv("SECRET_KEY", "")
    assert site.read_secret_key() == "change-me"

    (tmp_path / "secret_key").write_text(" \n")
    assert site.read_secret_key() == "change-me"
    (tmp_path / "secret_key").write_text("of the file\n")
    assert site.read_secret_key() == "of the file"
    monkeypatch.setenv("SECRET_KEY", "the owner's")
    assert site.read_secret_key() == "the owner's"


def test_a_site_keeps_to_https_where_it_has_it(read):
    names = [
        "SECURE_SSL_REDIRECT",
        "SECURE_PROXY_SSL_HEADER",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_HSTS_SECONDS",
    ]
    with_it, without = read(HTTPS="on"), read()

    proxy = ("HTTP_X_FORWARDED_PROTO", "https")
    assert [with_it[name] for name in names] == [True, proxy, True, True, 31_536_000]
    assert [without[name] for name in names] == [False, None, False, False, 0]
    assert [name for name in with_it if "HSTS" in name] == ["SECURE_HSTS_SECONDS"]


def test_what_is_not_set_is_off_and_on_this_machine_only(read):
    found = read()

    off = ["DEBUG", "HTTPS", "REQUIRE_SECOND_FACTOR", "MAIL_WORKER", "TRUSTED_PROXIES", "UNREADABLE"]
    assert [name for name in off if found[name]] == []
    assert found["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert found["DATABASES"]["default"]["NAME"] == str(settings.BASE_DIR / "var/newsite.sqlite3")
    assert found["MEDIA_ROOT"] == str(settings.BASE_DIR / "var/media")


@pytest.mark.parametrize(
    ("url", "engine", "checks"),
    [
        ("postgres://ada:secret@db.example:5433/news", "postgresql", True),
        ("sqlite:////srv/news.sqlite3", "sqlite3", None),
    ],
)
def test_a_line_to_the_database_is_kept_and_one_to_another_machine_is_tried_first(read, url, engine, checks):
    database = read(DATABASE_URL=url)["DATABASES"]["default"]

    assert database["ENGINE"] == f"django.db.backends.{engine}"
    assert (database["CONN_MAX_AGE"], database.get("CONN_HEALTH_CHECKS")) == (60, checks)


@pytest.mark.django_db
def test_no_page_of_ours_stands_in_a_frame_or_tells_others_where_a_reader_was(client):
    answer = client.get("/admin/login/")

    cookie = client.cookies["csrftoken"]
    assert (answer["X-Frame-Options"], answer["Referrer-Policy"]) == ("DENY", "same-origin")
    assert (cookie["samesite"], cookie["httponly"]) == ("Lax", True)


@pytest.mark.parametrize("password", ["ada-lovelace", "Xk4!q", "password123", "8364920175"])
def test_a_password_that_is_soon_guessed_is_refused(password):
    with pytest.raises(ValidationError):
        validate_password(password, User(username="ada-lovelace"))


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


sqlite_only = pytest.mark.skipif(
    settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3",
    reason="The suite runs on another database.",
)


def test_sqlite_is_opened_so_that_nothing_is_lost(tmp_path):
    code = """
from django.db import connection
with connection.cursor() as cursor:
    for name in ["journal_mode", "synchronous", "foreign_keys", "busy_timeout"]:
        print(*cursor.execute(f"PRAGMA {name}").fetchone())
"""
    shown = manage(
        *("shell", "--no-imports", "--command", code),
        SECRET_KEY="s" * 50,
        DATABASE_URL=f"sqlite:///{tmp_path}/newsite.sqlite3",
    )

    # 2 is FULL.
    assert shown.stdout.split() == ["wal", "2", "1", "5000"]


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


@pytest.mark.parametrize("word", ["ture", "enabled", "2", "on off"])
@pytest.mark.parametrize("name", ["HTTPS", "REQUIRE_SECOND_FACTOR", "DEBUG", "MAIL_WORKER"])
def test_a_switch_that_is_neither_on_nor_off_is_off_and_named(read, name, word):
    found = read(**{name: word})

    assert (found[name], found["UNDECIDED"]) == (False, [name])


@pytest.mark.parametrize("word", ["on", "On", "true", "YES", "1", " on "])
def test_a_switch_is_on_by_any_of_its_words(read, word):
    found = read(HTTPS=word)

    assert (found["HTTPS"], found["UNDECIDED"]) == (True, [])


def test_a_misspelt_switch_is_named_without_a_traceback():
    result = manage("check", HTTPS="ture")

    assert re.findall(r"\(newsite\.E014\) (.+)", result.stderr) == [
        "HTTPS is neither on nor off, and counts as off."
    ]


def test_blanks_between_hosts_belong_to_none(read):
    found = read(ALLOWED_HOSTS=" news.example, www.news.example ,", TRUSTED_PROXIES="127.0.0.1, ::1")

    assert found["ALLOWED_HOSTS"] == ["news.example", "www.news.example"]
    assert found["TRUSTED_PROXIES"] == ["127.0.0.1", "::1"]


def test_a_value_that_begins_with_a_dollar_is_no_other_variable(read):
    found = read(SECRET_KEY="$ecret", SITE_NAME="$HOME", ecret="other")

    assert (found["SECRET_KEY"], found["SITE_NAME"]) == ("$ecret", "$HOME")


@pytest.fixture
def read_file(tmp_path, monkeypatch):
    """Read the settings' file, and return what it has set and the reader."""

    def read(text: str):
        monkeypatch.setattr(os, "environ", {})
        (tmp_path / ".env").write_text(text)
        env = Env()
        env.read(tmp_path / ".env")
        return os.environ, env

    return read


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=Der Bote", "Der Bote"),
        ('NAME="Der Bote" # comment', "Der Bote"),
        ("NAME='Der Bote'   # comment", "Der Bote"),
        ("NAME=Der Bote # comment", "Der Bote"),
        ("NAME=a#b", "a#b"),
        ('NAME="a # b"', "a # b"),
        (r'NAME="say \"hello\""', 'say "hello"'),
        ("export NAME = Bote ", "Bote"),
        ("NAME=", ""),
        ("NAME= # nothing", ""),
        ("NAME=$ecret", "$ecret"),
        ("NAME=a=b", "a=b"),
    ],
)
def test_a_line_of_the_file_is_read_as_people_write_it(read_file, line, value):
    found, env = read_file(line)

    assert (found, env.broken_lines) == ({"NAME": value}, [])


@pytest.mark.parametrize("line", ['NAME="Bote', 'NAME="Der" Bote', "NAME", "two words=x", "- NAME=x"])
def test_a_line_that_cannot_be_read_is_numbered(read_file, line):
    found, env = read_file(f"# a comment\n\nOTHER=x\n{line}\n")

    assert (found, env.broken_lines) == ({"OTHER": "x"}, [4])


def test_a_name_that_nobody_asks_for_is_named_with_the_one_that_is_meant(read_file):
    _found, env = read_file("SITE_NAM=Bote\nSITE_NAME=x\nXYZZY=1\n")
    env.str("SITE_NAME", default="")

    assert env.unknown() == {"SITE_NAM": "SITE_NAME", "XYZZY": ""}
