"""A wrong set-up, explained before it hurts: one id, one sentence and one hint each."""

import os
from ipaddress import ip_network
from pathlib import Path

from django.conf import settings
from django.core.checks import Error, Tags, register

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
    "DATABASE_URL cannot be read.",
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
