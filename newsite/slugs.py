"""The last part of an address: words in any script, with hyphens between them."""

import unicodedata
from itertools import pairwise

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from newsite import visible


def normal(slug: str) -> str:
    """Return the one spelling of a slug: signs composed, and none that nobody sees."""
    return unicodedata.normalize("NFC", visible.as_name(slug))


def is_slug(text: str) -> bool:
    """Say whether a text is letters and digits with the signs that belong to them, `-` and `_`."""
    return bool(text) and all(_fits(before, sign) for before, sign in pairwise(f"-{text}"))


def _fits(before: str, sign: str) -> bool:
    if sign in "-_" or sign.isalnum():
        return True
    # Vowel signs and joiners belong to a letter. Signs that choose a picture's look are no marks of it.
    is_mark = unicodedata.category(sign) in {"Mn", "Mc"} and not "\ufe00" <= sign <= "\ufe0f"
    return before not in "-_" and (is_mark or sign in visible.JOINERS)


def validate_slug(slug: str) -> None:
    if not is_slug(slug):
        raise ValidationError(
            _("Use letters and numbers of any script, hyphens and underscores, and no spaces."), "invalid"
        )


class SlugFormField(forms.CharField):
    default_validators = [validate_slug]
    # Tells the admin's script.
    allow_unicode = True

    def to_python(self, value):
        return normal(super().to_python(value))


class SlugField(models.SlugField):
    """A slug in any script; Django's own leaves out the vowel signs of Hindi, Tamil and Thai."""

    default_validators = [validate_slug]

    def __init__(self, *args, **kwargs):
        # With True, Django would put its own validator in place of ours.
        super().__init__(*args, **{**kwargs, "allow_unicode": False})
        self.allow_unicode = True

    def deconstruct(self):
        # To the database it is Django's, so that no table is made anew.
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.SlugField", args, kwargs

    def get_prep_value(self, value):
        value = super().get_prep_value(value)
        return value if value is None else normal(value)

    def formfield(self, **kwargs):
        return super(models.SlugField, self).formfield(**{"form_class": SlugFormField, **kwargs})
