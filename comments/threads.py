"""Reading a conversation: its order, its pages, and the page that a comment is on.

A page is fifty comments of the tree order, whatever the shape of the threads, so that
no page grows with a thread.
"""

from dataclasses import dataclass
from itertools import pairwise

from django.core.paginator import Page, Paginator

from articles.models import Article
from comments.models import Comment

COMMENTS_PER_PAGE = 50
SHOWN_LEVELS = 5


@dataclass
class Row:
    """A line of the page: a comment, or the place of one that is not public (None)."""

    comment: Comment | None
    level: int
    # Whom the comment answers, where that is not plain from the nesting on this page.
    in_reply_to: Comment | None = None
    parent_is_here: bool = False
    # What a template needs to nest lists without recursion: how many levels end here.
    # Minus one: the next row stands inside this one.
    levels_ended: int = 0

    @property
    def has_replies_below(self) -> bool:
        return self.levels_ended < 0

    @property
    def lists_ended(self) -> range:
        return range(self.levels_ended)


@dataclass
class Thread:
    page: Page
    rows: list[Row]

    @property
    def count(self) -> int:
        return self.page.paginator.count


def thread(article: Article, page: int | str) -> Thread:
    """Return one page of a story's conversation, the first being 1, in three queries.

    Raises `django.core.paginator.InvalidPage` where there is no such page.
    """
    comments = (
        article.comments.approved()
        .order_by("path")
        .select_related("parent")
        .defer("body", "parent__body", "parent__body_html")
    )
    shown = Paginator(comments, COMMENTS_PER_PAGE).page(page)
    return Thread(shown, _rows(list(shown.object_list)))


def page_number(comment: Comment) -> int:
    """Return the page of its conversation that an approved comment is on."""
    before = Comment.objects.approved().filter(article=comment.article_id, path__lt=comment.path).count()
    return before // COMMENTS_PER_PAGE + 1


def _rows(comments: list[Comment]) -> list[Row]:
    """Make rows of comments in tree order, each missing ancestor being one as well."""
    here = {comment.pk for comment in comments}
    missing = _missing({pk for comment in comments for pk in comment.lineage} - here)
    rows: list[Row] = []
    # The ids of the rows that the next one may stand inside, outermost first.
    branch: list[int] = []

    def add(lineage: list[int], comment: Comment | None = None) -> None:
        while branch and branch[-1] not in lineage[: SHOWN_LEVELS - 1]:
            branch.pop()
        branch.append(lineage[-1])
        rows.append(Row(comment, level=len(branch)))

    for comment in comments:
        for depth, pk in enumerate(comment.lineage, start=1):
            if pk in missing:
                missing.remove(pk)
                add(comment.lineage[:depth])
        add(comment.lineage, comment)
        parent = comment.parent
        if parent and parent.status == Comment.Status.APPROVED and branch[-2:-1] != [parent.pk]:
            rows[-1].in_reply_to = parent
            rows[-1].parent_is_here = parent.pk in here

    for row, following in pairwise(rows):
        row.levels_ended = row.level - following.level
    if rows:
        rows[-1].levels_ended = rows[-1].level - 1
    return rows


def _missing(comments: set[int]) -> set[int]:
    if not comments:
        return set()
    return comments - set(Comment.objects.approved().filter(pk__in=comments).values_list("pk", flat=True))
