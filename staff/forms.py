import unicodedata
from typing import cast

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from staff import attempts, sign_in

CODE_LENGTH = 32


class LimitedSignInForm(AuthenticationForm):
    """Django's form, for any account. Who gave too many wrong passwords is told how long to wait."""

    @property
    def seconds_to_wait(self) -> int:
        """How long nobody is let in from here; 0: somebody may be."""
        if not getattr(self.request, "axes_locked_out", False):
            return 0
        return attempts.seconds_to_wait(cast(HttpRequest, self.request), self.cleaned_data["username"])

    def get_invalid_login_error(self):
        if seconds := self.seconds_to_wait:
            return forms.ValidationError(attempts.in_words(seconds), code="locked")
        return super().get_invalid_login_error()


class SignInForm(LimitedSignInForm, AdminAuthenticationForm):
    """The same for those with staff status."""


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        max_length=CODE_LENGTH,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )

    def clean_code(self) -> str:
        """Return the code without what people, and what they copy from, put between its signs."""
        code = unicodedata.normalize("NFKC", self.cleaned_data["code"])
        return "".join(filter(str.isalnum, code)).lower()


class PasswordForm(forms.Form):
    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, request: HttpRequest, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.request = request
        # The page has one field, and begins there again after a wrong password.
        if self.is_bound:
            self.fields["password"].widget.attrs["autofocus"] = True

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        if not sign_in.is_password(self.request, password):
            raise forms.ValidationError(_("This is not your password."))
        return password


class NewPasswordForm(AdminPasswordChangeForm):
    """Django's form, which would let whoever finds a session open guess the old password for ever."""

    def __init__(self, request: HttpRequest, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.request = request

    @sensitive_variables("password")
    def clean_old_password(self) -> str:
        password = self.cleaned_data["old_password"]
        if not sign_in.is_password(self.request, password):
            raise forms.ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return password
