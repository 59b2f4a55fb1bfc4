"""Lists that people write, one entry a line, and whether a comment matches one of them."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from comments.addresses import ascii_host, mailbox
from newsite import visible

# Scripts whose words have no spaces between them: there, every character is an edge of a word.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]"
)
# What shows nothing and could stand inside a word to hide it, and marks that can be laid
# over any letter. Those that make a letter of their own, as accents do, are one with it here.
HIDDEN = re.compile(
    "[\u00ad\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u061c\u0640\u064b-\u0652"
    "\u0670\u115f\u1160\u17b4\u17b5\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
# Cyrillic and Greek letters that look like Latin ones, each with its look; and the other way round.
LOOKALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХЗавеѕіјкмнорстухһԁԛԝӏΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβεικνορτυχ",
    "ABESIJKMHOPCTYX3abesijkmhopctyxhdqwlABEZHIKMNOPTYXabeikvoptux",
)
CYRILLIC_LOOKALIKES = str.maketrans("ABEKMHOPCTYXaekmopctyx", "АВЕКМНОРСТУХаекморстух")
CYRILLIC = re.compile("[\u0400-\u052f]")
LATIN = re.compile("[A-Za-z]")
UNSEEN = re.compile(f"[{visible.HIDDEN}{visible.JOINERS}]")
# Signs that a keyboard or a word processor puts in the place of the one that was typed. Some
# are letters to Unicode, and the wide and spaced forms would fall apart before they are seen.
APOSTROPHES = (
    "`\u00b4\u02b9\u02bb-\u02bd\u02c8\u02ca\u02cb\u055a\u05f3\u1fbd\u1fbf\u1fef\u1ffd\u1ffe\u2018-\u201b\u2032\u2035"
    "\u2039\u203a\ua78b\ua78c\uff07\uff40"
)
QUOTATION_MARKS = "\u00ab\u00bb\u02ba\u02dd\u02ee\u05f4\u201c-\u201f\u2033\u2036\u301d-\u301f\uff02"
HYPHENS = "\u058a\u05be\u2010-\u2015\u2043\u2212\ufe58\ufe63\uff0d"
SAME_SIGN = re.compile(f"([{APOSTROPHES}])|([{QUOTATION_MARKS}])|[{HYPHENS}]")
# In many fonts these are the same.
SAME_LOOK = str.maketrans("1|0ı", "llol", "") | {ord("i"): "l"}
# So many letters may stand where an entry has "*".
STAR_LENGTH = 50
# So long is what someone is banned or trusted under, at most.
KEY_LENGTH = 400
# So long is what the spellings of a name have in common. One sign may fold to eighteen, so it is cut.
SPELLING_LENGTH = 120
ALL_LENGTHS = range(128, -1, -1)
# A network with fewer bits than these is a good part of the world, by the version of its addresses.
FEWEST_BITS = {4: 8, 6: 16}


def fold(text: str) -> str:
    """Return a text as it is compared: capitals, widths, spaces and hidden characters make no difference.

    Nor do the kinds of apostrophes, quotation marks and hyphens. Where letters of two
    scripts that look alike stand in one word, it is read as a word of one script: nobody
    writes so but to hide it.
    """
    text = HIDDEN.sub("", _with_same_signs(text))
    text = re.sub(r"\w+", lambda word: _in_one_script(word[0]), text)
    return " ".join(HIDDEN.sub("", _without_capitals(text)).split())


def name_key(name: str) -> str:
    """Return under what a name is banned. One sign may fold to eighteen, so it is cut."""
    return fold(name)[:KEY_LENGTH]


def spelling(name: str) -> str:
    """Return what all spellings of one person's name have in common.

    That is less than `fold()` takes for the same: whoever looks like somebody is not them,
    and an accent makes another name.
    """
    text = _without_capitals(_with_same_signs(UNSEEN.sub("", name)))
    return " ".join(text.split())[:SPELLING_LENGTH]


def _with_same_signs(text: str) -> str:
    return unicodedata.normalize("NFKC", SAME_SIGN.sub(_same_sign, text))


def _same_sign(found: re.Match[str]) -> str:
    return "'" if found[1] else '"' if found[2] else "-"


def _without_capitals(text: str) -> str:
    """Return a text in small letters. In Turkish I is the capital of ı, and İ that of i."""
    return text.replace("\u0130", "i").casefold().replace("\u0131", "i")


def look(name: str) -> str:
    """Return what a name looks like. Names that readers could take for one another have one look."""
    name = HIDDEN.sub("", unicodedata.normalize("NFKD", name)).translate(LOOKALIKES)
    return " ".join(name.casefold().translate(SAME_LOOK).split())


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class Pattern(NamedTuple):
    """An entry that is more than one plain word: what stands between its stars, in order."""

    pieces: list[str]
    begins_anywhere: bool
    ends_anywhere: bool
    threes: frozenset[str]


class Words(NamedTuple):
    """A list of words, made ready: each with its number in the list."""

    written: list[str]
    plain: dict[str, int]
    patterns: list[tuple[int, Pattern]]


class Text(NamedTuple):
    """A text as it is compared, and its words."""

    folded: str
    words: frozenset[str]


# Whoever tries settings on the past asks about one comment many times, then about the next.
@lru_cache(maxsize=16)
def find_word(words: str, *texts: str) -> str:
    """Return the first entry of a list of words that stands in one of the texts, as it was written.

    An entry is found as a whole word or phrase; `*` in it stands for any part of a word.
    """
    ready = _ready(words)
    if not ready.written:
        return ""
    read = list(map(_read, texts))
    patterns = _possible(ready.patterns, read) if ready.patterns else []
    for text in read:
        found = [ready.plain[word] for word in text.words & ready.plain.keys()]
        first = min(found, default=len(ready.written))
        for number, pattern in patterns:
            if number < first and _stands_in(text.folded, pattern):
                first = number
        if first < len(ready.written):
            return ready.written[first]
    return ""


@lru_cache(maxsize=16)
def _ready(words: str) -> Words:
    written = lines(words)
    plain: dict[str, int] = {}
    patterns: list[tuple[int, Pattern]] = []
    for number, line in enumerate(written):
        folded = fold(line)
        pieces = [piece for piece in folded.split("*") if piece.strip()]
        if not pieces:
            continue
        if pieces == [folded] and _tokens(folded) == [folded]:
            plain.setdefault(folded, number)
        else:
            threes = frozenset[str]().union(*map(_threes, pieces))
            pattern = Pattern(pieces, folded.startswith("*"), folded.endswith("*"), threes)
            patterns.append((number, pattern))
    return Words(written, plain, patterns)


@lru_cache(maxsize=32)
def _read(text: str) -> Text:
    folded = fold(text)
    return Text(folded, frozenset(_tokens(folded)))


def _possible(patterns: list[tuple[int, Pattern]], texts: list[Text]) -> list[tuple[int, Pattern]]:
    """Leave out the entries that have three characters in a row which stand nowhere in the texts.

    Of a long list those are nearly all, and looking for each would take long.
    """
    threes = frozenset[str]().union(*(_threes(text.folded) for text in texts))
    return [(number, pattern) for number, pattern in patterns if pattern.threes <= threes]


@lru_cache(maxsize=32)
def _threes(text: str) -> frozenset[str]:
    return frozenset(text[place : place + 3] for place in range(len(text) - 2))


def _in_one_script(word: str) -> str:
    if not LATIN.search(word):
        return word
    latin = word.translate(LOOKALIKES)
    return word.translate(CYRILLIC_LOOKALIKES) if CYRILLIC.search(latin) else latin


def _tokens(text: str) -> list[str]:
    """Return the words of a text that has spaces. A mark, as Devanagari vowels are, belongs to its word."""
    gaps = {ord(sign): " " for sign in text if UNSPACED.match(sign) or not _is_of_a_word(sign)}
    return text.translate(gaps).split()


def _stands_in(text: str, pattern: Pattern) -> bool:
    """Say whether an entry stands in a text, as a whole.

    Each piece is looked for once from left to right, so no text takes long: a regular
    expression with several stars would.
    """
    if not all(piece in text for piece in pattern.pieces):
        return False
    ends: list[int] = []
    for number, piece in enumerate(pattern.pieces):
        places = _places(text, piece)
        if number:
            places = (place for place in places if _is_reached(text, ends, place))
        elif not pattern.begins_anywhere:
            places = (place for place in places if _is_edge(text, place))
        ends = [place + len(piece) for place in places]
    return any(pattern.ends_anywhere or _is_edge(text, end) for end in ends)


def _places(text: str, piece: str) -> Iterator[int]:
    place = text.find(piece)
    while place >= 0:
        yield place
        place = text.find(piece, place + 1)


def _is_reached(text: str, ends: list[int], place: int) -> bool:
    """Say whether nothing but a part of a word stands between a place and what ended last before it."""
    last = bisect_right(ends, place) - 1
    if last < 0 or place - ends[last] > STAR_LENGTH:
        return False
    return " " not in text[ends[last] : place]


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
    """Return the first entry of a list of addresses that an e-mail or an IP address belongs to."""
    numbers = _numbers(addresses)
    if not numbers:
        return ""
    found = [numbers[key] for key in email_keys(email) + network_keys(ip) if key in numbers]
    return lines(addresses)[min(found)] if found else ""


@lru_cache(maxsize=16)
def _numbers(addresses: str) -> dict[str, int]:
    """Return the number of each entry in a list of addresses, by its normal form."""
    numbers: dict[str, int] = {}
    for number, line in enumerate(lines(addresses)):
        if normal := normal_address(line):
            numbers.setdefault(normal, number)
    return numbers


def validate_addresses(addresses: str) -> None:
    normal = {line: normal_address(line) for line in lines(addresses)}
    if wrong := [line for line, form in normal.items() if form is None]:
        raise ValidationError(
            _("Neither an email address, nor “@domain”, nor an IP address or network: %(lines)s"),
            params={"lines": ", ".join(wrong[:5])},
        )
    if large := [line for line, form in normal.items() if form and is_too_large(form)]:
        raise ValidationError(
            _("A network that is too large, with a good part of all readers in it: %(lines)s"),
            params={"lines": ", ".join(large[:5])},
        )


def is_too_large(normal: str) -> bool:
    """Say whether an entry of a list of addresses is a network that nobody means to name."""
    if "@" in normal:
        return False
    network = ip_network(normal)
    return network.prefixlen < FEWEST_BITS[network.version]


def normal_address(line: str) -> str | None:
    """Return an entry of a list of addresses in the form that the keys have, None if it is none."""
    line = mailbox(line)
    if "@" in line:
        try:
            validate_email(f"someone{line}" if line.startswith("@") else line)
        except ValidationError:
            return None
        return line
    try:
        return str(_as_one_version(ip_network(line, strict=False)))
    except ValueError:
        return None


def email_keys(email: str) -> list[str]:
    """Return all entries that an e-mail address is found under: itself and its domain."""
    email = mailbox(email)
    return [email, f"@{email.rpartition('@')[2]}"] if email else []


def network_keys(ip: str | None, lengths: Sequence[int] = ALL_LENGTHS) -> list[str]:
    """Return all networks that an address belongs to, or those of some lengths, the smallest first."""
    return list(_networks(ip, lengths)) if ip else []


@lru_cache(maxsize=128)
def _networks(ip: str, lengths: Sequence[int]) -> tuple[str, ...]:
    # The part behind "%" names a cable of the server.
    address = _as_one_version(ip_network(ip_address(ip.partition("%")[0]))).network_address
    number, bits = int(address), address.max_prefixlen
    # As numbers, since there are 129 of each address, and networks take five times as long.
    beginnings = ((number >> bits - length << bits - length, length) for length in lengths if length <= bits)
    return tuple(f"{type(address)(beginning)}/{length}" for beginning, length in beginnings)


def _as_one_version(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """Return IPv4 as such, where it is written in IPv6, as servers that speak both do."""
    if network.version == 4 or network.prefixlen < 96 or network.network_address.ipv4_mapped is None:
        return network
    return IPv4Network((network.network_address.ipv4_mapped, network.prefixlen - 96))


def host_of(website: str) -> str:
    """Return the host of a web address, or of what is written without its scheme; "" if it has none."""
    try:
        host = urlsplit(website if "//" in website else f"//{website}").hostname or ""
    except ValueError:
        return ""
    if _is_ip_address(host):
        return host
    host = ascii_host(host).strip(".").removeprefix("www.")
    return host if "." in host else ""


def host_keys(website: str) -> list[str]:
    """Return all entries that a website is found under: its host, and the domains above it."""
    host = host_of(website)
    if _is_ip_address(host):
        return [host]
    parts = host.split(".")
    return [".".join(parts[start:]) for start in range(len(parts) - 1)]


def _is_ip_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
