"""The settings of the real server that tests start, which stands behind a proxy with HTTPS."""

import os
from pathlib import Path

# Before the suite's own settings take their place.
FOLDER = os.environ["SERVED_FOLDER"]

from tests.settings import *  # noqa: E402, F403

MEDIA_ROOT = FOLDER
# WhiteNoise warns of a folder that is not there.
STATIC_ROOT = Path(FOLDER).with_name("static")
MAIL_WORKER = True
TRUSTED_PROXIES = ["127.0.0.1"]
SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
