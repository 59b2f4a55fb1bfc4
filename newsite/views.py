import sys
from typing import cast

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from newsite import health, not_now, sent
from staff import sign_in_log


def site_context(request: HttpRequest) -> dict:
    return {
        "site_name": settings.SITE_NAME,
        "site_description": settings.SITE_DESCRIPTION,
        "site_url": settings.SITE_URL,
    }


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Keep robots from the admin and from the reply form, of which every comment has one."""
    kept_from = ["/admin/", "/comments/", "/*/reply/"]
    rules = ["User-agent: *", "Allow: /comments/feed/", *(f"Disallow: {path}" for path in kept_from)]
    return HttpResponse("\n".join(rules) + "\n", content_type="text/plain")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Lead those who ask at the old address, as pages that name no icon make them do."""
    return redirect(static("newsite/icon.svg"))


@require_safe
@never_cache
def livez(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the database can be reached and is migrated, else 503 and why.

    A worker that does not run is named, and nothing more: whoever sends visitors elsewhere
    after this answer would take the site from its readers, and bring no worker back.
    """
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        trouble = "" if waiting else health.missing_worker()
    except DatabaseError:
        return HttpResponse("The database cannot be reached.\n", status=503, content_type="text/plain")
    if waiting:
        return HttpResponse("The database waits for its migrations.\n", status=503, content_type="text/plain")
    return HttpResponse(f"{trouble or 'ok'}\n", content_type="text/plain; charset=utf-8")


@never_cache
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


@never_cache
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer in the admin's look to those who are signed in there: another account may see it."""
    if not request.path.startswith(reverse("admin:index")) or not admin.site.has_permission(request):
        return render(request, "403.html", status=403)
    account = cast(User, request.user)
    sign_in_log.write(sign_in_log.REFUSED, request, account, page=request.path)
    back = request.get_full_path() if request.method == "GET" else reverse("admin:index")
    context = {
        **admin.site.each_context(request),
        "title": _("You don’t have access to this page"),
        "sign_in_again": reverse("admin:login", query={REDIRECT_FIELD_NAME: back}),
    }
    return render(request, "admin/403.html", context, status=403)


@never_cache
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


@never_cache
def server_error(request: HttpRequest) -> HttpResponse:
    """Answer where anything has failed: with 503 where that passes, and with all that was sent.

    Nothing here asks the database, which may be what has failed: no section, session or account.
    """
    fields = sent.fields_of(request)
    kinds = {field.kind for field in fields}
    context = {
        **site_context(request),
        "address": request.get_full_path(),
        "was_sent": request.method == "POST",
        "may_be_sent_again": sent.may_be_sent_again(request),
        "fields": fields,
        "has_secrets": bool(kinds & {"password", "code"}),
        "has_files": "file" in kinds,
    }
    passes = not_now.is_not_now(sys.exception())
    response = HttpResponse(render_to_string("500.html", context), status=503 if passes else 500)
    if passes:
        response["Retry-After"] = str(not_now.RETRY_AFTER)
    return response
