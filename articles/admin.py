import re

from csp.decorators import csp_update
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F, Model
from django.http import QueryDict
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_prose_editor.fields import ProseEditorFormField
from django_prose_editor.widgets import AdminProseEditorWidget
from js_asset import Media as NoncedMedia
from js_asset import Script

from articles import rights
from articles.models import Article, Author, Byline, Image, RelatedRead, Section, Topic
from newsite.lookups import ID

# What the editor offers; what a story may hold in the end is in newsite/markup.py.
EDITOR_EXTENSIONS = {
    "Bold": True,
    "Italic": True,
    "Strike": True,
    "Subscript": True,
    "Superscript": True,
    "Code": True,
    "CodeBlock": True,
    "Heading": {"levels": [2, 3, 4]},
    "BulletList": True,
    "OrderedList": True,
    "ListItem": True,
    "Blockquote": True,
    "HorizontalRule": True,
    "HardBreak": True,
    "Link": {"enableTarget": False, "protocols": ["http", "https", "mailto"]},
    "Image": True,
    "Caption": True,
    "Figure": True,
    "Table": True,
    "TableRow": True,
    "TableHeader": True,
    "TableCell": True,
    "History": True,
    "HTML": True,
}


# The one <style> that the editor writes into the page: how ProseMirror lays out what is
# typed. When an upgrade changes it, the browser names the new hash in its console.
EDITOR_STYLE = "'sha256-PlumsSlvJ7vvWzjqibGAYKq92O3y/4JTxWWsWJvyUYA='"


SLUGS = Script("newsite/slugs.js", type="module")


class ArticleForm(forms.ModelForm):
    body = ProseEditorFormField(
        label=_("Body"), extensions=EDITOR_EXTENSIONS, widget=AdminProseEditorWidget(attrs={"rows": 30})
    )

    # What the story was when the page was opened. A script may leave it out.
    edition = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Article
        exclude: list[str] = []
        widgets = {"standfirst": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.stored_edition = self.initial["edition"] = self.instance.edition

    def clean_edition(self) -> str:
        """Refuse once to overwrite what someone else has saved since the page was opened."""
        edition = self.cleaned_data["edition"]
        if edition and self.instance.pk and edition != self.stored_edition:
            data = QueryDict(mutable=True)
            data.update(self.data)
            data[self.add_prefix("edition")] = self.stored_edition
            self.data = data
            raise ValidationError(
                _(
                    "Someone else has changed this story since you opened it, and nothing here is saved yet. "
                    "Open the story in another tab and bring both together, or save again to replace theirs."
                )
            )
        return edition


class KnownSelect(AutocompleteSelect):
    """Shows what its row leads to already without asking the database once more."""

    known: Model | None = None

    def optgroups(self, name, value, attr=None):
        if self.known is None or value != [str(self.known.pk)]:
            return super().optgroups(name, value, attr)
        return [(None, [self.create_option(name, value[0], str(self.known), set(value), 0)], 0)]


class RowForm(forms.ModelForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            select = getattr(field.widget, "widget", None)
            if self.instance.pk and isinstance(select, KnownSelect):
                select.known = getattr(self.instance, name)


class RowInline(admin.TabularInline):
    """Rows of a story that lead to something else, which is loaded with all of them at once."""

    form = RowForm
    extra = 1

    def get_queryset(self, request):
        return super().get_queryset(request).select_related(*self.autocomplete_fields)

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name in self.autocomplete_fields:
            kwargs["widget"] = KnownSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class BylineInline(RowInline):
    model = Byline
    autocomplete_fields = ["author"]

    def has_view_permission(self, request, obj=None):
        # Who cannot choose bylines sees those that a story has. A new one has none.
        return obj is not None and super().has_view_permission(request, obj)


class RelatedReadInline(RowInline):
    model = RelatedRead
    fk_name = "article"
    fields = ["label", "target", "after_paragraph"]
    autocomplete_fields = ["target"]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "target" and not rights.sees_all(request.user):
            # An editor may have led a story to a draft: that stays.
            story = request.resolver_match.kwargs.get("object_id")
            led_to = RelatedRead.objects.filter(article__pk=story).values("target")
            kwargs["queryset"] = rights.seen_by(request.user) | Article.objects.filter(pk__in=led_to)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Article)
class ArticleAdmin(admin.ModelAdmin):
    form = ArticleForm
    list_display = ["title", "state", "section", "bylines", "published_at", "updated_at"]
    list_filter = ["status", "section", "authors", "topics"]
    search_fields = ["title", "standfirst", "body"]
    date_hierarchy = "published_at"
    # Drafts without a date first: databases disagree on where they belong.
    ordering = [F("published_at").desc(nulls_first=True), "-pk"]
    prepopulated_fields = {"slug": ["title"]}
    autocomplete_fields = ["section", "topics", "lead_image"]
    inlines = [BylineInline, RelatedReadInline]
    actions = ["publish", "unpublish"]
    fieldsets = [
        (None, {"fields": ["title", "standfirst", "section", "lead_image", "body", "edition"]}),
        (
            _("Publication"),
            {"fields": ["status", "published_at", "updated_at", "slug", "topics", "discussion"]},
        ),
    ]

    class Media:
        js = [
            Script("newsite/editor.js", type="module"),
            Script("newsite/paste.js", type="module"),
            SLUGS,
        ]

    # --- Who may do what ---

    def get_queryset(self, request):
        stories = super().get_queryset(request).for_listing()
        if rights.sees_all(request.user):
            return stories
        return stories.filter(pk__in=rights.seen_by(request.user).values("pk"))

    def get_object(self, request, object_id, from_field=None):
        article = super().get_object(request, object_id, from_field)
        if article is not None:
            # Loaded together, not each when it is asked for.
            article.refresh_from_db(fields=["body", "body_html"])
        elif re.fullmatch(ID, object_id) and Article.objects.filter(pk=object_id).exists():
            raise PermissionDenied
        return article

    def has_add_permission(self, request):
        return super().has_add_permission(request) or rights.writes_own(request.user)

    def has_view_permission(self, request, obj=None):
        if obj is None:
            return rights.sees_all(request.user) or rights.writes_own(request.user)
        return rights.may_see(request.user, obj)

    def has_change_permission(self, request, obj=None):
        if obj is None:
            return super().has_change_permission(request) or rights.writes_own(request.user)
        return rights.may_change(request.user, obj)

    def has_delete_permission(self, request, obj=None):
        if obj is None:
            return super().has_delete_permission(request) or rights.writes_own(request.user)
        return rights.may_delete(request.user, obj)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if not change and not super().has_add_permission(request):
            # Who writes stories of their own alone cannot choose the byline.
            Byline.objects.create(article=form.instance, author=request.user.author)

    # --- The form ---

    @method_decorator(csp_update({"style-src": [EDITOR_STYLE]}))
    def changeform_view(self, request, *args, **kwargs):
        return super().changeform_view(request, *args, **kwargs)

    def render_change_form(self, request, context, *args, **kwargs):
        # The editor needs an import map, which can only stand in the page itself.
        context["media"] = NoncedMedia.from_media(context["media"], nonce=str(request.csp_nonce))
        return super().render_change_form(request, context, *args, **kwargs)

    def view_on_site(self, article: Article) -> str:
        if article.is_public:
            return article.get_absolute_url()
        return reverse("articles:preview", args=[article.pk])

    # --- The list ---

    @admin.display(description=_("status"), ordering="status")
    def state(self, article: Article) -> str:
        if article.status == Article.Status.PUBLISHED and not article.is_public:
            return str(_("Scheduled"))
        return article.get_status_display()

    @admin.display(description=_("authors"))
    def bylines(self, article: Article) -> str:
        return ", ".join(byline.author.name for byline in article.bylines.all())

    @admin.action(description=_("Publish selected stories"), permissions=["change"])
    def publish(self, request, queryset):
        self._require_change(request, queryset)
        published = 0
        for article in queryset:
            try:
                article.publish()
            except ValidationError as error:
                self.message_user(request, f"{article}: {' '.join(error.messages)}", messages.ERROR)
            else:
                self.log_change(request, article, [{"changed": {"fields": ["status"]}}])
                published += 1
        if published:
            text = ngettext("%d story is published.", "%d stories are published.", published) % published
            self.message_user(request, text, messages.SUCCESS)

    @admin.action(description=_("Unpublish selected stories"), permissions=["change"])
    def unpublish(self, request, queryset):
        self._require_change(request, queryset)
        for article in queryset:
            article.unpublish()
            self.log_change(request, article, [{"changed": {"fields": ["status"]}}])
        text = ngettext("%d story is a draft again.", "%d stories are drafts again.", len(queryset))
        self.message_user(request, text % len(queryset), messages.SUCCESS)

    def _require_change(self, request, stories) -> None:
        if not all(rights.may_change(request.user, story) for story in stories):
            raise PermissionDenied


class ListAdmin(admin.ModelAdmin):
    """What readers find lists of stories by, on pages that are always public."""

    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}

    class Media:
        js = [SLUGS]

    def view_on_site(self, row: Section | Topic | Author) -> str:
        return row.get_absolute_url()


@admin.register(Section)
class SectionAdmin(ListAdmin):
    list_display = ["name", "position", "slug"]
    list_editable = ["position"]


@admin.register(Topic)
class TopicAdmin(ListAdmin):
    list_display = ["name", "slug"]


@admin.register(Author)
class AuthorAdmin(ListAdmin):
    list_display = ["name", "user"]
    list_select_related = ["user"]
    autocomplete_fields = ["picture", "user"]

    def get_readonly_fields(self, request, obj=None):
        # A byline gives its account rights over stories and over what is said below them.
        return [] if request.user.has_perm("auth.view_user") else ["user"]


@admin.register(Image)
class ImageAdmin(admin.ModelAdmin):
    list_display = ["preview", "alternative_text", "credit", "address", "uploaded_at"]
    list_display_links = ["preview", "alternative_text"]
    search_fields = ["alternative_text", "caption", "credit"]
    readonly_fields = ["address"]

    @admin.display(description=_("picture"))
    def preview(self, image: Image) -> str:
        return format_html('<img src="{}" alt="" width="96">', image.file.url)

    @admin.display(description=_("address for use in a story"))
    def address(self, image: Image) -> str:
        return image.file.url if image.file else "–"
