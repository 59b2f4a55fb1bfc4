"""The feeds are what their specifications say: by a grammar, by the rules beside it, and to a feed reader."""

from pathlib import Path
from urllib.parse import urlsplit

import feedparser
import pytest
from lxml import etree

from comments.models import Comment
from tests.factories import make_article, make_comment, reply_to
from tests.givens import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

ATOM = "{http://www.w3.org/2005/Atom}"
GRAMMARS = {
    kind: etree.RelaxNG(etree.parse(Path(__file__).parent / f"grammars/{kind}.rng"))
    for kind in ("rss", "atom")
}
KINDS = pytest.mark.parametrize("kind", ["rss", "atom"])
OF = pytest.mark.parametrize("of", ["site", "story"])


@pytest.fixture
def story():
    """A story with all that may be in a conversation."""
    article = make_article(title="„Brücke“ <b>& Fähre</b>", slug="brücke")
    top = make_comment(article=article, name="Ada & Bo", website="https://ada.example/?a=1&b=2")
    reply_to(top, name="ليلى", body="لا أحد سألنا.", created_at=NOON)
    reply_to(make_comment(article=article, status="trash"), body="> quoted\n\n- a list\n\n`<code>`")
    make_comment(article=article, name="", body="]]> <![CDATA[ &amp; \U0001f98a\u0301")
    Comment.objects.filter(pk=top.pk).update(edited_at=NOON, name="A\x0bda", body_html="<p>B\x01o</p>")
    return article


def fetch(client, kind: str, of: str, article) -> bytes:
    start = "/comments/" if of == "site" else article.get_absolute_url()
    response = client.get(f"{start}feed/{'atom/' if kind == 'atom' else ''}")
    assert response.status_code == 200
    return response.content


def faults(kind: str, root: etree._Element) -> list[str]:
    """Return what the grammar of a kind of feed finds wrong."""
    grammar = GRAMMARS[kind]
    return [] if grammar.validate(root) else [str(error) for error in grammar.error_log]


# --- By a grammar ---


@KINDS
@OF
def test_a_feed_is_valid_by_the_grammar_of_its_specification(client, story, kind, of):
    assert faults(kind, etree.fromstring(fetch(client, kind, of, story))) == []


@KINDS
@OF
def test_an_empty_feed_is_valid_by_the_grammar_of_its_specification(client, kind, of):
    assert faults(kind, etree.fromstring(fetch(client, kind, of, make_article()))) == []


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        *(("rss", path) for path in ["channel", "channel/title", "channel/link", "channel/description"]),
        *(("atom", f"{ATOM}{name}") for name in ["id", "title", "updated"]),
        *(("atom", f"{ATOM}entry/{ATOM}{name}") for name in ["id", "title", "updated", f"author/{ATOM}name"]),
    ],
)
def test_the_grammar_misses_what_a_feed_must_have(client, story, kind, path):
    root = etree.fromstring(fetch(client, kind, "story", story))
    missing = root.find(path)
    missing.getparent().remove(missing)

    assert faults(kind, root) != []


@pytest.mark.parametrize(
    ("kind", "path", "text"),
    [
        ("rss", "channel/link", "/2026/11/bridge/"),
        ("rss", "channel/lastBuildDate", "2026-11-23T12:00:00Z"),
        ("rss", "channel/item/pubDate", "Montag, 23 Nov 2026 12:00:00 +0000"),
        ("rss", "channel/item/link", "comments/1"),
        ("rss", "channel/item/guid", "1"),
        ("atom", f"{ATOM}updated", "Mon, 23 Nov 2026 12:00:00 +0000"),
        ("atom", f"{ATOM}entry/{ATOM}published", "2026-11-23"),
    ],
)
def test_the_grammar_refuses_what_is_written_otherwise(client, story, kind, path, text):
    root = etree.fromstring(fetch(client, kind, "story", story))
    root.find(path).text = text

    assert faults(kind, root) != []


@pytest.mark.parametrize(
    ("kind", "parent", "name"), [("rss", "channel", "headline"), ("atom", ".", f"{ATOM}headline")]
)
def test_the_grammar_refuses_what_is_not_in_the_specification(client, story, kind, parent, name):
    root = etree.fromstring(fetch(client, kind, "story", story))
    etree.SubElement(root.find(parent), name)

    assert faults(kind, root) != []


# --- By the rules that no grammar has ---


@OF
def test_atom_keeps_the_rules_beside_its_grammar(client, story, of):
    """RFC 4287, sections 4.1.1, 4.1.2, 4.2.6 and 4.2.7."""
    root = etree.fromstring(fetch(client, "atom", of, story))
    entries = root.findall(f"{ATOM}entry")
    ids = [element.text for element in root.iter(f"{ATOM}id")]

    assert len(entries) == 4
    assert [entry.find(f"{ATOM}author") is not None for entry in entries] == [True] * 4
    assert len(set(ids)) == len(ids)
    assert [urlsplit(id_).scheme for id_ in ids] == ["http"] * len(ids)
    for element in [root, *entries]:
        assert len(element.findall(f"{ATOM}link[@rel='alternate']")) == 1
    assert len(root.findall(f"{ATOM}link[@rel='self']")) == 1
    updated = [entry.find(f"{ATOM}updated").text for entry in entries]
    assert root.find(f"{ATOM}updated").text == max(updated)


@OF
def test_rss_keeps_the_rules_beside_its_grammar(client, story, of):
    """Its specification, and what the RSS Advisory Board's profile of good practice adds."""
    root = etree.fromstring(fetch(client, "rss", of, story))
    items = root.findall("channel/item")
    guids = [item.find("guid").text for item in items]

    assert len(items) == len(set(guids)) == 4
    assert guids == [item.find("link").text for item in items]
    # Who wrote something has no address to tell: <author> would ask for one.
    assert root.find(".//author") is None
    assert len(root.findall(f"channel/{ATOM}link[@rel='self']")) == 1


# --- To a feed reader ---


@KINDS
@OF
def test_a_feed_reader_finds_no_fault_and_all_that_was_said(client, story, kind, of):
    content = fetch(client, kind, of, story)

    read = feedparser.parse(
        content, response_headers={"content-type": f"application/{kind}+xml; charset=utf-8"}
    )

    assert (read.bozo, read.version) == (False, {"rss": "rss20", "atom": "atom10"}[kind])
    assert len(read.entries) == 4
    (entry,) = [entry for entry in read.entries if entry.author == "ليلى"]
    assert "لا أحد سألنا." in (entry.content[0].value if kind == "atom" else entry.summary)
    assert entry.published_parsed[:5] == (2026, 11, 23, 12, 0)
