import datetime
import hashlib
import math
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import RowNumber, TruncMonth
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from articles.picture_field import PictureField
from newsite import markup
from newsite.slugs import SlugField, normal

# Adults read English non-fiction silently at 238 words a minute: M. Brysbaert,
# "How many words do we read per minute?", Journal of Memory and Language 109 (2019).
WORDS_PER_MINUTE = 238

# Addresses have years of four digits, in every time zone.
FIRST_DATE = datetime.datetime(1900, 1, 1, tzinfo=datetime.UTC)
LAST_DATE = datetime.datetime(2999, 12, 31, tzinfo=datetime.UTC)
# Where the site is, those years begin and end up to a day earlier or later.
DAY = datetime.timedelta(days=1)
STORED_DATES = (FIRST_DATE - DAY, LAST_DATE + 2 * DAY)

SLUG_OF_A_LIST = _("The last part of the page's address. Links to the old address break when it changes.")


class Section(models.Model):
    name = models.CharField(_("name"), max_length=60, unique=True)
    slug = SlugField(_("slug"), max_length=60, unique=True, help_text=SLUG_OF_A_LIST)
    description = models.CharField(_("description"), max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(
        _("position"), default=0, help_text=_("Sections stand in the navigation in this order.")
    )

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("section")
        verbose_name_plural = _("sections")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("articles:section", args=[self.slug])


class NamesQuerySet(models.QuerySet):
    def with_stories(self):
        """Return those under which a visitor finds stories, and with each how many: `story_count`."""
        stories = self.filter(articles__in=Article.objects.published())
        return stories.annotate(story_count=models.Count("articles")).order_by("name", "pk")


class Topic(models.Model):
    name = models.CharField(_("name"), max_length=80, unique=True)
    slug = SlugField(_("slug"), max_length=80, unique=True, help_text=SLUG_OF_A_LIST)

    objects = NamesQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("topic")
        verbose_name_plural = _("topics")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("articles:topic", args=[self.slug])


# A long read has 100,000.
BODY_LENGTH = 300_000


class ImageQuerySet(models.QuerySet):
    def delete(self):
        """Delete the pictures with their files, which anyone could fetch for ever."""
        with transaction.atomic():
            names = list(self.values_list("file", flat=True))
            deleted = super().delete()
            _delete_after_commit(names)
        return deleted

    # What Django says of its own: not for a manager, nor for a template.
    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class Image(models.Model):
    file = PictureField(_("file"), upload_to="images/%Y/%m/", width_field="width", height_field="height")
    width = models.PositiveIntegerField(_("width"), editable=False)
    height = models.PositiveIntegerField(_("height"), editable=False)
    alternative_text = models.CharField(
        _("alternative text"),
        max_length=300,
        help_text=_("What the picture shows, for readers who do not see it."),
    )
    caption = models.CharField(_("caption"), max_length=500, blank=True)
    credit = models.CharField(_("credit"), max_length=200, blank=True)
    uploaded_at = models.DateTimeField(_("uploaded"), auto_now_add=True)

    objects = ImageQuerySet.as_manager()

    class Meta:
        ordering = ["-uploaded_at", "-pk"]
        verbose_name = _("image")
        verbose_name_plural = _("images")

    def __str__(self) -> str:
        return self.alternative_text

    def save(self, **kwargs):
        """Save the picture, and delete the file that another takes the place of."""
        with transaction.atomic():
            before = list(Image.objects.filter(pk=self.pk).values_list("file", flat=True))
            super().save(**kwargs)
            _delete_after_commit(before)

    def delete(self, *args, **kwargs):
        with transaction.atomic():
            deleted = super().delete(*args, **kwargs)
            _delete_after_commit([self.file.name])
        return deleted


class Author(models.Model):
    """A byline. Guests and imported authors have one without an account."""

    name = models.CharField(_("name"), max_length=100)
    slug = SlugField(_("slug"), max_length=100, unique=True, help_text=SLUG_OF_A_LIST)
    biography = models.TextField(_("biography"), blank=True)
    picture = models.ForeignKey(
        Image, verbose_name=_("picture"), on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    user = models.OneToOneField(
        "auth.User",
        verbose_name=_("account"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="author",
    )

    objects = NamesQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("author")
        verbose_name_plural = _("authors")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("articles:author", args=[self.slug])


class ArticleQuerySet(models.QuerySet):
    def published(self):
        """Return what a visitor may see now.

        A story dated in the future shows itself when its time comes.
        """
        return self.filter(status=Article.Status.PUBLISHED, published_at__lte=timezone.now())

    def for_listing(self):
        """Load what a list of stories shows, and leave the bodies behind."""
        return (
            self.select_related("section", "lead_image")
            .prefetch_related(_bylines())
            .defer("body", "body_html")
        )

    def for_lines(self):
        """Load what a line shows that leads to a story."""
        return self.only("title", "address", "published_at", "comment_count")

    def for_reading(self):
        """Load what the page of one story shows."""
        return self.select_related("section", "lead_image").prefetch_related(
            _bylines("author__picture"),
            "topics",
            models.Prefetch("related_reads", RelatedRead.objects.public()),
        )

    def at(self, address: str):
        """Return the story that has or had an address like "2026/11/slug".

        An address that a story has now leads to no other, not even while that story is hidden.
        """
        article = self.filter(address=address).first()
        if article is None and not Article.objects.filter(address=address).exists():
            article = self.filter(past_addresses__address=address).first()
        return article

    def before(self, article: "Article"):
        """Return the stories that are older than this one, newest first."""
        place = Q(published_at__lt=article.published_at) | Q(pk__lt=article.pk)
        return self.filter(place, published_at__lte=article.published_at).order_by("-published_at", "-pk")

    def after(self, article: "Article"):
        """Return the stories that are newer than this one, oldest first."""
        place = Q(published_at__gt=article.published_at) | Q(pk__gt=article.pk)
        return self.filter(place, published_at__gte=article.published_at).order_by("published_at", "pk")

    def months(self):
        """Return the months that have stories, newest first, each with how many."""
        months = self.order_by().annotate(month=TruncMonth("published_at")).values("month")
        return months.annotate(story_count=models.Count("pk")).order_by("-month")

    def of_year(self, year: int):
        return self.filter(published_at__year=year)

    def of_month(self, year: int, month: int):
        here = timezone.get_current_timezone()
        start = datetime.datetime(year, month, 1, tzinfo=here)
        end = datetime.datetime(year + month // 12, month % 12 + 1, 1, tzinfo=here)
        return self.filter(published_at__gte=start, published_at__lt=end)

    def latest_of_each_section(self, count: int):
        """Return the newest `count` stories of every section, newest first."""
        place = models.Window(RowNumber(), partition_by="section", order_by=["-published_at", "-pk"])
        return self.alias(place_in_section=place).filter(place_in_section__lte=count)


class Article(models.Model):
    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")

    class Discussion(models.TextChoices):
        FOLLOW = "follow", _("Follow the site")
        OPEN = "open", _("Open")
        HOLD = "hold", _("Open, and a moderator reads every comment first")
        CLOSED = "closed", _("Closed")

    title = models.CharField(_("headline"), max_length=200)
    slug = SlugField(
        _("slug"),
        max_length=100,
        help_text=_("The last part of the story's address. Its old addresses lead to the new one."),
    )
    standfirst = models.CharField(
        _("standfirst"), max_length=400, blank=True, help_text=_("One or two sentences below the headline.")
    )
    body = models.TextField(
        _("body"),
        validators=[
            MaxLengthValidator(
                BODY_LENGTH,
                _(
                    "The story has %(show_value)d signs with its tags, and more than %(limit_value)d are not taken. "
                    "Make two stories of it: nothing that you wrote is lost."
                ),
            )
        ],
    )
    body_html = models.TextField(editable=False)
    lead_image = models.ForeignKey(
        Image,
        verbose_name=_("lead image"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    section = models.ForeignKey(
        Section, verbose_name=_("section"), on_delete=models.PROTECT, related_name="articles"
    )
    topics = models.ManyToManyField(Topic, verbose_name=_("topics"), blank=True, related_name="articles")
    authors = models.ManyToManyField(
        Author, verbose_name=_("authors"), through="Byline", related_name="articles"
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT)
    published_at = models.DateTimeField(
        _("published"),
        null=True,
        blank=True,
        help_text=_("A time in the future schedules the story. Left empty, it is set on publishing."),
    )
    updated_at = models.DateTimeField(
        _("updated"),
        null=True,
        blank=True,
        help_text=_(
            "Shown to readers. Set it when what the story says has changed, not for a spelling mistake."
        ),
    )
    discussion = models.CharField(_("comments"), max_length=10, choices=Discussion, default=Discussion.FOLLOW)
    # How many comments visitors see below the story. The conversation keeps it, whatever happens there.
    comment_count = models.PositiveIntegerField(_("comments"), default=0, editable=False)
    # "2026/11/slug": an address, once given, does not move with the TIME_ZONE setting.
    address = models.CharField(max_length=110, unique=True, null=True, editable=False)  # noqa: DJ001 (several have none)

    objects = ArticleQuerySet.as_manager()

    class Meta:
        ordering = ["-published_at", "-pk"]
        verbose_name = _("story")
        verbose_name_plural = _("stories")
        permissions = [("write_own_stories", _("Can write stories of their own"))]
        indexes = [
            models.Index(fields=["status", "-published_at", "-id"], name="article_status_published"),
            models.Index(
                fields=["section", "status", "-published_at", "-id"], name="article_section_published"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="published") | Q(published_at__isnull=False),
                name="published_article_has_a_date",
            ),
            models.CheckConstraint(
                condition=Q(published_at__range=STORED_DATES) | Q(published_at__isnull=True),
                name="article_published_in_a_year_of_four_digits",
            ),
            models.CheckConstraint(
                condition=Q(updated_at__range=STORED_DATES) | Q(updated_at__isnull=True),
                name="article_updated_in_a_year_of_four_digits",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *, update_fields=None, **kwargs):
        """Save the story with its HTML and its address, and remember the address it had."""
        self._date_if_published()
        if update_fields is None and not self._state.adding:
            update_fields = self._edited_fields()
        fields = {"body", "slug", "published_at"} if update_fields is None else set(update_fields)
        if "body" in fields:
            self.body = markup.with_paragraphs(self.body)
            self.body_html = markup.story_html(self.body)
            fields.add("body_html")
        if fields & {"slug", "published_at"}:
            self.address = self._address()
            fields.add("address")
        with transaction.atomic():
            known_as = Article.objects.filter(pk=self.pk).values_list("address", flat=True).first()
            super().save(update_fields=None if update_fields is None else fields, **kwargs)
            if known_as and "address" in fields and known_as != self.address:
                PastAddress.objects.update_or_create(address=known_as, defaults={"article": self})

    def get_absolute_url(self) -> str:
        """Return the public address, or the preview's while the story has no date."""
        if self.address is None:
            return reverse("articles:preview", args=[self.pk])
        return reverse("articles:story", args=self.address.split("/"))

    def clean(self):
        self._date_if_published()
        for name in ("published_at", "updated_at"):
            date = getattr(self, name)
            if date is not None and not has_year_of_addresses(date):
                raise ValidationError({name: _("Enter a year from 1900 to 2999.")})
        address = self._address()
        if address and Article.objects.filter(address=address).exclude(pk=self.pk).exists():
            raise ValidationError(
                {"slug": _("Another story of that month has this slug. Change a word of it.")}
            )

    @property
    def is_public(self) -> bool:
        """Say of one story what `published()` says of many."""
        if self.status != self.Status.PUBLISHED or self.published_at is None:
            return False
        return self.published_at <= timezone.now()

    def is_by(self, user) -> bool:
        """Say whether an account belongs to one of the story's authors."""
        return any(byline.author.user_id == user.pk for byline in self.bylines.all())

    @property
    def reading_minutes(self) -> int:
        return max(1, math.ceil(markup.count_words(self.body_html) / WORDS_PER_MINUTE))

    @property
    def edition(self) -> str:
        """Return what tells whether someone else has saved the story meanwhile."""
        fields = {name: getattr(self, name) for name in ["id", *self._edited_fields()]}
        return hashlib.blake2b(repr(fields).encode(), digest_size=16).hexdigest()

    def publish(self) -> None:
        """Show the story from its date on, or from now if it has none."""
        fields = ["status"] if self.published_at else ["status", "published_at"]
        self.status = self.Status.PUBLISHED
        self.clean()
        self.save(update_fields=fields)

    def unpublish(self) -> None:
        """Hide the story. It keeps its date, so that it comes back where it was."""
        self.status = self.Status.DRAFT
        self.save(update_fields=["status"])

    def body_parts(self) -> list["BodyPart"]:
        """Cut the body where related reads stand in it.

        A read placed beyond the last paragraph, or nowhere, stands at the end.
        """
        pieces = markup.paragraphs(self.body_html)
        reads_after: dict[int, list[RelatedRead]] = {}
        for read in self.related_reads.all():
            end = len(pieces) if read.after_paragraph is None else min(read.after_paragraph, len(pieces))
            reads_after.setdefault(end, []).append(read)
        parts, start = [], 0
        for end in sorted({*reads_after, len(pieces)}):
            parts.append(BodyPart("".join(pieces[start:end]), reads_after.get(end, [])))
            start = end
        return parts

    def _edited_fields(self) -> list[str]:
        """Return what those who write the story change, and not its readers meanwhile."""
        fields = [field.attname for field in self._meta.concrete_fields if not field.primary_key]
        return [name for name in fields if name != "comment_count"]

    def _date_if_published(self) -> None:
        if self.status == self.Status.PUBLISHED and self.published_at is None:
            self.published_at = timezone.now()

    def _address(self) -> str | None:
        """Return the address that slug and date make: the one it has, while they stay the same."""
        if self.published_at is None:
            return None
        known = Article.objects.filter(pk=self.pk, slug=self.slug, address__isnull=False)
        for date, address in known.values_list("published_at", "address"):
            # The admin's form shows, and sends back, whole seconds.
            if date and date.replace(microsecond=0) == self.published_at.replace(microsecond=0):
                return address
        local = timezone.localtime(self.published_at)
        return f"{local.year:04}/{local.month:02}/{normal(self.slug)}"


class BodyPart(NamedTuple):
    """A stretch of a story's body, and the related reads that stand behind it."""

    body_html: str
    related_reads: list["RelatedRead"]


class Byline(models.Model):
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="bylines")
    author = models.ForeignKey(
        Author, verbose_name=_("author"), on_delete=models.PROTECT, related_name="bylines"
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("author")
        verbose_name_plural = _("authors")
        constraints = [models.UniqueConstraint(fields=["article", "author"], name="one_byline_per_author")]

    def __str__(self) -> str:
        return self.author.name


class RelatedReadQuerySet(models.QuerySet):
    def public(self):
        """Return the reads whose target a visitor may see, each with that target."""
        return (
            self.filter(target__in=Article.objects.published())
            .select_related("target")
            .defer("target__body", "target__body_html")
        )


class RelatedRead(models.Model):
    """A line inside a story that leads to another: "Also Read | TITLE"."""

    class Label(models.TextChoices):
        ALSO = "also", _("Also Read")
        RELATED = "related", _("Related Read")

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="related_reads")
    target = models.ForeignKey(
        Article, verbose_name=_("story"), on_delete=models.CASCADE, related_name="referring_reads"
    )
    label = models.CharField(_("label"), max_length=10, choices=Label, default=Label.ALSO)
    after_paragraph = models.PositiveSmallIntegerField(
        _("after paragraph"), null=True, blank=True, help_text=_("Leave empty for the end of the story.")
    )

    objects = RelatedReadQuerySet.as_manager()

    class Meta:
        ordering = [models.F("after_paragraph").asc(nulls_last=True), "pk"]
        verbose_name = _("related read")
        verbose_name_plural = _("related reads")

    def __str__(self) -> str:
        return f"{self.get_label_display()} | {self.target}"

    def clean(self):
        if self.target_id is not None and self.target_id == self.article_id:
            raise ValidationError({"target": _("A story cannot lead to itself.")})


class PastAddress(models.Model):
    """An address that a story had before its slug or month changed."""

    address = models.CharField(max_length=110, unique=True)
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="past_addresses")

    def __str__(self) -> str:
        return self.address


def has_year_of_addresses(date: datetime.datetime) -> bool:
    """Say whether a moment is in a year from 1900 to 2999, where the site is."""
    year = timezone.localtime(date).year
    return year <= LAST_DATE.year and (year >= FIRST_DATE.year or date >= FIRST_DATE)


def _bylines(*also: str) -> models.Prefetch:
    return models.Prefetch("bylines", Byline.objects.select_related("author", *also))


def _delete_after_commit(names: list[str]) -> None:
    """Delete the files of pictures that no picture has any more."""

    def delete():
        for name in set(names).difference(
            Image.objects.filter(file__in=names).values_list("file", flat=True)
        ):
            Image.file.field.storage.delete(name)

    transaction.on_commit(delete)
