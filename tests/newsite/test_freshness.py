from datetime import timedelta

import pytest
import time_machine

from tests.factories import make_article, make_author, make_comment, make_editor, make_topic, reply_to
from tests.givens import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    """Let no page change because of the time that it tells."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def public_pages(article) -> list[str]:
    published = article.published_at
    return [
        "/",
        article.get_absolute_url(),
        f"{article.get_absolute_url()}reply/",
        f"{article.get_absolute_url()}reported/",
        f"{article.get_absolute_url()}feed/",
        "/comments/feed/atom/",
        article.section.get_absolute_url(),
        article.topics.get().get_absolute_url(),
        article.authors.get().get_absolute_url(),
        "/archive/",
        "/topics/",
        "/authors/",
        f"/{published:%Y}/",
        f"/{published:%Y}/{published:%m}/",
    ]


def test_a_public_page_is_the_same_bytes_for_a_stranger_and_a_signed_in_editor(client):
    article = make_article(authors=[make_author()], topics=[make_topic()])
    make_comment(article=article)
    make_comment(article=article, status="held")
    pages = public_pages(article)
    for_strangers = {url: client.get(url) for url in pages}
    client.force_login(make_editor())
    for_editors = {url: client.get(url) for url in pages}

    assert {url: r.content for url, r in for_editors.items()} == {
        url: r.content for url, r in for_strangers.items()
    }
    for response in [*for_strangers.values(), *for_editors.values()]:
        assert response.status_code == 200
        assert not response.cookies
        assert response.headers["Vary"] == "Accept-Encoding"
        assert response.headers["Cache-Control"] == "public, no-cache"


def test_every_public_page_answers_304_to_its_own_etag(client):
    article = make_article(authors=[make_author()], topics=[make_topic()])
    for url in public_pages(article):
        etag = client.get(url).headers["ETag"]

        again = client.get(url, headers={"if-none-match": etag})

        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)


def test_a_compressed_page_answers_304_too(client):
    url = make_article(body="word " * 500).get_absolute_url()
    packed = client.get(url, headers={"accept-encoding": "gzip"})

    again = client.get(url, headers={"accept-encoding": "gzip", "if-none-match": packed.headers["ETag"]})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert (again.status_code, again.content) == (304, b"")
    for name in ("ETag", "Vary", "Cache-Control"):
        assert again.headers[name] == packed.headers[name]


def test_an_approved_comment_changes_the_story_at_once(client):
    article = make_article()
    held = make_comment(article=article, status="held")
    before = client.get(article.get_absolute_url()).headers["ETag"]

    held.approve(by=make_editor())

    after = client.get(article.get_absolute_url(), headers={"if-none-match": before})
    assert after.status_code == 200
    assert held.body in after.content.decode()


def test_a_comment_that_is_held_changes_nothing(client):
    article = make_article()
    before = client.get(article.get_absolute_url()).headers["ETag"]

    make_comment(article=article, status="held")

    assert client.get(article.get_absolute_url(), headers={"if-none-match": before}).status_code == 304


def test_an_edited_story_changes_its_page_at_once(client):
    article = make_article()
    before = client.get(article.get_absolute_url()).headers["ETag"]

    article.title = "Another headline"
    article.save()

    after = client.get(article.get_absolute_url(), headers={"if-none-match": before})
    assert (after.status_code, "Another headline" in after.content.decode()) == (200, True)


def test_a_scheduled_story_changes_the_front_page_when_its_time_comes(client, clock):
    make_article(title="Later today", published_at=NOON + timedelta(minutes=5))
    before = client.get("/")
    clock.shift(timedelta(minutes=5))
    after = client.get("/", headers={"if-none-match": before.headers["ETag"]})

    assert "Later today" not in before.content.decode()
    assert (after.status_code, "Later today" in after.content.decode()) == (200, True)


def test_what_is_not_found_is_not_kept(client):
    assert "no-store" in client.get("/nothing/").headers["Cache-Control"]


def test_the_address_of_a_comment_is_not_kept_since_its_page_may_change(client):
    comment = reply_to(make_comment())

    assert "no-store" in client.get(comment.get_absolute_url()).headers["Cache-Control"]
