"""What a request may be like at all, before anything reads it."""

import logging
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

logger = logging.getLogger(__name__)

UTF_8 = {"utf-8", "utf8"}

# What editors upload, in bytes.
LARGEST_UPLOAD = 20 * 2**20

# Where `newsite/door.py` says, with a status, that it could not read a request to its end.
UNREAD = "newsite.unread"
UNREAD_PAGES = {400: "400.html", 408: "408.html", 503: "500.html"}


def bounded(get_response):
    """Turn away, as middleware, what no form of ours sends.

    Python has codecs that are no character sets, and Django decodes with any that a
    request names. Its limit on a request's size leaves files out: only editors send some.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.META.get("SERVER_SOFTWARE") == "Granian":
            tell_of_the_old_start()
        if unread := request.META.get(UNREAD):
            return render(request, UNREAD_PAGES[unread], status=unread)
        if (request.content_params or {}).get("charset", "utf-8").lower() not in UTF_8:
            return render(request, "400.html", status=400)
        # PostgreSQL cannot even look for a null character, and Django's filters of lists try to.
        if "%00" in request.META.get("QUERY_STRING", ""):
            return render(request, "400.html", status=400)
        if is_too_large(request):
            return render(request, "400.html", status=413)
        return get_response(request)

    return middleware


@cache
def tell_of_the_old_start() -> None:
    """Tell the owner, once, of a service that still has the command of before `manage.py web`."""
    logger.warning(
        "Granian was started without `manage.py web`: senders may make up their address, and slow ones "
        "keep the site waiting. Change ExecStart as the README has it."
    )


def is_too_large(request: HttpRequest) -> bool:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return not length.isdecimal() or int(length) > largest_body(request.path)


def largest_body(path: str) -> int:
    """Return how many bytes a request to an address may send: more where files are uploaded."""
    if path.startswith(reverse("admin:index")):
        return LARGEST_UPLOAD
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE
