"""My comments: everything written with one e-mail address, for whom a link by mail has shown in.

What keeps the pages open is a cookie of their own, which goes to /comments/ only. It names
the opened link, so that erasing and signing out end it in every browser.
"""

from functools import wraps

from django.conf import settings
from django.core import signing
from django.core.paginator import InvalidPage, Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from comments import access, privacy, yours
from comments.addresses import readable
from comments.forms import AddressForm, EraseForm
from comments.models import LINK_LASTS, AccessLink, Comment
from comments.subscriptions import Subscriber
from newsite.freshness import private_page
from newsite.origin import client_address, is_same_origin, why_foreign

SALT = "comments.mine"
COOKIE = "mine"
COMMENTS_PER_PAGE = 50


def opened(view):
    """Give a view the opened link that this browser has a cookie of, or say that it is over."""

    @wraps(view)
    def with_link(request: HttpRequest) -> HttpResponse:
        link = _opened(request)
        if link is None:
            return render(request, "comments/mine_gone.html", {"is_over": True}, status=403)
        return view(request, link)

    return private_page(with_link)


@csrf_exempt  # is_same_origin() does a token's work
@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def index(request: HttpRequest) -> HttpResponse:
    """List what was posted from this browser and ask for an address, or list what was written with it."""
    if request.method == "POST":
        return ask(request)
    if link := _opened(request):
        return written(request, link)
    return here(request, AddressForm())


@require_safe
@private_page
def moved(request: HttpRequest) -> HttpResponse:
    """Lead on from where a browser's own comments stood before."""
    return redirect("comments:mine", permanent=True)


def here(request: HttpRequest, form: AddressForm, *, status: int = 200) -> HttpResponse:
    comments = yours.posted_here(request).with_removals().select_related("article", "subscription")
    context = {"comments": yours.listed(comments), "form": form}
    response = render(request, "comments/mine_here.html", context, status=status)
    yours.let_go(request, response)
    return response


def ask(request: HttpRequest) -> HttpResponse:
    form = AddressForm(request.POST)
    status = 200 if form.is_valid() else 422
    wait = 0
    if not is_same_origin(request):
        form.add_error(None, why_foreign(request))
        status = 403
    if form.is_valid():
        try:
            access.ask(form.cleaned_data["email"], client_address(request))
            return render(request, "comments/mine_asked.html", {"can_send": settings.SENDS_MAIL})
        except access.TooMany as refused:
            form.add_error(None, _patience(refused.seconds))
            status, wait = 429, refused.seconds
    response = here(request, form, status=status)
    if wait:
        response["Retry-After"] = str(wait)
    return response


def written(request: HttpRequest, link: AccessLink) -> HttpResponse:
    comments = Comment.objects.ever_written_with(link.email)
    shown = comments.with_removals().select_related("article", "subscription")
    try:
        page = Paginator(shown, COMMENTS_PER_PAGE).page(request.GET.get("page", 1))
    except InvalidPage as error:
        raise Http404(str(error)) from error
    subscriber = Subscriber.objects.filter(email=link.email, subscriptions__isnull=False).first()
    context = {
        "email": readable(link.email),
        "page": page,
        "comments": yours.listed(page),
        "stop_token": subscriber.stop_token() if subscriber else None,
    }
    return render(request, "comments/mine.html", context)


@csrf_exempt  # is_same_origin() does a token's work
@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Open what the link in a mail leads to, at the press of a button.

    Programs that look into mails follow links, but press no buttons.
    """
    is_ours = request.method != "POST" or is_same_origin(request)
    link = access.open_once(token) if request.method == "POST" and is_ours else access.find(token)
    if link is None:
        return render(request, "comments/mine_gone.html", status=410)
    if request.method != "POST" or not is_ours:
        context = {"refusal": None if is_ours else why_foreign(request)}
        return render(request, "comments/mine_open.html", context, status=200 if is_ours else 403)
    response = HttpResponseRedirect(reverse("comments:mine"), status=303)
    response.set_cookie(
        COOKIE,
        signing.dumps(link.pk, salt=SALT),
        max_age=LINK_LASTS,
        path=yours.COOKIE_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@require_safe
@opened
def export(request: HttpRequest, link: AccessLink) -> StreamingHttpResponse:
    return export_file(link.email)


@csrf_exempt  # is_same_origin() does a token's work
@require_http_methods(["GET", "HEAD", "POST"])
@opened
def erase(request: HttpRequest, link: AccessLink) -> HttpResponse:
    """Ask what is to become of the texts, and erase."""
    form = EraseForm(request.POST if request.method == "POST" else None)
    status = 422 if form.errors else 200
    if form.is_bound and not is_same_origin(request):
        form.add_error(None, why_foreign(request))
        status = 403
    if form.is_valid():
        done = privacy.erase(link.email, keep_texts=form.keep_texts)
        erased = {"count": done.comments, "bans": done.bans, "keep_texts": form.keep_texts}
        response = render(request, "comments/mine_erased.html", erased)
        response.delete_cookie(COOKIE, path=yours.COOKIE_PATH, samesite="Lax")
        return response
    count = Comment.objects.ever_written_with(link.email).count()
    context = {"form": form, "email": readable(link.email), "count": count}
    return render(request, "comments/mine_erase.html", context, status=status)


@csrf_exempt  # is_same_origin() does a token's work
@require_POST
@opened
def sign_out(request: HttpRequest, link: AccessLink) -> HttpResponse:
    if not is_same_origin(request):
        return render(request, "comments/mine_gone.html", {"refusal": why_foreign(request)}, status=403)
    link.delete()
    response = HttpResponseRedirect(reverse("comments:mine"), status=303)
    response.delete_cookie(COOKIE, path=yours.COOKIE_PATH, samesite="Lax")
    return response


def export_file(*emails: str) -> StreamingHttpResponse:
    """Return what is held about the addresses of one person, to be saved as a file."""
    return StreamingHttpResponse(
        privacy.exports_of(emails),
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="comments.json"'},
    )


def _opened(request: HttpRequest) -> AccessLink | None:
    try:
        pk = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT)
    except signing.BadSignature:
        return None
    return AccessLink.objects.opened().filter(pk=pk).first()


def _patience(seconds: int) -> str:
    minutes = -(-seconds // 60)
    text = ngettext(
        "Too many links have been requested from your network. Please try again in %d minute.",
        "Too many links have been requested from your network. Please try again in %d minutes.",
        minutes,
    )
    return text % minutes
