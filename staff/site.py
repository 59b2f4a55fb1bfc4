from django.contrib import admin
from django.urls import path

from staff import views


class StaffSite(admin.AdminSite):
    """Django's admin, and a page about one's own account."""

    def get_urls(self):
        own = [
            path("account/", self.admin_view(views.account), name="account"),
            path("account/sessions/end/", self.admin_view(views.end_session), name="end_session"),
            path("account/sessions/end-others/", self.admin_view(views.end_others), name="end_others"),
        ]
        # Before Django's own, of which the last takes every address.
        return own + super().get_urls()
