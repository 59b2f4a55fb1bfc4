import re

from django.contrib import admin, messages
from django.contrib.admin.models import DELETION
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext, gettext_lazy

from articles.admin import ArticleAdmin
from articles.models import Article
from comments import (
    admin_log,
    data_requests,
    history,
    notifications,
    numbers,
    queue,
    rights,
    settings_admin,  # noqa: F401 (registers its page)
    staff_notices,
    standings_admin,  # noqa: F401 (registers its page)
)
from comments.desk import begun, listing, many, single
from comments.models import Change, Comment
from comments.staff_notices import MailChoice
from newsite.lookups import ID

# Addresses below the queue's own, with their names.
PAGES = [
    ("more/", listing.more, "comments_more"),
    ("news/", listing.news, "comments_news"),
    ("numbers/", numbers.index, "comments_numbers"),
    ("many/", many.decide_on_many, "comments_many"),
    ("decisions/", many.decisions_made, "comments_decisions"),
    ("decisions/<id:pk>/", many.decision, "comments_decision"),
    ("decisions/<id:pk>/undo/", many.undo, "comments_undo"),
    ("<id:pk>/decide/", single.decide, "comments_comment_decide"),
    ("<id:pk>/reply/", single.reply, "comments_comment_reply"),
    ("<id:pk>/edit/", single.edit, "comments_comment_edit"),
    ("<id:pk>/ban/", single.ban, "comments_comment_ban"),
    ("address/", data_requests.by_address, "comments_comment_by_address"),
    ("address/export/", data_requests.export_by_address, "comments_comment_export_by_address"),
    ("address/erase/", data_requests.erase_by_address, "comments_comment_erase_by_address"),
    ("<id:pk>/everything/", data_requests.everything, "comments_comment_everything"),
    ("<id:pk>/export/", data_requests.export, "comments_comment_export"),
    ("<id:pk>/erase/", data_requests.erase, "comments_comment_erase"),
]

admin.site.unregister(Article)


@admin.register(Article)
class StoryAdmin(ArticleAdmin):
    """The newsroom's list of stories, with the number of comments on each."""

    list_display = [*ArticleAdmin.list_display, "comment_count"]

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if change and not obj.is_public:
            notifications.cancel_about([obj])

    def delete_model(self, request, obj):
        notifications.cancel_about([obj])
        staff_notices.cancel_about([obj])
        super().delete_model(request, obj)

    def delete_queryset(self, request, queryset):
        notifications.cancel_about(queryset)
        staff_notices.cancel_about(queryset)
        super().delete_queryset(request, queryset)

    @admin.action(description=gettext_lazy("Unpublish selected stories"), permissions=["change"])
    @transaction.atomic
    def unpublish(self, request, queryset):
        super().unpublish(request, queryset)
        notifications.cancel_about(queryset)


@admin.register(Comment)
class CommentAdmin(admin.ModelAdmin):
    """One comment with all that is known of it. The queue and the decisions are in `comments.desk`."""

    # What a row of the queue does not show.
    fields = readonly_fields = (
        "article", "parent", "typed", "created_at", "edited_at", "erased_at", "user_agent",
    )  # fmt: skip

    def get_urls(self):
        guard = self.admin_site.admin_view
        return [*(path(route, guard(view), name=name) for route, view, name in PAGES), *super().get_urls()]

    def changelist_view(self, request, extra_context=None):
        return listing.index(request)

    # --- Who may do what ---

    def get_queryset(self, request):
        own = rights.moderated_by(request.user).values("pk")
        return super().get_queryset(request).filter(pk__in=own).select_related("article", "parent", "user")

    def get_object(self, request, object_id, from_field=None):
        comment = super().get_object(request, object_id, from_field)
        if comment is None and re.fullmatch(ID, object_id) and Comment.objects.filter(pk=object_id).exists():
            raise PermissionDenied
        return comment

    def has_module_permission(self, request):
        return super().has_module_permission(request) or rights.moderates(request.user)

    def has_add_permission(self, request):
        return False

    def has_view_permission(self, request, obj=None):
        return self.has_change_permission(request, obj)

    def has_change_permission(self, request, obj=None):
        return rights.moderates(request.user) if obj is None else rights.may_decide(request.user, obj)

    def has_delete_permission(self, request, obj=None):
        may_delete = super().has_delete_permission(request, obj)
        return may_delete and (obj is None or rights.may_decide(request.user, obj))

    def log_deletions(self, request, queryset):
        admin_log.note(request.user, "", [comment.pk for comment in queryset], DELETION)

    # --- One comment ---

    def get_fields(self, request, obj=None):
        """Leave out what is not so: that a comment answers none, was never edited, or not erased."""
        return [name for name in self.fields if obj is None or getattr(obj, name, True)]

    @admin.display(description=gettext_lazy("as it was typed"))
    def typed(self, comment: Comment) -> str:
        return comment.body

    def view_on_site(self, comment: Comment) -> str | None:
        return comment.get_absolute_url() if comment.is_public else None

    def history_view(self, request, object_id, extra_context=None):
        """Lead to the history on the comment's own page: Django's log knows nothing of comments."""
        page = reverse("admin:comments_comment_change", args=[object_id])
        return redirect(f"{page}#history")

    def change_view(self, request, object_id, form_url="", extra_context=None):
        pk = int(object_id) if re.fullmatch(ID, object_id) else None
        shown = rights.moderated_by(request.user).filter(pk=pk).first()
        row = queue.row(shown.pk) if shown else None
        if row:
            begun.put_answer_back(request, row)
        extra = {
            "row": row,
            "history": history.of_comment(shown) if shown else [],
            "moderates_everywhere": rights.moderates_everywhere(request.user),
            "show_save": False,
            "show_save_and_continue": False,
            "title": str(row.comment) if row else gettext_lazy("Comment"),
            "subtitle": None,
            # Whole comments need the room that the admin's navigation takes.
            "is_nav_sidebar_enabled": False,
        }
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})


@admin.register(Change)
class HistoryAdmin(admin.ModelAdmin):
    """The history can be read. It has no page on which anything could be changed or deleted."""

    def get_urls(self):
        guard = self.admin_site.admin_view
        files = [
            path(f"history.{kind}", guard(history.export), {"kind": kind}, name=f"comments_change_{kind}")
            for kind in history.FORMATS
        ]
        return [path("", guard(history.index), name="comments_change_changelist"), *files]

    def has_module_permission(self, request):
        return rights.moderates(request.user)

    def has_view_permission(self, request, obj=None):
        return rights.moderates(request.user)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        # Django asks this before it deletes a comment, which takes its history with it.
        return request.user.has_perm("comments.delete_comment")


@admin.register(MailChoice)
class MailChoiceAdmin(admin.ModelAdmin):
    """Which mails somebody gets: each sees and changes their own, and nobody else's."""

    fields = ("moderation", "own_stories")

    def get_queryset(self, request):
        return super().get_queryset(request).filter(user=request.user)

    def changelist_view(self, request, extra_context=None):
        if not self.has_change_permission(request):
            raise PermissionDenied
        own = self.get_queryset(request).first()
        if own is None:
            return redirect("admin:comments_mailchoice_add")
        return redirect("admin:comments_mailchoice_change", own.pk)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        extra = {"title": gettext_lazy("Mails to me"), "subtitle": None, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, extra)

    def response_add(self, request, obj, post_url_continue=None):
        return self.response_change(request, obj)

    def response_change(self, request, obj):
        self.message_user(request, gettext("Your choice is saved."), messages.SUCCESS)
        return redirect("admin:comments_mailchoice_changelist")

    def delete_view(self, request, object_id, extra_context=None):
        """Refuse: a choice is made anew, and goes with its account only."""
        raise PermissionDenied

    def get_model_perms(self, request):
        # There is one choice, and nothing to add to it.
        return {**super().get_model_perms(request), "add": False}

    def render_change_form(self, request, context, *args, **kwargs):
        may_set_address = request.user.has_perm("auth.change_user")
        context["account_url"] = (
            reverse("admin:auth_user_change", args=[request.user.pk]) if may_set_address else ""
        )
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request, obj, form, change):
        # Two windows that both begin with nothing end with one row.
        choices = {name: getattr(obj, name) for name in self.fields}
        own, _is_new = MailChoice.objects.update_or_create(user=request.user, defaults=choices)
        obj.pk, obj.user = own.pk, own.user

    def has_module_permission(self, request):
        return self.has_change_permission(request)

    def has_view_permission(self, request, obj=None):
        return self.has_change_permission(request, obj)

    def has_change_permission(self, request, obj=None):
        is_own = obj is None or obj.user_id == request.user.pk
        return is_own and (rights.moderates(request.user) or hasattr(request.user, "author"))

    def has_add_permission(self, request):
        return self.has_change_permission(request)

    def has_delete_permission(self, request, obj=None):
        # Django asks this before it deletes an account, which takes its choice with it.
        return request.user.has_perm("auth.delete_user")
