"""What a request may be like at all, before anything reads it."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

UTF_8 = {"utf-8", "utf8"}


def bounded(get_response):
    """Turn away, as middleware, what no form of ours sends.

    Python has codecs that are no character sets, and Django decodes with any that a
    request names. Its limit on a request's size leaves files out: only editors send some.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if (request.content_params or {}).get("charset", "utf-8").lower() not in UTF_8:
            return render(request, "400.html", status=400)
        # PostgreSQL cannot even look for a null character, and Django's filters of lists try to.
        if "%00" in request.META.get("QUERY_STRING", ""):
            return render(request, "400.html", status=400)
        if is_too_large(request) and not request.path.startswith(reverse("admin:index")):
            return render(request, "400.html", status=413)
        return get_response(request)

    return middleware


def is_too_large(request: HttpRequest) -> bool:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return not length.isdecimal() or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
