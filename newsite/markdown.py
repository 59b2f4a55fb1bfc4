"""The text of a comment, with the marks that people know, as HTML. `newsite.markup` sanitises it.

Readers see what was typed. Marks count only where someone means them: at the edges of words,
for lines that are a list, for quotes that say something, for tags that are allowed. Everything
else is text, and no word ever disappears.

A line ends where it was ended, an empty one ends the paragraph, and nothing that was opened
in a paragraph reaches into the next. Both readers go through the text once, from left to right.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape, unescape
from html.entities import html5 as ENTITIES
from itertools import islice

from newsite.quotation_marks import QuotationMarks
from newsite.web_addresses import UNSPACED, next_address, with_scheme

# Lists and quotes stand in one another so deep, and no narrow screen has room for more.
NESTING = 10
# Nobody writes more marks, tags, brackets, web addresses, paragraphs and points of lists into a comment.
# What comes after them is text, in one paragraph with the lines that it had.
MARKS = 500
# To find out that code or a tag is never closed takes as long as so many of them.
UNCLOSED = 20
# To look through so many signs takes as long as to read one mark.
FAR = 2_000
# So many may wait to be closed.
OPEN_AT_ONCE = 20
# So much of a web address is shown; where it leads is in the link.
SHOWN_OF_ADDRESS = 80

# What other programs write for the end of a line. All other controls show nothing.
SOFT_LINE_ENDS = re.compile("[\x0b\x0c\x85\u2028\u2029]")
LINE_ENDS = re.compile(f"\r\n|\r|{SOFT_LINE_ENDS.pattern}")
CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")

# How the end of a line and a sign of HTML that is text are written until the sanitisers have
# passed: those take long over each entity and each tag. Line ends are read before, so that
# nobody can type these two, and what they stand for opens nothing wherever it comes to stand.
LINE_END = "\u2028"
SIGN_OF_HTML = "\u2029"
SHORT = str.maketrans({"&": f"{SIGN_OF_HTML}a", "<": f"{SIGN_OF_HTML}l", ">": f"{SIGN_OF_HTML}g"})
LONG = {
    LINE_END: "<br>\n",
    f"{SIGN_OF_HTML}a": "&amp;",
    f"{SIGN_OF_HTML}l": "&lt;",
    f"{SIGN_OF_HTML}g": "&gt;",
}

# --- Lines ---

FENCE = re.compile(r"[ \t]*(?P<mark>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)[ \t]*$")
# `> said`, `>said` and `>> said` are quotes; `>_>`, `>:(`, `>D` and `>50%` are not.
QUOTE = re.compile(
    r"""\s*>(?:\s*>)*
    (?:\s+\S | ["'“‘«„「『（(\[<*_~`…¿¡-]*(?![\w]{1,3}<|[DOPo](?:\s|$))[^\W\d_])""",
    re.VERBOSE,
)
# A line inside a quote that holds its sign alone.
EMPTY_QUOTE = re.compile(r"\s*(?:>\s*)+$")
QUOTE_SIGN = re.compile(r"\s*>\s?")
# `+` is for what speaks for something, and no point of a list.
ITEM = re.compile(r"\s*(?P<mark>[-*]|(?:0|[1-9][0-9]{0,2})\.)\s+(?P<text>\S.*)")
# A line of marks alone parts what stands above from what stands below.
ONLY_MARKS = re.compile(r"[\s*+_=.~#-]+$")

# What the first sign of any block but a paragraph is, and of a tag anywhere in the line.
MAY_BEGIN_BLOCK = re.compile(r"\s*[>`~*0-9-]|.*<")

# --- Tags ---

# Attributes have values: `a<b and c>d` has no tag in it.
ATTRIBUTES = r"""(?P<attributes>(?:\s+[a-z][\w:-]*\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))*)\s*/?>"""
ATTRIBUTE = re.compile(r"""([a-z][\w:-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))""", re.IGNORECASE)
TAG = re.compile(
    rf"<(?P<slash>/?)(?P<name>a|b|br|cite|code|del|em|i|q|s|strong)\b{ATTRIBUTES}", re.IGNORECASE
)
BLOCK_TAG = re.compile(rf"<(?P<slash>/?)(?P<name>blockquote|li|ol|p|pre|ul)\b{ATTRIBUTES}", re.IGNORECASE)
# A tag that begins a block; or code of one line, in which no tag does.
BLOCK_OR_CODE = re.compile(
    rf"""(?<!`)(?P<ticks>`+)(?!`).*?[^`](?P=ticks)(?!`) | <(?P<name>blockquote|code|ol|p|pre|ul)\b{ATTRIBUTES}""",
    re.IGNORECASE | re.VERBOSE,
)
LITERAL = {"code", "pre"}
END_OF_PARAGRAPH = re.compile(r"\n[ \t]*(?=\n)")
WRAPPED_CODE = re.compile(r"\s*<code>(.*)</code>\s*", re.DOTALL | re.IGNORECASE)

TAGS = {"a", "b", "cite", "code", "del", "em", "i", "q", "s", "strong"}

# --- Marks inside a line ---

MARK = re.compile(r"""[\n&"'`*_~\[\]<]""")
COSTLY = set("`*_~[]<")
FREE_MARK = re.compile(r"""[\n&"']""")
CODE = re.compile(r"(?P<ticks>`+)(?!`)(?P<code>.*?[^`])(?P=ticks)(?!`)", re.DOTALL)
END_OF_CODE = re.compile(r"</code\s*>", re.IGNORECASE)
EMPHASIS = {"**": "strong", "__": "strong", "*": "em", "_": "em", "~~": "del"}
# Before a mark that opens stands no word, and behind it one begins; the other way round for
# one that closes. Words of scripts without spaces may stand on both sides.
MAY_OPEN_BEHIND = re.compile(r"""[\s([{"'*_~-]|[^\w\x00-\x7f]|$""")
MAY_CLOSE_BEFORE = re.compile(r"(?![./\\@=+|%^$#]\w)[\W_]|$")
INSIDE_WORD = re.compile(rf"[^\W{UNSPACED}]$")
WORD_WITHOUT_SPACES = re.compile(rf"[{UNSPACED}]")
# `*_*` is a face: no word is of underscores alone.
WORD = r"(?:[^\W_]|[\u2190-\u2bff\U0001f000-\U0001faff])"
WORD_BEGINS = re.compile(rf"(?!\s)(?:[^\w\s]|_){{0,20}}{WORD}")
WORD_ENDS = re.compile(rf"{WORD}(?:[^\w\s]|_){{0,20}}$")
# `[words](https://…)`: what stands behind the words.
TARGET = re.compile(
    r"""\]\(\s*(?P<angle><)?(?P<href>(?:https?://|www\.)(?:[^\s()<>]|\((?:[^\s()<>]|\([^\s()<>]*\))*\))+)(?(angle)>)
    (?:\s+(?:"(?P<title>[^"\n]*)"|'(?P<said>[^'\n]*)'))?\s*\)""",
    re.IGNORECASE | re.VERBOSE,
)
BETWEEN_ANGLES = re.compile(r"<(https?://[^\s<>]+)>", re.IGNORECASE)
ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE)
HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+(?:[/?#:]|$)")
LINK = re.compile(r"<a [^<>]*>|<a>|</a>")


def to_html(text: str) -> str:
    """Return the HTML of a text, whatever it is: well formed, not sanitised, and not yet `written_out()`."""
    text = CONTROLS.sub("", LINE_ENDS.sub("\n", text))
    return _joined(_Blocks().read(text.split("\n")))


def written_out(html: str) -> str:
    """Return sanitised HTML with what was short in it."""
    for short, long in LONG.items():
        html = html.replace(short, long)
    return html


class _Blocks:
    """Reads lines: paragraphs, quotes, lists, code, and the tags for those."""

    def __init__(self) -> None:
        self.marks_left = MARKS
        self.quotation_marks = QuotationMarks()
        # Tags that ended with their paragraph: where they are closed later, nothing is to be seen.
        self.ended: Counter[str] = Counter()

    def read(self, lines: list[str], nesting: int = 0, *, in_list: bool = False) -> list[str]:
        """Return the HTML of each block that the lines have."""
        blocks: list[str] = []
        paragraph: list[str] = []
        at = 0
        while at < len(lines):
            found = self._block(lines, at, nesting, in_list)
            if found is None and lines[at].strip():
                paragraph.append(lines[at].strip())
                at += 1
                continue
            if found is None and paragraph and self.marks_left <= 0:
                paragraph.append("")
                at += 1
                continue
            blocks += self._paragraph(paragraph)
            paragraph = []
            html, at = found or ("", at + 1)
            blocks += [html] if html else []
        return blocks + self._paragraph(paragraph)

    def spend(self, marks: int = 1) -> bool:
        """Say whether one more mark is read as such."""
        self.marks_left -= marks
        return self.marks_left >= 0

    def _paragraph(self, lines: list[str]) -> list[str]:
        if not lines:
            return []
        self.spend()
        return [f"<p>{_Words(_joined(lines).rstrip(), self).to_html()}</p>"]

    def _block(self, lines: list[str], at: int, nesting: int, in_list: bool) -> tuple[str, int] | None:
        """Return the block other than a paragraph that begins with a line, and the number of the line behind it."""
        if self.marks_left <= 0 or not MAY_BEGIN_BLOCK.match(lines[at]):
            return None
        if found := self._fence(lines, at):
            return found
        if nesting == NESTING:
            return None
        return (
            self._quote(lines, at, nesting)
            or self._list(lines, at, nesting, in_list)
            or self._element(lines, at, nesting)
        )

    def _fence(self, lines: list[str], at: int) -> tuple[str, int] | None:
        fence = FENCE.match(lines[at])
        if not fence or not self.spend():
            return None
        for end in range(at + 1, len(lines)):
            line = lines[end].strip()
            if line.startswith(fence["mark"]) and not line.strip(line[0]):
                code = "".join(f"{line}\n" for line in lines[at + 1 : end])
                # With nothing in it, the word behind the mark is no language.
                return _preformatted(code if code.strip() else fence["language"]), end + 1
        self.marks_left -= UNCLOSED
        return None

    def _quote(self, lines: list[str], at: int, nesting: int) -> tuple[str, int] | None:
        """Read the lines that have the sign of a quote. The first that has none ends it."""
        end = at
        while end < len(lines) and (QUOTE.match(lines[end]) or EMPTY_QUOTE.match(lines[end])):
            end += 1
        inner = [QUOTE_SIGN.sub("", line, count=1) for line in lines[at:end]]
        if not any(map(QUOTE.match, lines[at:end])):
            # The next line looks at the same ones again: many of them soon end the search.
            self.marks_left -= (end - at) // 10
            return None
        if not self.spend():
            return None
        return _element("blockquote", self.read(inner, nesting + 1)), end

    def _list(self, lines: list[str], at: int, nesting: int, in_list: bool) -> tuple[str, int] | None:
        first = _item(lines[at])
        if not first or not self.spend():
            return None
        items, is_loose, end = _gather(lines, at, first, most=self.marks_left)
        is_meant = len(items) > 1 or any(map(_item, items[0][1:])) or (in_list and not _number(first))
        if not is_meant:
            return None
        insides = [self.read(_dedented(item), nesting + 1, in_list=True) for item in items]
        return _html_list(_number(first), insides, is_loose), end

    def _element(self, lines: list[str], at: int, nesting: int) -> tuple[str, int] | None:
        """Read what stands between two tags. The lines change: what stood behind the tag begins one."""
        tag = self._block_tag(lines, at)
        if tag is None:
            return None
        if before := lines[at][: tag.start()].strip():
            lines[at : at + 1] = [before, lines[at][tag.start() :]]
            return None
        name, text = tag["name"].lower(), _joined(lines[at:])
        # Each tag looks through all that stands behind it.
        self.marks_left -= len(text) // FAR
        closing = _closing(text, name, tag.end())
        if closing is None:
            self.marks_left -= UNCLOSED
        inside, behind = _inside(text, tag.end(), closing)
        lines[at:] = behind.split("\n")
        if name in LITERAL:
            return _preformatted(_literal(inside)), at
        if name in {"ol", "ul"}:
            items = _tagged_items(inside, most=self.marks_left)
            insides = [self.read(item.split("\n"), nesting + 1, in_list=True) for item in items]
            number = dict(_attributes(tag["attributes"])).get("start", "1") if name == "ol" else ""
            return _html_list(number, insides, is_loose=False), at
        # A paragraph adds no level.
        blocks = self.read(inside.split("\n"), nesting + (name != "p"))
        return _joined(blocks) if name == "p" else _element(name, blocks), at

    def _block_tag(self, lines: list[str], at: int) -> re.Match[str] | None:
        """Return the first tag in a line that begins a block. Code of several lines is one."""
        place = 0
        while (found := BLOCK_OR_CODE.search(lines[at], place)) and self.spend():
            place = found.end()
            if (found["name"] or "code").lower() != "code":
                return found
            if not found["name"]:
                continue
            if closing := END_OF_CODE.search(lines[at], place):
                place = closing.end()
            elif any(map(END_OF_CODE.search, lines[at + 1 :])):
                return found
        return None


# --- What blocks are made of ---


def _item(line: str) -> re.Match[str] | None:
    return None if ONLY_MARKS.match(line) else ITEM.match(line)


def _number(item: re.Match[str]) -> str:
    """Return the number of an item, nothing for one without."""
    return item["mark"].rstrip(".") if item["mark"].endswith(".") else ""


def _gather(lines: list[str], at: int, first: re.Match[str], most: int) -> tuple[list[list[str]], bool, int]:
    """Return the items of the list that begins with a line, whether empty lines part them, and its end.

    What is further in than the first item belongs to the item above it. Numbers count up by
    one: `1984.` and `2001.` are no list.
    """
    items, last, is_loose, end = [[first["text"]]], first, False, at + 1
    for number in range(at + 1, len(lines)):
        line = lines[number]
        if not line.strip():
            continue
        empty = [""] * (number - end)
        item = _item(line)
        if _width(line) >= _width(lines[at]) + 2:
            items[-1] += [*empty, line]
        elif item and _follows(item, last) and len(items) < most:
            items.append([item["text"]])
            last = item
        else:
            break
        is_loose = is_loose or bool(empty)
        end = number + 1
    return items, is_loose, end


def _follows(item: re.Match[str], last: re.Match[str]) -> bool:
    if _number(last):
        return _number(item) == str(int(_number(last)) + 1)
    return item["mark"] == last["mark"]


def _width(line: str) -> int:
    line = line.expandtabs(4)
    return len(line) - len(line.lstrip(" "))


def _dedented(item: list[str]) -> list[str]:
    least = min((_width(line) for line in item[1:] if line.strip()), default=0)
    return [item[0], *(line.expandtabs(4)[least:] for line in item[1:])]


def _tagged_items(inside: str, most: int) -> list[str]:
    """Return what stands between the tags of a list's items, and what stands outside of them."""
    items, start, depth = [], 0, 0
    for tag in _block_tags(inside, 0):
        if tag["name"].lower() in {"ol", "ul"}:
            depth += -1 if tag["slash"] else 1
        elif tag["name"].lower() == "li" and depth == 0:
            items.append(inside[start : tag.start()])
            start = tag.end()
    found = [item.strip() for item in [*items, inside[start:]] if item.strip()]
    most = max(most, 1)
    return [*found[: most - 1], _joined(found[most - 1 :])] if len(found) > most else found


def _html_list(number: str, items: list[list[str]], is_loose: bool) -> str:
    """Write a list, numbered from a number on, or with points. Only a loose one has paragraphs."""
    if not is_loose:
        items = [[block.removeprefix("<p>").removesuffix("</p>") for block in item] for item in items]
    lines = "".join(f"<li>{_joined(item)}</li>\n" for item in items if item)
    start = f' start="{number}"' if number.isdecimal() and number != "1" else ""
    name = "ol" if number else "ul"
    return f"<{name}{start}>\n{lines}</{name}>" if lines else ""


def _element(name: str, blocks: list[str]) -> str:
    return f"<{name}>\n{_joined(blocks)}\n</{name}>" if blocks else ""


def _preformatted(code: str) -> str:
    return f"<pre><code>{_escape(code)}</code></pre>" if code.strip() else ""


def _literal(inside: str) -> str:
    """Return the code between two tags, in which signs may be written as entities."""
    wrapped = WRAPPED_CODE.fullmatch(inside)
    return _decoded((wrapped[1] if wrapped else inside).strip("\n")) + "\n"


def _inside(text: str, start: int, closing: re.Match[str] | None) -> tuple[str, str]:
    """Return what stands in an element, and what behind it. One that is never closed ends with its paragraph."""
    if closing is None:
        blank = END_OF_PARAGRAPH.search(text, start)
        end = blank.start() if blank else len(text)
        return text[start:end], text[end:]
    behind = closing.end() if closing[0].startswith("</") else closing.start()
    return text[start : closing.start()], text[behind:]


def _block_tags(text: str, start: int) -> Iterator[re.Match[str]]:
    """Find the next tags of blocks, at most as many as there may be marks: each level looks at all of them."""
    return islice(BLOCK_TAG.finditer(text, start), MARKS)


def _closing(text: str, name: str, start: int) -> re.Match[str] | None:
    if name in LITERAL:
        return re.compile(rf"</{name}\s*>", re.IGNORECASE).search(text, start)
    depth = 1
    for tag in _block_tags(text, start):
        if tag["name"].lower() == name:
            depth += -1 if tag["slash"] else 1
        if depth == 0 or (name == "p" and not tag["slash"]):
            return tag
    return None


def _attributes(typed: str) -> list[tuple[str, str]]:
    return [
        (found[1].lower(), _decoded(found[2] or found[3] or found[4] or ""))
        for found in ATTRIBUTE.finditer(typed)
    ]


def _decoded(text: str) -> str:
    """Return a text with signs for its entities: those that show one, and that end as they should."""
    return ENTITY.sub(_sign, text)


def _sign(entity: re.Match[str]) -> str:
    name = entity[0][1:]
    if name[0] != "#":
        return ENTITIES.get(name, entity[0])
    sign = CONTROLS.sub("", SOFT_LINE_ENDS.sub("", unescape(entity[0])))
    return entity[0] if sign in {"", "\ufffd"} else sign


def _joined(lines: list[str]) -> str:
    return "\n".join(lines)


def _escape(text: str) -> str:
    return text.translate(SHORT)


# --- What lines are made of ---


@dataclass
class _Open:
    """A mark, bracket or tag that may be closed, and where it stands. If it never is, it stays text."""

    mark: str
    at: int
    left: int = 0
    html: str = ""
    is_glued: bool = False


class _Words:
    """Reads the text of one paragraph: addresses first, then marks and tags."""

    def __init__(self, text: str, blocks: _Blocks) -> None:
        self.text = text
        self.blocks = blocks
        self.out: list[str] = []
        self.open: list[_Open] = []
        self.address = next_address(text, 0)

    def to_html(self) -> str:
        place = 0
        while place < len(self.text):
            place = self._read(place)
        self.blocks.ended.update(opened.mark for opened in self.open if not opened.is_glued)
        self._close_tags(0)
        return "".join(self.out)

    def _read(self, place: int) -> int:
        """Read on from a place, and return where to go on."""
        if self.address and self.address[0] < place:
            self.address = next_address(self.text, place)
        start, end = self.address or (len(self.text), len(self.text))
        if place == start:
            self._link(self.text[start:end])
            return end
        marks = MARK if self.blocks.marks_left > 0 else FREE_MARK
        mark = marks.search(self.text, place, start)
        at = mark.start() if mark else start
        self.out.append(_escape(self.text[place:at]))
        return self._mark(at) if mark else at

    def _mark(self, at: int) -> int:
        mark = self.text[at]
        end = READERS[mark](self, at) if mark not in COSTLY or self.blocks.spend() else None
        if end is None:
            self.out.append(_escape(mark))
        return end or at + 1

    def _line_end(self, at: int) -> int:
        self.out.append(LINE_END)
        return at + 1

    def _quotation_mark(self, at: int) -> int:
        self.out.append(_escape(self.blocks.quotation_marks.set(self.text, at)))
        return at + 1

    def _entity(self, at: int) -> int | None:
        entity = ENTITY.match(self.text, at)
        if entity is None:
            return None
        self.out.append(_escape(_decoded(entity[0])))
        return entity.end()

    def _code(self, at: int) -> int:
        """Read code. Inside a word its mark is an apostrophe, as in `об'єкт` on many keyboards."""
        code = None if INSIDE_WORD.search(self.text, max(0, at - 1), at) else CODE.match(self.text, at)
        if code is None:
            return self._run(at, "`")
        typed = code["code"]
        # A space on both sides lets code begin with the mark itself.
        self._code_of(typed[1:-1] if typed[0] == typed[-1] == " " and typed.strip() else typed)
        return code.end()

    def _code_of(self, code: str) -> None:
        self.out.append(f"<code>{_escape(code)}</code>".replace("\n", LINE_END))

    def _run(self, at: int, mark: str) -> int:
        """Let all of a row of marks be text."""
        run = self.text[at:]
        length = len(run) - len(run.lstrip(mark))
        self.out.append(mark * length)
        return at + length

    def _emphasis(self, at: int) -> int:
        mark = self.text[at]
        end = at + 1
        while self.text[end : end + 1] == mark:
            end += 1
        left = end - at
        if mark == "~" and left != 2:
            return self._run(at, mark)
        before, behind = self.text[at - 1 : at] if at else "", self.text[end : end + 1]
        if _is_edge(MAY_CLOSE_BEFORE.match(self.text, end), mark, behind) and self._word_ends(at):
            left = self._close(mark, left)
        if (
            left
            and _is_edge(MAY_OPEN_BEHIND.match(before), mark, before)
            and WORD_BEGINS.match(self.text, end)
        ):
            self._wait(_Open(mark, len(self.out), left))
        self.out.append(mark * left)
        return end

    def _word_ends(self, at: int) -> bool:
        return bool(WORD_ENDS.search(self.text, max(0, at - 21), at))

    def _wait(self, opened: _Open) -> None:
        self.open = [*self.open, opened][-OPEN_AT_ONCE:]

    def _waiting(self, mark: str) -> int | None:
        """Return which of the open marks is the last of its kind."""
        return next((n for n in reversed(range(len(self.open))) if self.open[n].mark == mark), None)

    def _close(self, mark: str, left: int) -> int:
        """Close what so many marks close, and return how many are left."""
        while left and (number := self._waiting(mark)) is not None:
            opened = self.open[number]
            size = 2 if min(left, opened.left) > 1 else 1
            name = EMPHASIS[mark * size]
            opened.left -= size
            left -= size
            opened.html = f"<{name}>{opened.html}"
            self.out[opened.at] = mark * opened.left + opened.html
            self.out.append(f"</{name}>")
            # What was opened inside and not closed stays text.
            self.open = self.open[: number + (opened.left > 0)]
        return left

    def _bracket(self, at: int) -> int:
        self._wait(_Open("[", len(self.out)))
        self.out.append("[")
        return at + 1

    def _end_of_bracket(self, at: int) -> int | None:
        number, target = self._waiting("["), TARGET.match(self.text, at)
        if number is None:
            return None
        opened = self.open[number]
        if target is None or not "".join(self.out[opened.at + 1 :]).strip():
            del self.open[number]
            return None
        title = target["title"] or target["said"] or ""
        self.out[opened.at] = _anchor(with_scheme(_decoded(target["href"])), title)
        self._unlink(opened.at + 1)
        self.out.append("</a>")
        # No link stands in another.
        self.open = [before for before in self.open[:number] if before.mark not in {"[", "a"}]
        return target.end()

    def _unlink(self, start: int) -> None:
        self.out[start:] = [
            LINK.sub("", html) if html.startswith("<a") else html for html in self.out[start:]
        ]

    def _link(self, address: str) -> None:
        # It costs what the two brackets of another link do.
        if not self.blocks.spend(marks=2):
            self.out.append(_escape(address))
            return
        shown = (
            address
            if len(address) <= SHOWN_OF_ADDRESS
            else f"{address[: SHOWN_OF_ADDRESS - 20]}…{address[-19:]}"
        )
        title = address if shown != address else ""
        self.out.append(f"{_anchor(with_scheme(address), title)}{_escape(shown)}</a>")

    def _angle(self, at: int) -> int | None:
        """Read a tag, or an address between angle brackets."""
        if (between := BETWEEN_ANGLES.match(self.text, at)) and self.address == between.span(1):
            self._link(between[1])
            return between.end()
        tag = TAG.match(self.text, at)
        if tag is None:
            return None
        name = tag["name"].lower()
        if name == "br" and not tag["slash"]:
            self.out.append(LINE_END)
            return tag.end() + (self.text[tag.end() : tag.end() + 1] == "\n")
        return self._closing_tag(tag, name) if tag["slash"] else self._opening_tag(tag, name)

    def _opening_tag(self, tag: re.Match[str], name: str) -> int | None:
        if name == "code" and (closing := END_OF_CODE.search(self.text, tag.end())):
            self._code_of(_decoded(self.text[tag.end() : closing.start()]))
            return closing.end()
        if name == "a" and (self._waiting("a") is not None or not _has_target(tag)):
            return None
        is_glued = self.text[tag.start() - 1 : tag.start()].isalnum()
        self._wait(_Open(name, len(self.out), html=_opening(name, tag["attributes"]), is_glued=is_glued))
        self.out.append(_escape(tag[0]))
        return tag.end()

    def _closing_tag(self, tag: re.Match[str], name: str) -> int | None:
        number = self._waiting(name)
        if number is None:
            return self._closed_late(tag, name)
        inner = [opened for opened in self.open[number + 1 :] if opened.mark in TAGS and not opened.is_glued]
        self.open[number].is_glued = False
        self._close_tags(number)
        for opened in inner:
            # `<b>one <i>two</b> three</i>`: the inner one goes on.
            self._wait(_Open(opened.mark, len(self.out), html=opened.html))
            self.out.append("")
        return tag.end()

    def _closed_late(self, tag: re.Match[str], name: str) -> int | None:
        if not self.blocks.ended[name]:
            return None
        self.blocks.ended[name] -= 1
        return tag.end()

    def _close_tags(self, number: int) -> None:
        """Close the tags from one of those that are open on. Behind a word, as in `Vec<S>`, none is meant."""
        for opened in reversed(self.open[number:]):
            if opened.mark in TAGS and not opened.is_glued:
                self.out[opened.at] = opened.html
                if opened.mark == "a":
                    self._unlink(opened.at + 1)
                self.out.append(f"</{opened.mark}>")
        self.open = self.open[:number]


READERS: dict[str, Callable[[_Words, int], int | None]] = {
    "\n": _Words._line_end,
    "`": _Words._code,
    "*": _Words._emphasis,
    "_": _Words._emphasis,
    "~": _Words._emphasis,
    "[": _Words._bracket,
    "]": _Words._end_of_bracket,
    "<": _Words._angle,
    "&": _Words._entity,
    '"': _Words._quotation_mark,
    "'": _Words._quotation_mark,
}


def _is_edge(is_edge: re.Match[str] | None, mark: str, beside: str) -> bool:
    """Say whether a word may end beside a mark."""
    return bool(is_edge) or (mark != "_" and bool(WORD_WITHOUT_SPACES.match(beside)))


def _has_target(tag: re.Match[str]) -> bool:
    return "href" in dict(_attributes(tag["attributes"]))


def _opening(name: str, typed: str) -> str:
    attributes = dict(_attributes(typed))
    if name == "a" and HOST.match(attributes.get("href", "")):
        attributes["href"] = f"http://{attributes['href']}"
    return _tag(name, attributes)


def _anchor(href: str, title: str) -> str:
    return _tag("a", {"href": href, "title": title} if title else {"href": href})


def _tag(name: str, attributes: dict[str, str]) -> str:
    typed = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{typed}>"
