from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from articles.models import Article
from articles.views import story_page
from comments import moderation, threads
from comments.forms import CommentForm
from comments.models import Comment
from newsite.freshness import private_page, public_page
from newsite.origin import client_address, is_same_origin

YOURS_SALT = "comments.yours"
YOURS_MAX_AGE = 30 * 24 * 60 * 60  # seconds


@csrf_exempt  # is_same_origin() does a token's work
@require_http_methods(["GET", "HEAD", "POST"])
def reply(request: HttpRequest, year: str, month: str, slug: str) -> HttpResponse:
    """Take what Leave a Reply sends, and show it on a page of its own without JavaScript."""
    article = get_object_or_404(Article.objects.published().for_reading(), address=f"{year}/{month}/{slug}")
    if request.method == "POST":
        return take_reply(request, article)
    return reply_page(request, article)


@public_page
def reply_page(request: HttpRequest, article: Article) -> HttpResponse:
    form = CommentForm(article=article, initial={"parent": request.GET.get("to")})
    is_gone = "to" in request.GET and form.answered is None
    context = {"article": article, "reply_form": form, "is_gone": is_gone}
    return render(request, "comments/reply.html", context, status=404 if is_gone else 200)


@private_page
def take_reply(request: HttpRequest, article: Article) -> HttpResponse:
    form = CommentForm(request.POST, article=article)
    valid = form.is_valid()
    if refusal := why_refused(request, article):
        form.add_error(None, refusal)
        return story_page(request, article, status=403, reply_form=form)
    if not valid:
        return story_page(request, article, status=422, reply_form=form)
    with transaction.atomic():
        comment = form.save(commit=False)
        comment.ip_address = client_address(request)
        comment.user_agent = request.headers.get("User-Agent", "")[:254]
        verdict = moderation.decide(moderation.Submission(comment, trap=form.cleaned_data["nickname"]))
        comment.status, comment.held_because = verdict
        comment.save()
    is_public = comment.status == Comment.Status.APPROVED
    return HttpResponseRedirect(comment.get_absolute_url() if is_public else yours_url(comment), status=303)


def why_refused(request: HttpRequest, article: Article) -> str | None:
    if not article.accepts_comments:
        return _(
            "Comments on this story are closed, so yours was not posted. You can still copy it from here."
        )
    if not is_same_origin(request):
        return _(
            "We could not tell that this was sent from our own page, so it was not posted. "
            "If you wrote it, press “Post Comment” once more."
        )
    return None


@require_safe
@public_page
def permalink(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead to the comment on its page of the conversation, wherever that is today."""
    comment = get_object_or_404(Comment.objects.public().select_related("article"), pk=pk)
    page = threads.page_number(comment)
    query = f"?page={page}" if page > 1 else ""
    return redirect(f"{comment.article.get_absolute_url()}{query}#comment-{pk}")


@require_safe
@private_page
def yours(request: HttpRequest, token: str) -> HttpResponse:
    """Show its author a comment that is not public yet. Nobody else has the address."""
    try:
        pk = signing.loads(token, salt=YOURS_SALT, max_age=YOURS_MAX_AGE)
    except signing.SignatureExpired:
        return render(request, "comments/yours_gone.html", status=410)
    except signing.BadSignature:
        return render(request, "comments/yours_gone.html", {"is_broken": True}, status=403)
    comment = Comment.objects.select_related("article", "parent").filter(pk=pk).first()
    if comment is None:
        return render(request, "comments/yours_gone.html", status=410)
    return render(request, "comments/yours.html", {"comment": comment})


def yours_url(comment: Comment) -> str:
    return reverse("comments:yours", args=[signing.dumps(comment.pk, salt=YOURS_SALT)])
