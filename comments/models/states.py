"""Where a comment can stand, and what can bring it there."""

from django.db import models
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """Where a comment stands. Visitors see what is approved, and nothing else."""

    HELD = "held", _("Held")
    APPROVED = "approved", _("Approved")
    SPAM = "spam", _("Spam")
    TRASH = "trash", _("Trash")
    # Its author has deleted it. No moderator brings it back.
    WITHDRAWN = "withdrawn", _("Withdrawn")


# What the rule of first comments finds where it may be somebody else who types a known name.
ELSEWHERE = "elsewhere"


class Rule(models.TextChoices):
    """What can decide on a comment by itself. The words are what moderators read of it.

    `comments.moderation` says what each rule does, and in which order they are asked.
    """

    NOTHING = "", _("Nothing held it")
    AT_HOME = "at-home", _("Written by the story’s author or by staff")
    BANNED = "banned", _("Banned")
    REFUSED = "refused", _("From a refused address")
    TRAP = "trap", _("Filled in a field that people do not see")
    TRUSTED = "trusted", _("Written by someone whom a moderator trusts")
    ALLOWED = "allowed", _("From an allowed address")
    TRASH_WORDS = "trash-words", _("Has a word that moves it to the trash")
    AKISMET = "akismet", _("Akismet takes it for spam")
    WEBHOOK = "webhook", _("The moderation service objects")
    EVERYTHING = "everything", _("Every comment is held here")
    REPORTED = "reported", _("Reported by readers")
    REGISTERED = "registered", _("A visitor used the name of a registered user")
    WORDS = "words", _("Has a word that holds it")
    LINKS = "links", _("Links")
    TOO_FAST = "too-fast", _("Written faster than anyone types")
    FIRST_COMMENT = "first-comment", _("First comment under this name and email address")

    @property
    def counts(self) -> bool:
        """Whether what the rule finds is a number, or else told in words of our own."""
        return self in (Rule.REPORTED, Rule.LINKS, Rule.TOO_FAST, Rule.FIRST_COMMENT)

    def in_words(self, detail: str) -> str:
        """Return what the rule found, as moderators read it: a number with what it is of."""
        if detail and self == Rule.LINKS:
            return ngettext("%d link", "%d links", int(detail)) % int(detail)
        if detail and self == Rule.TOO_FAST:
            return gettext("%s seconds") % number_format(float(detail), decimal_pos=1)
        if detail == ELSEWHERE and self == Rule.FIRST_COMMENT:
            return gettext("a known name and email address, and no sign that it is the same person")
        return detail
