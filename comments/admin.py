from collections.abc import Callable
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from articles.admin import ArticleAdmin
from articles.models import Article
from comments import data_requests, notifications, people, posting
from comments.forms import CommentTextForm
from comments.models import Change, Comment, CommentQuerySet, Outcome
from comments.moderation import Refusal, Submission

# What each decision says of the number of comments that it changed.
RESULTS: dict[str, Callable[[int], str]] = {
    "approve": lambda n: ngettext("%d comment is public now.", "%d comments are public now.", n) % n,
    "hold": lambda n: ngettext("%d comment is held now.", "%d comments are held now.", n) % n,
    "mark_as_spam": lambda n: ngettext("%d comment marked as spam.", "%d comments marked as spam.", n) % n,
    "trash": lambda n: ngettext("%d comment moved to the trash.", "%d comments moved to the trash.", n) % n,
    "restore": lambda n: ngettext("%d comment restored.", "%d comments restored.", n) % n,
}
# Of more comments than this that others have decided on, only the number is told.
UNTOUCHED_TOLD = 10

admin.site.unregister(Article)


@admin.register(Article)
class StoryAdmin(ArticleAdmin):
    """The newsroom's list of stories, with the number of replies to each."""

    list_display = [*ArticleAdmin.list_display, "replies"]

    def get_queryset(self, request):
        replies = Comment.objects.approved().filter(article=OuterRef("pk")).order_by().values("article")
        counted = replies.annotate(count=Count("pk")).values("count")
        return super().get_queryset(request).annotate(reply_count=Subquery(counted))

    @admin.display(description=gettext_lazy("replies"), ordering="reply_count")
    def replies(self, article) -> int:
        return article.reply_count or 0

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if change and not obj.is_public:
            notifications.take_back_about([obj])

    def delete_model(self, request, obj):
        notifications.take_back_about([obj])
        super().delete_model(request, obj)

    def delete_queryset(self, request, queryset):
        notifications.take_back_about(queryset)
        super().delete_queryset(request, queryset)

    @admin.action(description=gettext_lazy("Unpublish selected stories"), permissions=["change"])
    @transaction.atomic
    def unpublish(self, request, queryset):
        super().unpublish(request, queryset)
        notifications.take_back_about(queryset)


class StatusFilter(admin.SimpleListFilter):
    """The queue's tabs, with counts. Without a choice: what is held."""

    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request, model_admin):
        counts = dict(Comment.objects.order_by().values_list("status").annotate(Count("pk")))
        tabs = [(value, f"{label} ({counts.get(value, 0)})") for value, label in Comment.Status.choices]
        return [*tabs, ("all", f"{_('All')} ({sum(counts.values())})")]

    def value(self):
        value = super().value()
        return value if value in [*Comment.Status.values, "all"] else Comment.Status.HELD

    def choices(self, changelist):
        for value, label in self.lookup_choices:
            yield {
                "selected": value == self.value(),
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": label,
            }

    def queryset(self, request, queryset):
        return queryset if self.value() == "all" else queryset.filter(status=self.value())


class DecisionForm(ActionForm):
    """What goes with every decision: how much of the queue this page has shown.

    `seen` is the newest change: whatever someone else decides later is then not
    overwritten, but told. `newest` is the newest comment: a decision on all that match
    does not reach those that nobody has read.
    """

    seen = forms.IntegerField(label="", required=False, min_value=0, widget=forms.HiddenInput)
    newest = forms.IntegerField(label="", required=False, min_value=0, widget=forms.HiddenInput)

    @classmethod
    def sent(cls, request: HttpRequest, name: str) -> int | None:
        try:
            return cls(request.POST).fields[name].clean(request.POST.get(name))
        except forms.ValidationError as error:
            raise BadRequest(f"`{name}` is a number") from error


@admin.register(Comment)
class CommentAdmin(admin.ModelAdmin):
    list_display = ["comment", "person", "decide"]
    list_display_links = None
    list_filter = [StatusFilter, "held_because", "created_at"]
    list_select_related = ["article", "parent", "user"]
    list_per_page = 50
    search_fields = ["body", "name", "email", "website", "ip_address"]
    show_full_result_count = False
    action_form = DecisionForm
    fields = readonly_fields = (
        "article", "parent", "name", "email", "website", "user", "body",
        "status", "held_because", "created_at", "edited_at", "erased_at", "ip_address", "user_agent",
    )  # fmt: skip
    actions = ["approve", "hold", "mark_as_spam", "trash", "restore"]

    class Media:
        css = {"all": ["newsite/admin.css"]}

    # --- The queue ---

    def get_queryset(self, request):
        comments = super().get_queryset(request).prefetch_related("reports")
        return comments.defer("article__body", "article__body_html")

    def get_list_display(self, request):
        """Offer decisions to those only who may take them."""
        return [name for name in self.list_display if name != "decide" or self.has_change_permission(request)]

    @admin.display(description=gettext_lazy("comment"))
    def comment(self, comment: Comment) -> str:
        return render_to_string("admin/comments/comment/_text.html", {"comment": comment})

    @admin.display(description=gettext_lazy("person"), ordering="email")
    def person(self, comment: Comment) -> str:
        return render_to_string("admin/comments/comment/_person.html", {"comment": comment})

    @admin.display(description=gettext_lazy("decide"))
    def decide(self, comment: Comment) -> str:
        return render_to_string("admin/comments/comment/_decide.html", {"comment": comment})

    def changelist_view(self, request, extra_context=None):
        if not all(pk.isdecimal() for pk in request.POST.getlist(admin.helpers.ACTION_CHECKBOX_NAME)):
            raise BadRequest("Comments are ticked by their ids")
        # Read before the list is: what comes in between must not count as seen.
        shown = {"seen": Change.objects.newest(), "newest": Comment.objects.newest()}
        # Whole comments need the room that the admin's navigation takes.
        extra = {"is_nav_sidebar_enabled": False, "title": self.opts.verbose_name_plural.capitalize()}
        response = super().changelist_view(request, {**extra, **(extra_context or {})})
        if form := getattr(response, "context_data", {}).get("action_form"):
            form.initial = shown
        return response

    # --- Decisions ---

    @admin.action(description=gettext_lazy("Approve selected comments"), permissions=["change"])
    def approve(self, request, queryset):
        self._decide(request, _selected(request, queryset), "approve")

    @admin.action(description=gettext_lazy("Hold selected comments"), permissions=["change"])
    def hold(self, request, queryset):
        self._decide(request, _selected(request, queryset), "hold")

    @admin.action(description=gettext_lazy("Mark selected comments as spam"), permissions=["change"])
    def mark_as_spam(self, request, queryset):
        self._decide(request, _selected(request, queryset), "mark_as_spam")

    @admin.action(description=gettext_lazy("Move selected comments to the trash"), permissions=["change"])
    def trash(self, request, queryset):
        self._decide(request, _selected(request, queryset), "trash")

    @admin.action(description=gettext_lazy("Restore selected comments"), permissions=["change"])
    def restore(self, request, queryset):
        self._decide(request, _selected(request, queryset), "restore")

    def _decide(self, request: HttpRequest, comments: CommentQuerySet, decision: str) -> None:
        """Carry out a decision, and tell the moderator what came of it."""
        seen = DecisionForm.sent(request, "seen")
        outcome: Outcome = getattr(comments, decision)(by=request.user, seen=seen)
        if outcome.changed:
            self.message_user(request, RESULTS[decision](outcome.changed), messages.SUCCESS)
        elif not outcome.untouched:
            self.message_user(request, _("There was nothing to change."), messages.WARNING)
        for change in outcome.untouched[:UNTOUCHED_TOLD]:
            self.message_user(request, _already_decided(change, request.user), messages.WARNING)
        if more := len(outcome.untouched[UNTOUCHED_TOLD:]):
            text = ngettext("And %d more was decided already.", "And %d more were decided already.", more)
            self.message_user(request, text % more, messages.WARNING)

    # --- One comment ---

    def get_urls(self):
        views = [
            path(
                "<int:pk>/decide/",
                self.admin_site.admin_view(self.decide_view),
                name="comments_comment_decide",
            ),
            path(
                "<int:pk>/reply/", self.admin_site.admin_view(self.reply_view), name="comments_comment_reply"
            ),
        ]
        for name in ("everything", "export", "erase"):
            view = self.admin_site.admin_view(getattr(data_requests, name))
            views.append(path(f"<int:pk>/{name}/", view, name=f"comments_comment_{name}"))
        return views + super().get_urls()

    def has_add_permission(self, request):
        return False

    def view_on_site(self, comment: Comment) -> str | None:
        is_public = comment.status == Comment.Status.APPROVED and comment.article.is_public
        return comment.get_absolute_url() if is_public else None

    def change_view(self, request, object_id, form_url="", extra_context=None):
        extra = {
            "seen": Change.objects.newest(),
            "changes": Change.objects.filter(comment=object_id).select_related("by"),
            "show_save": False,
            "show_save_and_continue": False,
        }
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    @method_decorator(require_POST)
    def decide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Carry out the decision of a button beside one comment."""
        self._require_permission(request)
        decision = request.POST.get("decision")
        if decision not in RESULTS:
            raise BadRequest("Unknown decision")
        comment = get_object_or_404(Comment, pk=pk)
        self._decide(request, Comment.objects.filter(pk=comment.pk), decision)
        return redirect(_back(request))

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def reply_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Answer a comment in the moderator's own name, and approve it if it waits."""
        self._require_permission(request)
        seen = Change.objects.newest()
        comment = get_object_or_404(Comment.objects.select_related("article"), pk=pk)
        # The queue has one such form a row: the prefix keeps their texts apart.
        sent = request.POST if request.method == "POST" else None
        form = CommentTextForm(sent, prefix=str(pk))
        if request.method == "POST" and form.is_valid():
            try:
                self._answer(request, comment, form)
                return redirect(_back(request))
            except posting.Refused as refused:
                form.add_error(None, refused.refusal.message)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Reply to %(name)s") % {"name": comment.name},
            "comment": comment,
            "form": form,
            "seen": seen,
        }
        status = 422 if form.is_bound else 200
        return TemplateResponse(request, "admin/comments/comment/reply.html", context, status=status)

    def _answer(self, request: HttpRequest, comment: Comment, form: CommentTextForm) -> None:
        if comment.status != Comment.Status.APPROVED:
            self._decide(request, Comment.objects.filter(pk=comment.pk), "approve")
        with transaction.atomic():
            parents = Comment.objects.approved().select_for_update(of=("self",)).select_related("article")
            parent = parents.filter(pk=comment.pk).first()
            if parent is None:
                raise posting.Refused(Refusal(409, _("Nothing was posted: the comment is not public.")))
            answer = form.save(commit=False)
            answer.article, answer.parent = parent.article, parent
            people.sign(answer, request.user)
            posting.post(Submission(answer))
        self.message_user(
            request, _("Your reply to %(name)s is public.") % {"name": comment.name}, messages.SUCCESS
        )

    def _require_permission(self, request: HttpRequest) -> None:
        if not self.has_change_permission(request):
            raise PermissionDenied


def _selected(request: HttpRequest, queryset: CommentQuerySet) -> CommentQuerySet:
    """Return the ticked comments, those too that have left this list since it was shown."""
    if request.POST.get("select_across") == "1":
        newest = DecisionForm.sent(request, "newest")
        return queryset if newest is None else queryset.filter(pk__lte=newest)
    return Comment.objects.filter(pk__in=request.POST.getlist(admin.helpers.ACTION_CHECKBOX_NAME))


def _already_decided(change: Change, moderator) -> str:
    who = _("you") if change.by == moderator else change.who
    return _("%(comment)s: already moved to “%(status)s” by %(who)s, %(ago)s ago.") % {
        "comment": change.comment,
        "status": change.get_to_status_display(),
        "who": who,
        "ago": timesince(change.at),
    }


def _back(request: HttpRequest) -> str:
    """Return the page that the moderator came from, or the queue."""
    came_from = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(came_from, allowed_hosts={request.get_host()})
    if is_ours and urlsplit(came_from).path != request.path:
        return came_from
    return reverse("admin:comments_comment_changelist")
