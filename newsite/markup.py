"""The only place where people's text becomes HTML.

Every text passes two independent sanitisers with one allow-list, bleach and then nh3,
so that a fault in either alone opens nothing.
"""

import re
from functools import lru_cache
from html import unescape

import bleach
import nh3
from bleach.html5lib_shim import HTML_TAGS
from django.conf import settings

from newsite.markdown import CONTROLS, LINE_END, LONG, SIGN_OF_HTML, SOFT_LINE_ENDS, to_html, written_out

COMMENT_TAGS = {
    "a", "b", "blockquote", "br", "cite", "code", "del", "em", "i", "li", "ol", "p", "pre", "q", "s", "strong", "ul",
}  # fmt: skip
COMMENT_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
COMMENT_SCHEMES = {"http", "https"}
# One more whenever the same text becomes other HTML: then comments of before are rendered anew.
COMMENT_EDITION = 2
COMMENT_LINK_REL = "nofollow ugc noopener"

STORY_TAGS = COMMENT_TAGS | {
    "abbr", "caption", "dd", "dl", "dt", "figcaption", "figure", "h2", "h3", "h4", "hr", "img",
    "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
}  # fmt: skip
STORY_ATTRIBUTES = COMMENT_ATTRIBUTES | {
    "abbr": {"title"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
STORY_SCHEMES = COMMENT_SCHEMES | {"mailto"}
STORY_LINK_REL = "noopener"

# By itself nh3 lets `title` and `lang` stand on every tag.
NO_OTHERS: dict[str, set[str]] = {"*": set()}

# Word processors and web mail mark up the same meanings with these.
SYNONYMS = {"div": "p", "h1": "h2", "h5": "h4", "h6": "h4", "section": "p", "strike": "s"}
BLOCK_TAGS = {
    "blockquote", "div", "dl", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "script",
    "section", "style", "table", "ul",
}  # fmt: skip

# What begins a tag in a body as it was typed or pasted: known names, those that word
# processors make (`o:p`), comments and declarations. Any other "<" is meant as it stands.
TYPED_TAG = re.compile(
    rf"""<!--(?:(?!<!--|-->).)*-->|<[!?][^<>]*>
    |</?(?P<name>(?:{"|".join(sorted(HTML_TAGS | {"center", "font", "main", "strike", "svg", "tt", "xml"}))})
    |[a-z][a-z0-9]*:[a-z]+)(?:[\s/](?:"[^"]*"|'[^']*'|[^"'<>])*)?>""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)

# What stays of a story may be so deep, and so many of the tags that change how words look may be
# open at once. Parsers take a time for each that is open, at every tag that follows, and open
# those for words anew in each block.
DEPTH, STYLED = 100, 6
STYLES = {
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
}  # fmt: skip
# What ends where the next of its kind begins, unless one of these has begun in between.
ENDED_BY_NEXT = {"p", "li", "dt", "dd", "tr", "td", "th", "option"}
HOLDS_OTHERS = {"ul", "ol", "dl", "table", "blockquote"}

# Patterns over sanitised HTML only: there a "<" always opens a tag and values are quoted.
TAG = re.compile(r'<(?P<slash>/?)(?P<name>[a-z][a-z0-9]*)(?P<attributes>(?: [\w-]+="[^"]*")*) ?/?>')
EMPTY_BLOCK = re.compile(r"<(p|figure)>(?:\s|&nbsp;|<br>)*</\1>")
SHORTENED = re.compile(rf"{TAG.pattern}|&(?:amp|lt|gt);")
VOID_TAGS = {"br", "hr", "img"}
SHORT_OF = {long: short for short, long in LONG.items() if short != LINE_END}


# The text of a new comment is checked, decided on and saved: three times the same HTML.
@lru_cache(maxsize=64)
def comment_html(text: str) -> str:
    """Return the HTML of a comment, which may have Markdown and a little HTML in it.

    Tags that are not allowed stay readable as text, and web addresses become links.
    """
    cleaner = bleach.Cleaner(
        tags=COMMENT_TAGS,
        attributes={tag: sorted(names) for tag, names in COMMENT_ATTRIBUTES.items()},
        protocols=COMMENT_SCHEMES,
    )
    html = nh3.clean(
        cleaner.clean(to_html(text)),
        tags=COMMENT_TAGS,
        attributes=COMMENT_ATTRIBUTES | NO_OTHERS,
        url_schemes=COMMENT_SCHEMES,
        link_rel=COMMENT_LINK_REL,
    )
    return written_out(html).strip()


def story_html(text: str) -> str:
    """Return the HTML of a story's body, as the editor wrote or pasted it.

    Tags that are not allowed go and leave their text; scripts and styles go whole.
    Pictures stay only if they come from the site's own media.
    """
    text = re.sub(
        rf"(</?)({'|'.join(SYNONYMS)})\b",
        lambda tag: tag[1] + SYNONYMS[tag[2].lower()],
        with_paragraphs(_within_depth(text)),
        flags=re.IGNORECASE,
    )
    cleaner = bleach.Cleaner(
        tags=STORY_TAGS,
        attributes={tag: sorted(names) for tag, names in STORY_ATTRIBUTES.items()},
        protocols=STORY_SCHEMES,
        strip=True,
    )
    # The last gate stands first as well, since bleach would leave the text of a script behind.
    html = _last_gate_of_stories(cleaner.clean(_shortened(_last_gate_of_stories(text))))
    html = TAG.sub(lambda tag: "" if _is_foreign_picture(tag) else tag[0], written_out(html))
    return EMPTY_BLOCK.sub("", html).strip()


def with_paragraphs(text: str) -> str:
    """Make paragraphs of the plain text around blocks of HTML, one for each line that is not blank.

    A rich-text editor that is given lines without tags would run them together.
    """
    text = _with_whole_tags(CONTROLS.sub("", text))
    pieces, start = [], 0
    around: list[str] = []  # the names of the blocks that are open
    for tag in TYPED_TAG.finditer(text):
        name = (tag["name"] or "").lower()
        if name not in BLOCK_TAGS:
            continue
        if not around:
            pieces.append(_paragraph_each_line(text[start : tag.start()]))
            start = tag.start()
        if tag[0].startswith("</"):
            # What was left open inside ends with what is around it.
            around = around[: _last_index(around, name)]
        else:
            around = around[:-1] if around[-1:] == ["p"] else around
            around = around if name == "hr" else [*around, name]
        pieces.append(_with_breaks(text[start : tag.end()]))
        start = tag.end()
    rest = text[start:]
    return "".join(pieces) + (_with_breaks(rest) if around else _paragraph_each_line(rest))


def paragraphs(html: str) -> list[str]:
    """Split sanitised HTML behind every paragraph that stands in no other element.

    Joined together again, the pieces are the HTML that came in.
    """
    pieces, start, depth = [], 0, 0
    for tag in TAG.finditer(html):
        if tag["name"] in VOID_TAGS:
            continue
        depth += -1 if tag["slash"] else 1
        if depth == 0 and tag["name"] == "p":
            pieces.append(html[start : tag.end()])
            start = tag.end()
    return pieces + ([html[start:]] if html[start:] else [])


def links(html: str) -> list[str]:
    """Return where the links in sanitised HTML lead."""
    attributes = [tag["attributes"] for tag in TAG.finditer(html) if tag["name"] == "a"]
    targets = [re.search(r' href="([^"]*)"', of_link) for of_link in attributes]
    return [unescape(target[1]) for target in targets if target]


def text_of(html: str) -> str:
    """Return the text that sanitised HTML shows."""
    return unescape(TAG.sub("", html))


def count_links(html: str) -> int:
    return len(links(html))


def count_words(html: str) -> int:
    """Return how many words sanitised HTML shows."""
    return len(TAG.sub(" ", html).split())


def _last_gate_of_stories(html: str) -> str:
    return nh3.clean(
        html,
        tags=STORY_TAGS,
        attributes=STORY_ATTRIBUTES | NO_OTHERS,
        url_schemes=STORY_SCHEMES,
        link_rel=STORY_LINK_REL,
    )


def _within_depth(text: str) -> str:
    """Leave out the tags that are opened too deep in others. What they hold stays."""
    opened: list[str] = []

    def kept(tag: re.Match) -> str:
        name = (tag["name"] or "").lower()
        if not name or name in VOID_TAGS:
            return tag[0]
        last = _last_index(opened, name)
        if tag[0].startswith("</"):
            del opened[last:]
            return tag[0]
        if name in ENDED_BY_NEXT and HOLDS_OTHERS.isdisjoint(opened[last:]):
            del opened[last:]
        if len(opened) == DEPTH or (name in STYLES and sum(map(STYLES.__contains__, opened)) == STYLED):
            return ""
        opened.append(name)
        return tag[0]

    return TYPED_TAG.sub(kept, text)


def _shortened(html: str) -> str:
    """Write signs of HTML that are text short, as a comment's are: the sanitisers take long over each."""
    html = html.translate({ord(LINE_END): " ", ord(SIGN_OF_HTML): " "})
    return SHORTENED.sub(lambda found: SHORT_OF.get(found[0], found[0]), html)


def _is_foreign_picture(tag: re.Match) -> bool:
    return tag["name"] == "img" and f' src="{settings.MEDIA_URL}' not in tag["attributes"]


def _with_whole_tags(text: str) -> str:
    """Keep each tag on one line, and escape every "<" that begins none."""
    pieces, start = [], 0
    for tag in TYPED_TAG.finditer(text):
        pieces += [text[start : tag.start()].replace("<", "&lt;"), " ".join(tag[0].splitlines())]
        start = tag.end()
    return "".join(pieces) + text[start:].replace("<", "&lt;")


def _with_breaks(inside: str) -> str:
    """Break the line inside a block of HTML where another program has: there, a line end is but a space."""
    return SOFT_LINE_ENDS.sub("<br>", inside)


def _paragraph_each_line(text: str) -> str:
    """Make each line a paragraph that holds more than tags, or a picture."""
    return "".join(
        f"<p>{line}</p>" if TYPED_TAG.sub("", line).strip() or "<img" in line.lower() else line
        for line in text.splitlines()
        if line.strip()
    )


def _last_index(names: list[str], name: str) -> int:
    return len(names) - 1 - names[::-1].index(name) if name in names else len(names)
