"""Reading a conversation: its order, its pages, and the page that a comment is on.

A page is so many comments of the tree order as the owner has chosen, whatever the shape of
the threads, so that no page grows with a thread.
"""

from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlencode

from django.core.paginator import InvalidPage, Page, Paginator
from django.db.models import Count, Max, Min, Q, Subquery

from articles.models import Article
from comments.discussion import DiscussionSettings
from comments.models import THREAD_KEY, Comment, CommentQuerySet

# A whole conversation is shown on one page up to this many comments.
ON_ONE_PAGE = 500


Order = DiscussionSettings.Order

_SORTED_BY: dict[Order, list] = {Order.OLDEST: ["path"], Order.NEWEST: [THREAD_KEY.desc(), "path"]}
# Where the owner has switched threads off.
_SORTED_BY_TIME = {Order.OLDEST: ["created_at", "pk"], Order.NEWEST: ["-created_at", "-pk"]}


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
    """Pages of comments of which it is known already how many there are."""

    def __init__(self, comments: CommentQuerySet, per_page: int, count: int):
        super().__init__(comments, per_page)
        self.known_count = count

    @property
    def count(self) -> int:
        return self.known_count


@dataclass
class Thread:
    page: Page
    rows: list[Row]
    count: int
    newest: int | None

    @property
    def fits_on_one_page(self) -> bool:
        """Whether `whole()` shows more at once than this page, and does show it."""
        return self.page.has_other_pages() and self.count <= ON_ONE_PAGE


@dataclass
class News:
    """What a conversation has that a page shown earlier has not."""

    count: int
    first: int | None


@dataclass
class Conversation:
    """What is known of a story's conversation before any comment of it is read."""

    article: Article
    settings: DiscussionSettings
    count: int
    # The id of the newest comment, wherever that stands.
    newest: int | None

    def first_shown(self, order: Order) -> int:
        """Return the number of the page that is shown where none is asked for.

        The owner's choice is about the owner's order: whoever turns that around begins at its beginning.
        """
        if order != self.settings.order or self.settings.first_shown == DiscussionSettings.Page.FIRST:
            return 1
        return max(1, -(-self.count // self.settings.per_page))

    def page(self, number: int | str | None = None, order: Order = Order.OLDEST) -> Thread:
        """Return one page, the first being 1, or the one that is shown first, in two queries.

        Raises `django.core.paginator.InvalidPage` where there is no such page.
        """
        pages = Pages(self._comments(order), self.settings.per_page, self.count)
        return self._thread(pages.page(self.first_shown(order) if number is None else number))

    def whole(self) -> Thread:
        """Return all of it as one page, or raise `InvalidPage` if it is too long."""
        if self.count > ON_ONE_PAGE:
            raise InvalidPage(f"{self.count} comments are too many for one page")
        return self._thread(Pages(self._comments(Order.OLDEST), ON_ONE_PAGE, self.count).page(1))

    def _comments(self, order: Order) -> CommentQuerySet:
        sorted_by = _SORTED_BY if self.settings.has_threads else _SORTED_BY_TIME
        return (
            self.article.comments.approved()
            .order_by(*sorted_by[order])
            .select_related("parent", "user")
            .defer("body", "parent__body", "parent__body_html")
        )

    def _thread(self, page: Page) -> Thread:
        return Thread(page, _rows(list(page.object_list), self.settings), self.count, self.newest)


def opened(article: Article) -> Conversation:
    """Return a story's conversation with the owner's settings, in one query."""
    shown = Comment.objects.approved().filter(article=article).order_by().values("article")
    settings = DiscussionSettings.load(
        total=Subquery(shown.annotate(count=Count("pk")).values("count")),
        newest=Subquery(shown.annotate(newest=Max("pk")).values("newest")),
    )
    also = vars(settings)
    return Conversation(article, settings, also["total"] or 0, also["newest"])


def place(comment: Comment) -> str:
    """Return the address of an approved comment on its page of the conversation."""
    conversation = opened(comment.article)
    number = page_number(comment, conversation.settings)
    query = {"order": Order.OLDEST.value} if conversation.settings.order != Order.OLDEST else {}
    if number != conversation.first_shown(Order.OLDEST):
        query["page"] = str(number)
    story = comment.article.get_absolute_url()
    return f"{story}{'?' if query else ''}{urlencode(query)}#comment-{comment.pk}"


def page_number(comment: Comment, settings: DiscussionSettings) -> int:
    """Return the page of its conversation, oldest first, that an approved comment is on."""
    shown = Comment.objects.approved().filter(article=comment.article_id)
    if settings.has_threads:
        before = shown.filter(path__lt=comment.path)
    else:
        at_once = Q(created_at=comment.created_at, pk__lt=comment.pk)
        before = shown.filter(Q(created_at__lt=comment.created_at) | at_once)
    return before.count() // settings.per_page + 1


def news(article: Article, since: int) -> News:
    """Return how many comments are newer than the one with this id, and the first of them."""
    newer = article.comments.approved().filter(pk__gt=since)
    return News(**newer.aggregate(count=Count("pk"), first=Min("pk")))


def _rows(comments: list[Comment], settings: DiscussionSettings) -> list[Row]:
    """Make rows of comments in tree order, each missing ancestor being one as well.

    Without threads, every comment is a row of the first level, and none stands for another.
    """
    here = {comment.pk for comment in comments}
    ancestors = {pk for comment in comments for pk in comment.lineage} - here
    missing = _missing(ancestors) if settings.has_threads else set()
    rows: list[Row] = []
    # The rows that the next one may stand inside with their ids, outermost first.
    branch: list[tuple[int, Row]] = []

    def add(lineage: list[int], comment: Comment | None = None) -> None:
        while branch and branch[-1][0] not in lineage[: settings.shown_levels - 1]:
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
    return comments - set(Comment.objects.approved().filter(pk__in=comments).values_list("pk", flat=True))
