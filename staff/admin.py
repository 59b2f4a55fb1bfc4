from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from staff import accounts, notices, second_factor, sign_in
from staff.models import SecondFactor

# The pages of django-otp show secrets and recovery codes, and let some be made for others.
admin.site.unregister([TOTPDevice, StaticDevice])
# Django's, which ours take the place of.
admin.site.unregister([User, Group])


class AsksForPassword:
    """Pages that change who may do what: who finds a browser open has to know the password too."""

    def changelist_view(self, request, *args, **kwargs):
        return self._asked(super().changelist_view, request, *args, opens=False, **kwargs)

    def changeform_view(self, request, *args, **kwargs):
        return self._asked(super().changeform_view, request, *args, **kwargs)

    def delete_view(self, request, *args, **kwargs):
        return self._asked(super().delete_view, request, *args, **kwargs)

    def _asked(self, view, request, *args, opens=True, **kwargs):
        """Answer with a view, or ask for the password first. A list only asks who sends something."""
        if (opens or request.method == "POST") and not sign_in.gave_password(request):
            return redirect_to_login(request.get_full_path(), reverse("admin:give_password"))
        return view(request, *args, **kwargs)


@admin.register(Group)
class RoleAdmin(AsksForPassword, GroupAdmin):
    """What the members of a group may do."""


@admin.register(User)
class AccountAdmin(AsksForPassword, UserAdmin):
    """Accounts. Who leaves is made inactive, or deleted with what is theirs alone."""

    actions = ["make_inactive"]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(signature=None)

    def lookup_allowed(self, lookup, value, request):
        """Let addresses filter as the list offers it, and not by the keys of sessions."""
        return lookup.partition("__")[0] in self.list_filter

    def get_urls(self):
        own = path(
            "<id:pk>/make-inactive/",
            self.admin_site.admin_view(self.make_one_inactive),
            name="auth_user_make_inactive",
        )
        return [own, *super().get_urls()]

    @method_decorator(require_POST)
    def make_one_inactive(self, request: HttpRequest, pk: int) -> HttpResponse:
        account = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_change_permission(request, account):
            raise PermissionDenied
        if not sign_in.gave_password(request):
            page = reverse("admin:auth_user_delete", args=[pk])
            return redirect_to_login(page, reverse("admin:give_password"))
        self._make_inactive(request, [account])
        return redirect("admin:auth_user_change", pk)

    @admin.action(description=gettext_lazy("Make inactive"), permissions=["change"])
    def make_inactive(self, request, queryset):
        self._make_inactive(request, list(queryset.filter(is_active=True)))

    def _make_inactive(self, request: HttpRequest, found: list[User]) -> None:
        others = [account for account in found if account != request.user]
        for account in others:
            accounts.make_inactive(account)
            self.log_change(request, account, _("Made inactive."))
        if len(others) < len(found):
            self.message_user(request, _("Your own account stays active."), messages.WARNING)
        if others:
            text = ngettext(
                "%d account is inactive now, and signed out everywhere.",
                "%d accounts are inactive now, and signed out everywhere.",
                len(others),
            )
            self.message_user(request, text % len(others), messages.SUCCESS)

    def user_change_password(self, request, id, form_url=""):  # noqa: A002 (Django's name)
        before = self.get_object(request, unquote(id))
        response = self._asked(super().user_change_password, request, id, form_url)
        after = self.get_object(request, unquote(id))
        if before and after and before.password != after.password:
            notices.tell(after, notices.Kind.PASSWORD_CHANGED, request)
        return response

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if change and "email" in form.changed_data and (old := form.initial["email"]):
            notices.tell(obj, notices.Kind.ADDRESS_CHANGED, request, to=old)

    def get_deleted_objects(self, objs, request):
        """Count what goes along. Django would list each row, which says nothing to an owner."""
        counts = accounts.goes_with(objs)
        kept_by = [f"{name}: {count}" for name, count in accounts.keeps(objs).items()]
        return [str(account) for account in objs], counts, set(), kept_by

    def delete_model(self, request, obj):
        accounts.delete(obj)

    def delete_queryset(self, request, queryset):
        for account in queryset:
            accounts.delete(account)


@admin.register(LogEntry)
class LogAdmin(admin.ModelAdmin):
    """What was done in the admin, by whom, also where the account or the thing is gone since."""

    list_display = ["action_time", "user", "what"]
    list_display_links = None
    list_select_related = ["user", "content_type"]
    list_filter = ["action_flag"]
    search_fields = ["user__username", "object_repr"]
    search_help_text = gettext_lazy("Search for a user name, or for what was changed")
    show_full_result_count = False
    fields = readonly_fields = ("action_time", "user", "content_type", "object_repr", "get_change_message")

    @admin.display(description=gettext_lazy("what"))
    def what(self, entry: LogEntry) -> str:
        return f"{capfirst(entry.content_type.name)}: {entry}" if entry.content_type else str(entry)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(SecondFactor)
class SecondFactorAdmin(AsksForPassword, admin.ModelAdmin):
    """Who has a second factor, to take it from whoever has lost the phone."""

    list_display = fields = readonly_fields = ("user", "created_at", "last_used_at")
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email"]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(confirmed=True)

    def lookup_allowed(self, lookup, value, request):
        """Let no address filter: one that filters by the start of a secret would tell it, bit by bit."""
        return False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def delete_model(self, request, obj):
        second_factor.remove(obj.user)
        notices.tell(obj.user, notices.Kind.FACTOR_REMOVED, request)

    def delete_queryset(self, request, queryset):
        for device in queryset:
            self.delete_model(request, device)
