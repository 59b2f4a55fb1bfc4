"""From the password to the session. In between someone waits for a code, and is nobody yet."""

import time

from django.contrib.auth import authenticate, get_user_model, login
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_variables

from staff import attempts, notices, second_factor, sessions, sign_in_log

BACKEND = "staff.backends.StaffBackend"
# The key of a session's data that says whose password was right.
WAITING = "sign_in"
# After so many seconds the password has to be given again.
WAITS_FOR = 10 * 60
# The key of a session's data that says when the password was given in it, after sign-in.
GIVEN = "password_given"
# So many seconds a password counts for opening a page that changes who may do what, and for
# sending it: what somebody has begun to type is not lost.
COUNTS_FOR = 15 * 60
COUNTS_FOR_SENDING = 60 * 60
# After so many wrong codes in a row the account's owner is told.
WRONG_CODES_TOLD = 5


def take_password(request: HttpRequest, user) -> str | None:
    """Sign in whose password was right, or return the name of the page that has to come first."""
    if second_factor.has_one(user):
        wait(request, user)
        return "admin:sign_in_code"
    if second_factor.is_missing(user):
        wait(request, user)
        second_factor.start(request, user)
        return "admin:set_up"
    finish(request, user)
    return None


def wait(request: HttpRequest, user) -> None:
    # Under a new key: whoever may have planted the old one in this browser is left behind.
    request.session.flush()
    request.session[WAITING] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "since": time.time(),
        "page": request.path,
    }


def who_waits(request: HttpRequest):
    """Return the account whose password was given in this session, or None."""
    waiting = request.session.get(WAITING)
    if waiting is None or waiting["since"] < time.time() - WAITS_FOR:
        return None
    user = get_user_model().objects.filter(pk=waiting["user"], is_active=True).first()
    # A password that was changed meanwhile is not the one that was given.
    is_same = user and constant_time_compare(user.get_session_auth_hash(), waiting["hash"])
    return user if is_same else None


def password_page(request: HttpRequest) -> str:
    """Return where the password of this session was given: readers have a page of their own for it."""
    return request.session.get(WAITING, {}).get("page", reverse("admin:login"))


def who_sets_up(request: HttpRequest):
    """Return whose second factor may be set up in this session, or None.

    The password alone is not enough for an account that has one.
    """
    if request.user.is_authenticated:
        return request.user
    user = who_waits(request)
    return user if user and second_factor.is_missing(user) else None


def take_code(request: HttpRequest, user, code: str) -> bool:
    """Sign in who waits, by a code, or raise a ValidationError. Return whether it was a recovery code."""
    try:
        is_recovery_code = second_factor.use_code(user, code)
    except ValidationError as error:
        is_paused = error.code == "throttled"
        sign_in_log.write(sign_in_log.LOCKED_OUT if is_paused else sign_in_log.WRONG_CODE, request, user)
        if not is_paused and second_factor.wrong_codes(user) >= WRONG_CODES_TOLD:
            notices.tell(user, notices.Kind.WRONG_CODES, request)
        raise
    finish(request, user)
    if is_recovery_code:
        notices.tell(user, notices.Kind.CODE_USED, request)
    return is_recovery_code


def finish(request: HttpRequest, user) -> None:
    """Sign in, in a session that holds nothing from before."""
    if notices.note_place(user, request):
        notices.tell(user, notices.Kind.NEW_PLACE, request)
    request.session.flush()
    login(request, user, BACKEND)
    sessions.note(request)
    sign_in_log.write(sign_in_log.SIGNED_IN, request, user)


@sensitive_variables("password")
def is_password(request: HttpRequest, password: str) -> bool:
    """Say whether this is the password of who is signed in. Wrong ones count as at sign-in."""
    username = request.user.get_username()
    is_right = authenticate(request, username=username, password=password) is not None
    if is_right:
        attempts.forget(request, username)
    return is_right


def gave_password(request: HttpRequest) -> bool:
    """Say whether the password was given in this session lately, at sign-in or since."""
    started = request.session.get(sessions.VISIT, {}).get("started", 0)
    last = max(started, request.session.get(GIVEN, 0))
    return last > time.time() - (COUNTS_FOR_SENDING if request.method == "POST" else COUNTS_FOR)


def note_password(request: HttpRequest) -> None:
    request.session[GIVEN] = time.time()


def next_page(request: HttpRequest, default: str) -> str:
    """Return the address of ours that this request names as the next, or that of a default."""
    address = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if is_ours else reverse(default)
