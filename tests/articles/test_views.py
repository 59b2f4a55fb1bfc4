import html
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.template.loader import render_to_string
from django.utils import translation

from articles import views
from articles.models import RelatedRead
from tests.factories import (
    make_article,
    make_author,
    make_comment,
    make_editor,
    make_image,
    make_section,
    make_topic,
    make_user,
)
from tests.givens import NOON

pytestmark = pytest.mark.django_db


def text_of(response) -> str:
    return response.content.decode()


# --- A story ---


def test_a_story_shows_all_that_belongs_to_it(client):
    image = make_image(alternative_text="A bridge", caption="The bridge at dawn", credit="Jo Lee")
    article = make_article(
        title="The bridge opens",
        standfirst="After ten years.",
        body="One.\nTwo.",
        section=make_section(name="City"),
        authors=[make_author(name="Ada Byron"), make_author(name="Bo Chen")],
        topics=[make_topic(name="Bridges")],
        lead_image=image,
        published_at=NOON - timedelta(hours=2),
        updated_at=NOON - timedelta(hours=1),
    )
    RelatedRead.objects.create(
        article=article,
        target=make_article(title="How it was built", published_at=NOON - timedelta(days=1)),
        after_paragraph=1,
    )
    with time_machine.travel(NOON, tick=False):
        page = text_of(client.get(article.get_absolute_url()))

    wanted = [
        "City</a>",
        "<h1>The bridge opens</h1>",
        '<p class="standfirst">After ten years.',
        "Ada Byron</a> and",
        "Bo Chen</a>",
        ">23 November 2026, 10:00 UTC</time>",
        ">23 November 2026, 11:00 UTC</time>",
        "1 min read",
        'alt="A bridge"',
        "The bridge at dawn",
        "Jo Lee",
        "<p>One.</p>",
        "Also Read",
        "How it was built</a>",
        "<p>Two.</p>",
        "Bridges</a>",
        "No comments yet. Be the first.",
        "Leave a Reply",
    ]
    places = [page.find(part) for part in wanted]
    assert -1 not in places, dict(zip(wanted, places, strict=True))
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("language", "dates"),
    [
        ("en", ["Monday 23 November 2026", ">23 November 2026, 10:00 UTC<", "<title>November 2026 "]),
        ("de", ["Montag 23. November 2026", ">23. November 2026 10:00 UTC<", "<title>November 2026 "]),
        ("ja", ["月曜日 2026年11月23日", ">2026年11月23日10:00 UTC<", "<title>2026年11月 "]),
    ],
)
def test_dates_read_as_the_language_of_the_site_has_them(client, settings, language, dates):
    settings.LANGUAGE_CODE = language
    article = make_article(published_at=NOON - timedelta(hours=2))
    with time_machine.travel(NOON, tick=False):
        pages = text_of(client.get(article.get_absolute_url())) + text_of(client.get("/2026/11/"))

    assert [date for date in dates if date not in pages] == []


@pytest.mark.parametrize(
    "hidden",
    [
        {"status": "draft"},
        {"status": "draft", "published_at": None},
        {"published_at": NOON + timedelta(seconds=1)},
    ],
)
def test_what_is_not_public_answers_like_what_does_not_exist(client, hidden):
    with time_machine.travel(NOON, tick=False):
        article = make_article(slug="secret", title="Secret plans", **hidden)
        client.force_login(make_editor())
        pages = [client.get(f"/2026/11/{slug}/") for slug in ("secret", "unknown")]
        lists = [client.get(url) for url in ("/", article.section.get_absolute_url())]

    assert [page.status_code for page in pages] == [404, 404]
    assert pages[0].content == pages[1].content
    assert ["Secret plans" in text_of(page) for page in lists] == [False, False]


def test_a_scheduled_story_shows_itself_when_its_time_comes(client):
    with time_machine.travel(NOON, tick=False) as clock:
        article = make_article(published_at=NOON + timedelta(minutes=1))
        before = client.get(article.get_absolute_url()).status_code
        clock.shift(timedelta(minutes=1))
        after = client.get(article.get_absolute_url()).status_code

    assert (before, after) == (404, 200)


def test_an_old_address_redirects_for_ever(client):
    article = make_article(slug="old", published_at=NOON)
    article.slug = "new"
    article.save()

    response = client.get("/2026/11/old/")

    assert (response.status_code, response["Location"]) == (301, "/2026/11/new/")


def test_an_old_address_does_not_tell_of_a_story_that_is_hidden(client):
    article = make_article(slug="old", published_at=NOON)
    article.slug = "new"
    article.save()
    article.unpublish()

    assert client.get("/2026/11/old/").status_code == 404


def test_a_new_story_takes_an_address_over_from_one_that_moved(client):
    moved = make_article(slug="vote", published_at=NOON)
    moved.slug = "vote-count"
    moved.save()
    make_article(slug="vote", title="A new vote", published_at=NOON)

    assert "<h1>A new vote</h1>" in text_of(client.get("/2026/11/vote/"))


def test_the_address_of_a_hidden_story_leads_to_no_other(client):
    one, two = (make_article(slug=slug, published_at=NOON) for slug in "ab")
    for article, slug in [(one, "c"), (two, "a"), (one, "b")]:
        article.slug = slug
        article.save()
    two.unpublish()

    assert [client.get(f"/2026/11/{slug}/").status_code for slug in "abc"] == [404, 200, 301]


# --- Preview ---


def test_an_editor_previews_a_draft_at_an_address_of_its_own(client):
    draft = make_article(status="draft", published_at=None, title="Not yet")
    client.force_login(make_editor())

    response = client.get(f"/preview/{draft.pk}/")

    assert "<h1>Not yet</h1>" in text_of(response)
    assert "Readers do not see this story yet." in text_of(response)
    assert (response["X-Robots-Tag"], "private" in response["Cache-Control"]) == ("noindex", True)


@pytest.mark.parametrize("pk_offset", [0, 1])
def test_a_preview_sends_strangers_to_sign_in_whether_the_story_exists_or_not(client, pk_offset):
    draft = make_article(status="draft", published_at=None)
    url = f"/preview/{draft.pk + pk_offset}/"

    response = client.get(url)

    assert (response.status_code, response["Location"]) == (302, f"/admin/login/?next={url}")


def test_a_preview_needs_the_right_to_see_stories(client):
    draft = make_article(status="draft", published_at=None)
    user = make_user(is_staff=True)
    client.force_login(user)
    without = client.get(f"/preview/{draft.pk}/").status_code

    user.user_permissions.add(Permission.objects.get(codename="view_article"))

    assert (without, client.get(f"/preview/{draft.pk}/").status_code) == (403, 200)


# --- Lists ---


def test_the_front_page_leads_with_the_newest_and_repeats_no_story(client):
    section = make_section(name="World")
    for number in range(9):
        make_article(title=f"Headline {number}", section=section, published_at=NOON - timedelta(hours=number))
    with time_machine.travel(NOON, tick=False):
        response = client.get("/")

    page = text_of(response)
    assert [page.count(f">Headline {number}<") for number in range(9)] == [1] * 9
    assert page.index("Headline 0") < page.index("Headline 1") < page.index("Headline 6")
    assert [article.title for article in response.context["by_section"]] == [
        "Headline 6",
        "Headline 7",
        "Headline 8",
    ]


def test_an_empty_site_says_so(client):
    assert "Nothing has been published yet." in text_of(client.get("/"))


def list_urls(article) -> list[str]:
    return [
        article.section.get_absolute_url(),
        article.topics.get().get_absolute_url(),
        article.authors.get().get_absolute_url(),
        f"/{article.published_at:%Y}/",
        f"/{article.published_at:%Y}/{article.published_at:%m}/",
    ]


@pytest.fixture
def twenty_one_stories():
    shared = {"section": make_section(), "authors": [make_author()], "topics": [make_topic()]}
    with time_machine.travel(NOON, tick=False):
        return [
            make_article(title=f"Headline {n:02}", published_at=NOON - timedelta(minutes=n), **shared)
            for n in range(21)
        ]


def test_every_list_has_numbered_pages_that_are_links(client, twenty_one_stories):
    for url in list_urls(twenty_one_stories[0]):
        first, second = client.get(url), client.get(f"{url}?page=2")

        assert [article.title for article in first.context["page"]] == [f"Headline {n:02}" for n in range(20)]
        assert [article.title for article in second.context["page"]] == ["Headline 20"]
        assert 'href="?page=2"' in text_of(first)
        assert 'href="?page=1"' in text_of(second)


@pytest.mark.parametrize("page", ["0", "-1", "3", "99999999999999999999", "two", "", "1.5", "1e3"])
def test_a_page_out_of_range_is_a_404(client, twenty_one_stories, page):
    urls = [*list_urls(twenty_one_stories[0]), twenty_one_stories[0].get_absolute_url()]

    assert {client.get(url, {"page": page}).status_code for url in urls} == {404}


def test_the_front_page_ends_with_its_last_page(client, twenty_one_stories):
    assert [client.get(f"/?page={page}").status_code for page in (1, 4, 5)] == [200, 200, 404]


@pytest.mark.parametrize(
    "url", ["/2025/", "/2026/10/", "/2026/13/", "/2026/00/", "/0000/", "/20261/", "/2026/1/"]
)
def test_an_archive_without_stories_is_a_404(client, twenty_one_stories, url):
    assert client.get(url).status_code == 404


def test_an_archive_holds_the_month_in_the_sites_time_zone(client):
    make_article(title="Last minute", published_at=datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
    make_article(title="First minute", published_at=datetime(2026, 11, 1, tzinfo=UTC))

    october, november = client.get("/2026/10/"), client.get("/2026/11/")

    assert [article.title for article in october.context["page"]] == ["Last minute"]
    assert [article.title for article in november.context["page"]] == ["First minute"]


@pytest.mark.parametrize("make", [make_section, make_topic, make_author])
def test_a_list_with_nothing_in_it_says_so(client, make):
    page = client.get(make().get_absolute_url())

    assert "Nothing has been published here yet." in text_of(page)


@pytest.mark.parametrize("url", ["/section/none/", "/topic/none/", "/author/none/"])
def test_an_unknown_list_is_a_404(client, url):
    assert client.get(url).status_code == 404


# --- From page to page ---


def links_of(page: str) -> set[str]:
    """The addresses of this site that a page links to, without what only one part of it is."""
    return {html.unescape(link).partition("#")[0] for link in re.findall(r'<a [^>]*href="(/[^"]*)"', page)}


def crawled(client) -> set[str]:
    """Follow every link from the front page, and return where that leads."""
    found, waiting = set(), {"/"}
    while waiting:
        found |= waiting
        pages = [client.get(address) for address in waiting if not address.startswith("/comments/")]
        waiting = set().union(*(links_of(text_of(page)) for page in pages)) - found
    return found


def test_a_reader_finds_every_month_topic_and_author_from_the_front_page(client):
    stories = [
        make_article(
            authors=[make_author()], topics=[make_topic()], published_at=NOON - timedelta(days=40 * n)
        )
        for n in range(12)
    ]
    hidden = make_article(authors=[make_author()], topics=[make_topic()], status="draft")
    with time_machine.travel(NOON, tick=False):
        found = crawled(client)

    expected = {url for story in stories for url in [story.get_absolute_url(), *list_urls(story)]}
    assert expected - found == set()
    assert {url for url in list_urls(hidden)[1:3] if url in found} == set()


def test_the_archive_counts_the_public_stories_of_each_month_newest_first(client):
    for days in (0, 1, 25, 400):
        make_article(published_at=NOON - timedelta(days=days))
    make_article(published_at=NOON - timedelta(days=60), status="draft")
    make_article(published_at=NOON + timedelta(days=60))
    with time_machine.travel(NOON, tick=False):
        page = text_of(client.get("/archive/"))

    months = re.findall(r'href="/(\d{4}/\d\d)/">(\w+)</a>\s*<span class="how-many">(\d+)<', page)
    assert months == [("2026/11", "November", "2"), ("2026/10", "October", "1"), ("2025/10", "October", "1")]


@pytest.mark.parametrize(
    ("url", "make", "field"), [("/topics/", make_topic, "topics"), ("/authors/", make_author, "authors")]
)
def test_a_list_of_names_counts_what_a_visitor_finds_under_each(client, url, make, field):
    often, once, never = make(name="B often"), make(name="A once"), make(name="C never")
    for names, status in [([often, once], "published"), ([often], "published"), ([never, once], "draft")]:
        make_article(status=status, **{field: names})

    page = text_of(client.get(url))

    found = re.findall(r'href="([^"]+)"><bdi>(.+?)</bdi></a>\s*<span class="how-many">(\d+)<', page)
    assert found == [
        (once.get_absolute_url(), "A once", "1"),
        (often.get_absolute_url(), "B often", "2"),
    ]


def test_a_long_list_of_names_has_pages(client, monkeypatch):
    monkeypatch.setattr(views, "NAMES_PER_PAGE", 2)
    make_article(topics=[make_topic(name=f"Topic {letter}") for letter in "CAB"])

    first, second = (text_of(client.get("/topics/", {"page": page})) for page in (1, 2))

    assert [re.findall(r"<bdi>(.+?)<", page) for page in (first, second)] == [
        ["Topic A", "Topic B"],
        ["Topic C"],
    ]
    assert client.get("/topics/", {"page": 3}).status_code == 404


@pytest.mark.parametrize("url", ["/archive/", "/topics/", "/authors/"])
def test_a_list_of_lists_says_so_while_nothing_is_published(client, url):
    assert "Nothing has been published yet." in text_of(client.get(url))


def test_the_front_page_leads_to_more_stories_where_there_are_more(client):
    for _ in range(views.STORIES_ON_HOME):
        make_article()
    few = text_of(client.get("/"))
    make_article()
    many = text_of(client.get("/"))

    assert ["More stories" in few, '<a rel="next" href="?page=2">More stories</a>' in many] == [False, True]
    assert 'class="pagination"' not in many


# --- What a story is called by in a list ---


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ""),
        (["Ada"], "By Ada"),
        (["Ada", "Bo"], "By Ada and Bo"),
        (["Ada", "Bo", "Cy"], "By Ada, Bo and Cy"),
        (["Ada", "Bo", "Cy", "Di"], "By Ada, Bo and 2 others"),
        ([f"Author {n:02}" for n in range(12)], "By Author 00, Author 01 and 10 others"),
    ],
)
def test_a_card_names_three_authors_at_most(client, names, expected):
    article = make_article(authors=[make_author(name=name) for name in names])

    page = text_of(client.get(article.section.get_absolute_url()))

    named = re.findall(r'<span class="by">(.+?)</span>', page, re.S)
    assert [" ".join(re.sub(r"<.+?>", "", text).split()) for text in named] == (
        [expected] if expected else []
    )


def test_a_story_names_all_of_its_authors(client):
    article = make_article(authors=[make_author(name=f"Author {n:02}") for n in range(12)])

    assert text_of(client.get(article.get_absolute_url())).count(' rel="author">') == 12


def test_a_page_does_not_repeat_on_each_card_whose_page_it_is(client):
    nadia, section = make_author(name="Nadia"), make_section(name="World")
    make_article(authors=[nadia], section=section)
    make_article(authors=[nadia, make_author(name="Bo")], section=section)

    of_author, of_section = (text_of(client.get(row.get_absolute_url())) for row in (nadia, section))

    assert [of_author.count(' rel="author">'), of_section.count(' rel="author">')] == [2, 3]
    assert [page.count('<p class="kicker"><a href="/section/') for page in (of_author, of_section)] == [2, 0]


@pytest.mark.parametrize(("language", "shown"), [("en", "1,234 comments"), ("de", "1.234 comments")])
@pytest.mark.parametrize(
    ("template", "name", "field"),
    [
        ("articles/_comment_count.html", "article", "comment_count"),
        ("comments/_count.html", "thread", "count"),
    ],
)
def test_large_numbers_of_comments_are_grouped_as_the_language_writes_them(
    template, name, field, language, shown
):
    with translation.override(language):
        page = render_to_string(template, {name: {field: 1234}})

    assert re.sub(r"<.*?>|\s{2,}", "", page).strip() == shown


def test_large_numbers_of_stories_are_grouped():
    page = render_to_string("articles/_how_many.html", {"count": 4321})

    assert re.sub(r"<.*?>", "", page).strip() == "4,321 stories"


def test_the_number_of_comments_leads_to_them_from_every_place_that_names_the_story(client):
    section = make_section()
    article = make_article(section=section, authors=[make_author()], topics=[make_topic()])
    other = make_article(section=section)
    for _ in range(2):
        make_comment(article=article)
    make_comment(article=article, status="held")
    jump = f'href="{article.get_absolute_url()}#comments">2 comments</a>'

    pages = [text_of(client.get(url)) for url in ("/", *list_urls(article), other.get_absolute_url())]
    story = text_of(client.get(article.get_absolute_url()))

    assert [jump in page for page in pages] == [True] * 7
    assert ['href="#comments">2 comments</a>' in story, 'id="comments"' in story] == [True, True]
    assert "0 comments" not in "".join(pages)


# --- The foot of a story ---


def at_the_foot(client, article) -> list[str]:
    """The headlines that a story leads to at its end, in their order."""
    page = text_of(client.get(article.get_absolute_url()))
    (foot,) = re.findall(r'<nav class="way-on".*?</nav>', page, re.S) or [""]
    return re.findall(r">(Story .+?)</a>", foot)


def test_a_story_leads_to_four_more_of_its_section_and_to_its_neighbours(client):
    with time_machine.travel(NOON, tick=False):
        section = make_section()
        stories = [
            make_article(title=f"Story {n}", section=section, published_at=NOON - timedelta(hours=n))
            for n in range(7)
        ]
        make_article(title="Story elsewhere", published_at=NOON - timedelta(minutes=90))
        make_article(title="Story not yet", section=section, published_at=NOON + timedelta(minutes=1))
        make_article(title="Story not here", section=section, status="draft", published_at=NOON)

        found = at_the_foot(client, stories[2])

    assert found == ["Story 0", "Story 1", "Story 3", "Story 4", "Story 3", "Story elsewhere"]


def test_stories_of_one_moment_have_an_order_that_leads_through_all(client):
    one, two, three = (make_article(title=f"Story {n}", published_at=NOON) for n in (1, 2, 3))

    with time_machine.travel(NOON, tick=False):
        assert [at_the_foot(client, story) for story in (one, two, three)] == [
            ["Story 2"], ["Story 1", "Story 3"], ["Story 2"]
        ]  # fmt: skip


def test_the_only_story_leads_nowhere(client):
    assert 'class="way-on"' not in text_of(client.get(make_article().get_absolute_url()))


def test_the_foot_of_a_story_tells_of_authors_who_have_something_to_tell(client):
    told = make_author(name="Ida", biography="Ida writes on water. " * 40, picture=make_image())
    article = make_article(
        authors=[told, make_author(name="Bo"), *[make_author(biography="x") for _ in "abc"]]
    )

    page = text_of(client.get(article.get_absolute_url()))

    about = re.findall(r'<aside class="about-author".*?</aside>', page, re.S)
    assert len(about) == 3
    assert [part in about[0] for part in (told.get_absolute_url(), told.picture.file.url, "…")] == [True] * 3
    assert "Bo" not in "".join(about)


def test_a_story_names_its_whole_address_to_search_engines(client):
    article = make_article()

    page = text_of(client.get(article.get_absolute_url()))

    assert f'<link rel="canonical" href="https://news.example{article.get_absolute_url()}">' in page


# --- Queries ---


def story_with_everything(**shared):
    article = make_article(authors=[make_author()], topics=[make_topic()], lead_image=make_image(), **shared)
    RelatedRead.objects.create(article=article, target=make_article(**shared))
    return article


@pytest.mark.parametrize("items", [1, 3])
def test_the_front_page_takes_six_queries(client, django_assert_num_queries, monkeypatch, items):
    monkeypatch.setattr(views, "STORIES_ON_HOME", 2)
    for _ in range(items):
        story_with_everything()
        story_with_everything()
    client.get("/")

    with django_assert_num_queries(6):
        client.get("/")


@pytest.mark.parametrize("items", [1, 3])
def test_a_section_takes_five_queries(client, django_assert_num_queries, items):
    section = make_section()
    for _ in range(items):
        story_with_everything(section=section)

    with django_assert_num_queries(5):
        client.get(section.get_absolute_url())


@pytest.mark.parametrize("url", ["/{0:%Y}/", "/{0:%Y}/{0:%m}/"])
@pytest.mark.parametrize("items", [1, 3])
def test_archives_take_the_same_queries_however_many_stories(
    client, django_assert_max_num_queries, items, url
):
    for _ in range(items):
        article = story_with_everything()

    with django_assert_max_num_queries(6):
        client.get(url.format(article.published_at))


@pytest.mark.parametrize("items", [1, 3])
@pytest.mark.parametrize(("url", "queries"), [("/archive/", 2), ("/topics/", 3), ("/authors/", 3)])
def test_a_list_of_lists_takes_the_same_queries_however_long(
    client, django_assert_num_queries, url, queries, items
):
    for number in range(items):
        story_with_everything(published_at=NOON - timedelta(days=40 * number))

    with django_assert_num_queries(queries):
        client.get(url)
