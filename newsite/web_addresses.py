"""Where web addresses begin and end in what people write, in any script."""

import re
import unicodedata

# Scripts whose words have no spaces between them, Korean, whose endings have none, arrows and emoji:
# with these a sentence goes on directly behind an address.
UNSPACED = (
    "\u0e00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2190-\u21ff\u2600-\u27bf\u3005-\u3007\u3021-\u302f"
    "\u3031-\u303c\u3040-\u318f\u31a0-\u31ff\u3400-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uff9f\U0001f000-\U0003ffff"
)
# What no address holds: spaces, dashes, quotes and the punctuation of East Asia, and what shows nothing.
OUTSIDE = (
    '\\s<>"“”„«»‹›—―‥…।॥\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3000-\u3004\u3008-\u3020'
    "\u3030\u303d-\u303f\ufeff\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
# A part of a host, as in `x東京.jp`, may have such letters inside: the rest of the host tells.
GOES_ON = rf"[{UNSPACED}]{{1,60}}(?=[a-z0-9{UNSPACED}-]{{0,60}}\.[a-z]{{2}})"
# `https://…` and `www.…` become links; `readme.md` and `e.g.so` do not. Letters of those scripts
# are the address's where a part of it begins with them, and the sentence's behind other letters:
# `…/wiki/東京` is whole, and `…/pageを見て` ends before the を.
WEB_ADDRESS = re.compile(
    rf"""
    (?P<scheme>(?<![a-z0-9])https?:// | (?<![a-z0-9@/_-])(?<![a-z0-9]\.)www\.)
    (?P<host>\[[0-9a-f:.]+\](?::[0-9]+)? | (?=[^\W_])(?:
        (?<=[/.@-])[{UNSPACED}]+ | {GOES_ON} | [^{OUTSIDE}{UNSPACED}‘’/?\#!$&'()*,;=\[\]\\^`{{|}}]
    )+)
    (?:[/?\#](?:
        (?:(?<=[/?\#=&_~%+-])|(?<=_\()) [{UNSPACED}\ufe0f]+ (?:[a-z0-9]+[{UNSPACED}]+)* (?:（[^{OUTSIDE}]+）)?
        | (?![,;|](?:https?://|www\.) | \[/[a-z]) [^{OUTSIDE}{UNSPACED}]
    )*)?
    """,
    re.IGNORECASE | re.VERBOSE,
)
# What stands behind an address belongs to the sentence.
END_OF_SENTENCE = set(".,;:!?'")
BRACKETS = {")": "(", "]": "[", "}": "{"}
CLOSED_BY = {opening: closing for closing, opening in BRACKETS.items()}
QUOTES = {"'": "'", "‘": "’"}
MARKS = {"*": r"\*+", "_": "_+", "~": "~~+", "`": "`+"}
# Cells of tables, spoilers and formulas have the same sign at both ends.
BOTH_SIDES = set("|$")
# What stands before a mark that is opened: never a part of another address.
BEFORE_OPENING = r"(?<![^\s([{\"'*_~\x80-\U0010ffff-])"
# So far before an address it is looked for what was opened there.
LOOK_BACK = 500


def next_address(text: str, place: int) -> tuple[int, int] | None:
    """Return where the next address begins and ends, or None if there is none behind that place."""
    found = WEB_ADDRESS.search(text, place)
    return (found.start(), _end(text, found)) if found else None


def with_scheme(address: str) -> str:
    """Return an address as a link has it: people leave its beginning out."""
    return f"http://{address}" if address.lower().startswith("www.") else address


def _end(text: str, found: re.Match[str]) -> int:
    """Leave out what closes around an address: it was opened before it, or stands behind its end."""
    start, least = found.start(), found.end("scheme") + 1
    before = text[max(0, start - LOOK_BACK) : start].rpartition("\n")[2]
    address = found[0][: _closed_at(before, found[0])]
    unopened = {
        closing: address.count(closing) - address.count(opening) for closing, opening in BRACKETS.items()
    }
    end = start + len(address)
    while end > least and _is_outside(text[end - 1], unopened, before):
        if text[end - 1] in BRACKETS:
            unopened[text[end - 1]] -= 1
        end -= 1
    return end


def _closed_at(before: str, address: str) -> int:
    """Return where a bracket or quote closes that was opened before the address."""
    opened = {closing: before.count(opening) - before.count(closing) for closing, opening in BRACKETS.items()}
    inside = dict.fromkeys(BRACKETS, 0)
    quote = QUOTES.get(before[-1:])
    for place, sign in enumerate(address):
        if sign in CLOSED_BY:
            inside[CLOSED_BY[sign]] += 1
        elif inside.get(sign, 0) > 0:
            inside[sign] -= 1
        elif opened.get(sign, 0) > 0 or (sign == quote and not address[place + 1 : place + 2].isalnum()):
            return place
    return len(address)


def _is_outside(last: str, unopened: dict[str, int], before: str) -> bool:
    if last in END_OF_SENTENCE or (not last.isascii() and _is_punctuation(last)):
        return True
    if last in BOTH_SIDES and last == before[-1:]:
        return True
    return unopened.get(last, 0) > 0 or (last in MARKS and _is_open(last, before))


def _is_punctuation(sign: str) -> bool:
    """Say whether it ends a sentence in some script. A bracket that closes was opened in the address."""
    return unicodedata.category(sign) in {"Po", "Pd", "Pi", "Pf"}


def _is_open(mark: str, before: str) -> bool:
    """Say whether a mark was set before the first letter of a word, and behind none since."""
    run = MARKS[mark]
    opening, closing = (
        rf"{BEFORE_OPENING}(?<![\w{mark}]){run}(?=[^\s{mark}]|$)",
        rf"(?<=[^\s{mark}]){run}(?=[^\w{mark}])",
    )
    return len(re.findall(opening, before)) > len(re.findall(closing, before))
