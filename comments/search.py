"""How the queue and the history look for a term in texts."""

from collections.abc import Iterable

from django.db.models import Q


def having(term: str, names: Iterable[str]) -> Q:
    """Return what has a term in one of its texts, in capitals or not.

    SQLite knows the capitals of ASCII letters alone. Of others, the usual spellings are looked for.
    """
    spellings = (
        [term] if term.isascii() else {term, term.lower(), term.upper(), term.title(), term.capitalize()}
    )
    return Q.create(
        [Q(**{f"{name}__icontains": spelling}) for name in names for spelling in spellings], connector=Q.OR
    )
