"""The site's own settings, but for what would need a set-up before anything can be measured."""

import os

os.environ.setdefault("SECRET_KEY", "only-to-measure-only-to-measure-only-to-measure-0123456789")
os.environ.update(ALLOWED_HOSTS="testserver", HTTPS="off", DEBUG="off", REQUIRE_SECOND_FACTOR="off")

from newsite.settings import *

STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
