"""Which signs of a text a person can see."""

import re
import unicodedata

# Controls, and signs that show nothing or turn the direction of the text around them: with
# those a name could pass for another. Unicode Standard Annex #9, section 2. Joiners are not
# among them: they make one picture of several, and Persian words of letters. Nor is the null
# character, which no form takes.
HIDDEN = (
    "\x01-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
JOINERS = "\u200c\u200d"
# What joiners join: letters of the scripts from Hebrew to those of India, and pictures.
JOINED = (
    "\u0590-\u1cff\u2190-\u2bff\u3030\u303d\u3297\u3299\ua800-\uabff\ufb1d-\ufdff\ufe0f\ufe70-\ufefc"
    "\U00010a00-\U00011fff\U0001f000-\U0001faff"
)
# The flags of England, Scotland and Wales are spelled with signs that show nothing by themselves.
FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]+\U000e007f"
SHOWN_OR_HIDDEN = re.compile(f"({FLAG})|(?<=[{JOINED}])([{JOINERS}])(?=[{JOINED}])|[{HIDDEN}{JOINERS}]")
NOT_SHOWN = re.compile(f"[{HIDDEN}]")
ONLY_HIDDEN = re.compile(f"[{HIDDEN}\ufffc]")
# Pictures and ideographs that are newer than Python's tables are seen all the same.
NEWER = re.compile("[\U0001f000-\U0001fbff\U00020000-\U0003ffff]")


def is_visible(text: str) -> bool:
    """Say whether a person sees anything of a text: a mark over nothing is not seen."""
    return any(map(_is_seen, text))


def without_hidden(text: str) -> str:
    return NOT_SHOWN.sub("", text)


def as_name(text: str) -> str:
    """Return a text in one line, without what nobody sees; empty where nothing is seen of it."""
    shown = SHOWN_OR_HIDDEN.sub(_shown, " ".join(text.split()))
    return " ".join(shown.split()) if is_visible(shown) else ""


def _is_seen(sign: str) -> bool:
    if ONLY_HIDDEN.match(sign):
        return False
    return unicodedata.category(sign)[0] not in "CMZ" or bool(NEWER.match(sign))


def _shown(found: re.Match[str]) -> str:
    return found[1] or found[2] or ""
