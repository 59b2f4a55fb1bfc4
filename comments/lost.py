"""What somebody sends to a page that is gone meanwhile is shown to them, to copy."""

from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from newsite.freshness import private_page


def text_of(request: HttpRequest) -> str:
    """Return the text that somebody has sent, of a comment or of a report."""
    return (request.POST.get("body") or request.POST.get("text") or "").strip()


def with_text(view):
    """Let a view answer 404 with the text that was sent. Whether there ever was a page, nobody is told."""

    @wraps(view)
    def kept(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Http404:
            if not text_of(request):
                raise
            return text_page(request)

    return kept


@private_page
def text_page(request: HttpRequest) -> HttpResponse:
    return render(request, "comments/lost.html", {"text": text_of(request)}, status=404)
