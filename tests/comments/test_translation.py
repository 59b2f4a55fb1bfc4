"""Every sentence that a commenter reads goes through gettext, at the moment when it is shown.

The pages are read in a language whose catalogue puts ⟦ and ⟧ around every sentence. What
people write is Greek here, so each Latin letter outside of those brackets is a word that
no translator would ever see.
"""

import gettext
import json
import re
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import trans_real

from articles.models import Article
from comments import announcements, digests, notifications, posting, questions, yours
from comments.models import Comment
from comments.moderation import Submission
from mail.models import Mail
from tests.factories import (
    make_article,
    make_author,
    make_comment,
    make_editor,
    make_report,
    make_section,
    reply_to,
    set_discussion,
)
from tests.givens import NOON, SAME_ORIGIN, announced

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

ADDRESS = "ada@example.com"
ADA = {"name": "Άντα", "email": ADDRESS}
# What readers see of an element besides the text in it.
SHOWN = ["aria-label", "title", "alt", "placeholder"]


class Bracketed(gettext.NullTranslations):
    """A catalogue that knows every sentence. Greek, because its dates are figures."""

    def gettext(self, message: str) -> str:
        _context, _separator, sentence = message.rpartition("\x04")
        return f"⟦{sentence}⟧"

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return self.gettext(singular if number == 1 else plural)

    def language(self) -> str:
        return "el"

    def to_language(self) -> str:
        return "el"


class Reader(HTMLParser):
    """Takes down what a page shows, and what its scripts are given to show."""

    def __init__(self):
        super().__init__()
        self.text = ""
        self.attributes: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.text += " "
        for name, value in attributes:
            is_data = re.search("^data-.*(label|words|reply)", name)
            is_button = name == "value" and ("type", "submit") in attributes
            is_description = name == "content" and ("name", "description") in attributes
            if name in SHOWN or is_data or is_button or is_description:
                self.attributes.append(value or "")

    def handle_data(self, data):
        # One sentence may hold several elements. Of a style, nobody sees anything.
        if self.cdata_elem is None:
            self.text += data


def untranslated(text: str) -> list[str]:
    """Return the words that stand outside of all brackets, addresses excepted."""
    before = ""
    while text != before:
        before, text = text, re.sub(r"⟦[^⟦⟧]*⟧", "", text)
    return re.findall(r"[A-Za-z]{2,}", re.sub(r"https?://\S+|\S+@\S+", "", text))


def untranslated_in(html: str) -> list[str]:
    reader = Reader()
    reader.feed(html)
    return [word for text in (*reader.attributes, reader.text) for word in untranslated(text)]


@pytest.fixture(autouse=True)
def catalogue(settings, monkeypatch):
    settings.SITE_NAME, settings.SITE_DESCRIPTION = "Εφημερίδα", "Νέα"
    monkeypatch.setitem(trans_real._translations, "el", Bracketed())
    with translation.override("el"):
        yield


@pytest.fixture
def story() -> Article:
    # What the owner says stands in the owner's language.
    set_discussion(house_rules="Ευγένεια.", privacy_note="Ποτέ.")
    return make_article(
        title="Η γέφυρα",
        body="Ο ποταμός.",
        section=make_section(name="Ποταμοί"),
        authors=[make_author(name="Ίδα")],
    )


def said(article: Article, **fields) -> Comment:
    return make_comment(**{"article": article, "body": "Ωραία.", **ADA, **fields})


def words_on(client: Client, pages: list[str], status: int = 200) -> dict[str, list[str]]:
    """Return the untranslated words of each page that has any."""
    found = {}
    for page in pages:
        response = client.get(page)
        assert (page, response.status_code) == (page, status)
        found[page] = untranslated_in(response.content.decode())
    return {page: words for page, words in found.items() if words}


def send(client: Client, page: str, status: int, headers=SAME_ORIGIN, **data) -> list[str]:
    """Send a form, and return the untranslated words of the answer."""
    response = client.post(page, data, headers=headers)
    assert (page, response.status_code) == (page, status)
    html = response.content.decode()
    assert "⟦" in html
    return untranslated_in(html)


def link_in(mail: Mail) -> str:
    return re.search(r"https://news\.example(/comments/\S+)", mail.text)[1]


# --- How the test sees ---


def test_a_word_that_no_translator_sees_is_found():
    page = '<p title="Hello">⟦A <b>⟦day⟧</b> in⟧ Νέα ada@example.com</p><p>Loose <b>words</b></p>'

    assert untranslated_in(page) == ["Hello", "Loose", "words"]


# --- What everybody reads ---


def test_a_conversation_has_no_word_that_is_not_translated(client, story):
    top = said(story, edited_at=NOON)
    reply_to(top, body="Ναι.", **ADA)
    reply_to(said(story, status="trash"), body="Όχι.", user=make_editor(), **ADA)
    for number in range(60):
        said(story, body=f"{number}")
    closed = make_article(title="Το τέλος", body="Ναι.", section=story.section, discussion="closed")
    address = story.get_absolute_url()

    assert (
        words_on(
            client,
            [
                address,
                f"{address}?page=2",
                f"{address}?order=newest",
                f"{address}replies/",
                f"{address}reply/?to={top.pk}",
                closed.get_absolute_url(),
                f"{top.get_absolute_url()}report/",
                f"{address}reported/",
            ],
        )
        == {}
    )
    assert words_on(client, [f"{address}reply/?to=0"], status=404) == {}


def test_the_words_for_new_comments_are_translated(client, story):
    said(story)

    response = client.get(f"{story.get_absolute_url()}replies/count/?since=0")

    assert untranslated(json.loads(response.content)["text"]) == []


@pytest.mark.parametrize("kind", ["feed/", "feed/atom/"])
def test_the_words_of_a_feed_are_translated(client, story, kind):
    said(story, name="")

    for page in ("/comments/", story.get_absolute_url()):
        feed = client.get(f"{page}{kind}").content.decode()
        texts = re.findall(r"<(?:title|description|subtitle|name|dc:creator)>([^<]*)<", feed)
        assert texts
        assert [word for text in texts for word in untranslated_in(unescape(text))] == []


# --- What is said of what was sent ---


def test_every_error_of_leave_a_reply_is_translated(client, story, clock):
    page = f"{story.get_absolute_url()}reply/"
    good = {"body": "Ωραία.", **ADA}
    wrong = {"body": " ", "name": "\u200b", "email": "?", "website": "?"}
    too_long = {"body": "α" * 10_001, "name": "α" * 101, "email": f"{'a' * 255}@example.com"}

    assert send(client, page, 422) == []
    assert send(client, page, 422, **wrong) == []
    assert send(client, page, 422, **too_long, website=f"https://{'a' * 200}.example") == []
    assert send(client, page, 422, **good, parent="0") == []
    assert send(client, page, 403, headers={}, **good) == []
    assert send(client, page, 200, preview="1", **good) == []
    assert client.post(page, good, headers=SAME_ORIGIN).status_code == 303
    assert send(client, page, 429, **{**good, "body": "Πάλι."}) == []
    clock.shift(timedelta(hours=1))
    assert send(client, page, 409, **good) == []
    Article.objects.update(discussion="closed")
    assert send(client, page, 403, **good) == []


def test_what_is_said_to_who_writes_under_their_own_name_is_translated(client, story):
    page = f"{story.get_absolute_url()}reply/signed-in/"
    assert send(client, page, 403, body="Ωραία.") == []
    editor = make_editor(username="ada")
    make_author(name="Άντα", user=editor)
    client.force_login(editor)

    assert words_on(client, [page]) == {}
    assert send(client, page, 422, body="") == []
    assert send(client, page, 200, body="Ωραία.", preview="1") == []


def test_every_error_of_a_report_is_translated(client, story):
    page = f"{said(story).get_absolute_url()}report/"
    for _ in range(10):
        make_report(comment=said(story), sender="x")

    assert send(client, page, 422) == []
    assert send(client, page, 422, reason="other") == []
    assert send(client, page, 422, reason="spam", text="α" * 1001) == []
    assert send(client, page, 403, headers={}, reason="spam") == []


# --- What belongs to a commenter ---


@pytest.mark.parametrize("status", Comment.Status.values)
@pytest.mark.parametrize(
    "because", [value for value, _label in Comment._meta.get_field("held_because").choices]
)
def test_what_became_of_a_comment_is_translated(client, story, status, because):
    comment = said(story, status=status, held_because=because, created_at=NOON)
    notifications.subscribe(comment, "story")

    assert words_on(client, [yours.address(comment)]) == {}


def test_the_private_pages_of_a_comment_are_translated(client, story, clock):
    page = yours.address(said(story, status="held", created_at=NOON))
    assert words_on(client, [f"{page}edit/", f"{page}delete/"]) == {}
    assert send(client, f"{page}edit/", 422, body="") == []
    assert send(client, f"{page}edit/", 200, body="Πάλι.", preview="1") == []
    assert send(client, f"{page}delete/", 403, headers={}) == []
    assert send(client, f"{page}mails/", 422, scope="x", rhythm="x") == []

    clock.shift(timedelta(minutes=16))
    assert send(client, f"{page}edit/", 403, body="Πάλι.") == []
    assert send(client, f"{page}delete/", 403) == []
    Article.objects.update(status="draft")
    Comment.objects.update(status="approved")
    assert words_on(client, [page]) == {}
    clock.shift(timedelta(days=30))
    assert words_on(client, [page], status=410) == {}
    assert words_on(client, ["/comments/yours/nothing/"], status=403) == {}


def test_the_comments_of_a_browser_are_translated(client, story):
    assert words_on(client, ["/comments/mine/"]) == {}
    client.post(f"{story.get_absolute_url()}reply/", {"body": "Ωραία.", **ADA}, headers=SAME_ORIGIN)
    assert words_on(client, ["/comments/mine/"]) == {}


@pytest.mark.parametrize("texts", ["keep", "remove"])
def test_my_comments_are_translated_from_the_mail_to_the_end(client, story, clock, texts):
    notifications.subscribe(said(story, created_at=NOON), "answers")
    Mail.objects.all().delete()
    mine = "/comments/mine/"
    assert words_on(client, [mine]) == {}
    assert send(client, mine, 422, email="?") == []
    assert send(client, mine, 422, email="") == []
    assert send(client, mine, 403, headers={}, email=ADDRESS) == []
    assert send(client, mine, 200, email=ADDRESS) == []
    link = link_in(Mail.objects.get())
    assert words_on(client, [link]) == {}
    assert send(client, link, 403, headers={}) == []

    client.post(link, headers=SAME_ORIGIN)
    assert words_on(client, [link], status=410) == {}
    assert words_on(client, [mine, f"{mine}erase/"]) == {}
    assert send(client, f"{mine}sign-out/", 403, headers={}) == []
    assert send(client, f"{mine}erase/", 422) == []
    assert send(client, f"{mine}erase/", 200, texts=texts) == []
    assert words_on(client, [f"{mine}erase/"], status=403) == {}


def test_too_many_links_asked_for_are_refused_in_translated_words(client):
    for _ in range(10):
        client.post("/comments/mine/", {"email": ADDRESS}, headers=SAME_ORIGIN)

    assert send(client, "/comments/mine/", 429, email=ADDRESS) == []


def test_the_pages_of_the_mails_are_translated(client, story):
    comment = said(story)
    notifications.subscribe(comment, "story")
    subscriber = comment.subscription.subscriber
    confirm = f"/comments/mail/confirm/{subscriber.confirm_token}/"
    stops = [f"/comments/mail/stop/{subscriber.stop_token(about)}/" for about in (story, None)]

    never = questions.never_link(ADDRESS).removeprefix("https://news.example")

    assert words_on(client, [confirm, *stops, never]) == {}
    assert send(client, confirm, 200) == []
    assert [send(client, stop, 200) for stop in stops] == [[], []]
    assert (send(client, never, 200), send(client, never, 200, again="1")) == ([], [])
    assert words_on(client, [confirm], status=410) == {}
    assert words_on(client, ["/comments/mail/confirm/x/"], status=403) == {}


# --- Mails ---


def test_every_mail_is_translated_in_its_subject_and_both_texts(client, story, clock):
    first = said(story, status="held")
    daily = said(story, name="Εύα", email="eva@example.com")
    notifications.subscribe(first, "story")
    notifications.subscribe(daily, "story", "daily")
    announced(daily)
    for comment in (first, daily):
        comment.subscription.subscriber.confirm()
    first.approve(by=make_editor())
    for parent in (first, None):
        reply = Comment(article=story, parent=parent, body="Ναι.", name="Εύα", email=daily.email)
        posting.post(Submission(reply, own={daily.pk}))
        clock.shift(timedelta(minutes=1))
    known = said(story, name="Βύρων", email="bo@example.com")
    again = Comment(article=story, body="Ναι.", name="Βύρων", email="bo@example.com")
    posting.post(Submission(again, own={known.pk}))
    announcements.send_due()
    client.post("/comments/mine/", {"email": ADDRESS}, headers=SAME_ORIGIN)
    clock.shift(timedelta(days=1))
    digests.send_digests()

    mails = Mail.objects.order_by("pk")
    # To confirm, approved, answered, commented twice, my comments, and what came in a day.
    assert len(mails) == 7
    assert {
        mail.subject: words
        for mail in mails
        if (words := untranslated(mail.subject) + untranslated(mail.text) + untranslated_in(mail.html))
    } == {}
