"""Straight quotation marks and apostrophes become typographic ones, as in printed English."""

import re

from newsite.web_addresses import UNSPACED

# What may stand before a mark that opens: nothing, a space, a dash, another mark, and any bracket that opens.
BEFORE_OPENING = re.compile(r"[\s(\[{\-–—/“‘„‚«‹¿¡\"'*_~>（［｛「『【〔〈《]|$")
BEFORE_CLOSING = re.compile(r"[\w.,;:!?…)\]}%’”\"'*_~>-]")
IN_WORDS_WITHOUT_SPACES = re.compile(f"[{UNSPACED}]")
# `'90s`, `'tis`: what was left out stood where the apostrophe is.
LEFT_OUT = re.compile(r"'(?:\d\ds?|tis|twas|em|til|cause|bout|n)\b", re.IGNORECASE)
CLOSES_LATER = re.compile(r"(?<=[^\s'])'(?!\w)")
# `x='y'`: the mark that the word has before it stayed.
STAYED = re.compile(r"[^\w\s]'[^\s']*$")
LONGEST_WORD = 50
# So far behind an opening mark it is looked for the closing one.
LOOK_AHEAD = 500


class QuotationMarks:
    """Sets the marks of one text, which are asked for in their order. Where it is in doubt, they stay."""

    def __init__(self) -> None:
        self.open = {'"': False, "'": False}
        # Of the text that was asked about last: up to where no mark closes but the one at that place.
        self.text, self.looked_at, self.closing = "", 0, -1

    def set(self, text: str, place: int) -> str:
        """Return what the straight mark at a place of the text becomes."""
        before, behind = text[place - 1 : place] if place else "", text[place + 1 : place + 2]
        # Two in a row are a sign of mathematics, or of a program.
        if text[place] in {before, behind}:
            return text[place]
        if text[place] == '"':
            return self._double(before, behind)
        if before.isalnum() and behind.isalnum():
            return "'" if before.isdecimal() and behind.isdecimal() else "’"
        return self._single(text, place, before, behind)

    def _double(self, before: str, behind: str) -> str:
        if self.open['"'] and BEFORE_CLOSING.match(before):
            return self._closed('"', "”")
        if behind.strip() and self._may_open(before, behind):
            return self._opened('"', "“")
        return '"'

    def _single(self, text: str, place: int, before: str, behind: str) -> str:
        if LEFT_OUT.match(text, place) and BEFORE_OPENING.match(before):
            return "’"
        if behind.strip() and BEFORE_OPENING.match(before):
            if self._closes_later(text, place):
                return self._opened("'", "‘")
            return "’" if behind.isalnum() else "'"
        if self.open["'"] and BEFORE_CLOSING.match(before):
            return self._closed("'", "’")
        stays = STAYED.search(text, max(0, place - LONGEST_WORD), place)
        return "’" if before.isalpha() and not stays else "'"

    def _closes_later(self, text: str, place: int) -> bool:
        """Look for the mark that closes, and only where it was not looked for an earlier mark."""
        if text is not self.text:
            self.text, self.looked_at, self.closing = text, 0, -1
        if self.closing <= place:
            end = place + LOOK_AHEAD
            found = CLOSES_LATER.search(text, max(place + 1, self.looked_at), end)
            self.looked_at, self.closing = (found.end(), found.start()) if found else (end - 1, -1)
        return self.closing > place

    def _may_open(self, before: str, behind: str) -> bool:
        """Say whether a word may begin. Behind one without spaces it does where something is to be read."""
        if BEFORE_OPENING.match(before):
            return True
        begins = behind.isalnum() or BEFORE_OPENING.match(behind)
        return bool(begins and IN_WORDS_WITHOUT_SPACES.match(before))

    def _opened(self, mark: str, becomes: str) -> str:
        self.open[mark] = True
        return becomes

    def _closed(self, mark: str, becomes: str) -> str:
        self.open[mark] = False
        return becomes
