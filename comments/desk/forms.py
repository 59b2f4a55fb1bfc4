"""The forms of the moderator's desk."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, cast

from django import forms
from django.core.exceptions import BadRequest
from django.db import models
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from comments import bans, decisions, queue, telling
from comments.forms import CommentTextForm, MailboxField, NameField, website_field
from comments.models import Change, Comment, Decision, Seen, Standing
from newsite.lookups import ID, LARGEST

# The next one is counted from it.
LARGEST_SEEN = LARGEST - 1


def number(request: HttpRequest, name: str) -> int | None:
    """Return an id that a page has sent along, None where it has not."""
    text = request.POST.get(name, "")
    if text and not re.fullmatch(ID, text):
        raise BadRequest(f"`{name}` is a number")
    return int(text) if text else None


def seen_of(request: HttpRequest, comments: Iterable[str]) -> Seen:
    """Return what a page has shown of these comments: the newest change of each.

    What someone else has decided later is then not overwritten, but told. A page about one
    comment says it in `seen`, which on the queue is the newest change of all.
    """
    each = {int(pk): number(request, f"seen-{pk}") for pk in comments if f"seen-{pk}" in request.POST}
    return {pk: change for pk, change in each.items() if change is not None} or number(request, "seen")


class ModeratorEditForm(CommentTextForm):
    """What a comment says, and who it is by. Only visitors' names and addresses are typed."""

    error_title = _("Your changes have not been saved.")

    website = website_field()
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=LARGEST_SEEN)

    class Meta(CommentTextForm.Meta):
        fields = ["body", "name", "email", "website"]
        field_classes = {"name": NameField, "email": MailboxField}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.user_id:
            for name in decisions.EDITED_FIELDS:
                del self.fields[name]

    def overtaken(self, change: Change, seen: int) -> None:
        """Say that someone was quicker, and let the next press of the button overwrite it."""
        text = gettext("%(who)s has changed this comment, %(ago)s. Your text is kept: save it again.")
        self.add_error(None, text % {"who": change.who, "ago": telling.ago(change.at)})
        data = QueryDict(mutable=True)
        data.update(self.data)
        data["seen"] = str(seen)
        self.data = data


class BanTermsForm(forms.Form):
    """By what someone is banned, until when, and why: the same for one and for many."""

    error_title = _("Nobody was banned yet.")

    class Lasts(models.IntegerChoices):
        DAY = 1, _("A day")
        WEEK = 7, _("A week")
        MONTH = 30, _("30 days")
        YEAR = 365, _("A year")
        EVER = 0, _("For good")

    kind = forms.ChoiceField(label=_("Ban by"), widget=forms.RadioSelect)
    days = forms.TypedChoiceField(label=_("For"), choices=Lasts, coerce=int, initial=Lasts.MONTH)
    until = queue.DayField(
        label=_("Or until the end of a day"),
        required=False,
        help_text=_("Empty: for as long as chosen above."),
        error_messages={"invalid": _("Name a day like 2026-12-31.")},
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=400,
        help_text=Standing._meta.get_field("note").help_text,
    )
    mark_as_spam = forms.BooleanField(label=_("Mark this comment as spam"), required=False, initial=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["until"].widget.attrs["min"] = timezone.localdate().isoformat()

    def clean_until(self) -> date | None:
        until = self.cleaned_data["until"]
        if until and until < timezone.localdate():
            raise forms.ValidationError(_("Name today or a later day."))
        return until

    @property
    def ends_at(self) -> datetime | None:
        """When the ban ends: at midnight where the site is, if a day was named. None for never."""
        days, until = self.cleaned_data["days"], self.cleaned_data["until"]
        if until:
            return queue.midnight(until + timedelta(days=1))
        return timezone.now() + timedelta(days=days) if days else None


class BanForm(BanTermsForm):
    """Which part of what a commenter sent is not welcome any more."""

    value = forms.CharField(
        label=_("Instead of what the comment has"),
        required=False,
        max_length=400,
        help_text=_("A whole network like 192.0.2.0/24, or a domain like @example.com. Empty: as above."),
    )
    sure = bans.SureField()
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=LARGEST_SEEN)

    field_order = ["kind", "value", "sure"]

    def __init__(self, *args, comment: Comment, own_address: str | None, **kwargs):
        super().__init__(*args, **kwargs)
        self.comment, self.own_address = comment, own_address
        self.values = bans.values_of(comment)
        labels: dict[str, Any] = {
            Standing.Kind.EMAIL: _("Email address: %s"),
            Standing.Kind.ADDRESS: _("IP address: %s"),
            Standing.Kind.NAME: _("Name: %s"),
            Standing.Kind.WEBSITE: _("Website: %s"),
        }
        choices = [(kind, labels[kind] % value) for kind, value in self.values.items() if value]
        cast(forms.ChoiceField, self.fields["kind"]).choices = choices
        if self.values.get(Standing.Kind.EMAIL):
            self.fields["kind"].initial = Standing.Kind.EMAIL

    def clean(self):
        cleaned = super().clean()
        if kind := cleaned.get("kind"):
            value = cleaned.get("value") or self.values[kind]
            self.standing = Standing(standing=Standing.State.BANNED, kind=kind, value=value)
            try:
                self.standing.clean()
            except forms.ValidationError as error:
                self.add_error("value", error.messages)
            else:
                bans.ask_twice(self, kind, self.standing.value, self.own_address)
        return cleaned

    def save(self, by) -> Decision | None:
        return decisions.ban(
            by,
            kind=self.standing.kind,
            value=self.standing.value,
            ends_at=self.ends_at,
            note=self.cleaned_data["note"],
        )


class BanManyForm(BanTermsForm):
    """By what everyone is banned who wrote one of many comments."""

    sure = forms.BooleanField(
        label=_("Ban by what several people share as well"),
        required=False,
        help_text=_(
            "Otherwise a comment is left out where its ban would hit several people whose comments "
            "are approved, or someone with an account. What would hit you, or someone who writes for "
            "this site, is always left out."
        ),
    )

    field_order = ["kind", "sure"]

    def __init__(self, *args, own_address: str | None, **kwargs):
        super().__init__(*args, **kwargs)
        self.own_address = own_address
        cast(forms.ChoiceField, self.fields["kind"]).choices = [
            (Standing.Kind.EMAIL, _("Email address of each")),
            (Standing.Kind.ADDRESS, _("IP address of each")),
            (Standing.Kind.NAME, _("Name of each")),
            (Standing.Kind.WEBSITE, _("Website of each")),
        ]
        self.fields["mark_as_spam"].label = _("Mark these comments as spam")

    @property
    def terms(self) -> bans.Terms:
        chosen = self.cleaned_data
        return bans.Terms(
            kind=chosen["kind"],
            ends_at=self.ends_at.isoformat() if self.ends_at else "",
            note=chosen["note"],
            mark_as_spam=chosen["mark_as_spam"],
            sure=chosen["sure"],
            own_address=self.own_address,
        )
