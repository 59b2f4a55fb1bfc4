import importlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unicodedata import normalize
from urllib.parse import quote

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from articles.models import FIRST_DATE, LAST_DATE, Article, BodyPart, Image, PastAddress, RelatedRead, Section
from tests.factories import make_article, make_author, make_image, make_section, make_topic
from tests.givens import NOON

pytestmark = pytest.mark.django_db

SPELLINGS = ["über-zoë", "u\u0308ber-zoe\u0308"]
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("status", "published_at", "is_public"),
    [
        ("published", NOON - SECOND, True),
        ("published", NOON, True),
        ("published", NOON + SECOND, False),
        ("draft", NOON - SECOND, False),
        ("draft", None, False),
    ],
)
def test_one_story_and_many_agree_on_what_is_public(status, published_at, is_public):
    with time_machine.travel(NOON, tick=False):
        article = make_article(status=status, published_at=published_at)

        assert article.is_public == is_public
        assert Article.objects.published().exists() == is_public


def test_publishing_dates_a_story_now_unless_it_has_a_date():
    with time_machine.travel(NOON, tick=False):
        undated = make_article(status="draft", published_at=None)
        dated = make_article(status="draft", published_at=NOON + timedelta(days=2))

        undated.publish()
        dated.publish()

    assert [(a.status, a.published_at) for a in (undated, dated)] == [
        ("published", NOON),
        ("published", NOON + timedelta(days=2)),
    ]


def test_a_story_that_is_hidden_and_shown_again_comes_back_where_it_was():
    article = make_article()
    address = article.get_absolute_url()

    article.unpublish()
    article.publish()

    assert article.get_absolute_url() == address


def test_an_address_is_year_month_and_slug_in_the_sites_time_zone(settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    with timezone.override("Asia/Tokyo"):
        article = make_article(slug="new-year", published_at=datetime(2025, 12, 31, 20, tzinfo=UTC))

    assert article.get_absolute_url() == "/2026/01/new-year/"


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        (datetime(2025, 12, 31, 23, 30, tzinfo=UTC), "/2026/01/"),
        (datetime(2025, 12, 31, 22, 59, 59, tzinfo=UTC), "/2025/12/"),
    ],
)
def test_near_midnight_address_and_archive_agree_on_the_month(client, moment, month):
    with timezone.override("Europe/Berlin"), time_machine.travel(moment + SECOND, tick=False):
        article = make_article(published_at=moment)
        page = client.get(month)

    assert article.get_absolute_url().startswith(month)
    assert list(page.context["page"]) == [article]


def test_an_address_does_not_move_with_the_time_zone_setting():
    article = make_article(slug="new-year", published_at=datetime(2025, 12, 31, 20, 0, 0, 5, tzinfo=UTC))

    with timezone.override("Asia/Tokyo"):
        article.refresh_from_db()
        article.title = "Another headline"
        article.published_at = article.published_at.replace(microsecond=0)
        article.full_clean()
        article.save()
        assert article.get_absolute_url() == "/2025/12/new-year/"
        assert PastAddress.objects.count() == 0


def test_a_slug_in_any_script_makes_an_address(client):
    article = make_article(slug="новости-дня")

    assert client.get(article.get_absolute_url()).status_code == 200


HINDI = "हिन्दी-समाचार-में-बाढ़"


def test_a_slug_with_vowel_signs_makes_an_address_and_one_that_it_had_leads_to_the_new_one(client):
    article = make_article(slug=HINDI, published_at=NOON)
    first = article.get_absolute_url()
    article.slug = "ภาษาไทย-น้ำท่วม"
    article.save()

    assert first == f"/2026/11/{quote(normalize('NFC', HINDI))}/"
    assert client.get(first)["Location"] == article.get_absolute_url()
    assert client.get(article.get_absolute_url()).context["article"] == article


@pytest.mark.parametrize("make", [make_section, make_topic, make_author])
def test_a_slug_is_found_in_either_spelling(client, make):
    row = make(slug=SPELLINGS[1])

    kind = row._meta.model_name
    pages = [client.get(f"/{kind}/{slug}/") for slug in SPELLINGS]

    assert [page.context["heading"] for page in pages] == [row.name] * 2


def test_a_story_is_found_in_either_spelling_of_its_slug(client):
    article = make_article(slug=SPELLINGS[1], published_at=NOON)

    pages = [client.get(f"/2026/11/{slug}/") for slug in SPELLINGS]

    assert [page.context["article"] for page in pages] == [article] * 2
    assert Article.objects.get().address == f"2026/11/{SPELLINGS[0]}"


def test_an_upgrade_gives_slugs_and_addresses_of_before_the_one_spelling():
    migration = importlib.import_module("articles.migrations.0007_slugs_in_one_spelling")
    article, section, twin = make_article(published_at=NOON), make_section(), make_section(slug=SPELLINGS[0])
    # Two spellings could stand side by side: the second stays as it is.
    before = {"slug": "\u1112\u1161\u11ab", "address": "2026/11/\u1112\u1161\u11ab"}
    apps_then = MigrationLoader(connection).project_state(("articles", "0006_comments_are_counted")).apps
    apps_then.get_model("articles", "Article").objects.filter(pk=article.pk).update(**before)
    apps_then.get_model("articles", "Section").objects.filter(pk=section.pk).update(slug=SPELLINGS[1])

    migration.compose(apps_then, None)

    article.refresh_from_db()
    assert (article.slug, article.address) == ("한", "2026/11/한")
    assert set(Section.objects.filter(pk__in=[section.pk, twin.pk]).values_list("slug", flat=True)) == {
        *SPELLINGS
    }


def test_two_stories_of_one_month_cannot_share_a_slug():
    first = make_article(slug="vote", published_at=NOON)
    second = make_article(slug="vote-2", published_at=NOON)
    second.slug = "vote"

    with pytest.raises(ValidationError) as caught:
        second.full_clean()
    with pytest.raises(IntegrityError):
        second.save()

    assert caught.value.message_dict == {
        "slug": ["Another story of that month has this slug. Change a word of it."]
    }
    assert first.get_absolute_url() == "/2026/11/vote/"


def test_two_stories_of_different_months_may_share_a_slug():
    make_article(slug="vote", published_at=NOON)
    later = make_article(slug="vote", published_at=NOON + timedelta(days=10))

    assert later.get_absolute_url() == "/2026/12/vote/"


def test_every_address_that_a_story_had_leads_to_it():
    article = make_article(slug="one", published_at=NOON)
    for slug in ("two", "three"):
        article.slug = slug
        article.save()

    assert list(PastAddress.objects.order_by("pk").values_list("address", "article")) == [
        ("2026/11/one", article.pk),
        ("2026/11/two", article.pk),
    ]


def test_saving_without_a_new_slug_remembers_nothing():
    article = make_article()

    article.save()

    assert PastAddress.objects.count() == 0


def test_a_published_story_must_have_a_date():
    article = make_article()

    with pytest.raises(IntegrityError):
        Article.objects.filter(pk=article.pk).update(published_at=None)


@pytest.mark.parametrize("name", ["published_at", "updated_at"])
@pytest.mark.parametrize("year", [202, 3026])
def test_no_story_can_be_dated_in_a_year_that_addresses_do_not_have(name, year):
    article = make_article()

    with pytest.raises(IntegrityError):
        Article.objects.filter(pk=article.pk).update(**{name: datetime(year, 5, 1, tzinfo=UTC)})


@pytest.mark.parametrize("time_zone", ["Pacific/Kiritimati", "Pacific/Niue"])
@pytest.mark.parametrize("date", [FIRST_DATE, LAST_DATE])
def test_the_first_and_the_last_date_have_an_address_in_every_time_zone(client, time_zone, date):
    with timezone.override(time_zone), time_machine.travel(LAST_DATE):
        article = make_article(published_at=date)
        article.full_clean()

        assert client.get(article.get_absolute_url()).status_code == 200


def test_a_story_that_is_saved_as_published_is_dated_and_has_an_address():
    with time_machine.travel(NOON, tick=False):
        article = make_article(slug="vote", published_at=None)

    article.refresh_from_db()
    assert (article.published_at, article.address) == (NOON, "2026/11/vote")


def test_saving_again_dates_neither_a_draft_nor_a_story_that_has_its_date():
    draft, dated = make_article(status="draft", published_at=None), make_article(published_at=NOON)
    for article in (draft, dated):
        article.save()
        article.refresh_from_db()

    assert (draft.published_at, dated.published_at) == (None, NOON)


NEW = {"title": "New", "slug": "new", "body": "New", "published_at": NOON + timedelta(days=10)}


@pytest.mark.parametrize(
    ("fields", "stored"),
    [
        (["title"], ("New", "old", "<p>Old</p>", "2026/11/old")),
        (["slug"], ("Old", "new", "<p>Old</p>", "2026/11/new")),
        (["published_at"], ("Old", "old", "<p>Old</p>", "2026/12/old")),
        (["body"], ("Old", "old", "<p>New</p>", "2026/11/old")),
        (None, ("New", "new", "<p>New</p>", "2026/12/new")),
    ],
)
def test_what_is_saved_brings_what_follows_from_it(fields, stored):
    article = make_article(title="Old", slug="old", body="Old", published_at=NOON)
    for name in fields or NEW:
        setattr(article, name, NEW[name])

    article.save(update_fields=fields)

    article.refresh_from_db()
    assert (article.title, article.slug, article.body_html, article.address) == stored
    assert article.past_addresses.exists() == (article.address != "2026/11/old")


def test_saving_one_field_leaves_those_that_have_changed_besides():
    article = make_article(title="Old", slug="old", body="Old", published_at=NOON)
    for name, value in NEW.items():
        setattr(article, name, value)

    article.save(update_fields=["title"])

    article.refresh_from_db()
    assert (article.slug, article.body_html, article.address) == ("old", "<p>Old</p>", "2026/11/old")


def test_a_body_is_cleaned_when_it_is_saved():
    article = make_article(body="<p>Text</p><script>alert(1)</script>")

    assert article.body_html == "<p>Text</p>"


def test_plain_text_is_kept_as_paragraphs_so_that_an_editor_does_not_run_them_together():
    article = make_article(body="One.\n\nTwo.\nThree.")

    assert article.body == "<p>One.</p><p>Two.</p><p>Three.</p>"


class TestBodyParts:
    def parts(self, article) -> list[tuple[str, list[str]]]:
        loaded = Article.objects.for_reading().get(pk=article.pk)
        return [(html, [read.target.title for read in reads]) for html, reads in loaded.body_parts()]

    def read(self, article, after, title, **target):
        RelatedRead.objects.create(
            article=article, target=make_article(title=title, **target), after_paragraph=after
        )

    def test_a_story_without_related_reads_is_one_part(self):
        article = make_article(body="1\n2\n3")

        assert self.parts(article) == [("<p>1</p><p>2</p><p>3</p>", [])]

    def test_related_reads_stand_behind_their_paragraph_and_else_at_the_end(self):
        article = make_article(body="1\n2\n3")
        self.read(article, None, "At the end")
        self.read(article, 2, "Behind the second")
        self.read(article, 0, "Before the text")
        self.read(article, 99, "Too far")

        assert self.parts(article) == [
            ("", ["Before the text"]),
            ("<p>1</p><p>2</p>", ["Behind the second"]),
            ("<p>3</p>", ["Too far", "At the end"]),
        ]

    def test_a_related_read_hides_while_its_target_is_not_public(self):
        article = make_article(body="1\n2")
        self.read(article, 1, "Draft", status="draft")
        self.read(article, 1, "Scheduled", published_at=timezone.now() + timedelta(hours=1))

        assert self.parts(article) == [("<p>1</p><p>2</p>", [])]

    def test_a_story_without_text_still_shows_its_related_reads(self):
        article = make_article(body="<hr>")
        self.read(article, None, "Elsewhere")

        assert self.parts(article) == [("<hr>", ["Elsewhere"])]

    def test_a_part_names_what_it_holds(self):
        assert BodyPart._fields == ("body_html", "related_reads")


def test_a_story_cannot_lead_to_itself():
    article = make_article()

    with pytest.raises(ValidationError) as caught:
        RelatedRead(article=article, target=article, label="also").full_clean()

    assert caught.value.message_dict == {"target": ["A story cannot lead to itself."]}


@pytest.mark.parametrize(("words", "minutes"), [(1, 1), (238, 1), (239, 2), (714, 3)])
def test_reading_time_is_counted_in_whole_minutes(words, minutes):
    assert make_article(body="word " * words).reading_minutes == minutes


def test_authors_stand_in_the_order_that_the_editor_gave():
    zoe, adam = make_author(name="Zoe"), make_author(name="Adam")
    article = make_article(authors=[zoe, adam])

    assert [byline.author.name for byline in article.bylines.all()] == ["Zoe", "Adam"]


def test_the_latest_of_each_section_are_the_newest_of_each():
    sections = [make_section(name="A"), make_section(name="B")]
    for hours in (3, 1, 2):
        for section in sections:
            make_article(
                title=f"{section.name}{hours}", section=section, published_at=NOON - timedelta(hours=hours)
            )

    latest = Article.objects.latest_of_each_section(2).order_by("section__name", "-published_at")

    assert [article.title for article in latest] == ["A1", "A2", "B1", "B2"]


def one_by_one(image):
    image.delete()


def many_at_once(image):
    Image.objects.filter(pk=image.pk).delete()


def replace(image):
    image.file = make_image().file.name
    image.save()


@pytest.mark.parametrize("lose", [one_by_one, many_at_once, replace])
def test_a_pictures_file_goes_with_it_once_that_is_certain(lose, django_capture_on_commit_callbacks):
    image, other = make_image(), make_image()
    file = Path(image.file.path)

    with django_capture_on_commit_callbacks() as callbacks:
        lose(image)
    before = file.exists()
    for callback in callbacks:
        callback()

    assert (before, file.exists(), Path(other.file.path).exists()) == (True, False, True)


def test_a_file_that_another_picture_shows_stays(django_capture_on_commit_callbacks):
    image = make_image()
    copy = Image.objects.create(file=image.file.name, alternative_text="The same")

    with django_capture_on_commit_callbacks(execute=True):
        image.caption = "A caption"
        image.save()
        copy.delete()

    assert Path(image.file.path).exists()


def test_stories_of_before_lose_the_question_marks_that_stood_for_line_ends():
    migration = importlib.import_module("articles.migrations.0010_line_ends_of_other_programs")
    strange, plain = make_article(), make_article(body="<p>Plain.</p>")
    Article.objects.filter(pk=strange.pk).update(body="<p>one\x0btwo\x07</p>", body_html="<p>one?two?</p>")
    Article.objects.filter(pk=plain.pk).update(body_html="<p>As it was.</p>")

    migration.render(
        MigrationLoader(connection).project_state(("articles", "0009_kinds_of_pictures_by_content")).apps,
        None,
    )

    strange.refresh_from_db()
    plain.refresh_from_db()
    assert (strange.body, strange.body_html) == ("<p>one<br>two</p>", "<p>one<br>two</p>")
    assert plain.body_html == "<p>As it was.</p>"
