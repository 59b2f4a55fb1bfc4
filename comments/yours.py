"""What belongs to one commenter: the private pages of the comments that they wrote.

Such a page has a signed address. The browser that posted comments also keeps a cookie of
each, which it sends to /comments/ only: no story page ever sees them.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from itertools import islice

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from comments import lost, moderation, notifications, posting
from comments.discussion import DiscussionSettings
from comments.forms import EditForm, MailsForm
from comments.models import Comment, CommentQuerySet
from comments.moderation import Refusal
from comments.subscriptions import Subscription
from newsite import lookups
from newsite.freshness import private_page
from newsite.origin import client_address, is_same_origin, why_foreign

SALT = "comments.yours"
MAX_AGE = 30 * 24 * 60 * 60  # seconds
COOKIE = "yours"
NAME = f"{COOKIE}-({lookups.ID})"
COOKIE_SALT = "comments.yours.list"
COOKIE_PATH = "/comments/"
# Browsers keep some 150 cookies of a site, and a server reads only so many bytes of them.
REMEMBERED = 40
# Says to the page of a comment what has just been saved. The page says it once.
SAVED = "saved"
SAVED_LASTS = 60  # seconds


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

    Each comment has a cookie of its own, so that two that are posted at once are both kept.
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
            return gone_page(request, status=410)
        except signing.BadSignature:
            return gone_page(request, status=403, is_broken=True)
        comments = Comment.objects.filter(erased_at=None).with_removals()
        comment = comments.select_related("article", "parent").filter(pk=pk).first()
        if comment is None:
            return gone_page(request, status=410)
        return view(request, comment, token)

    return private_page(found)


def gone_page(request: HttpRequest, *, status: int, is_broken: bool = False) -> HttpResponse:
    """Say that a link opens nothing, and give back what was typed on the page that it had opened."""
    context = {"is_broken": is_broken, "text": lost.text_of(request)}
    return render(request, "comments/yours_gone.html", context, status=status)


def posted_here(request: HttpRequest) -> CommentQuerySet:
    """Return the comments that were posted from this browser, newest first."""
    return Comment.objects.filter(pk__in=remembered(request), erased_at=None)


def let_go(request: HttpRequest, response: HttpResponse) -> None:
    """Take the cookies back of comments that are more than this browser is to remember."""
    for pk in list(_named(request))[REMEMBERED:]:
        response.delete_cookie(f"{COOKIE}-{pk}", path=COOKIE_PATH)


def remembered(request: HttpRequest) -> list[int]:
    """Return the ids of the newest comments that this browser posted, newest first.

    So many cookies are read and no more: each costs the check of a signature.
    """
    pks = []
    for pk, value in islice(_named(request).items(), REMEMBERED):
        with suppress(signing.BadSignature):
            if signing.loads(value, salt=COOKIE_SALT, max_age=MAX_AGE) == pk:
                pks.append(pk)
    return pks


def listed(comments: Iterable[Comment]) -> list[tuple[Comment, str, datetime | None]]:
    """Return comments with what opens their pages, and until when their author may still change them."""
    found = list(comments)
    window = DiscussionSettings.load().edit_window
    editable = Comment.objects.filter(pk__in=[comment.pk for comment in found]).editable()
    until = {pk: created_at + window for pk, created_at in editable.values_list("pk", "created_at")}
    return [(comment, token(comment), until.get(comment.pk)) for comment in found]


@require_safe
@private_page
def own(request: HttpRequest, pk: int, page: str) -> HttpResponse:
    """Lead on from the conversation to a page of a comment that this browser has posted.

    What stands in the conversation is public: it names the comment, and the cookie opens it.
    """
    comment = posted_here(request).filter(pk=pk).first()
    return redirect(f"comments:{page}", token(comment)) if comment else redirect("comments:mine")


@require_safe
@with_comment
def yours(request: HttpRequest, comment: Comment, token: str) -> HttpResponse:
    """Show its author a comment and what became of it, and once what has just been saved."""
    form = MailsForm(initial=_wanted(comment))
    saved = request.COOKIES.get(SAVED, "")
    response = comment_page(request, comment, token, form, saved=saved)
    if saved:
        response.delete_cookie(SAVED, path=page_of(token), samesite="Lax")
    return response


def comment_page(
    request: HttpRequest, comment: Comment, token: str, form: MailsForm, *, saved: str = "", status: int = 200
) -> HttpResponse:
    context = {"comment": comment, "token": token, "form": form, "saved": saved}
    return render(request, "comments/yours.html", context | {"is_over": is_over(comment)}, status=status)


def is_over(comment: Comment) -> bool:
    """Say whether nothing more becomes of a comment, which its author or a moderator has removed."""
    return comment.is_gone or comment.is_removed


def saved_page(token: str, what: str, place: str = "") -> HttpResponse:
    """Lead back to the page of a comment, to say there once that something is saved."""
    response = HttpResponseRedirect(f"{page_of(token)}{place}")
    response.set_cookie(
        SAVED,
        what,
        max_age=SAVED_LASTS,
        path=page_of(token),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@transaction.non_atomic_requests  # posting.edit() has a transaction of its own
@csrf_exempt  # is_same_origin() does a token's work
@require_http_methods(["GET", "HEAD", "POST"])
@with_comment
def edit(request: HttpRequest, comment: Comment, token: str) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    form = EditForm(sent, initial={"body": comment.body})
    status = 200
    if request.method == "POST":
        try:
            _require_patience(request, form)
            if form.is_valid() and not form.preview_html:
                _require_own_page(request)
                posting.edit(
                    comment,
                    form.cleaned_data["body"],
                    ip_address=client_address(request),
                    own=remembered(request),
                )
                return saved_page(token, "text")
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
    if is_over(comment):
        return redirect(page_of(token))
    form = MailsForm(request.POST)
    status = 422
    if form.is_valid():
        if is_same_origin(request):
            notifications.choose(comment, **form.cleaned_data)
            return saved_page(token, "mails", "#mails")
        status = 403
        form.add_error(None, why_foreign(request))
    return comment_page(request, comment, token, form, status=status)


def _wanted(comment: Comment) -> dict[str, str]:
    wanted = Subscription.objects.filter(comment=comment).first()
    if wanted is None:
        return {"scope": "", "rhythm": Subscription.Rhythm.AT_ONCE}
    return {"scope": wanted.scope, "rhythm": wanted.rhythm}


def _named(request: HttpRequest) -> dict[int, str]:
    """Return the cookies of comments by the ids in their names, newest first. A name proves nothing."""
    found = ((re.fullmatch(NAME, name), value) for name, value in request.COOKIES.items())
    return dict(sorted(((int(name[1]), value) for name, value in found if name), reverse=True))


def _require_patience(request: HttpRequest, form: EditForm) -> None:
    if refusal := moderation.tried_too_often(client_address(request)):
        form.set_aside()
        raise posting.Refused(refusal)


def _require_own_page(request: HttpRequest) -> None:
    if not is_same_origin(request):
        raise posting.Refused(Refusal(403, why_foreign(request)))
