"""The site's own settings under a fixed environment: neither `.env` nor the shell changes a test.

DATABASE_URL alone is taken from the environment, so that the suite can run on PostgreSQL.
What is written to disk is given a folder by `tests/conftest.py`: whoever only reads the settings,
as mypy does, makes none.
"""

import os

os.environ.update(
    SITE_NAME="Newsite",
    SITE_DESCRIPTION="News, and a civil word about it",
    LANGUAGE_CODE="en",
    TIME_ZONE="UTC",
    SECRET_KEY="only-for-tests-only-for-tests-only-for-tests-only-for-tests",
    DEBUG="off",
    HTTPS="off",
    ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
    TRUSTED_PROXIES="",
    SITE_URL="https://news.example",
    EMAIL_URL="memorymail://",
    DEFAULT_FROM_EMAIL="Newsite <newsite@news.example>",
    MAIL_WORKER="off",
    AKISMET_API_KEY="",
    MODERATION_WEBHOOK_URL="",
    MODERATION_WEBHOOK_SECRET="",
    REQUIRE_SECOND_FACTOR="off",
    SESSION_DAYS="7",
    MEDIA_ROOT="var/media-of-the-tests",
)
os.environ.setdefault("DATABASE_URL", "sqlite:///:memory:")

from newsite import settings as site
from newsite.settings import *

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# On a machine that is busy with other tests nobody gives up waiting for another.
if site.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    database = site.DATABASES["default"]
    DATABASES = {"default": {**database, "OPTIONS": {**database["OPTIONS"], "timeout": 60}}}
