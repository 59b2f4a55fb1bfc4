"""The owner's settings of the conversation in the admin: one row, tried on the past before it is saved."""

import hashlib
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from comments import backtest, matching
from comments.discussion import DiscussionSettings
from comments.forms import TextField
from comments.models import Rule

# Of more lines than this that were added to a list, or taken from it, the log tells the number.
LINES_LOGGED = 10
WORDS = ["words_that_hold", "words_that_trash"]
# What readers are told, one line after the other.
TEXTS = ["house_rules", "privacy_note"]
ADDRESSES = ["allowed_addresses", "refused_addresses"]


class SettingsForm(forms.ModelForm):
    # What the settings were when the page was opened. A script may leave it out.
    edition = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = DiscussionSettings
        exclude: list[str] = []
        field_classes = dict.fromkeys([*WORDS, *ADDRESSES, *TEXTS], TextField)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.stored_edition = self.initial["edition"] = edition_of(self.instance)
        for name, field in self.fields.items():
            # Django sends along what a default that is a function has said, and compares with that.
            field.show_hidden_initial = False
            if isinstance(field, forms.IntegerField):
                say_the_range(field, DiscussionSettings._meta.get_field(name))

    def clean_words_that_hold(self) -> str:
        return self._clean_words("words_that_hold")

    def clean_words_that_trash(self) -> str:
        return self._clean_words("words_that_trash")

    def clean(self):
        """Refuse once to overwrite what someone else has saved since the page was opened."""
        cleaned = super().clean()
        edition = self.cleaned_data.get("edition")
        if edition and edition != self.stored_edition:
            data = QueryDict(mutable=True)
            data.update(self.data)
            data["edition"] = self.stored_edition
            self.data = data
            self.add_error(
                None,
                _(
                    "Someone else has changed the settings since you opened them, and nothing here is saved "
                    "yet. Open them in another tab and bring both together, or save again to replace theirs."
                ),
            )
        return cleaned

    def in_words(self) -> list[str]:
        """Return what is changed, from what and to what, for the log."""
        return [
            f"{self.fields[name].label}: {self._change_in_words(name)}"
            for name in self.changed_data
            if name != "edition"
        ]

    def _clean_words(self, name: str) -> str:
        words = self.cleaned_data[name]
        if any(not line.strip("*") for line in matching.lines(words)):
            raise forms.ValidationError(
                _("A line of stars alone would find every comment. Write a word beside them, or remove it.")
            )
        return words

    def _change_in_words(self, name: str) -> str:
        before, after = self.initial[name], self.cleaned_data[name]
        if name in [*WORDS, *ADDRESSES, *TEXTS]:
            old, new = matching.lines(before), matching.lines(after)
            known, kept = set(old), set(new)
            lines = [f"+{line}" for line in new if line not in known]
            lines += [f"−{line}" for line in old if line not in kept]
            more = len(lines[LINES_LOGGED:])
            if not lines:
                return _("the same lines, written differently")
            return ", ".join([*lines[:LINES_LOGGED], *([f"… {more}"] if more else [])])
        return f"{self._value_in_words(name, before)} → {self._value_in_words(name, after)}"

    def _value_in_words(self, name: str, value: Any) -> str:
        if isinstance(value, bool):
            return _("on") if value else _("off")
        choices = getattr(self.fields[name], "choices", [])
        return str(dict(choices).get(value, value))


def edition_of(settings: DiscussionSettings) -> str:
    """Return a short name of all values together: another as soon as one of them is changed."""
    values = forms.model_to_dict(settings)
    return hashlib.blake2b(repr(sorted(values.items())).encode(), digest_size=16).hexdigest()


def say_the_range(field: forms.IntegerField, of: models.Field) -> None:
    """Name the numbers that a field takes, wherever another was typed, and tell them to the browser."""
    least = max(v.limit_value for v in of.validators if isinstance(v, MinValueValidator))
    most = min(v.limit_value for v in of.validators if isinstance(v, MaxValueValidator))
    text = _("Enter a number from %(least)d to %(most)d.") % {"least": least, "most": most}
    field.widget.attrs |= {"min": least, "max": most}
    field.error_messages |= dict.fromkeys(["required", "invalid", "min_value", "max_value"], text)


@admin.register(DiscussionSettings)
class DiscussionSettingsAdmin(admin.ModelAdmin):
    form = SettingsForm
    fieldsets = [
        (
            gettext_lazy("Who may comment, and where"),
            {
                "fields": [
                    "is_open",
                    "requires_name_and_email",
                    "accounts_only",
                    "closes_old_stories",
                    "closes_after_days",
                    "flood_seconds",
                    "offers_to_remember",
                ],
                "description": gettext_lazy(
                    "A story may say something else of itself: that it is open, that a moderator reads every "
                    "comment first, or that it is closed."
                ),
            },
        ),
        (
            gettext_lazy("What is said before someone writes"),
            {
                "fields": ["house_rules", "privacy_note"],
                "description": gettext_lazy(
                    "Beside this, readers are told what follows from the settings: that first comments are "
                    "read before they appear, and how long a comment can be edited."
                ),
            },
        ),
        (
            gettext_lazy("How a conversation is shown"),
            {"fields": ["has_threads", "levels", "per_page", "order", "first_shown", "shows_avatars"]},
        ),
        (
            gettext_lazy("What is held"),
            {
                # Below these stands a button that tries them.
                "classes": ["tried"],
                "fields": [
                    "holds_everything",
                    "holds_first_comments",
                    "links_that_hold",
                    "words_that_hold",
                    "words_that_trash",
                    "seconds_to_write",
                    "allowed_addresses",
                    "refused_addresses",
                    "reports_that_hold",
                ],
                "description": gettext_lazy(
                    "A held comment waits for a moderator. “Try it on the past” shows what these "
                    "settings would have held and let pass, and saves nothing."
                ),
            },
        ),
        (
            gettext_lazy("Mails, editing, and how long things are kept"),
            {
                "fields": [
                    "held_mails",
                    "comment_mails",
                    "author_mails",
                    "edit_minutes",
                    "spam_days",
                    "trash_days",
                    "address_days",
                    "shortens_addresses",
                ],
            },
        ),
    ]

    class Media:
        css = {"all": ["newsite/settings.css"]}

    def get_urls(self):
        # It takes its time, and writes nothing.
        view = transaction.non_atomic_requests(self.admin_site.admin_view(self.try_view))
        trial = path("try/", view, name="comments_discussionsettings_try")
        return [trial, *super().get_urls()]

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def get_object(self, request, object_id, from_field=None):
        DiscussionSettings.load()
        return super().get_object(request, object_id, from_field)

    def get_queryset(self, request):
        """Let two who save at once wait for each other, so that the second sees what the first did."""
        settings = super().get_queryset(request)
        return settings.select_for_update() if request.method == "POST" else settings

    def changelist_view(self, request, extra_context=None):
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return redirect(page_of_the_settings())

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        extra = {"title": _("Discussion settings"), "subtitle": None, **(extra_context or {})}
        response = super().changeform_view(request, object_id, form_url, extra)
        return with_status(response, request)

    def render_change_form(self, request, context, *args, **kwargs):
        context |= {"show_save_and_continue": False, "show_close": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def construct_change_message(self, request, form, formsets, add=False):
        words = form.in_words()
        return [{"changed": {"fields": words}}] if words else []

    def response_change(self, request, obj):
        self.message_user(request, _("The settings are saved, and apply from now on."), messages.SUCCESS)
        return redirect(page_of_the_settings())

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """Show what the settings, as they were typed, would have done. Nothing is saved."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return redirect(page_of_the_settings())
        settings = DiscussionSettings.load()
        form = cast(
            SettingsForm, self.get_form(request, settings, change=True)(request.POST, instance=settings)
        )
        # The form has put what was typed into the row that it was given.
        trial = backtest.attempt(settings, DiscussionSettings.load()) if form.is_valid() else None
        if trial:
            explain(form, trial)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Discussion settings"),
            "adminform": helpers.AdminForm(form, list(self.fieldsets), {}),  # type: ignore[arg-type]
            "object_id": str(settings.pk),
            "original": settings,
            "media": self.media + form.media,
            "inline_admin_formsets": [],
            "errors": helpers.AdminErrorList(form, []),
            "trial": trial,
        }
        address = page_of_the_settings()
        response = self.render_change_form(request, context, change=True, form_url=address, obj=settings)
        return with_status(response, request)


def page_of_the_settings() -> str:
    return reverse("admin:comments_discussionsettings_change", args=[DiscussionSettings.load().pk])


def with_status(response: HttpResponse, request: HttpRequest) -> HttpResponse:
    """Give a form that is shown again with its errors the status that says so."""
    context = getattr(response, "context_data", None) or {}
    if request.method == "POST" and context.get("errors"):
        response.status_code = 422
    return response


def explain(form: SettingsForm, trial: backtest.Trial) -> None:
    """Say beside each setting that decides what it would have done, by itself."""
    for name, rule in backtest.DECIDING.items():
        outcome = trial.alone[name]
        # The form keeps its bound fields, so this help text reaches the page.
        shown = form[name]
        context = {
            "help_text": shown.help_text,
            "trial": trial,
            "outcome": outcome,
            "held_by_this": outcome.held_by(rule),
            "passed_by_this": outcome.passed_by(rule),
            # Of an unchanged setting it is said what it does by itself.
            "is_changed": name in trial.changed,
            "lets_pass": rule == Rule.ALLOWED,
            "is_about_time": name == "seconds_to_write",
        }
        shown.help_text = render_to_string("admin/comments/discussionsettings/_alone.html", context)
