"""The pages that links in mails lead to. Opening one changes nothing; its button does.

The signed token in the address says who it is and for what. So the button works from
wherever it is pressed: mail programs press it for their users, without a page (RFC 8058).
"""

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from articles.models import Article
from comments import questions
from comments.mailboxes import Mailbox
from comments.subscriptions import CONFIRM_SALT, CONFIRMATION_LASTS, STOP_SALT, Subscriber
from mail import links
from newsite.freshness import private_page


@csrf_exempt  # the token is a secret between the site and one mailbox
@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether the mails are wanted, and take the answer."""
    try:
        pk, asked_at = links.read(token, CONFIRM_SALT, int, str, max_age=CONFIRMATION_LASTS)
    except signing.SignatureExpired:
        return _no_good(request, status=410)
    except signing.BadSignature:
        return _no_good(request, status=403)
    subscriber = Subscriber.objects.filter(pk=pk).first()
    if subscriber is None or not subscriber.awaits(asked_at):
        return _no_good(request, status=410)
    if request.method == "POST":
        subscriber.confirm()
    subscriptions = subscriber.subscriptions.select_related("article").order_by("pk")
    context = {"subscriber": subscriber, "subscriptions": subscriptions}
    return render(request, "comments/mail_confirm.html", context)


@csrf_exempt  # mail programs press this button without asking for the page before
@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether the mails about a story, or all of them, are to end, and end them.

    The link never expires: whoever keeps a mail can stop what it belongs to.
    """
    try:
        pk, article_pk = links.read(token, STOP_SALT, int, int | None)
    except signing.BadSignature:
        return _no_good(request, status=403)
    subscriber = Subscriber.objects.filter(pk=pk).first()
    if request.method == "POST" and subscriber:
        subscriber.stop(article_pk)
    context = {
        "subscriber": subscriber,
        "article": Article.objects.filter(pk=article_pk).first(),
        "is_done": subscriber is None or not subscriber.gets_mails(article_pk),
    }
    return render(request, "comments/mail_stop.html", context)


@csrf_exempt  # mail programs press this button without asking for the page before
@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def never(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether strangers are to cause no more mails to an address, and end them, or take that back.

    The link never expires, and needs nothing that the site knows of the address.
    """
    try:
        (email,) = links.read(token, questions.NEVER_SALT, str)
    except signing.BadSignature:
        return _no_good(request, status=403)
    if request.method == "POST":
        # What mail programs send has no such field.
        change = questions.open_again if "again" in request.POST else questions.close
        change(email)
    is_closed = Mailbox.objects.of(email).closed_at is not None
    context = {"is_closed": is_closed, "is_open_again": request.method == "POST" and not is_closed}
    return render(request, "comments/mail_never.html", context)


def _no_good(request: HttpRequest, status: int) -> HttpResponse:
    return render(request, "comments/mail_gone.html", {"is_broken": status == 403}, status=status)
