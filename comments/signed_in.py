"""Those who write for the site comment under their account, and all who have one, if the owner wants it.

On addresses of their own, since the public pages are the same for everyone.
"""

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from articles.models import Article
from articles.views import story_at
from comments import lost, people, posting
from comments.discussion import DiscussionSettings
from comments.forms import ReplyForm
from comments.moderation import Refusal
from comments.views import posted, submission_of, unread
from newsite.freshness import private_page
from staff import views
from staff.forms import LimitedSignInForm


class SignInForm(LimitedSignInForm):
    """Any account is let in: staff's own form asks for staff."""

    error_title = gettext_lazy("Sign-in failed")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.is_bound:  # then what went wrong takes the focus
            del self.fields["username"].widget.attrs["autofocus"]


class SignIn(views.SignIn):
    """The sign-in of staff, with all that guards it, in the site's look and for every account."""

    authentication_form = SignInForm
    template_name = "comments/sign_in.html"
    next_page = "articles:home"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        # Django calls the site by its host.
        del context["site_name"]
        return context | {"accounts_only": DiscussionSettings.load().accounts_only}


@transaction.non_atomic_requests  # posting.post() has a transaction of its own
@csrf_exempt  # is_same_origin() does a token's work
@require_http_methods(["GET", "HEAD", "POST"])
@lost.with_text
@private_page
def reply(request: HttpRequest, year: str, month: str, slug: str) -> HttpResponse:
    article = story_at(Article.objects.published().for_reading(), year, month, slug)
    settings = DiscussionSettings.load()
    if request.method == "POST":
        return take_reply(request, article, settings)
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("comments:sign_in"))
    if not may_comment(request.user, settings):
        raise PermissionDenied
    form = ReplyForm(article=article, settings=settings, initial={"parent": request.GET.get("to")})
    is_gone = bool(request.GET.get("to")) and form.answered is None
    return form_page(request, article, form, status=404 if is_gone else 200, is_gone=is_gone)


def may_comment(user, settings: DiscussionSettings) -> bool:
    """Say whether someone may comment under their account."""
    return people.writes_for_the_site(user) or (settings.accounts_only and user.is_authenticated)


def take_reply(request: HttpRequest, article: Article, settings: DiscussionSettings) -> HttpResponse:
    form = ReplyForm(request.POST, article=article, settings=settings)
    if refusal := unread(request) or refuse(request, settings):
        form.set_aside()
        return refused_page(request, article, form, refusal)
    is_valid = form.is_valid()
    if not is_valid:
        return form_page(request, article, form, status=422)
    people.sign(form.instance, request.user)
    if form.preview_html:
        return form_page(request, article, form, status=200)
    submission = submission_of(request, form)
    try:
        comment = posting.post(submission)
    except posting.Refused as refused:
        return refused_page(request, article, form, refused.refusal)
    return posted(comment)


def refuse(request: HttpRequest, settings: DiscussionSettings) -> Refusal | None:
    """Say why nothing is posted from here. Whoever was signed out meanwhile keeps the text."""
    if not may_comment(request.user, settings):
        text = _(
            "You have been signed out. Please sign in again in another tab, then press the button again."
        )
        return Refusal(403, text)
    return None


def form_page(
    request: HttpRequest, article: Article, form: ReplyForm, *, status: int, **extra
) -> HttpResponse:
    name = people.name_of(request.user) if may_comment(request.user, form.settings) else ""
    context = {"article": article, "reply_form": form, "name": name, **extra}
    return render(request, "comments/reply_signed_in.html", context, status=status)


def refused_page(request: HttpRequest, article: Article, form: ReplyForm, refusal: Refusal) -> HttpResponse:
    form.add_error(None, refusal.message)
    response = form_page(request, article, form, status=refusal.status)
    if refusal.seconds:
        response["Retry-After"] = str(refusal.seconds)
    return response
