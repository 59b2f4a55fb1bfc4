"""The pages of staff: signing in, and what is open under one's own account."""

from typing import cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, PasswordChangeView, redirect_to_login
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_otp.plugins.otp_totp.models import TOTPDevice

from newsite import all_or_nothing
from staff import attempts, browsers, notices, second_factor, sign_in, sign_in_log
from staff.forms import CodeForm, LimitedSignInForm, NewPasswordForm, PasswordForm, SignInForm
from staff.sessions import LISTED, Session


def page(
    request: HttpRequest, template: str, title: str, context: dict | None = None, status: int = 200
) -> HttpResponse:
    """Render a page in the admin's look."""
    context = {**admin.site.each_context(request), "title": title, **(context or {})}
    return render(request, template, context, status=status)


def step_of_signing_in(view):
    """Serve those who are not signed in yet, with the care that the admin takes of its pages."""
    return never_cache(csrf_protect(sensitive_post_parameters("code")(view)))


@method_decorator(transaction.non_atomic_requests, "dispatch")
class SignIn(LoginView):
    """Django's form. What follows the right password is ours.

    The password is looked at before anything is written: it takes its time.
    """

    authentication_form: type[LimitedSignInForm] = SignInForm
    template_name = "admin/login.html"
    next_page = "admin:index"

    def form_valid(self, form):
        all_or_nothing.begin()
        step = sign_in.take_password(self.request, form.get_user())
        target = self.get_success_url()
        return redirect_to_login(target, reverse(step)) if step else HttpResponseRedirect(target)

    def form_invalid(self, form):
        response = super().form_invalid(form)
        response.status_code = 422
        if account := form.get_user():  # the password was right, and the account is for another page
            sign_in_log.write(sign_in_log.REFUSED, self.request, account, page=self.request.path)
        if form.has_error(NON_FIELD_ERRORS, "locked"):
            response.status_code = 429
            response["Retry-After"] = str(form.seconds_to_wait)
        return response


class NewPassword(PasswordChangeView):
    """Django's page. Wrong old passwords count as they do at sign-in."""

    form_class = NewPasswordForm
    success_url = reverse_lazy("admin:password_change_done")

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form):
        response = super().form_valid(form)
        notices.tell(form.user, notices.Kind.PASSWORD_CHANGED, self.request)
        return response

    def form_invalid(self, form):
        response = super().form_invalid(form)
        response.status_code = 422
        return response


@step_of_signing_in
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponse:
    target = sign_in.next_page(request, "admin:index")
    user = sign_in.who_waits(request)
    if user is None:
        return redirect_to_login(target, sign_in.password_page(request))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            is_recovery_code = sign_in.take_code(request, user, form.cleaned_data["code"])
        except ValidationError as error:
            form.add_error("code", error)
        else:
            if is_recovery_code:
                tell_codes_left(request)
            return HttpResponseRedirect(target)
    context = {"form": form, "password_page": sign_in.password_page(request)}
    return page(request, "staff/code.html", _("Enter your code"), context, status_of(form))


def status_of(form: CodeForm) -> int:
    if form.has_error("code", "throttled"):
        return 429
    return 422 if form.errors else 200


def tell_codes_left(request: HttpRequest) -> None:
    left = second_factor.recovery_codes_left(request.user)
    text = ngettext("You have %d recovery code left.", "You have %d recovery codes left.", left) % left
    messages.warning(request, text)


@step_of_signing_in
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Show a new secret until a code shows that an app has it. It may be a step of signing in."""
    target = sign_in.next_page(request, "admin:account")
    device = device_of(request)
    if device is None:
        return HttpResponseRedirect(target)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = second_factor.confirm(device, form.cleaned_data["code"])
        except ValidationError as error:
            form.add_error("code", error)
        else:
            # Other sessions began without a code. This one begins anew, with what it has shown.
            sign_in.finish(request, device.user)
            Session.objects.end_others(device.user, request.session.session_key)
            notices.tell(device.user, notices.Kind.FACTOR_SET_UP, request)
            return recovery_codes_page(request, codes, target)
    context = {
        "form": form,
        "device": device,
        "secret": second_factor.secret_of(device),
        "is_required": second_factor.is_missing(device.user),
        "is_nav_sidebar_enabled": False,
    }
    return page(request, "staff/set_up.html", _("Set up a second factor"), context, status_of(form))


def device_of(request: HttpRequest) -> TOTPDevice | None:
    """Return what is being set up in this session, by someone who may."""
    user = sign_in.who_sets_up(request)
    return second_factor.being_set_up(request, user) if user else None


@step_of_signing_in
@require_safe
def picture(request: HttpRequest) -> HttpResponse:
    device = device_of(request)
    if device is None:
        raise Http404
    return HttpResponse(second_factor.picture_of(device), content_type="image/svg+xml")


def recovery_codes_page(request: HttpRequest, codes: list[str], target: str) -> HttpResponse:
    """Show the codes in the answer itself: kept for another page, they would not be shown once."""
    context = {"codes": codes, "target": target}
    return page(request, "staff/recovery_codes.html", _("Your recovery codes"), context)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest) -> HttpResponse:
    """Change the second factor, for whoever gives the password: a session left open is not enough."""
    user = cast(User, request.user)
    has_one = second_factor.has_one(user)
    form = PasswordForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        if "remove" in request.POST:
            second_factor.remove(user)
            notices.tell(user, notices.Kind.FACTOR_REMOVED, request)
            messages.success(request, _("The second factor is removed."))
            return redirect("admin:account")
        if "codes" in request.POST and has_one:
            codes = second_factor.new_recovery_codes(user)
            notices.tell(user, notices.Kind.CODES_MADE, request)
            return recovery_codes_page(request, codes, reverse("admin:account"))
        second_factor.start(request, user)
        return redirect("admin:set_up")
    context = {"form": form, "has_one": has_one}
    status = 422 if form.errors else 200
    return page(request, "staff/second_factor.html", _("Second factor"), context, status)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def give_password(request: HttpRequest) -> HttpResponse:
    """Ask for the password before a page that changes who may do what: see `AsksForPassword`."""
    form = PasswordForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        sign_in.note_password(request)
        return HttpResponseRedirect(sign_in.next_page(request, "admin:index"))
    context = {"form": form}
    status = 422 if form.errors else 200
    return page(request, "staff/give_password.html", _("Your password, once more"), context, status)


def locked_out(request: HttpRequest, response: HttpResponse, credentials: dict) -> HttpResponse:
    """Say how long to wait, to who is signed in and gave too many wrong passwords. django-axes calls it."""
    if response.status_code == 429:  # a page to sign in, which has said so itself
        return response
    seconds = attempts.seconds_to_wait(request, credentials["username"])
    context = {"wait": attempts.in_words(seconds)}
    response = page(request, "staff/locked_out.html", _("Too many wrong passwords"), context, status=429)
    response["Retry-After"] = str(seconds)
    add_never_cache_headers(response)
    return response


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    context = {
        "has_one": second_factor.has_one(request.user),
        "codes_left": second_factor.recovery_codes_left(request.user),
        "sessions": sessions_of(request),
    }
    return page(request, "staff/account.html", _("Your account"), context)


def sessions_of(request: HttpRequest) -> list[dict]:
    """Return what a person is shown of the sessions of their account, this one first."""
    current = request.session.session_key
    found = Session.objects.signed_in(request.user)[:LISTED]
    rows = [
        {
            "session": session,
            "browser": browsers.in_words(session.user_agent),
            "is_current": session.session_key == current,
        }
        for session in found
    ]
    return sorted(rows, key=lambda row: not row["is_current"])


@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """End one session of this account. One that is gone, or another's, is not there to end."""
    if Session.objects.end(request.user, request.POST.get("session", "")):
        messages.success(request, _("The session is ended."))
    return redirect("admin:account")


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    count = Session.objects.end_others(request.user, request.session.session_key)
    text = ngettext("%d other session is ended.", "%d other sessions are ended.", count) % count
    messages.success(request, text)
    return redirect("admin:account")
