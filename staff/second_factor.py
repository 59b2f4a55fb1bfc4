"""The second factor: six digits from an app, or one of ten recovery codes.

Whoever has one is signed in by a code after the password, and not before. So whoever is
signed in has given a code, if the account has a second factor: nothing else asks for it.
The codes, and the growing pauses after wrong ones, are django-otp's; `staff/models.py` ends the
pauses, and hashes recovery codes.
"""

import secrets
from base64 import b32encode
from io import BytesIO
from math import ceil

import segno
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from staff.models import RecoveryCodes, SecondFactor

RECOVERY_CODES = 10
# Each sign of a code has 5 bits.
RECOVERY_CODE_BYTES = 10
DIGITS = 6
# The key of a session's data that names the device that is being set up in it.
SET_UP = "second_factor"


def has_one(user) -> bool:
    return TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def is_missing(user) -> bool:
    """Say whether the owner wants a second factor of someone who has none."""
    return settings.REQUIRE_SECOND_FACTOR and user.is_staff and not has_one(user)


def start(request: HttpRequest, user) -> None:
    """Make a new secret, which this session alone may see. What the account has goes on working."""
    TOTPDevice.objects.filter(user=user, confirmed=False).delete()
    device = TOTPDevice.objects.create(user=user, name=user.get_username()[:64], confirmed=False)
    request.session[SET_UP] = device.pk


def being_set_up(request: HttpRequest, user) -> TOTPDevice | None:
    unconfirmed = TOTPDevice.objects.filter(user=user, confirmed=False).select_related("user")
    return unconfirmed.filter(pk=request.session.get(SET_UP)).first()


def confirm(device: TOTPDevice, code: str) -> list[str]:
    """Let the device count from now on, in place of any other, and return new recovery codes."""
    _use(SecondFactor.objects.filter(pk=device.pk), code)
    with transaction.atomic():
        TOTPDevice.objects.filter(user=device.user).exclude(pk=device.pk).delete()
        TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
        return new_recovery_codes(device.user)


def use_code(user, code: str) -> bool:
    """Use up a code, or raise a ValidationError. Return whether it was a recovery code."""
    is_recovery_code = len(code) != DIGITS
    model = RecoveryCodes if is_recovery_code else SecondFactor
    _use(model.objects.filter(user=user, confirmed=True), code)
    return is_recovery_code


def wrong_codes(user) -> int:
    """Return how many wrong codes there have been since the last right one, of the kind with more."""
    devices = [*SecondFactor.objects.filter(user=user), *RecoveryCodes.objects.filter(user=user)]
    return max((device.throttling_failure_count for device in devices), default=0)


def _use(devices, code: str) -> None:
    # What is wrong is raised after the transaction, which has to keep the count of wrong codes.
    with transaction.atomic():
        device = devices.select_for_update().first()
        seconds = _seconds_to_wait(device) if device else 0
        is_right = bool(device) and not seconds and device.verify_token(code)
    if seconds:
        text = ngettext(
            "Too many wrong codes. Try again in %d second.",
            "Too many wrong codes. Try again in %d seconds.",
            seconds,
        )
        raise ValidationError(text % seconds, code="throttled")
    if not is_right:
        raise ValidationError(
            _("This code is not right, or was used before. Enter the one that the app shows now."),
            code="wrong",
        )


def _seconds_to_wait(device) -> int:
    is_allowed, why = device.verify_is_allowed()
    return 0 if is_allowed else max(1, ceil((why["locked_until"] - timezone.now()).total_seconds()))


@transaction.atomic
def new_recovery_codes(user) -> list[str]:
    """Put new recovery codes in the place of all others, and return them as they are shown."""
    RecoveryCodes.objects.filter(user=user).delete()
    device = RecoveryCodes.objects.create(user=user, name=user.get_username()[:64])
    codes = [_new_code() for _number in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=device.hash_of(code)) for code in codes)
    return ["-".join(_fours(code)) for code in codes]


def _new_code() -> str:
    return b32encode(secrets.token_bytes(RECOVERY_CODE_BYTES)).decode().lower()


def _fours(signs: str) -> list[str]:
    return [signs[start : start + 4] for start in range(0, len(signs), 4)]


def recovery_codes_left(user) -> int:
    return StaticToken.objects.filter(device__user=user).count()


@transaction.atomic
def remove(user) -> None:
    TOTPDevice.objects.filter(user=user).delete()
    RecoveryCodes.objects.filter(user=user).delete()


def secret_of(device: TOTPDevice) -> str:
    """Return the secret as apps take it that cannot read the picture, in groups of four."""
    return " ".join(_fours(b32encode(device.bin_key).decode()))


def picture_of(device: TOTPDevice) -> bytes:
    """Return a QR code as SVG, on white, because cameras read no light code on dark ground."""
    picture = BytesIO()
    segno.make(device.config_url, micro=False).save(picture, kind="svg", scale=5, light="#fff")
    return picture.getvalue()
