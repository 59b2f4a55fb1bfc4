"""What belongs to one commenter: the private pages of the comments that they wrote.

Such a page has a signed address. The browser that posted comments also keeps a cookie of
each, which it sends to /comments/ only: no story page ever sees them.
"""

from contextlib import suppress

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
from newsite.origin import SENT_FROM_ELSEWHERE, client_address, is_same_origin

SALT = "comments.yours"
MAX_AGE = 30 * 24 * 60 * 60  # seconds
COOKIE = "yours"
COOKIE_SALT = "comments.yours.list"
COOKIE_PATH = "/comments/"
# Browsers keep some 150 cookies of a site, and a server reads only so many bytes of them.
REMEMBERED = 40


def token(comment: Comment) -> str:
    """Return what opens the private pages of a comment for thirty days."""
    return signing.dumps(comment.pk, salt=SALT)


def address(comment: Comment) -> str:
    return page_of(token(comment))


def page_of(token: str) -> str:
    """Return the page that a token opens. It goes on with the token, whose time runs out."""
    return reverse("comments:yours", args=[token])


def remember(response: HttpResponse, comment: Comment) -> None:
    """Let this browser find the comment again.

    Each comment has a cookie of its own: the form is sent to an address that the cookies
    do not go to, so a list of them could not be continued there.
    """
    response.set_cookie(
        f"{COOKIE}-{comment.pk}",
        signing.dumps(comment.pk, salt=COOKIE_SALT),
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
        comments = Comment.objects.filter(erased_at=None).with_removals()
        comment = comments.select_related("article", "parent").filter(pk=pk).first()
        if comment is None:
            return render(request, "comments/yours_gone.html", status=410)
        return view(request, comment, token)

    return private_page(found)


@require_safe
@private_page
def index(request: HttpRequest) -> HttpResponse:
    """List the comments that were written in this browser, newest first."""
    remembered = _remembered(request)
    comments = Comment.objects.filter(pk__in=remembered[:REMEMBERED], erased_at=None).with_removals()
    listed = [(comment, address(comment)) for comment in comments.select_related("article")]
    response = render(request, "comments/yours_index.html", {"comments": listed})
    for pk in remembered[REMEMBERED:]:
        response.delete_cookie(f"{COOKIE}-{pk}", path=COOKIE_PATH)
    return response


@require_safe
@with_comment
def yours(request: HttpRequest, comment: Comment, token: str) -> HttpResponse:
    """Show its author a comment and what became of it. Nobody else has the address."""
    context = {"comment": comment, "token": token, "form": MailsForm(initial=_wanted(comment))}
    return render(request, "comments/yours.html", context)


@csrf_exempt  # is_same_origin() does a token's work
@require_http_methods(["GET", "HEAD", "POST"])
@with_comment
def edit(request: HttpRequest, comment: Comment, token: str) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    form = EditForm(sent, initial={"body": comment.body})
    status = 200
    if request.method == "POST":
        try:
            if form.is_valid() and not form.preview_html:
                _require_own_page(request)
                posting.edit(comment, form.cleaned_data["body"], ip_address=client_address(request))
                return redirect(page_of(token))
            status = 422 if form.errors else 200
        except posting.Refused as refused:
            status = refused.refusal.status
            form.add_error(None, refused.refusal.message)
    context = {"comment": comment, "form": form, "address": page_of(token)}
    return render(request, "comments/yours_edit.html", context, status=status)


@csrf_exempt  # is_same_origin() does a token's work
@require_http_methods(["GET", "HEAD", "POST"])
@with_comment
def delete(request: HttpRequest, comment: Comment, token: str) -> HttpResponse:
    refusal = None
    if request.method == "POST":
        try:
            _require_own_page(request)
            posting.withdraw(comment)
            return redirect(page_of(token))
        except posting.Refused as refused:
            refusal = refused.refusal
    context = {"comment": comment, "address": page_of(token), "refusal": refusal}
    return render(request, "comments/yours_delete.html", context, status=refusal.status if refusal else 200)


@csrf_exempt  # is_same_origin() does a token's work
@require_POST
@with_comment
def mails(request: HttpRequest, comment: Comment, token: str) -> HttpResponse:
    """Change what its author is told of by mail."""
    form = MailsForm(request.POST)
    status = 422
    if form.is_valid():
        if is_same_origin(request):
            notifications.choose(comment, **form.cleaned_data)
            return redirect(f"{page_of(token)}#mails")
        status = 403
        form.add_error(None, SENT_FROM_ELSEWHERE)
    context = {"comment": comment, "token": token, "form": form}
    return render(request, "comments/yours.html", context, status=status)


def _wanted(comment: Comment) -> dict[str, str]:
    wanted = Subscription.objects.filter(comment=comment).first()
    if wanted is None:
        return {"scope": "", "rhythm": Subscription.Rhythm.AT_ONCE}
    return {"scope": wanted.scope, "rhythm": wanted.rhythm}


def _remembered(request: HttpRequest) -> list[int]:
    """Return the ids of the comments that this browser posted, newest first."""
    pks = []
    for name, value in request.COOKIES.items():
        if name.startswith(f"{COOKIE}-"):
            with suppress(signing.BadSignature):
                pks.append(signing.loads(value, salt=COOKIE_SALT, max_age=MAX_AGE))
    return sorted(pks, reverse=True)


def _require_own_page(request: HttpRequest) -> None:
    if not is_same_origin(request):
        raise posting.Refused(Refusal(403, str(SENT_FROM_ELSEWHERE)))
