"""Banned and trusted people in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from comments import bans
from comments.models import Standing
from newsite.origin import client_address

# In a list there is no room for more.
SHORT: dict[str, Any] = {
    Standing.Kind.EMAIL: gettext_lazy("Email"),
    Standing.Kind.PERSON: gettext_lazy("Name and email"),
    Standing.Kind.ADDRESS: gettext_lazy("IP address"),
}


class StandingForm(forms.ModelForm):
    sure = bans.SureField()
    # Where the moderator's browser is.
    own_address: str | None = None

    class Meta:
        model = Standing
        fields = ["standing", "kind", "value", "sure", "ends_at", "note"]
        # The admin takes help for HTML, and this one has an address in angle brackets.
        help_texts = {"value": escape(Standing._meta.get_field("value").help_text)}

    def clean_ends_at(self):
        ends_at = self.cleaned_data["ends_at"]
        # To end a ban now, its own page takes any time.
        if ends_at and self.instance.pk is None and ends_at <= timezone.now():
            raise forms.ValidationError(_("Name a time that is yet to come, or leave it empty."))
        return ends_at

    def clean(self):
        cleaned = super().clean()
        try:
            standing, kind = cleaned["standing"], cleaned["kind"]
            value = Standing.normal(kind, cleaned["value"])
        except (KeyError, ValueError):  # what is wrong is said by the fields, or by the model
            return cleaned
        if not {"standing", "kind", "value"} & set(self.changed_data):
            return cleaned
        known = Standing.objects.in_force().exclude(pk=self.instance.pk).select_related("by")
        if same := known.filter(standing=standing, kind=kind, key=Standing.key_of(kind, value)).first():
            self.add_error("value", _already(same))
        elif standing == Standing.State.BANNED:
            bans.ask_twice(self, kind, value, self.own_address)
        return cleaned


class ForceFilter(admin.SimpleListFilter):
    title = gettext_lazy("in force")
    parameter_name = "in_force"

    def lookups(self, request, model_admin):
        return [("yes", _("Yes")), ("no", _("No, it is over"))]

    def queryset(self, request, queryset):
        if self.value() == "yes":
            return queryset.in_force()
        return queryset.exclude(pk__in=Standing.objects.in_force()) if self.value() == "no" else queryset


@admin.register(Standing)
class StandingAdmin(admin.ModelAdmin):
    form = StandingForm
    fields = ["standing", "kind", "value", "sure", "ends_at", "note"]
    list_display = ["who", "standing", "what", "is_in_force", "until", "note", "by"]
    list_filter = ["standing", "kind", ForceFilter]
    list_select_related = ["by"]
    list_per_page = 100
    search_fields = ["value", "note", "by__username"]
    show_full_result_count = False

    def changelist_view(self, request, extra_context=None):
        # Whole lines need the room that the admin's navigation takes.
        extra = {"title": capfirst(self.opts.verbose_name_plural), "is_nav_sidebar_enabled": False}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    @admin.display(description=gettext_lazy("value"), ordering="value")
    def who(self, standing: Standing) -> str:
        return standing.who

    @admin.display(description=gettext_lazy("what"), ordering="kind")
    def what(self, standing: Standing) -> str:
        return str(SHORT.get(standing.kind, standing.get_kind_display()))

    @admin.display(description=gettext_lazy("until"), ordering="ends_at")
    def until(self, standing: Standing) -> str:
        if standing.ends_at is None:
            return _("for good")
        return date_format(timezone.localtime(standing.ends_at), "DATE_FORMAT")

    @admin.display(description=gettext_lazy("in force"), boolean=True)
    def is_in_force(self, standing: Standing) -> bool:
        return standing.ends_at is None or standing.ends_at > timezone.now()

    def get_readonly_fields(self, request, obj=None):
        """Leave of a hidden ban what can be changed: when it ends, and the note."""
        return ["standing", "kind", "who"] if obj and obj.is_hidden else []

    def get_fields(self, request, obj=None):
        hidden = ["standing", "kind", "who", "ends_at", "note"]
        return hidden if obj and obj.is_hidden else self.fields

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.own_address = client_address(request)
        return form

    def save_model(self, request, obj, form, change):
        if not change:
            obj.by = request.user
        elif form.changed_data:
            # Whoever undoes the decision that it came with would delete what has become of it.
            obj.decision = None
        super().save_model(request, obj, form, change)


def _already(standing: Standing) -> str:
    since = date_format(timezone.localdate(standing.created_at))
    if standing.by is None:
        return _("This is on the list already, since %(date)s.") % {"date": since}
    return _("This is on the list already, since %(date)s, by %(who)s.") % {"date": since, "who": standing.by}
