import pytest
from django.core.paginator import InvalidPage
from django.db import connection

from comments import threads
from comments.models import THREAD_KEY, Comment
from tests.factories import make_article, make_comment, reply_to, set_discussion

pytestmark = pytest.mark.django_db


OLDEST, NEWEST = threads.Order.OLDEST, threads.Order.NEWEST


def outline(article, page=1, order=OLDEST) -> list[str]:
    """The rows of a page as a reader sees them: two spaces a level, and whom each answers."""
    return lines_of(threads.opened(article).page(page, order))


def lines_of(thread) -> list[str]:
    lines = []
    for row in thread.rows:
        text = row.comment.body if row.comment else "(missing)"
        if row.in_reply_to:
            text += f" to {row.in_reply_to.body}" + ("" if row.parent_is_here else " elsewhere")
        lines.append("  " * (row.level - 1) + text)
    return lines


def html_outline(article) -> str:
    """How the template nests the rows: ( opens a list, . is an item, ) closes."""
    parts = ["("]
    for row in threads.opened(article).page(1).rows:
        parts.append("." + ("(" if row.replies_here else "") + ")" * len(row.lists_ended))
    return "".join([*parts, ")"])


def test_a_thread_is_read_from_top_to_bottom():
    article = make_article()
    one = make_comment(article=article, body="1")
    two = make_comment(article=article, body="2")
    one_one = reply_to(one, body="1.1")
    reply_to(two, body="2.1")
    reply_to(one, body="1.2")
    reply_to(one_one, body="1.1.1")

    assert outline(article) == ["1", "  1.1", "    1.1.1", "  1.2", "2", "  2.1"]


def test_lists_are_opened_and_closed_in_pairs():
    article = make_article()
    one = make_comment(article=article)
    one_one = reply_to(one)
    reply_to(reply_to(one_one))
    make_comment(article=article)

    nesting = html_outline(article)

    assert nesting == "(.(.(.(.))).)"


def test_a_conversation_without_replies_has_one_empty_page():
    thread = threads.opened(make_article()).page(1)

    assert (thread.count, thread.rows, thread.page.has_other_pages()) == (0, [], False)


def test_a_sixth_level_stays_at_the_fifth_and_says_whom_it_answers():
    article = make_article()
    comment = make_comment(article=article, body="1")
    for level in range(2, 8):
        comment = reply_to(comment, body=str(level))

    assert outline(article) == [
        "1",
        "  2",
        "    3",
        "      4",
        "        5",
        "        6 to 5",
        "        7 to 6",
    ]


@pytest.mark.parametrize("status", ["held", "spam", "trash", "deleted"])
def test_a_missing_ancestor_keeps_its_place_and_is_not_counted(status):
    article = make_article()
    one = make_comment(article=article, body="1")
    gone = reply_to(one, body="secret")
    answer = reply_to(gone, body="1.1.1")
    reply_to(answer, body="1.1.1.1")
    reply_to(gone, body="1.1.2")
    if status == "deleted":
        gone.delete()
    else:
        Comment.objects.filter(pk=gone.pk).update(status=status)

    assert outline(article) == ["1", "  (missing)", "    1.1.1", "      1.1.1.1", "    1.1.2"]
    assert threads.opened(article).page(1).count == 4


def test_a_missing_comment_that_nobody_answered_leaves_no_trace():
    article = make_article()
    make_comment(article=article, body="1")
    make_comment(article=article, status="held")

    assert outline(article) == ["1"]


def test_two_missing_ancestors_in_a_row_both_keep_their_place():
    article = make_article()
    first = make_comment(article=article, status="trash")
    second = reply_to(first, status="held")
    reply_to(second, body="answer")

    assert outline(article) == ["(missing)", "  (missing)", "    answer"]


@pytest.fixture
def pages_of_three(db):
    return set_discussion(per_page=3)


def make_long_conversation(count: int):
    """A story with threads of four comments, the first of which is not public."""
    article = make_article()
    rows = []
    for pk in range(1, count * 4 // 3 + 2):
        first = pk - (pk - 1) % 4
        path = f"{first:010d}{pk:010d}" if pk > first else f"{pk:010d}"
        fields = {"article": article, "name": "Ada", "body_html": f"<p>{pk}</p>", "path": path}
        parent = {"parent_id": first} if pk > first else {"status": Comment.Status.TRASH}
        rows.append(Comment(pk=pk, **{"status": Comment.Status.APPROVED, **fields, **parent}))
    Comment.objects.bulk_create(rows)
    return article


def test_a_page_is_a_slice_of_the_tree_whatever_the_shape_of_the_threads(pages_of_three):
    article = make_article()
    one = make_comment(article=article, body="1")
    one_one = reply_to(one, body="1.1")
    reply_to(one_one, body="1.1.1")
    reply_to(one_one, body="1.1.2")
    reply_to(one, body="1.2")
    make_comment(article=article, body="2")
    make_comment(article=article, body="3")

    assert outline(article, 1) == ["1", "  1.1", "    1.1.1"]
    assert outline(article, 2) == ["1.1.2 to 1.1 elsewhere", "1.2 to 1 elsewhere", "2"]
    assert outline(article, 3) == ["3"]


def test_a_missing_ancestor_keeps_its_place_on_every_page_with_answers_to_it(pages_of_three):
    article = make_article()
    gone = make_comment(article=article, status="trash")
    for number in range(4):
        reply_to(gone, body=str(number))

    assert outline(article, 1) == ["(missing)", "  0", "  1", "  2"]
    assert outline(article, 2) == ["(missing)", "  3"]


def test_every_comment_is_on_the_page_that_its_address_leads_to(pages_of_three):
    article = make_article()
    for _ in range(3):
        top = make_comment(article=article)
        reply_to(top)
        reply_to(reply_to(top), status="held")
    make_comment()

    for number in (1, 2, 3):
        for row in threads.opened(article).page(number).rows:
            if row.comment:
                assert threads.page_number(row.comment, pages_of_three) == number


def test_newest_first_turns_the_threads_around_but_not_the_answers(pages_of_three):
    article = make_article()
    one = make_comment(article=article, body="1")
    two = make_comment(article=article, body="2")
    one_one = reply_to(one, body="1.1")
    gone = reply_to(two, body="2.1", status="trash")
    reply_to(gone, body="2.1.1")
    reply_to(one_one, body="1.1.1")
    make_comment(article=article, body="3")

    assert outline(article, 1, NEWEST) == ["3", "2", "  (missing)", "    2.1.1"]
    assert outline(article, 2, NEWEST) == ["1", "  1.1", "    1.1.1"]


def test_a_row_knows_how_many_comments_of_its_page_stand_inside_it(pages_of_three):
    article = make_article()
    gone = make_comment(article=article, status="trash")
    answer = reply_to(gone)
    reply_to(answer)
    reply_to(gone)
    reply_to(gone)

    counted = [[row.replies_here for row in threads.opened(article).page(page).rows] for page in (1, 2)]

    assert counted == [[3, 1, 0, 0], [1, 0]]


def test_answers_beyond_the_last_level_count_for_the_levels_above():
    comment = make_comment()
    article = comment.article
    for _ in range(6):
        comment = reply_to(comment)

    assert [row.replies_here for row in threads.opened(article).page(1).rows] == [6, 5, 4, 3, 0, 0, 0]


def test_a_conversation_of_several_pages_is_shown_whole_up_to_a_length(pages_of_three, monkeypatch):
    monkeypatch.setattr(threads, "ON_ONE_PAGE", 4)
    article = make_article()
    top = make_comment(article=article, body="1")
    for number in range(2, 5):
        make_comment(article=article, body=str(number))
    fits = threads.opened(article).page(1).fits_on_one_page

    lines = lines_of(threads.opened(article).whole())
    reply_to(top)

    assert (fits, lines) == (True, ["1", "2", "3", "4"])
    assert threads.opened(article).page(1).fits_on_one_page is False
    with pytest.raises(InvalidPage):
        threads.opened(article).whole()


def test_what_is_on_one_page_already_has_no_other_page_for_it(pages_of_three):
    assert threads.opened(make_comment().article).page(1).fits_on_one_page is False


def test_news_are_the_public_comments_after_the_one_that_was_seen_and_begin_with_the_first():
    seen = make_comment()
    article = seen.article
    make_comment(article=article, status="held")
    first = make_comment(article=article)
    reply_to(seen)
    make_comment()

    assert threads.news(article, since=seen.pk) == threads.News(count=2, first=first.pk)
    assert threads.news(article, since=Comment.objects.latest("pk").pk) == threads.News(count=0, first=None)


@pytest.mark.parametrize("number", [0, -1, 2, "two"])
def test_there_is_no_page_beyond_the_last(number):
    with pytest.raises(InvalidPage):
        threads.opened(make_comment().article).page(number)


def test_fifty_comments_make_a_page():
    article = make_article()
    for _ in range(51):
        make_comment(article=article)

    assert [len(threads.opened(article).page(number).rows) for number in (1, 2)] == [50, 1]


@pytest.mark.parametrize("threads_count", [1, 3])
@pytest.mark.parametrize("order", threads.Order)
def test_a_page_takes_three_queries(django_assert_num_queries, threads_count, order):
    article = make_article()
    for _ in range(threads_count):
        gone = make_comment(article=article, status="trash")
        newest = reply_to(reply_to(gone))

    with django_assert_num_queries(3):
        thread = threads.opened(article).page(1, order)
        numbers = (len(thread.rows), thread.count, thread.newest)

    assert numbers == (3 * threads_count, 2 * threads_count, newest.pk)


@pytest.mark.parametrize("count", [50, 1_000, 10_000])
def test_long_conversations_take_as_many_queries_as_short_ones(django_assert_num_queries, count):
    article = make_long_conversation(count)
    settings = set_discussion()
    last = -(-count // settings.per_page)

    for order in threads.Order:
        for page in {1, last}:
            with django_assert_num_queries(3):
                shown = [row for row in threads.opened(article).page(page, order).rows if row.comment]
            assert len(shown) == 50
    comment = article.comments.approved().latest("path")
    with django_assert_num_queries(1):
        assert threads.page_number(comment, settings) == last


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's query plan")
def test_pages_and_places_are_found_in_the_index_without_sorting_a_thread():
    comment = make_comment()
    approved = Comment.objects.approved().filter(article=comment.article_id)

    plans = [
        approved.order_by("path")[0:50].explain(),
        approved.order_by(THREAD_KEY.desc(), "path")[0:50].explain(),
        approved.order_by().filter(path__lt=comment.path).explain(),
    ]

    assert ["USING" in plan and "INDEX comment_thread" in plan for plan in plans] == [True] * 3
    assert ["TEMP B-TREE" in plan for plan in plans] == [False] * 3
