from django import forms
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from staff import sign_in

CODE_LENGTH = 32


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
        """Return the code without what people put into it to read it better."""
        return "".join(self.cleaned_data["code"].split()).replace("-", "").lower()


class PasswordForm(forms.Form):
    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, request: HttpRequest, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.request = request

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
