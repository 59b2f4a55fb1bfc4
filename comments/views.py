from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from articles.models import Article
from articles.views import story_page
from comments import moderation, posting, threads
from comments.forms import CommentForm
from comments.models import Comment
from comments.moderation import Refusal, Submission
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
    is_valid = form.is_valid()
    submission = submission_of(request, form)
    if refusal := refuse_sender(request) or moderation.closed(submission):
        return refused_page(request, article, form, refusal)
    if not is_valid:
        return story_page(request, article, status=422, reply_form=form)
    try:
        comment = posting.post(submission)
    except posting.Refused as refused:
        return refused_page(request, article, form, refused.refusal)
    is_public = comment.status == Comment.Status.APPROVED
    return HttpResponseRedirect(comment.get_absolute_url() if is_public else yours_url(comment), status=303)


def submission_of(request: HttpRequest, form: CommentForm) -> Submission:
    comment = form.instance
    comment.ip_address = client_address(request)
    comment.user_agent = request.headers.get("User-Agent", "")[
        : Comment._meta.get_field("user_agent").max_length
    ]
    return Submission(comment, trap=form.cleaned_data.get("nickname", ""))


def refuse_sender(request: HttpRequest) -> Refusal | None:
    if is_same_origin(request):
        return None
    text = _(
        "We could not tell that this was sent from our own page, so it was not posted. "
        "If you wrote it, press “Post Comment” once more."
    )
    return Refusal(403, text)


def refused_page(request: HttpRequest, article: Article, form: CommentForm, refusal: Refusal) -> HttpResponse:
    """Show the story again with the reason, and with the text still in the form."""
    form.add_error(None, refusal.message)
    response = story_page(request, article, status=refusal.status, reply_form=form)
    if refusal.seconds:
        response["Retry-After"] = str(refusal.seconds)
    return response


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
