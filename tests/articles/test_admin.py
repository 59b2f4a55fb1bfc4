import json
import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import PurePath
from zlib import crc32

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image as Picture

from articles.models import Article, Image, RelatedRead
from tests.factories import (
    make_article,
    make_author,
    make_editor,
    make_image,
    make_section,
    make_topic,
    make_user,
)
from tests.givens import NOON

pytestmark = pytest.mark.django_db

STORIES = "/admin/articles/article/"


@pytest.fixture
def editor(client):
    editor = make_editor(username="alice")
    client.force_login(editor)
    return editor


def text_of(response) -> str:
    return response.content.decode()


def messages_of(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def form(**fields) -> dict:
    """What the page for a new story sends without JavaScript."""
    empty = {
        f"{name}-{key}": "0"
        for name in ("bylines", "related_reads")
        for key in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    return {
        "title": "The bridge opens",
        "slug": "bridge",
        "body": "One.\r\n\r\nTwo “quoted”.",
        "status": "published",
        "discussion": "follow",
        **empty,
        **fields,
    }


def test_a_story_is_written_and_published(client, editor):
    section, author, topic, target = make_section(), make_author(), make_topic(), make_article()
    with time_machine.travel(NOON, tick=False):
        response = client.post(
            f"{STORIES}add/",
            form(
                section=section.pk,
                topics=[topic.pk],
                **{
                    "bylines-TOTAL_FORMS": "1",
                    "bylines-0-author": author.pk,
                    "bylines-0-position": "0",
                    "related_reads-TOTAL_FORMS": "1",
                    "related_reads-0-label": "also",
                    "related_reads-0-target": target.pk,
                    "related_reads-0-after_paragraph": "1",
                },
            ),
        )

    article = Article.objects.get(slug="bridge")
    assert (response.status_code, response["Location"]) == (302, STORIES)
    assert (article.status, article.published_at, article.get_absolute_url()) == (
        "published",
        NOON,
        "/2026/11/bridge/",
    )
    assert article.body_html == "<p>One.</p><p>Two “quoted”.</p>"
    assert [byline.author for byline in article.bylines.all()] == [author]
    assert list(RelatedRead.objects.values_list("article", "target", "after_paragraph")) == [
        (article.pk, target.pk, 1)
    ]


def test_a_slug_that_is_taken_is_explained_at_its_field_and_nothing_is_lost(client, editor):
    make_article(slug="bridge", published_at=NOON)
    with time_machine.travel(NOON, tick=False):
        response = client.post(f"{STORIES}add/", form(section=make_section().pk))

    assert response.context["errors"] == [["Another story of that month has this slug. Change a word of it."]]
    assert "Two “quoted”.</textarea>" in text_of(response)


@pytest.mark.parametrize("name", ["published_at", "updated_at"])
@pytest.mark.parametrize(
    ("year", "time_zone"),
    [("0202", "UTC"), ("3026", "UTC"), ("0001", "Pacific/Kiritimati"), ("9999", "Pacific/Niue")],
)
def test_a_mistyped_year_is_explained_at_its_field_and_the_front_page_stays_up(
    client, editor, name, year, time_zone
):
    date = {f"{name}_0": f"{year}-01-01", f"{name}_1": "00:00:00"}
    article = make_article()
    with timezone.override(time_zone):
        response = client.post(f"{STORIES}add/", form(section=make_section().pk, **date))
        change = client.get(f"{STORIES}{article.pk}/change/")

    assert response.context["adminform"].form.errors == {name: ["Enter a year from 1900 to 2999."]}
    assert [client.get("/").status_code, change.status_code] == [200, 200]


def test_the_list_shows_what_a_newsroom_needs(client, editor):
    author = make_author(name="Ada Byron")
    city = make_section(name="City")
    with time_machine.travel(NOON, tick=False):
        make_article(title="Out", section=city, authors=[author], published_at=NOON - timedelta(days=1))
        make_article(title="Soon", published_at=NOON + timedelta(days=1))
        make_article(title="Not yet", status="draft", published_at=None)
        page = text_of(client.get(STORIES))

    column = {
        name: re.findall(rf'class="field-{name}[^"]*">(?:<a [^>]*>)?([^<]*)', page)
        for name in ("title", "state", "section", "bylines", "published_at")
    }
    assert column["title"] == ["Not yet", "Soon", "Out"]
    assert column["state"] == ["Draft", "Scheduled", "Published"]
    assert (column["section"][2], column["bylines"][2]) == ("City", "Ada Byron")
    assert column["published_at"][2] == "22 November 2026, 12:00"


@pytest.mark.parametrize(
    "query",
    ["?q=bridge", "?status__exact=draft", "?published_at__year=2026", "?section__id__exact={section}"],
)
def test_the_list_can_be_narrowed(client, editor, query):
    wanted = make_article(title="A bridge", status="draft", published_at=datetime(2026, 1, 2, tzinfo=UTC))
    make_article(title="Another", published_at=datetime(2025, 1, 2, tzinfo=UTC))

    response = client.get(STORIES + query.format(section=wanted.section.pk))

    assert list(response.context["cl"].result_list) == [wanted]


def test_drafts_are_published_and_taken_back_in_bulk(client, editor):
    drafts = [make_article(status="draft", published_at=None) for _ in range(2)]
    data = {"_selected_action": [article.pk for article in drafts]}

    published = client.post(STORIES, {**data, "action": "publish"}, follow=True)
    public = [article.pk for article in Article.objects.published().order_by("pk")]
    taken_back = client.post(STORIES, {**data, "action": "unpublish"}, follow=True)

    assert public == [article.pk for article in drafts]
    assert Article.objects.published().count() == 0
    assert messages_of(published) == ["2 stories are published."]
    assert messages_of(taken_back) == ["2 stories are drafts again."]
    assert LogEntry.objects.filter(user=editor).count() == 4


@pytest.mark.parametrize("items", [1, 3])
def test_the_form_of_a_story_takes_eleven_queries(client, editor, django_assert_num_queries, items):
    article = make_article(authors=[make_author() for _ in range(items)])
    for _ in range(items):
        RelatedRead.objects.create(article=article, target=make_article())
    article.topics.set([make_topic() for _ in range(items)])
    # Django asks for it once in a process.
    ContentType.objects.get_for_model(Article)

    with django_assert_num_queries(11):
        client.get(f"{STORIES}{article.pk}/change/")


# What ends with a story that is unpublished, the mails about it, is taken back for all at once.
@pytest.mark.parametrize(("action", "once", "each"), [("publish", 14, 7), ("unpublish", 19, 5)])
@pytest.mark.parametrize("items", [1, 3])
def test_an_action_loads_all_stories_at_once(
    client, editor, django_assert_num_queries, action, once, each, items
):
    articles = [make_article(status="draft", authors=[make_author()]) for _ in range(items)]
    ContentType.objects.get_for_model(Article)

    with django_assert_num_queries(once + each * items):
        client.post(STORIES, {"action": action, "_selected_action": [a.pk for a in articles]})


@pytest.mark.parametrize("action", ["publish", "unpublish"])
def test_an_action_writes_nothing_over_what_someone_else_saves_meanwhile(action):
    article = make_article(status="draft", slug="old")
    Article.objects.filter(pk=article.pk).update(
        title="Newer", body="Newer", slug="new", address="2026/11/new"
    )

    getattr(article, action)()

    stored = Article.objects.get(pk=article.pk)
    assert (stored.title, stored.body, stored.slug, stored.address) == (
        "Newer",
        "Newer",
        "new",
        "2026/11/new",
    )


def test_whoever_only_views_stories_can_neither_publish_nor_unpublish_them(client):
    viewer = make_user(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_article"))
    client.force_login(viewer)
    draft, public = make_article(status="draft"), make_article()
    change = client.get(f"{STORIES}{public.pk}/change/")
    for action in ("publish", "unpublish"):
        client.post(STORIES, {"action": action, "_selected_action": [draft.pk, public.pk]})

    assert [Article.objects.get(pk=article.pk).status for article in (draft, public)] == [
        "draft",
        "published",
    ]
    assert change.status_code == 200


def sent_back(response, **changes) -> dict:
    """What the page of a story sends when it is saved."""
    parts = (
        response.context["adminform"].form,
        *(f.formset for f in response.context["inline_admin_formsets"]),
    )
    fields = [*parts[0], *(field for formset in parts[1:] for field in formset.management_form)]
    data = {field.html_name: field.value() for field in fields}
    for name in ("published_at", "updated_at"):
        date = parts[0].initial.get(name)
        data.pop(name)
        data |= {f"{name}_0": f"{date:%Y-%m-%d}", f"{name}_1": f"{date:%H:%M:%S}"} if date else {}
    data |= {"bylines-TOTAL_FORMS": 0, "related_reads-TOTAL_FORMS": 0}
    return {name: value for name, value in (data | changes).items() if value is not None}


def test_what_someone_else_saved_meanwhile_is_not_written_over_in_silence(client, editor):
    article = make_article(title="First", body="<p>First.</p>")
    url = f"{STORIES}{article.pk}/change/"
    mine, theirs = client.get(url), client.get(url)
    saved = client.post(url, sent_back(theirs, body="<p>Theirs.</p>"))

    refused = client.post(url, sent_back(mine, body="<p>Mine.</p>"))
    kept = Article.objects.get().body
    again = client.post(url, sent_back(refused, body="<p>Mine.</p>"))

    assert (saved.status_code, refused.status_code, again.status_code) == (302, 200, 302)
    assert "Someone else has changed this story since you opened it" in text_of(refused)
    assert "&lt;p&gt;Mine.&lt;/p&gt;</textarea>" in text_of(refused)
    assert (kept, Article.objects.get().body) == ("<p>Theirs.</p>", "<p>Mine.</p>")


def test_a_story_that_cannot_be_published_is_named_and_the_others_are(client, editor):
    with time_machine.travel(NOON, tick=False):
        make_article(slug="bridge", published_at=NOON)
        clash = make_article(title="Second bridge", slug="bridge", status="draft", published_at=None)
        fine = make_article(status="draft", published_at=None)
        response = client.post(
            STORIES, {"action": "publish", "_selected_action": [clash.pk, fine.pk]}, follow=True
        )

    assert sorted(messages_of(response)) == [
        "1 story is published.",
        "Second bridge: Another story of that month has this slug. Change a word of it.",
    ]


def test_the_editors_page_has_a_nonce_and_no_other_page_of_the_admin(client, editor):
    with_nonce = {
        url: "'nonce-" in client.get(url).headers["Content-Security-Policy"]
        for url in ("/admin/", STORIES, f"{STORIES}add/", "/admin/articles/image/add/")
    }

    assert with_nonce == {
        "/admin/": False,
        STORIES: False,
        f"{STORIES}add/": True,
        "/admin/articles/image/add/": False,
    }


def test_an_editor_reaches_the_preview_of_a_draft_and_the_page_of_a_public_story(client, editor):
    draft, public = make_article(status="draft"), make_article()

    pages = [text_of(client.get(f"{STORIES}{article.pk}/change/")) for article in (draft, public)]

    assert f'href="/preview/{draft.pk}/"' in pages[0]
    assert f'href="{public.get_absolute_url()}"' in pages[1]


def test_a_picture_shows_the_address_that_a_story_uses_it_by(client, editor):
    image = make_image()

    assert image.file.url in text_of(client.get(f"/admin/articles/image/{image.pk}/change/"))


def picture(kind: str = "PNG", mode: str = "RGB") -> bytes:
    file = BytesIO()
    Picture.new(mode, (4, 4)).save(file, kind)
    return file.getvalue()


def upload(client, name, content):
    data = {"file": SimpleUploadedFile(name, content), "alternative_text": "A field"}
    return client.post("/admin/articles/image/add/", data)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("picture.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("picture.png", b"<html>"),
        ("picture", b"Text"),
        ("picture.html", picture()),
        ("picture.pdf", picture()),
        ("picture.bmp", picture("BMP")),
        ("picture.jpg", picture("TIFF")),
        ("picture.jpg", picture("JPEG")[:20]),
        ("photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)),
        ("photo.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)),
    ],
)
def test_what_is_no_picture_is_refused_and_the_kinds_that_are_taken_are_named(client, editor, name, content):
    response = upload(client, name, content)

    assert response.context["errors"] == [
        ["Choose a picture of one of these kinds: JPEG, PNG, WebP, AVIF or GIF."]
    ]
    assert Image.objects.count() == 0


@pytest.mark.parametrize("side", [7_100, 10_000, 30_000, 60_000])
def test_a_picture_that_would_take_all_memory_is_refused_for_what_it_is(client, editor, side):
    size = side.to_bytes(4) * 2
    content = picture()
    head = b"IHDR" + size + content[24:29]
    response = upload(client, "bomb.png", content[:12] + head + crc32(head).to_bytes(4) + content[33:])

    assert response.context["errors"] == [
        ["Choose a picture of fewer pixels, at most 50 million: browsers may not be able to show so many."]
    ]
    assert Image.objects.count() == 0


def test_a_picture_of_too_many_bytes_is_refused_before_it_is_looked_at(client, editor):
    response = upload(client, "x.png", picture().ljust(20_000_001, b"0"))

    assert response.context["errors"] == [
        ["Choose a smaller file, of at most 20 MB: it would take readers long to load."]
    ]
    assert Image.objects.count() == 0


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF"])
def test_a_picture_that_was_cut_in_half_is_refused(client, editor, kind):
    file = BytesIO()
    Picture.effect_noise((200, 200), 80).convert("RGB").save(file, kind)
    content = file.getvalue()

    response = upload(client, f"x.{kind.lower()}", content[: len(content) // 2])

    assert response.context["errors"][0][0] in {
        "A part of this picture is missing. Choose the file again, or save it anew in a program.",
        "Choose a picture of one of these kinds: JPEG, PNG, WebP, AVIF or GIF.",
    }
    assert Image.objects.count() == 0


def test_an_empty_file_is_refused_as_such(client, editor):
    assert upload(client, "x.png", b"").context["errors"] == [["The submitted file is empty."]]


@pytest.mark.parametrize("name", ["e.png", "e.eps"])
def test_a_program_for_printers_is_no_picture_whatever_its_name(client, editor, name):
    response = upload(client, name, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")

    assert response.context["errors"] == [
        ["Choose a picture of one of these kinds: JPEG, PNG, WebP, AVIF or GIF."]
    ]


@pytest.mark.parametrize(
    ("name", "kept"), [(".htaccess.png", "htaccess.png"), (".png", "picture.png"), ("..x.png", "x.png")]
)
def test_no_file_of_a_picture_begins_with_a_dot(client, editor, name, kept):
    upload(client, name, picture())

    assert PurePath(Image.objects.get().file.name).name == kept


@pytest.mark.parametrize("name", ["x.jfif", "x", "x.bmp", "x.jpg", "x.png"])
def test_a_picture_is_taken_for_what_it_is_whatever_its_name_says(client, editor, name):
    upload(client, name, picture("JPEG"))

    assert PurePath(Image.objects.get().file.name).suffix == ".jpg"


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "CMYK"), ("PNG", "I;16"), ("PNG", "P"), ("GIF", "P"), ("WEBP", "RGBA"), ("AVIF", "RGB")],
)
def test_every_kind_and_way_of_colours_that_browsers_show_is_taken(client, editor, kind, mode):
    upload(client, f"x.{kind.lower()}", picture(kind, mode))

    image = Image.objects.get()
    assert (image.width, image.height) == (4, 4)


@pytest.mark.parametrize(
    ("name", "errors"),
    [
        ("日" * 80 + ".jpg", []),
        (
            "x" * 200 + ".jpg",
            [["Ensure this filename has at most 100 characters (it has 204)."]],
        ),
    ],
)
def test_a_long_file_name_is_taken_or_refused_in_words(client, editor, name, errors):
    response = upload(client, name, picture("JPEG"))

    assert (response.context["errors"] if response.context else []) == errors
    assert Image.objects.count() == (0 if errors else 1)


def test_the_file_chooser_offers_the_kinds_that_are_taken(client, editor):
    page = text_of(client.get("/admin/articles/image/add/"))

    assert 'accept="image/jpeg,image/png,image/webp,image/avif,image/gif"' in page


@pytest.mark.parametrize(
    ("name", "make"), [("section", make_section), ("topic", make_topic), ("author", make_author)]
)
def test_editors_are_warned_that_another_slug_breaks_links(client, editor, name, make):
    page = text_of(client.get(f"/admin/articles/{name}/{make().pk}/change/"))

    assert "Links to the old address break when it changes." in page


@pytest.mark.parametrize("kind", ["article", "section", "topic", "author"])
def test_every_slug_is_suggested_by_our_own_script_and_may_have_vowel_signs(client, editor, kind):
    page = client.get(f"/admin/articles/{kind}/add/")

    assert "newsite/slugs" in text_of(page)
    assert json.loads(page.context["prepopulated_fields_json"])[0]["allowUnicode"] is True


def test_a_slug_typed_with_vowel_signs_is_taken(client, editor):
    client.post(f"{STORIES}add/", form(section=make_section().pk, slug="ภาษาไทย-น้ำท่วม"))

    assert Article.objects.get().slug == "ภาษาไทย-น้ำท่วม"


@pytest.mark.parametrize("headline", ["😀🎉", "❤\ufe0f"])
def test_a_story_without_a_slug_asks_for_one(client, editor, headline):
    response = client.post(f"{STORIES}add/", form(section=make_section().pk, title=headline, slug=""))

    assert response.context["adminform"].form.errors == {"slug": ["This field is required."]}


def test_what_is_wrong_with_a_story_is_listed_with_links_and_the_rows_below_it_too(client, editor):
    rows = {"related_reads-TOTAL_FORMS": "1", "related_reads-0-after_paragraph": "1"}

    response = client.post(f"{STORIES}add/", form(title="", **rows))

    summary = re.search(r'<div class="error-summary".*?</div>', text_of(response), re.DOTALL)[0]
    links = re.findall(r'href="#([\w-]+)">', summary)
    assert links[0] == "id_title"
    assert all(f'id="{link}"' in text_of(response) for link in links)
    assert [link for link in links if link.startswith("id_related_reads-0-")] != []
    # Django's own script would move on to the first field.
    assert "admin/js/change_form.js" not in text_of(response)


def test_a_story_that_is_too_long_is_refused_beside_its_text_and_stays_in_the_form(client, editor):
    section = make_section()
    body = "<p>word</p>" * 28_000

    response = client.post(f"{STORIES}add/", form(section=section.pk, body=body))

    assert response.context["adminform"].form.errors["body"] == [
        "The story has 308000 signs with its tags, and more than 300000 are not taken. "
        "Make two stories of it: nothing that you wrote is lost."
    ]
    assert response.context["adminform"].form["body"].value() == body
    assert not Article.objects.exists()
