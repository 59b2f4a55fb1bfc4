import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.utils import timezone

from articles.models import Article
from comments import feeds
from comments.models import Comment
from tests.factories import make_article, make_comment, make_editor, reply_to
from tests.givens import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

ATOM = "{http://www.w3.org/2005/Atom}"
DC = "{http://purl.org/dc/elements/1.1/}"
THREAD = "{http://purl.org/syndication/thread/1.0}"
RSS_AND_ATOM = pytest.mark.parametrize("kind", ["", "atom/"])


def of_site(kind="") -> str:
    return f"/comments/feed/{kind}"


def of_story(article, kind="") -> str:
    return f"{article.get_absolute_url()}feed/{kind}"


def parsed(xml: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(xml)  # noqa: S314 (our own)


def read(client, url: str) -> ElementTree.Element:
    """Return the root of a feed, as a strict parser sees it."""
    response = client.get(url)
    assert response.status_code == 200
    return parsed(response.content)


def titles(client, url: str) -> list[str]:
    root = read(client, url)
    return [
        title.text
        for title in (*root.findall("channel/item/title"), *root.findall(f"{ATOM}entry/{ATOM}title"))
    ]


def link(element: ElementTree.Element, rel: str) -> dict:
    return element.find(f"{ATOM}link[@rel='{rel}']").attrib


# --- What is in a feed ---


def test_the_rss_feed_of_a_story_has_all_that_rss_asks_for(client):
    article = make_article(title="The bridge", slug="bridge")
    comment = make_comment(article=article, name="Ada", body="*Well* said, A & B.", created_at=NOON)

    response = client.get(of_story(article))
    root = parsed(response.content)

    assert response["Content-Type"] == "application/rss+xml; charset=utf-8"
    assert (root.tag, root.attrib["version"]) == ("rss", "2.0")
    channel = root.find("channel")
    assert [(e.tag, e.text) for e in channel if e.tag != "item"] == [
        ("title", "Comments on “The bridge”"),
        ("link", "http://testserver/2026/11/bridge/"),
        ("description", "What readers say about “The bridge”."),
        (f"{ATOM}link", None),
        ("language", "en"),
        ("lastBuildDate", "Mon, 23 Nov 2026 12:00:00 +0000"),
    ]
    assert link(channel, "self") == {"rel": "self", "href": "http://testserver/2026/11/bridge/feed/"}
    assert [(e.tag, e.text) for e in channel.find("item")] == [
        ("title", "Ada on The bridge"),
        ("link", f"http://testserver/comments/{comment.pk}/"),
        ("description", "<p><em>Well</em> said, A &amp; B.</p>"),
        (f"{DC}creator", "Ada"),
        ("pubDate", "Mon, 23 Nov 2026 12:00:00 +0000"),
        ("guid", f"http://testserver/comments/{comment.pk}/"),
    ]


def test_the_atom_feed_of_a_story_has_all_that_atom_asks_for(client):
    article = make_article(title="The bridge", slug="bridge")
    comment = make_comment(
        article=article, name="Ada", body="*Well* said.", created_at=NOON - timedelta(hours=2)
    )
    Comment.objects.update(edited_at=NOON - timedelta(hours=1))

    response = client.get(of_story(article, "atom/"))
    root = parsed(response.content)

    address = f"http://testserver/comments/{comment.pk}/"
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert [(e.tag.removeprefix(ATOM), e.text) for e in root if e.tag != f"{ATOM}entry"] == [
        ("title", "Comments on “The bridge”"),
        ("link", None),
        ("link", None),
        ("id", "http://testserver/2026/11/bridge/feed/atom/"),
        ("updated", "2026-11-23T11:00:00+00:00"),
    ]
    assert link(root, "self")["href"] == "http://testserver/2026/11/bridge/feed/atom/"
    assert link(root, "alternate")["href"] == "http://testserver/2026/11/bridge/"
    entry = root.find(f"{ATOM}entry")
    assert [(e.tag.removeprefix(ATOM), e.text) for e in entry] == [
        ("title", "Ada on The bridge"),
        ("link", None),
        ("published", "2026-11-23T10:00:00+00:00"),
        ("updated", "2026-11-23T11:00:00+00:00"),
        ("author", None),
        ("id", address),
        ("content", "<p><em>Well</em> said.</p>"),
        (f"{THREAD}in-reply-to", None),
        ("link", None),
    ]
    assert entry.find(f"{ATOM}author/{ATOM}name").text == "Ada"
    assert entry.find(f"{ATOM}content").attrib == {"type": "html"}
    assert link(entry, "alternate")["href"] == address


def test_atom_tells_what_a_comment_answers_and_how_many_answer_it(client):
    article = make_article(slug="bridge")
    top = make_comment(article=article, name="Top", created_at=NOON - timedelta(hours=3))
    answer = reply_to(top, name="Answer", created_at=NOON - timedelta(hours=2))
    reply_to(top, status="held")
    gone = make_comment(article=article, status="trash")
    orphan = reply_to(gone, name="Orphan", created_at=NOON - timedelta(hours=1))

    root = read(client, of_story(article, "atom/"))

    story = "http://testserver/2026/11/bridge/"
    entries = [
        (
            entry.find(f"{ATOM}author/{ATOM}name").text,
            entry.find(f"{THREAD}in-reply-to").attrib,
            link(entry, "replies"),
        )
        for entry in root.findall(f"{ATOM}entry")
    ]

    def told(comment, answered, count):
        address = f"http://testserver/comments/{comment.pk}/"
        replies = {"rel": "replies", "type": "text/html", "href": address, f"{THREAD}count": str(count)}
        return comment.name, {"ref": answered, "href": answered, "type": "text/html"}, replies

    assert entries == [
        told(orphan, story, 0),
        told(answer, f"http://testserver/comments/{top.pk}/", 0),
        told(top, story, 1),
    ]


@RSS_AND_ATOM
def test_the_feed_of_the_site_has_the_comments_of_all_public_stories_newest_first(client, kind):
    later = timezone.now() + timedelta(hours=1)
    make_comment(name="Old", article=make_article(title="A"), created_at=NOON - timedelta(hours=2))
    make_comment(name="New", article=make_article(title="B"), created_at=NOON - timedelta(hours=1))
    for status in ("held", "spam", "trash", "withdrawn"):
        make_comment(name="Hidden", status=status)
    make_comment(name="Hidden", article=make_article(status="draft"))
    make_comment(name="Hidden", article=make_article(published_at=later))

    assert titles(client, of_site(kind)) == ["New on B", "Old on A"]


@RSS_AND_ATOM
def test_the_feed_of_a_story_has_its_own_approved_comments_only(client, kind):
    article = make_article(title="A")
    make_comment(article=article, name="Ada")
    make_comment(name="Elsewhere")
    for status in ("held", "spam", "trash", "withdrawn"):
        make_comment(article=article, name="Hidden", status=status)

    assert titles(client, of_story(article, kind)) == ["Ada on A"]


@RSS_AND_ATOM
def test_a_feed_holds_the_newest_comments_and_no_more(client, monkeypatch, kind):
    monkeypatch.setattr(feeds, "COMMENTS_PER_FEED", 2)
    article = make_article(title="A")
    for minute in (1, 2, 3):
        make_comment(article=article, name=f"Minute {minute}", created_at=NOON + timedelta(minutes=minute))

    for url in (of_site(kind), of_story(article, kind)):
        assert titles(client, url) == ["Minute 3 on A", "Minute 2 on A"]


@RSS_AND_ATOM
def test_no_feed_tells_an_email_address_or_where_a_comment_came_from(client, kind):
    comment = make_comment(
        email="private@example.com",
        ip_address="192.0.2.77",
        user_agent="Secretive",
        website="https://ada.example",
    )

    for url in (of_site(kind), of_story(comment.article, kind)):
        page = client.get(url).content.decode()
        assert [word in page for word in ("private@", "192.0.2.77", "Secretive")] == [False, False, False]


@RSS_AND_ATOM
@pytest.mark.parametrize("illegible", ["\x01", "\x0b", "\x1f", "\ufffe", "\uffff"])
def test_characters_that_xml_cannot_hold_are_left_out(client, kind, illegible):
    article = make_article(title="A")
    comment = make_comment(article=article)
    Comment.objects.filter(pk=comment.pk).update(
        name=f"A{illegible}da", body_html=f"<p>B{illegible}o \U0001f98a</p>"
    )
    Article.objects.update(title=f"Br{illegible}idge")

    for url in (of_site(kind), of_story(article, kind)):
        root = read(client, url)
        assert titles(client, url) == ["Ada on Bridge"]
        assert "<p>Bo \U0001f98a</p>" in [element.text for element in root.iter()]


@RSS_AND_ATOM
@pytest.mark.parametrize("name", ["", " ", "\x0b"])
def test_who_has_no_name_is_anonymous(client, kind, name):
    article = make_article(title="A")
    make_comment(article=article, name=name)

    assert titles(client, of_story(article, kind)) == ["Anonymous on A"]


# --- Reuse ---


@RSS_AND_ATOM
@pytest.mark.parametrize("comments", [0, 1])
def test_a_feed_is_sent_again_only_when_it_has_changed(client, clock, kind, comments):
    article = make_article()
    for _ in range(comments):
        make_comment(article=article)

    for url in (of_site(kind), of_story(article, kind)):
        etag = client.get(url)["ETag"]
        clock.shift(timedelta(minutes=1))
        unchanged = client.get(url, headers={"if-none-match": etag})
        # Written before the newest, approved after it: no date of the feed tells.
        late = make_comment(article=article, name="Late", created_at=NOON - timedelta(days=1), status="held")
        Comment.objects.filter(pk=late.pk).update(status="approved")
        changed = client.get(url, headers={"if-none-match": etag})

        assert (unchanged.status_code, changed.status_code) == (304, 200)
        assert b"Late" in changed.content
        assert "Last-Modified" not in changed.headers


@RSS_AND_ATOM
def test_a_feed_may_be_kept_by_anyone_and_is_asked_for_each_time(client, kind):
    assert client.get(of_site(kind))["Cache-Control"] == "public, no-cache"


# --- Where feeds are ---


@RSS_AND_ATOM
def test_unknown_draft_and_scheduled_stories_have_no_feed(client, kind):
    hidden = [make_article(status="draft"), make_article(published_at=NOON + timedelta(hours=1))]
    urls = [f"/2026/11/unknown/feed/{kind}", *(of_story(article, kind) for article in hidden)]

    responses = [client.get(url) for url in urls]

    assert [response.status_code for response in responses] == [404, 404, 404]
    assert len({response.content for response in responses}) == 1


@RSS_AND_ATOM
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_feeds_are_only_read(client, kind, method):
    assert getattr(client, method)(of_site(kind)).status_code == 405


def test_links_have_the_host_and_the_scheme_of_the_request(client):
    comment = make_comment()

    root = parsed(client.get(of_site(), secure=True, headers={"host": "localhost"}).content)

    assert root.find("channel/item/guid").text == f"https://localhost/comments/{comment.pk}/"


def alternates(page: str) -> list[tuple[str, str, str]]:
    return re.findall(r'<link rel="alternate" type="([^"]+)" title="([^"]+)" href="([^"]+)">', page)


def test_every_page_names_the_feeds_of_the_site_and_a_story_its_own_as_well(client):
    article = make_article(title='The "big" bridge', slug="bridge")
    rss, atom = "application/rss+xml", "application/atom+xml"
    of_site = [
        (rss, "Comments on Newsite", "/comments/feed/"),
        (atom, "Comments on Newsite", "/comments/feed/atom/"),
    ]
    title = "Comments on “The &quot;big&quot; bridge”"

    assert alternates(client.get("/").content.decode()) == of_site
    assert alternates(client.get(article.get_absolute_url()).content.decode()) == [
        (rss, title, "/2026/11/bridge/feed/"),
        (atom, title, "/2026/11/bridge/feed/atom/"),
        *of_site,
    ]


def test_the_preview_of_a_story_names_no_feed_that_is_not_there(client):
    client.force_login(make_editor())
    draft = make_article(status="draft")

    page = client.get(f"/preview/{draft.pk}/").content.decode()

    assert "/feed/" not in page.replace("/comments/feed/", "")


# --- Queries ---


@RSS_AND_ATOM
@pytest.mark.parametrize("items", [1, 3])
def test_a_feed_takes_one_query_for_its_comments(client, django_assert_num_queries, kind, items):
    article = make_article()
    for _ in range(items):
        reply_to(make_comment(article=article))
        reply_to(make_comment())

    with django_assert_num_queries(1):
        client.get(of_site(kind))
    with django_assert_num_queries(2):
        client.get(of_story(article, kind))
