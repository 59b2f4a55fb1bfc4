from django.core.exceptions import BadRequest
from django.core.paginator import InvalidPage
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from articles.models import Article
from articles.views import story_at, story_page
from comments import lost, moderation, posting, threads, yours
from comments.discussion import DiscussionSettings
from comments.forms import CommentForm, ReplyForm, reply_url
from comments.models import Comment
from comments.moderation import Refusal, Submission
from newsite.freshness import private_page, public_page
from newsite.origin import client_address, is_same_origin, why_foreign

USER_AGENT_KEPT = Comment._meta.get_field("user_agent").max_length


@transaction.non_atomic_requests  # posting.post() has a transaction of its own
@csrf_exempt  # is_same_origin() does a token's work
@require_http_methods(["GET", "HEAD", "POST"])
@lost.with_text
def reply(request: HttpRequest, year: str, month: str, slug: str, is_page: bool = True) -> HttpResponse:
    """Take what Leave a Reply sends, and show it on a page of its own without JavaScript."""
    article = story_at(Article.objects.published().for_reading(), year, month, slug)
    if request.method == "POST":
        return take_reply(request, article)
    if not is_page or article.address != f"{year}/{month}/{slug}":
        return redirect(f"{reply_url(article)}?{request.GET.urlencode()}", permanent=True)
    return reply_page(request, article)


@public_page
def reply_page(request: HttpRequest, article: Article) -> HttpResponse:
    settings = DiscussionSettings.load()
    form = CommentForm(article=article, settings=settings, initial={"parent": request.GET.get("to")})
    is_gone = "to" in request.GET and form.answered is None
    context = {"article": article, "reply_form": form, "is_gone": is_gone}
    return render(request, "comments/reply.html", context, status=404 if is_gone else 200)


@private_page
def take_reply(request: HttpRequest, article: Article) -> HttpResponse:
    form = CommentForm(request.POST, article=article, settings=DiscussionSettings.load())
    if refusal := unread(request):
        form.set_aside()
        return refused_page(request, article, form, refusal)
    is_valid = form.is_valid()
    submission = submission_of(request, form)
    if refusal := moderation.closed(submission) or moderation.account(submission):
        return refused_page(request, article, form, refusal)
    if not is_valid:
        return story_page(request, article, status=422, reply_form=form)
    if form.preview_html:
        return render(request, "comments/reply.html", {"article": article, "reply_form": form})
    try:
        comment = posting.post(submission)
    except posting.Refused as refused:
        return refused_page(request, article, form, refused.refusal)
    return posted(comment)


def unread(request: HttpRequest) -> Refusal | None:
    """Say why nothing is made of what somebody has sent. What another site sends counts for nobody."""
    if not is_same_origin(request):
        return Refusal(403, why_foreign(request))
    return moderation.tried_too_often(client_address(request))


def posted(comment: Comment) -> HttpResponse:
    """Lead to the comment, or to its private page, and let this browser find it again."""
    goal = comment.get_absolute_url() if comment.is_public else yours.address(comment)
    response = HttpResponseRedirect(goal, status=303)
    yours.remember(response, comment)
    return response


def submission_of(request: HttpRequest, form: ReplyForm) -> Submission:
    comment = form.instance
    comment.ip_address = client_address(request)
    comment.user_agent = request.headers.get("User-Agent", "")[:USER_AGENT_KEPT]
    trap = form.cleaned_data.get("nickname", "")
    seconds = form.cleaned_data.get("seconds")
    return Submission(
        comment,
        form.settings,
        trap=trap,
        seconds=seconds,
        own=yours.remembered(request),
        wants_mail_about=form.wants_mail_about,
    )


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
    return redirect(threads.place(comment))


@require_safe
@public_page
def replies(request: HttpRequest, year: str, month: str, slug: str) -> HttpResponse:
    """Show a conversation that is not too long for it on one page, to print or to search in."""
    stories = Article.objects.published().select_related("section")
    article = story_at(stories, year, month, slug)
    conversation = threads.opened(article)
    try:
        thread = conversation.whole()
    except InvalidPage as error:
        raise Http404(str(error)) from error
    context = {"article": article, "thread": thread, "reply_url": reply_url(article)}
    settings = conversation.settings
    context |= {"settings": settings, "is_open": settings.takes_comments_on(article)}
    return render(request, "comments/replies.html", context)


@require_safe
@public_page
def replies_count(request: HttpRequest, year: str, month: str, slug: str) -> HttpResponse:
    """Tell an open page, in words for its reader, how many comments are newer than `?since=`."""
    article = story_at(Article.objects.published(), year, month, slug)
    try:
        news = threads.news(article, since=int(request.GET.get("since", 0)))
    except ValueError as error:
        raise BadRequest("`since` is the id of a comment") from error
    text = ngettext("%d new comment — show", "%d new comments — show", news.count) % news.count
    address = reverse("comments:permalink", args=[news.first]) if news.first else ""
    return JsonResponse({"count": news.count, "text": text if news.count else "", "address": address})
