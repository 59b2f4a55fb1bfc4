from typing import NamedTuple

from django import template

from articles.models import Article, Author

register = template.Library()

# So many authors are told of in a few lines at the foot of a story.
INTRODUCED = 3


class Names(NamedTuple):
    """Who is named as a story's authors, and how many more there are."""

    authors: list[Author]
    others: int


@register.simple_tag
def byline(article: Article, most: int | None = None, page_of: Author | None = None) -> Names:
    """Return whom to name as the authors: all, or `most`, the last of whom stands for several.

    On an author's own page, `page_of`, nobody is named where nobody else wrote the story.
    """
    authors = [byline.author for byline in article.bylines.all()]
    if authors == [page_of]:
        return Names([], 0)
    if most is None or len(authors) <= most:
        return Names(authors, 0)
    return Names(authors[: most - 1], len(authors) - most + 1)


@register.simple_tag
def introduced(article: Article) -> list[Author]:
    """Return the authors of whom something is told, or shown, at the foot of the story."""
    authors = [byline.author for byline in article.bylines.all()]
    return [author for author in authors if author.biography or author.picture][:INTRODUCED]
