"""Sessions that know whose they are, so that they can be listed and ended.

What the list shows is kept in the session's own data, and copied to columns whenever
Django saves it. It is noted at sign-in, and then once in a few minutes: requests do not
all write.
"""

import logging
import time
from datetime import UTC, datetime

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.contrib.sessions.middleware import SessionMiddleware as DjangosMiddleware
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.formats import date_format
from django.utils.timezone import localtime

from newsite.not_now import is_not_now
from newsite.origin import client_address
from staff import browsers

logger = logging.getLogger(__name__)

# When a session was last seen is known to so many seconds.
SEEN_EVERY = 5 * 60
# The key of a session's data under which all this is kept.
VISIT = "visit"
USER_AGENT_LENGTH = 255
# After so many seconds even somebody who is there every day signs in anew.
LONGEST = 30 * 24 * 60 * 60
# What only asks for a page.
READING = {"GET", "HEAD"}
# As many sessions a list shows, the latest first.
LISTED = 50


class SessionQuerySet(models.QuerySet):
    def signed_in(self, user):
        """Return the sessions that `user` could go on with. A new password ends those before it."""
        return self.filter(
            user=user, expire_date__gt=timezone.now(), auth_hash=user.get_session_auth_hash()
        ).order_by("-seen_at")

    def end(self, user, public_id: str) -> int:
        """End one session of `user`, and return how many that were."""
        # PostgreSQL cannot even look for a null character.
        return 0 if "\x00" in public_id else self.filter(user=user, public_id=public_id).delete()[0]

    def end_others(self, user, session_key: str | None) -> int:
        """End all sessions of `user` but this one, and return how many that were."""
        return self.filter(user=user).exclude(session_key=session_key).delete()[0]


class Session(AbstractBaseSession):
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="browser_sessions")
    public_id = models.CharField(max_length=64, blank=True, db_index=True)
    auth_hash = models.CharField(max_length=128, blank=True)
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=USER_AGENT_LENGTH, blank=True)

    objects = BaseSessionManager.from_queryset(SessionQuerySet)()  # type: ignore[misc]

    def __str__(self) -> str:
        """Name the browser and the time: Django would name the key, which lets in whoever reads it."""
        at = date_format(localtime(self.started_at), "DATETIME_FORMAT") if self.started_at else ""
        return f"{browsers.in_words(self.user_agent)} {at}".strip()

    @classmethod
    def get_session_store_class(cls):
        return SessionStore


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls):
        return Session

    def get_session_cookie_age(self):
        """Return for how many seconds the session may go on from now without being seen."""
        idle = super().get_session_cookie_age()
        visit = self.get(VISIT)
        return min(idle, int(visit["started"] + LONGEST - time.time())) if visit else idle

    def save(self, must_create=False):
        try:
            super().save(must_create)
        except UpdateError as error:
            # Django takes whatever fails here for a session that has ended.
            if is_not_now(error.__context__):
                raise error.__context__ from None
            raise

    def create_model_instance(self, data):
        if SESSION_KEY not in data:
            return super().create_model_instance(data)
        visit = data.setdefault(VISIT, new_visit())
        session = super().create_model_instance(data)
        session.user_id = int(data[SESSION_KEY])
        session.public_id = public_id(session.session_key)
        session.auth_hash = data.get(HASH_SESSION_KEY, "")
        session.started_at = datetime.fromtimestamp(visit["started"], UTC)
        session.seen_at = datetime.fromtimestamp(visit["seen"], UTC)
        session.address = visit["address"]
        session.user_agent = visit["user_agent"]
        return session


def public_id(session_key: str) -> str:
    """Return the name of a session on pages: its key would let in whoever reads it there."""
    return salted_hmac("staff.sessions", session_key, algorithm="sha256").hexdigest()


def new_visit() -> dict:
    now = time.time()
    return {"started": now, "seen": now, "address": None, "user_agent": ""}


def note(request: HttpRequest) -> None:
    """Note when and from where the session of this request was seen."""
    request.session[VISIT] = {
        **(request.session.get(VISIT) or new_visit()),
        "seen": time.time(),
        "address": client_address(request),
        "user_agent": request.headers.get("User-Agent", "")[:USER_AGENT_LENGTH],
    }


class SessionMiddleware(DjangosMiddleware):
    """Django's, but a page that is only read is shown where its session cannot be saved."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        try:
            return super().process_response(request, response)
        except Exception as error:
            if request.method not in READING or not is_not_now(error):
                raise
            logger.warning("The session of a page could not be saved.", exc_info=error)
            return response


def noted(get_response):
    """Note visits, as middleware. A page that asked for no session is not asked who reads it.

    What is sent leads to a page, which is noted. So it does not fail for the note.
    """

    def middleware(request: HttpRequest):
        response = get_response(request)
        if request.method not in READING or response.status_code >= 500:
            return response
        if request.session.accessed and SESSION_KEY in request.session:
            visit = request.session.get(VISIT)
            if visit is None or visit["seen"] < time.time() - SEEN_EVERY:
                note(request)
        return response

    return middleware
