"""Reading a conversation: its order, its pages, and the page that a comment is on.

A page is fifty comments of the tree order, whatever the shape of the threads, so that
no page grows with a thread.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from urllib.parse import urlencode

from django.conf import settings
from django.core.paginator import InvalidPage, Page, Paginator
from django.db.models import Count, Max, Min, TextChoices
from django.utils.translation import gettext_lazy as _

from articles.models import Article
from comments.models import THREAD_KEY, Comment, CommentQuerySet

COMMENTS_PER_PAGE = 50
# A whole conversation is shown on one page up to this many comments.
ON_ONE_PAGE = 500
SHOWN_LEVELS = 5


class Order(TextChoices):
    """Which thread comes first. Inside a thread, an answer always follows what it answers."""

    OLDEST = "oldest", _("Oldest first")
    NEWEST = "newest", _("Newest first")


_SORTED_BY: dict[Order, list] = {Order.OLDEST: ["path"], Order.NEWEST: [THREAD_KEY.desc(), "path"]}


@dataclass
class Row:
    """A line of the page: a comment, or the place of one that is not public (None)."""

    comment: Comment | None
    level: int
    # Whom the comment answers, where that is not plain from the nesting on this page.
    in_reply_to: Comment | None = None
    parent_is_here: bool = False
    # How many comments of this page stand inside this row, at any depth.
    replies_here: int = 0
    # What a template needs to nest lists without recursion: how many levels end here.
    # Minus one: the next row stands inside this one.
    levels_ended: int = 0

    @property
    def lists_ended(self) -> range:
        return range(self.levels_ended)


class Pages(Paginator):
    """Pages of comments, which learn in one query how many there are and which is newest."""

    object_list: CommentQuerySet

    @cached_property
    def totals(self) -> dict:
        return self.object_list.order_by().aggregate(count=Count("pk"), newest=Max("pk"))

    @cached_property
    def count(self) -> int:
        return self.totals["count"]


@dataclass
class Thread:
    page: Page
    rows: list[Row]
    # The id of the conversation's newest comment, wherever that stands.
    newest: int | None

    @property
    def count(self) -> int:
        return self.page.paginator.count

    @property
    def fits_on_one_page(self) -> bool:
        """Whether `whole()` shows more at once than this page, and does show it."""
        return self.page.has_other_pages() and self.count <= ON_ONE_PAGE


@dataclass
class News:
    """What a conversation has that a page shown earlier has not."""

    count: int
    first: int | None


def default_order() -> Order:
    """Return the order that the owner of the site has chosen."""
    return Order(settings.COMMENT_ORDER)


def thread(article: Article, page: int | str, order: Order = Order.OLDEST) -> Thread:
    """Return one page of a story's conversation, the first being 1, in three queries.

    Raises `django.core.paginator.InvalidPage` where there is no such page.
    """
    return _thread(Pages(_comments(article, order), COMMENTS_PER_PAGE), page)


def whole(article: Article) -> Thread:
    """Return the whole conversation as one page, or raise `InvalidPage` if it is too long."""
    pages = Pages(_comments(article, Order.OLDEST), ON_ONE_PAGE)
    if pages.num_pages > 1:
        raise InvalidPage(f"{pages.count} comments are too many for one page")
    return _thread(pages, 1)


def place(comment: Comment) -> str:
    """Return the address of an approved comment on its page of the conversation."""
    number = page_number(comment)
    query = {"order": Order.OLDEST.value} if default_order() != Order.OLDEST else {}
    if number > 1:
        query["page"] = str(number)
    story = comment.article.get_absolute_url()
    return f"{story}{'?' if query else ''}{urlencode(query)}#comment-{comment.pk}"


def page_number(comment: Comment) -> int:
    """Return the page of its conversation, oldest first, that an approved comment is on."""
    before = Comment.objects.approved().filter(article=comment.article_id, path__lt=comment.path).count()
    return before // COMMENTS_PER_PAGE + 1


def news(article: Article, since: int) -> News:
    """Return how many comments are newer than the one with this id, and the first of them."""
    newer = article.comments.approved().filter(pk__gt=since)
    return News(**newer.order_by().aggregate(count=Count("pk"), first=Min("pk")))


def _comments(article: Article, order: Order) -> CommentQuerySet:
    return (
        article.comments.approved()
        .order_by(*_SORTED_BY[order])
        .select_related("parent", "user")
        .defer("body", "parent__body", "parent__body_html")
    )


def _thread(pages: Pages, number: int | str) -> Thread:
    page = pages.page(number)
    return Thread(page, _rows(list(page.object_list)), pages.totals["newest"])


def _rows(comments: list[Comment]) -> list[Row]:
    """Make rows of comments in tree order, each missing ancestor being one as well."""
    here = {comment.pk for comment in comments}
    missing = _missing({pk for comment in comments for pk in comment.lineage} - here)
    rows: list[Row] = []
    # The rows that the next one may stand inside with their ids, outermost first.
    branch: list[tuple[int, Row]] = []

    def add(lineage: list[int], comment: Comment | None = None) -> None:
        while branch and branch[-1][0] not in lineage[: SHOWN_LEVELS - 1]:
            branch.pop()
        for _id, above in branch:
            above.replies_here += comment is not None
        row = Row(comment, level=len(branch) + 1)
        branch.append((lineage[-1], row))
        rows.append(row)

    for comment in comments:
        for depth, pk in enumerate(comment.lineage, start=1):
            if pk in missing:
                missing.remove(pk)
                add(comment.lineage[:depth])
        add(comment.lineage, comment)
        parent = comment.parent
        stands_inside = [pk for pk, row in branch[-2:-1]]
        if parent and parent.status == Comment.Status.APPROVED and stands_inside != [parent.pk]:
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
