"""A wrong set-up, explained before it hurts: one id, one sentence and one hint each."""

import os
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.core.checks import Warning as Caution
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from comments.opinions import is_private_line
from newsite import health

LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "[::1]"}

E001 = Error(
    "SECRET_KEY is missing or still the placeholder.",
    hint="Put 50 random characters into SECRET_KEY, or let `make run` write var/secret_key.",
    id="newsite.E001",
)
E002 = Error(
    "DEBUG is on while ALLOWED_HOSTS names a public host: visitors would see settings and code.",
    hint="Set DEBUG=off, or leave only localhost in ALLOWED_HOSTS.",
    id="newsite.E002",
)
E003 = Error(
    "ALLOWED_HOSTS is empty, so every page would answer 400.",
    hint="Set it to the site's host names, e.g. ALLOWED_HOSTS=news.example,www.news.example.",
    id="newsite.E003",
)
E004 = Error(
    "DATABASE_URL names neither an SQLite nor a PostgreSQL database.",
    hint="Write it like postgres://user:password@host:5432/name or sqlite:////folder/newsite.sqlite3, "
    "with special characters in the password percent-encoded.",
    id="newsite.E004",
)
E005 = Error(
    "The media folder cannot be written to, so no picture could be uploaded.",
    hint="Create the folder that MEDIA_ROOT names and give it to the user that runs Newsite.",
    id="newsite.E005",
)
E006 = Error(
    "TRUSTED_PROXIES holds something that is not a network.",
    hint="Write addresses or networks with commas between them, e.g. TRUSTED_PROXIES=127.0.0.1,10.0.0.0/8.",
    id="newsite.E006",
)
E007 = Error(
    "MEDIA_ROOT holds Newsite's own files, so anyone could fetch the database and the secret key.",
    hint="Let it name a folder for pictures alone, e.g. MEDIA_ROOT=/srv/newsite/media.",
    id="newsite.E007",
)

E008 = Error(
    "EMAIL_URL cannot be read, so no mail leaves.",
    hint="Write it like smtp+tls://user:password@mail.example:587 (STARTTLS) or smtp+ssl://…:465, with "
    "special characters in the name and the password percent-encoded.",
    id="newsite.E008",
)
E009 = Error(
    "TIME_ZONE is not the name of a time zone.",
    hint="Write it like TIME_ZONE=Europe/Berlin or TIME_ZONE=UTC.",
    id="newsite.E009",
)
E010 = Error(
    "LANGUAGE_CODE is not a language that Django knows.",
    hint="Write it like LANGUAGE_CODE=en or LANGUAGE_CODE=pt-br.",
    id="newsite.E010",
)
E011 = Error(
    "Only one of MODERATION_WEBHOOK_URL and MODERATION_WEBHOOK_SECRET is set, so no service is asked.",
    hint="Set both, with 50 random characters that the service knows too as the secret, or neither.",
    id="newsite.E011",
)
E012 = Error(
    "MODERATION_WEBHOOK_URL is no address that comments could be sent to unread, so no service is asked.",
    hint="Write it like https://moderation.example/newsite. Plain http is for this machine: "
    "http://127.0.0.1:8080/.",
    id="newsite.E012",
)
E013 = Error(
    "SESSION_DAYS is no number of days from 1 to 30.",
    hint="Write the days after which somebody who was not seen is signed out, e.g. SESSION_DAYS=7.",
    id="newsite.E013",
)
E017 = Error(
    "Root runs this, and Newsite's files belong to somebody else, who could not change what root makes.",
    hint="Run it as the user that runs Newsite: sudo -u newsite .venv/bin/python manage.py …",
    id="newsite.E017",
)
E018 = Error(
    "The database cannot be written to by this user.",
    hint="Give the folder var, and all that is in it, to the user that runs Newsite.",
    id="newsite.E018",
)
W001 = Caution(
    "EMAIL_URL is not set, so no mail leaves: people who want to be told of replies wait in vain.",
    hint="Name a mail server, e.g. EMAIL_URL=smtp+tls://user:password@mail.example:587. Until then the "
    "mails can be read in the admin.",
    id="newsite.W001",
)
W002 = Caution(
    "SITE_URL is no address that links in mails could begin with.",
    hint="Set it to the site's address as visitors type it, e.g. SITE_URL=https://news.example.",
    id="newsite.W002",
)

W003_HINT = (
    "Start `manage.py worker` and look into its log, or set MAIL_WORKER=off: the web processes then do it."
)


@register(Tags.security)
def check_secret_key(app_configs, **kwargs):
    return [E001] if settings.SECRET_KEY == settings.PLACEHOLDER_SECRET_KEY else []


@register(Tags.security)
def check_debug(app_configs, **kwargs):
    return [E002] if settings.DEBUG and set(settings.ALLOWED_HOSTS) - LOOPBACK_HOSTS else []


@register(Tags.security)
def check_allowed_hosts(app_configs, **kwargs):
    # Where DEBUG is on, Django lets the loopback hosts in by itself.
    return [] if settings.ALLOWED_HOSTS or settings.DEBUG else [E003]


@register(Tags.compatibility)
def check_database_url(app_configs, **kwargs):
    return [E004] if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.dummy" else []


@register(Tags.files)
def check_media_root(app_configs, **kwargs):
    folder = Path(settings.MEDIA_ROOT)
    return [] if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK) else [E005]


@register(Tags.files, Tags.security)
def check_media_apart(app_configs, **kwargs):
    return [E007] if settings.VAR_DIR.is_relative_to(Path(settings.MEDIA_ROOT).resolve()) else []


@register(Tags.security)
def check_trusted_proxies(app_configs, **kwargs):
    try:
        for network in settings.TRUSTED_PROXIES:
            ip_network(network, strict=False)
    except ValueError:
        return [E006]
    return []


@register(Tags.compatibility)
def check_email_url(app_configs, **kwargs):
    return [E008] if settings.EMAIL_URL_IS_SET and not settings.SENDS_MAIL else []


@register(Tags.compatibility, deploy=True)
def check_mail_leaves(app_configs, **kwargs):
    return [] if settings.EMAIL_URL_IS_SET else [W001]


@register(Tags.compatibility, deploy=True)
def check_site_url(app_configs, **kwargs):
    try:
        parts = urlsplit(settings.SITE_URL)
    except ValueError:
        return [W002]
    is_an_origin = parts.scheme in {"http", "https"} and not (parts.path or parts.query or parts.fragment)
    is_a_host = parts.hostname and not parts.hostname.startswith(("*", "."))
    return [] if is_an_origin and is_a_host else [W002]


@register(Tags.translation)
def check_time_zone(app_configs, **kwargs):
    return [E009] if "TIME_ZONE" in settings.UNREADABLE else []


@register(Tags.security)
def check_session_days(app_configs, **kwargs):
    return [E013] if "SESSION_DAYS" in settings.UNREADABLE else []


@register(Tags.translation)
def check_language_code(app_configs, **kwargs):
    return [E010] if "LANGUAGE_CODE" in settings.UNREADABLE else []


@register(Tags.compatibility)
def check_webhook_is_whole(app_configs, **kwargs):
    is_half = bool(settings.MODERATION_WEBHOOK_URL) != bool(settings.MODERATION_WEBHOOK_SECRET)
    return [E011] if is_half else []


@register(Tags.security)
def check_webhook_is_private(app_configs, **kwargs):
    url = settings.MODERATION_WEBHOOK_URL
    return [E012] if url and not is_private_line(url) else []


@register(Tags.database)
def check_worker_runs(app_configs, **kwargs):
    try:
        trouble = health.missing_worker()
    except (DatabaseError, ImproperlyConfigured):
        # Without a database, or before its first migration, nobody can know.
        return []
    return [Caution(trouble, hint=W003_HINT, id="newsite.W003")] if trouble else []


@register(Tags.compatibility)
def check_switches(app_configs, **kwargs):
    return [
        Error(
            f"{name} is neither on nor off, and counts as off.",
            hint=f"Write {name}=on or {name}=off.",
            id="newsite.E014",
        )
        for name in settings.UNDECIDED
    ]


@register(Tags.compatibility)
def check_names(app_configs, **kwargs):
    return [
        Error(
            f".env sets {name}, which Newsite does not know.",
            hint=f"Is {meant} meant?" if meant else "The table in the README has all names.",
            id="newsite.E015",
        )
        for name, meant in settings.UNKNOWN.items()
    ]


@register(Tags.compatibility)
def check_lines(app_configs, **kwargs):
    return [
        Error(
            f"Line {number} of .env cannot be read." if number else ".env cannot be read.",
            hint='Write NAME=value or NAME="value", with a comment behind a blank and #.',
            id="newsite.E016",
        )
        for number in settings.BROKEN_LINES
    ]


@register(Tags.files)
def check_user(app_configs, **kwargs):
    is_root_elsewhere = os.geteuid() == 0 and settings.BASE_DIR.stat().st_uid != 0
    return [E017] if is_root_elsewhere else []


@register(Tags.files)
def check_database_can_be_written(app_configs, **kwargs):
    database = settings.DATABASES["default"]
    file = Path(str(database.get("NAME")))
    if not database["ENGINE"].endswith("sqlite3") or not file.is_absolute():
        return []
    there = [path for path in (file.parent, file) if path.exists()]
    return [] if all(os.access(path, os.W_OK) for path in there) else [E018]
