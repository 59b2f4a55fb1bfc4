from base64 import urlsafe_b64encode

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from staff.sessions import Session  # noqa: F401 (Django looks for an app's models here)

# The pause after a wrong code is doubled as long as no more than so many are counted: it grows to
# 2 ** 11 seconds, 34 minutes. Whoever has the password alone cannot keep the account's owner out.
COUNTED_CODES = 12


class Paused:
    """A device that is asked no more for a while after a wrong code. It goes before the device's class."""

    throttling_failure_count: int

    def verify_is_allowed(self):
        # The count is the exponent of the pause, to which django-otp sets no end that helps anybody.
        self.throttling_failure_count = min(self.throttling_failure_count, COUNTED_CODES)
        return super().verify_is_allowed()


class SecondFactor(Paused, TOTPDevice):
    """What django-otp calls a TOTP device, by the name that we call it by."""

    class Meta:
        proxy = True
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")

    def __str__(self) -> str:
        return str(self.user)


class RecoveryCodes(Paused, StaticDevice):
    """The recovery codes of one account, of which the database knows hashes only.

    A code of 80 random bits needs no slow hash, which ten codes to compare would make slow ten
    times. The codes of before the upgrade have 40 bits: they could be guessed from any plain hash.
    So the hash needs SECRET_KEY too, and whoever has the database alone can guess at neither.
    """

    class Meta:
        proxy = True
        verbose_name_plural = _("recovery codes")

    def hash_of(self, code: str) -> str:
        """Return 96 bits in the sixteen signs that django-otp has room for."""
        # The account is in it: a row that is copied to another account lets nobody in there.
        digest = salted_hmac("staff.recovery_codes", f"{self.user_id}:{code}", algorithm="sha256").digest()
        return urlsafe_b64encode(digest[:12]).decode()

    def verify_token(self, token: str) -> bool:
        return super().verify_token(self.hash_of(token))


class Signature(models.Model):
    """What stays of an account that was deleted: a name, under what it did in the admin's log.

    No entry of Django's log can be without an account. So the entries get one that nobody can
    sign in with, that no list shows, and that cannot be deleted.
    """

    account = models.OneToOneField(User, on_delete=models.PROTECT, primary_key=True)

    def __str__(self) -> str:
        return str(self.account)


class Place(models.Model):
    """A browser in a network that an account was signed in from, as a hash: see `staff/notices.py`."""

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    place = models.CharField(max_length=64)
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = _("places to sign in from")
        constraints = [models.UniqueConstraint(fields=["user", "place"], name="staff_place_once")]

    def __str__(self) -> str:
        return str(self.user)


class Notified(models.Model):
    """That the owner of an account was mailed of something, so that not all of it is mailed."""

    class Kind(models.TextChoices):
        WRONG_PASSWORDS = "wrong-passwords", _("Wrong passwords for your account")
        WRONG_CODES = "wrong-codes", _("Wrong codes for your account")
        NEW_PLACE = "new-place", _("A new sign-in to your account")
        FACTOR_SET_UP = "factor-set-up", _("A second factor was set up")
        FACTOR_REMOVED = "factor-removed", _("The second factor was removed")
        CODES_MADE = "codes-made", _("New recovery codes")
        CODE_USED = "code-used", _("A recovery code was used")
        PASSWORD_CHANGED = "password-changed", _("Your password was changed")
        ADDRESS_CHANGED = "address-changed", _("Your email address was changed")

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    kind = models.CharField(max_length=16, choices=Kind)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name_plural = _("notes of mails about the account")

    def __str__(self) -> str:
        return self.get_kind_display()
