"""What belongs to one commenter: the private pages of the comments that they wrote.

Such a page has a signed address. The browser that posted a comment also keeps a cookie
with the list of its own, which it sends to /comments/ only: no story page ever sees it.
"""

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from comments import notifications, posting
from comments.forms import EditForm, MailsForm
from comments.models import Comment
from comments.moderation import Refusal
from comments.subscriptions import Subscription
from newsite.freshness import private_page
from newsite.origin import SENT_FROM_ELSEWHERE, is_same_origin

SALT = "comments.yours"
MAX_AGE = 30 * 24 * 60 * 60  # seconds
COOKIE = "yours"
COOKIE_SALT = "comments.yours.list"
COOKIE_PATH = "/comments/"
# A cookie has room for 4 kB; this many ids take a tenth of it.
REMEMBERED = 50


def token(comment: Comment) -> str:
    """Return what opens the private pages of a comment for thirty days."""
    return signing.dumps(comment.pk, salt=SALT)


def address(comment: Comment) -> str:
    return reverse("comments:yours", args=[token(comment)])


def remember(request: HttpRequest, response: HttpResponse, comment: Comment) -> None:
    """Let this browser find the comment again."""
    pks = [comment.pk, *(pk for pk in _remembered(request) if pk != comment.pk)][:REMEMBERED]
    response.set_cookie(
        COOKIE,
        signing.dumps(pks, salt=COOKIE_SALT),
        max_age=MAX_AGE,
        path=COOKIE_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def with_comment(view):
    """Give a view the comment that its token names, or answer that the link is no good."""

    def found(request: HttpRequest, token: str) -> HttpResponse:
        try:
            pk = signing.loads(token, salt=SALT, max_age=MAX_AGE)
        except signing.SignatureExpired:
            return render(request, "comments/yours_gone.html", status=410)
        except signing.BadSignature:
            return render(request, "comments/yours_gone.html", {"is_broken": True}, status=403)
        comments = Comment.objects.filter(erased_at=None).select_related("article", "parent")
        comment = comments.filter(pk=pk).first()
        if comment is None:
            return render(request, "comments/yours_gone.html", status=410)
        return view(request, comment)

    return private_page(found)


@require_safe
@private_page
def index(request: HttpRequest) -> HttpResponse:
    """List the comments that were written in this browser, newest first."""
    comments = Comment.objects.filter(pk__in=_remembered(request), erased_at=None).select_related("article")
    listed = [(comment, address(comment)) for comment in comments]
    return render(request, "comments/yours_index.html", {"comments": listed})


@require_safe
@with_comment
def yours(request: HttpRequest, comment: Comment) -> HttpResponse:
    """Show its author a comment and what became of it. Nobody else has the address."""
    context = {"comment": comment, "token": token(comment), "form": MailsForm(initial=_wanted(comment))}
    return render(request, "comments/yours.html", context)


@csrf_exempt  # is_same_origin() does a token's work
@require_http_methods(["GET", "HEAD", "POST"])
@with_comment
def edit(request: HttpRequest, comment: Comment) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    form = EditForm(sent, initial={"body": comment.body})
    status = 200
    if request.method == "POST":
        try:
            if form.is_valid() and not form.preview_html:
                _require_own_page(request)
                posting.edit(comment, form.cleaned_data["body"])
                return redirect(address(comment))
            status = 422 if form.errors else 200
        except posting.Refused as refused:
            status = refused.refusal.status
            form.add_error(None, refused.refusal.message)
    context = {"comment": comment, "form": form, "address": address(comment)}
    return render(request, "comments/yours_edit.html", context, status=status)


@csrf_exempt  # is_same_origin() does a token's work
@require_http_methods(["GET", "HEAD", "POST"])
@with_comment
def delete(request: HttpRequest, comment: Comment) -> HttpResponse:
    refusal = None
    if request.method == "POST":
        try:
            _require_own_page(request)
            posting.withdraw(comment)
            return redirect(address(comment))
        except posting.Refused as refused:
            refusal = refused.refusal
    context = {"comment": comment, "address": address(comment), "refusal": refusal}
    return render(request, "comments/yours_delete.html", context, status=refusal.status if refusal else 200)


@csrf_exempt  # is_same_origin() does a token's work
@require_POST
@with_comment
def mails(request: HttpRequest, comment: Comment) -> HttpResponse:
    """Change what its author is told of by mail."""
    form = MailsForm(request.POST)
    status = 422
    if form.is_valid():
        if is_same_origin(request):
            notifications.choose(comment, **form.cleaned_data)
            return redirect(f"{address(comment)}#mails")
        status = 403
        form.add_error(None, SENT_FROM_ELSEWHERE)
    context = {"comment": comment, "token": token(comment), "form": form}
    return render(request, "comments/yours.html", context, status=status)


def _wanted(comment: Comment) -> dict[str, str]:
    wanted = Subscription.objects.filter(comment=comment).first()
    if wanted is None:
        return {"scope": "", "rhythm": Subscription.Rhythm.AT_ONCE}
    return {"scope": wanted.scope, "rhythm": wanted.rhythm}


def _remembered(request: HttpRequest) -> list[int]:
    try:
        return signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE_SALT, max_age=MAX_AGE)
    except signing.BadSignature:
        return []


def _require_own_page(request: HttpRequest) -> None:
    if not is_same_origin(request):
        raise posting.Refused(Refusal(403, str(SENT_FROM_ELSEWHERE)))
