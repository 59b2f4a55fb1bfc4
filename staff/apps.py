from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.utils.translation import gettext_lazy as _


class StaffConfig(AppConfig):
    name = "staff"
    verbose_name = _("Staff")


class StaffAdminConfig(admin.AdminConfig):
    """Django's admin, with our sign-in and with an account page."""

    default_site = "staff.site.StaffSite"
    # The app “staff” is the one above.
    default = False
