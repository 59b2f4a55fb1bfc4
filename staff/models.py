from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from staff.sessions import Session  # noqa: F401 (Django looks for an app's models here)


class SecondFactor(TOTPDevice):
    """What django-otp calls a TOTP device, by the name that we call it by."""

    class Meta:
        proxy = True
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")

    def __str__(self) -> str:
        return str(self.user)
