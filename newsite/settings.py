"""Everything a deployment may change comes from the environment or from `.env`.

The README has the table of variables. What is wrong or missing is explained by
`newsite/checks.py`, so that reading this file never ends in a traceback.
"""

from datetime import timedelta
from email.utils import formataddr
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from csp.constants import NONCE, NONE, SELF
from django.conf.global_settings import LANGUAGES
from django.core.exceptions import ImproperlyConfigured

from newsite.environment import Env
from newsite.logs import SafeFormatter, keep_tracebacks_for_faults

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = Env()
env.read(BASE_DIR / ".env")


# --- The site ---------------------------------------------------------------

SITE_NAME = env.str("SITE_NAME", default="Newsite")
SITE_DESCRIPTION = env.str("SITE_DESCRIPTION", default="News, and a civil word about it")

# Variables that fell back to their default, because Django would end in a traceback on their value.
UNREADABLE: list[str] = []


def read_language_code() -> str:
    code = env.str("LANGUAGE_CODE", default="en").lower()
    if {code, code.partition("-")[0]} & dict(LANGUAGES).keys():
        return code
    UNREADABLE.append("LANGUAGE_CODE")
    return "en"


def read_time_zone() -> str:
    name = env.str("TIME_ZONE", default="UTC")
    if name in available_timezones():
        return name
    UNREADABLE.append("TIME_ZONE")
    return "UTC"


LANGUAGE_CODE = read_language_code()
TIME_ZONE = read_time_zone()
USE_TZ = True
FORMAT_MODULE_PATH = ["newsite.formats"]


# --- Safety -----------------------------------------------------------------

PLACEHOLDER_SECRET_KEY = "change-me"  # noqa: S105 (newsite.E001 refuses it)


def read_secret_key() -> str:
    """Return the key from SECRET_KEY, else from var/secret_key, else the placeholder."""
    key_file = VAR_DIR / "secret_key"
    if key := env.str("SECRET_KEY", default=""):
        return key
    try:
        return key_file.read_text().strip() or PLACEHOLDER_SECRET_KEY
    except OSError:
        return PLACEHOLDER_SECRET_KEY


SECRET_KEY = read_secret_key()
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

# Networks whose X-Forwarded-For header is believed, e.g. 127.0.0.1/32.
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])

# On when the site is reached by HTTPS through a proxy that sets X-Forwarded-Proto.
HTTPS = env.bool("HTTPS", default=False)
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# Not for subdomains, nor for the browsers' built-in lists: Newsite cannot know what else the
# domain serves, and neither is soon taken back. The deployment check asks for both.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_ENGINE = "staff.sessions"


def read_session_days() -> int:
    value = env.str("SESSION_DAYS", default="7")
    # Longer than a session lasts at most it cannot be: see staff/sessions.py.
    if value in {str(days) for days in range(1, 31)}:
        return int(value)
    UNREADABLE.append("SESSION_DAYS")
    return 7


# Who has not been seen for so long is signed out.
SESSION_COOKIE_AGE = read_session_days() * 24 * 60 * 60
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"

# NONCE appears in the header only where a template asks for one: in the admin.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "staff.backends.StaffBackend",
]

# On when everyone on the staff has to set up a second factor.
REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", default=False)
OTP_TOTP_ISSUER = SITE_NAME

# After five wrong passwords that name waits at that address; elsewhere it does not. See staff/attempts.py.
AXES_HANDLER = "staff.attempts.Handler"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "staff.attempts.sender_address"
AXES_LOCKOUT_CALLABLE = "staff.views.locked_out"
# The account page lists sessions; a second record of who signed in would be kept for ever.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False


# --- Mail -------------------------------------------------------------------


def default_site_url() -> str:
    """Return the address of the first of ALLOWED_HOSTS, on this machine with `make run`'s port."""
    host = ALLOWED_HOSTS[0] if ALLOWED_HOSTS else "localhost"
    port = ":8000" if host in {"localhost", "127.0.0.1", "[::1]"} else ""
    return f"{'https' if HTTPS else 'http'}://{host}{port}"


def read_email_url() -> dict:
    """Return what EMAIL_URL names. Without it, or if it cannot be read, no mail leaves."""
    try:
        email = env.email_url("EMAIL_URL", default="")
    except (ImproperlyConfigured, ValueError):
        return {}
    if not email["EMAIL_HOST"] and email["EMAIL_BACKEND"].endswith("smtp.EmailBackend"):
        return {}
    if email["EMAIL_PORT"] is None:
        email["EMAIL_PORT"] = 587 if "EMAIL_USE_TLS" in email else 465 if "EMAIL_USE_SSL" in email else 25
    return {name: value for name, value in email.items() if name.startswith("EMAIL_")}


def host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or "localhost"
    except ValueError:
        return "localhost"


# What links in mails begin with: where a mail is written there may be no request to ask.
SITE_URL = env.str("SITE_URL", default=default_site_url()).rstrip("/")
# What every Message-ID of the site ends with.
MAIL_DOMAIN = host_of(SITE_URL)

EMAIL_URL_IS_SET = bool(env.str("EMAIL_URL", default=""))
EMAIL = read_email_url()
SENDS_MAIL = bool(EMAIL)
vars().update(EMAIL)
EMAIL_TIMEOUT = 20  # seconds, for each answer of the server
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=formataddr((SITE_NAME, f"newsite@{MAIL_DOMAIN}")))

# On where `manage.py worker` runs: web processes then leave mail, digests and housekeeping to it.
MAIL_WORKER = env.bool("MAIL_WORKER", default=False)


# --- Services that are asked about comments ----------------------------------

AKISMET_API_KEY = env.str("AKISMET_API_KEY", default="")
MODERATION_WEBHOOK_URL = env.str("MODERATION_WEBHOOK_URL", default="")
MODERATION_WEBHOOK_SECRET = env.str("MODERATION_WEBHOOK_SECRET", default="")


# --- Data -------------------------------------------------------------------


def read_database_url() -> dict:
    """Return what DATABASE_URL names, or the dummy backend if it cannot be read."""
    try:
        database = env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR}/newsite.sqlite3")
    except (ImproperlyConfigured, ValueError):
        return {"ENGINE": "django.db.backends.dummy"}
    engine = database.get("ENGINE")
    if engine not in {"django.db.backends.sqlite3", "django.db.backends.postgresql"}:
        return {"ENGINE": "django.db.backends.dummy"}
    if engine == "django.db.backends.sqlite3":
        database["OPTIONS"] = {
            # An accepted reply survives a power cut only with synchronous=FULL.
            # What was erased is overwritten, and not only let go of.
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                "PRAGMA secure_delete=ON;"
            ),
            # Taking the write lock at BEGIN avoids "database is locked" in mid-transaction.
            "transaction_mode": "IMMEDIATE",
            # So many seconds someone who writes waits for another. Then the text comes back, to be sent again.
            "timeout": 5,
        }
    else:
        database["CONN_HEALTH_CHECKS"] = True
    database["CONN_MAX_AGE"] = 60
    return database


DATABASES = {"default": read_database_url()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MEDIA_URL = "/media/"
MEDIA_ROOT = env.path("MEDIA_ROOT", default=VAR_DIR / "media")()
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "newsite.storage.MediaStorage"},
    "staticfiles": {"BACKEND": "newsite.storage.StaticFilesStorage"},
}


# --- Django -----------------------------------------------------------------

INSTALLED_APPS = [
    "newsite",
    "mail",
    "articles",
    "comments",
    "demo",
    "transfer",
    "crispy_forms",
    "django_prose_editor",
    "js_asset",
    "csp",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "staff",  # after django-otp, whose pages in the admin it replaces
    "staff.apps.StaffAdminConfig",  # django.contrib.admin with our own sign-in
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "newsite.all_or_nothing.AllOrNothing",
    "staff.sessions.SessionMiddleware",
    "newsite.bounds.bounded",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "staff.sessions.noted",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "newsite.urls"
WSGI_APPLICATION = "newsite.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "newsite.views.site_context",
            ],
        },
    }
]

CRISPY_TEMPLATE_PACK = "newsite_forms"
CRISPY_ALLOWED_TEMPLATE_PACKS = ["newsite_forms"]


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"faults": {"()": "django.utils.log.CallbackFilter", "callback": keep_tracebacks_for_faults}},
    "formatters": {"plain": {"()": SafeFormatter, "fmt": "{levelname} {name}: {message}", "style": "{"}},
    "handlers": {
        "console": {"class": "newsite.logs.CountingHandler", "formatter": "plain", "filters": ["faults"]}
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        # What was deleted is told once a day.
        "comments.housekeeping": {"level": "INFO"},
        # Each sign-in is one line of ours, for fail2ban too. What django-axes says of it is less.
        "staff.sign_in": {"level": "INFO"},
        "axes": {"level": "ERROR"},
    },
}


# --- What was said and cannot be meant ----------------------------------------

# Only `make run` reads it.
env.str("DEMO_PASSWORD", default="")
UNDECIDED = env.undecided
UNKNOWN = env.unknown()
BROKEN_LINES = env.broken_lines
