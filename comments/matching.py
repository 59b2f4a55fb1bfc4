"""Lists that people write, one entry a line, and whether a comment matches one of them."""

import re
import unicodedata
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

# Scripts whose words have no spaces between them: there, every character is an edge of a word.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]"
)
# What shows nothing, and could stand inside a word to hide it.
HIDDEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")


def fold(text: str) -> str:
    """Return a text as it is compared: capitals, widths and hidden characters make no difference."""
    return HIDDEN.sub("", unicodedata.normalize("NFKC", text).casefold())


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class Words(NamedTuple):
    """A list of words, made ready: those that are one plain word, and all others with a pattern."""

    plain: dict[str, str]
    patterns: list[tuple[str, str, re.Pattern]]


def find_word(words: str, *texts: str) -> str:
    """Return the first entry of a list of words that stands in one of the texts, as it was written.

    An entry is found as a whole word or phrase; `*` in it stands for any part of a word.
    """
    ready = _ready(words)
    for text in map(fold, texts):
        tokens = set(_tokens(text))
        for plain, written in ready.plain.items():
            if plain in tokens:
                return written
        for piece, written, pattern in ready.patterns:
            if piece in text and any(_is_whole(text, match, written) for match in pattern.finditer(text)):
                return written
    return ""


@lru_cache(maxsize=16)
def _ready(words: str) -> Words:
    plain: dict[str, str] = {}
    patterns: list[tuple[str, str, re.Pattern]] = []
    for written in lines(words):
        folded = re.sub(r"\*+", "*", fold(written))
        pieces = [piece for piece in folded.split("*") if piece]
        if not pieces:
            continue
        if pieces == [folded] and list(_tokens(folded)) == [folded] and not UNSPACED.search(folded):
            plain.setdefault(folded, written)
        else:
            pattern = re.compile(r"[^\s]{0,50}".join(map(re.escape, pieces)))
            patterns.append((max(pieces, key=len), written, pattern))
    return Words(plain, patterns)


def _tokens(text: str):
    """Return the words of a text. A mark, as Devanagari vowels are, belongs to its word."""
    start = None
    for place, sign in enumerate(text):
        if _is_of_a_word(sign):
            start = place if start is None else start
        elif start is not None:
            yield text[start:place]
            start = None
    if start is not None:
        yield text[start:]


def _is_whole(text: str, match: re.Match, written: str) -> bool:
    start, end = match.span()
    begins = written.startswith("*") or _is_edge(text, start)
    return begins and (written.endswith("*") or _is_edge(text, end))


def _is_edge(text: str, place: int) -> bool:
    if place in {0, len(text)}:
        return True
    before, after = text[place - 1], text[place]
    if UNSPACED.match(before) or UNSPACED.match(after):
        return True
    return not (_is_of_a_word(before) and _is_of_a_word(after))


def _is_of_a_word(sign: str) -> bool:
    return sign == "_" or unicodedata.category(sign)[0] in "LMN"


def find_address(addresses: str, *, email: str = "", ip: str | None = None) -> str:
    """Return the entry of a list of addresses that an e-mail or an IP address belongs to."""
    keys = set(email_keys(email)) | set(network_keys(ip))
    return next((line for line in lines(addresses) if normal_address(line) in keys), "")


def validate_addresses(addresses: str) -> None:
    wrong = [line for line in lines(addresses) if normal_address(line) is None]
    if wrong:
        raise ValidationError(
            _("Neither an email address, nor “@domain”, nor an IP address or network: %(lines)s"),
            params={"lines": ", ".join(wrong[:5])},
        )


def normal_address(line: str) -> str | None:
    """Return an entry of a list of addresses in the form that the keys have, None if it is none."""
    line = line.strip().lower()
    if "@" in line:
        try:
            validate_email(f"someone{line}" if line.startswith("@") else line)
        except ValidationError:
            return None
        return line
    try:
        return str(ip_network(line, strict=False))
    except ValueError:
        return None


def email_keys(email: str) -> list[str]:
    """Return all entries that an e-mail address is found under: itself and its domain."""
    email = email.lower()
    return [email, f"@{email.rpartition('@')[2]}"] if email else []


def network_keys(ip: str | None) -> list[str]:
    """Return all networks that an address belongs to, itself being the smallest."""
    if not ip:
        return []
    address = ip_address(ip)
    if address.version == 6 and address.ipv4_mapped:
        address = address.ipv4_mapped
    bits = address.max_prefixlen
    return [str(ip_network((address, length), strict=False)) for length in range(bits, -1, -1)]


def host_of(website: str) -> str:
    """Return the host of a web address, or of what is written without its scheme; "" if it has none."""
    try:
        host = urlsplit(website if "//" in website else f"//{website}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.") if "." in host else ""


def host_keys(website: str) -> list[str]:
    """Return all entries that a website is found under: its host, and the domains above it."""
    parts = host_of(website).split(".")
    return [".".join(parts[start:]) for start in range(len(parts) - 1)]
