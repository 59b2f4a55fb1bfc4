from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.db import models, transaction
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _

from newsite import health
from newsite.local_time import LocalTimeField
from staff import views


class StaffSite(admin.AdminSite):
    """Django's admin, with a second step at sign-in and a page about one's own account."""

    def register(self, *args, **kwargs):
        super().register(*args, **kwargs)
        for page in self._registry.values():
            page.formfield_overrides[models.DateTimeField]["form_class"] = LocalTimeField

    def get_urls(self):
        own = [
            path("login/code/", views.sign_in_code, name="sign_in_code"),
            path("account/second-factor/set-up/", views.set_up, name="set_up"),
            path("account/second-factor/set-up/code.svg", views.picture, name="set_up_picture"),
            path("account/", self.admin_view(views.account), name="account"),
            path("account/second-factor/", self.admin_view(views.change), name="second_factor"),
            path("account/password/", self.admin_view(views.give_password), name="give_password"),
            path("account/sessions/end/", self.admin_view(views.end_session), name="end_session"),
            path("account/sessions/end-others/", self.admin_view(views.end_others), name="end_others"),
        ]
        # Django would tell anyone on the staff the address of any row, of a draft too.
        djangos = [url for url in super().get_urls() if getattr(url, "name", None) != "view_on_site"]
        # Before Django's own, of which the last takes every address.
        return own + djangos

    def index(self, request, extra_context=None):
        """Say on the front page what fails beside the requests, to those who may see the mails."""
        shown = {}
        if request.user.has_perm("mail.view_mail"):
            shown = {"waiting_mails": health.waiting_mails(), "missing_worker": health.missing_worker()}
        return super().index(request, {**shown, **(extra_context or {})})

    def password_change(self, request, extra_context=None):
        context = {**self.each_context(request), **(extra_context or {})}
        return views.NewPassword.as_view(extra_context=context)(request)

    @transaction.non_atomic_requests  # SignIn has its own
    def login(self, request, extra_context=None):
        """Do as Django does, but for what follows the right password."""
        if request.method == "GET" and self.has_permission(request):
            return redirect("admin:index")
        context = {
            **self.each_context(request),
            "title": _("Log in"),
            "subtitle": None,
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
            **(extra_context or {}),
        }
        if REDIRECT_FIELD_NAME not in request.GET and REDIRECT_FIELD_NAME not in request.POST:
            context[REDIRECT_FIELD_NAME] = reverse("admin:index")
        return views.SignIn.as_view(extra_context=context)(request)
