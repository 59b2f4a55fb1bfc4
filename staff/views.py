"""The pages of staff: signing in, and what is open under one's own account."""

from math import ceil

from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from staff import attempts, browsers
from staff.sessions import LISTED, Session


def page(
    request: HttpRequest, template: str, title: str, context: dict | None = None, status: int = 200
) -> HttpResponse:
    """Render a page in the admin's look."""
    context = {**admin.site.each_context(request), "title": title, **(context or {})}
    return render(request, template, context, status=status)


def locked_out(request: HttpRequest, _response: HttpResponse, credentials: dict) -> HttpResponse:
    """Say how long to wait, to whoever gave too many wrong passwords. django-axes calls it."""
    username = credentials["username"]
    seconds = attempts.seconds_to_wait(request, username)
    minutes = ceil(seconds / 60)
    context = {
        "form": AdminAuthenticationForm(request, initial={"username": username}),
        "app_path": reverse("admin:login"),
        "next": request.POST.get("next") or request.GET.get("next") or reverse("admin:index"),
        "wait": ngettext("Try again in %d minute.", "Try again in %d minutes.", minutes) % minutes,
    }
    response = page(request, "staff/locked_out.html", _("Too many wrong passwords"), context, status=429)
    response["Retry-After"] = str(seconds)
    add_never_cache_headers(response)
    return response


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    return page(request, "staff/account.html", _("Your account"), {"sessions": sessions_of(request)})


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
