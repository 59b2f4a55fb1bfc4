"""The site's own settings under a fixed environment: neither `.env` nor the shell changes a test.

DATABASE_URL alone is taken from the environment, so that the suite can run on PostgreSQL.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

TEMPORARY = Path(tempfile.mkdtemp(prefix="newsite-tests-"))
atexit.register(shutil.rmtree, TEMPORARY, ignore_errors=True)
(TEMPORARY / "media").mkdir()
(TEMPORARY / "static").mkdir()

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
    MEDIA_ROOT=str(TEMPORARY / "media"),
)
os.environ.setdefault("DATABASE_URL", f"sqlite:///{TEMPORARY}/newsite.sqlite3")

from newsite.settings import *  # noqa: E402 (the environment comes first)

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, because the browser tests' server reads it from threads of its own.
    DATABASES["default"]["TEST"] = {"NAME": str(TEMPORARY / "test.sqlite3")}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_ROOT = TEMPORARY / "static"
