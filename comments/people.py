"""Who speaks: the name of an account, the mark beside it, and a picture drawn from letters."""

import re
import unicodedata

from django.db.models import Q, Value
from django.db.models.functions import Concat, Trim
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from comments import matching
from comments.models import Comment

NAME_LENGTH = Comment._meta.get_field("name").max_length
# As many as the stylesheet has, .avatar-1 and on.
AVATAR_COLOURS = 12

# What stands before or behind a name, in the languages where a dot or a capital sets it apart.
TITLES = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "sir",
        "dame",
        "dr",
        "prof",
        "rev",
        "fr",
        "herr",
        "frau",
        "hr",
        "mme",
        "mlle",
        "sr",
        "sra",
        "srta",
        "dña",
        "sig",
        "sigra",
        "jr",
        "jun",
        "sen",
        "esq",
        "phd",
        "md",
        "ii",
        "iii",
        "iv",
    ]
)

# Which accounts write for the site, and what they are called in full, as a query asks.
WRITES_FOR_THE_SITE = Q(is_staff=True) | Q(author__isnull=False)
FULL_NAME = Trim(Concat("first_name", Value(" "), "last_name"))


def writes_for_the_site(user) -> bool:
    """Say of one account what `WRITES_FOR_THE_SITE` says."""
    return user.is_authenticated and (user.is_staff or hasattr(user, "author"))


def name_of(user) -> str:
    """Return what an account is called in public."""
    byline = getattr(user, "author", None)
    return byline.name if byline else user.get_full_name() or user.get_username()


def sign(comment: Comment, user) -> None:
    """Put an account's name under a comment."""
    comment.user, comment.name, comment.email = user, name_of(user)[:NAME_LENGTH], user.email


def mark(comment: Comment) -> str:
    """Return what readers are told of who wrote a comment. An account gives it, never a name."""
    if comment.user is None:
        return ""
    if comment.article.is_by(comment.user):
        return _("Author")
    return _("Staff") if comment.user.is_staff else ""


def initials(name: str) -> str:
    """Return the first letters of the first and of the last name, in any script.

    Titles are no names, unless there is nothing else; nor is what stands in brackets behind one.
    """
    words = re.sub(r"(?<=\S)\s*\([^)]*\)", " ", unicodedata.normalize("NFC", name)).split()
    words = [word for word in words if word.strip(".,").casefold() not in TITLES] or words
    # Title case, since some scripts have capitals that no font has.
    letters = [next((sign.title()[0] for sign in word if sign.isalnum()), "") for word in words]
    letters = [letter for letter in letters if letter]
    return "".join(letters[:1] + letters[1:][-1:]) or "•"


def colour(comment: Comment) -> int:
    """Return the number of a colour that is always the same for one name.

    The address has no part in it: who tries addresses would know the right one by its colour.
    """
    digest = salted_hmac("comments.people", matching.spelling(comment.name), algorithm="sha256").digest()
    return int.from_bytes(digest, "big") % AVATAR_COLOURS + 1
