"""How a term is looked for in texts, whether in capitals or not."""

from collections.abc import Iterable

from django.db.models import Q


def spellings(term: str) -> set[str]:
    """Return how a term may be written. SQLite knows the capitals of ASCII letters alone, so others are named."""
    if term.isascii():
        return {term}
    return {term, term.lower(), term.upper(), term.title(), term.capitalize()}


def having(term: str, names: Iterable[str]) -> Q:
    """Return what has a term in one of its texts, in capitals or not."""
    return Q.create(
        [Q(**{f"{name}__icontains": spelling}) for name in names for spelling in spellings(term)],
        connector=Q.OR,
    )
