import re
from datetime import timedelta
from itertools import product

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from articles.models import Byline
from comments import decisions, queue
from comments.models import Change, Comment, Decision, Firing
from tests.factories import (
    make_article,
    make_author,
    make_comment,
    make_editor,
    make_report,
    make_section,
    make_staff,
    make_user,
    reply_to,
)

pytestmark = pytest.mark.django_db

QUEUE = "/admin/comments/comment/"
TABS = list(queue.Tab.values)
STATUSES = list(Comment.Status.values)
ROWS = 200


@pytest.fixture
def moderator():
    return make_staff("Moderator", username="moderator")


def form_of(user: User, **filters) -> queue.QueueForm:
    form = queue.QueueForm(filters, user)
    assert form.is_valid()
    return form


def found(user: User, before: queue.Cursor | None = None, rows: int = 50, **filters) -> list[int]:
    return [row.comment.pk for row in queue.page(form_of(user, **filters), before, rows).rows]


# --- What it finds ---


@pytest.mark.parametrize(
    ("text", "term"),
    [("Ask Müller.", "MÜLLER"), ("ÄRGER!", "ärger"), ("Ärger!", "ÄRGER"), ("Иван Петров", "иван петров")],
)
def test_capitals_of_other_letters_are_found_in_texts_and_headlines(moderator, text, term):
    comment = make_comment(body=text, article=make_article(title=f"News: {text}"))
    make_comment()

    assert (
        found(moderator, status="all", q=term)
        == found(moderator, status="all", headline=term)
        == [comment.pk]
    )


@pytest.mark.parametrize("term", ["x@münchen.example", "@MÜNCHEN.example", "xn--mnchen-3ya"])
def test_an_address_is_found_by_its_domain_in_either_spelling(moderator, term):
    comment = make_comment(email="x@münchen.example")
    make_comment()

    assert found(moderator, status="all", q=term) == [comment.pk]


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("by", ["", "story", "account", "email", "ip"])
def test_every_tab_is_read_to_its_end_page_by_page_and_nothing_twice(moderator, tab, by):
    now = timezone.now()
    article, other, ada = make_article(), make_article(), make_user()
    for number in range(12):
        for story, email, ip, account in (
            (article, "ada@example.com", "192.0.2.7", ada),
            (other, "bo@example.com", "::1", None),
        ):
            make_comment(
                article=story,
                email=email,
                user=account,
                ip_address=ip,
                status=STATUSES[number % 5],
                open_reports=number % 2,
                # Two at each moment.
                created_at=now - timedelta(minutes=number // 2),
            )
    values = {"story": article.pk, "account": ada.pk, "email": "ADA@example.com", "ip": "192.0.2.7"}
    filters = {
        "status": tab,
        **({by: values[by]} if by else {}),
    }
    wanted = Comment.objects.order_by("-created_at", "-pk")
    if by:
        wanted = wanted.filter(article=article)
    if tab == "reported":
        wanted = wanted.reported()
    elif tab != "all":
        wanted = wanted.filter(status=tab)

    form = form_of(moderator, **filters)
    read, befores = [], [None]
    while (page := queue.page(form, befores[-1], 2)).rows:
        read += [row.comment.pk for row in page.rows]
        if page.following is None:
            break
        befores.append(page.following)

    assert read == [comment.pk for comment in wanted]
    assert read != []
    # And back again.
    assert [queue.preceding(form, before, 2) for before in befores[1:]] == befores[:-1]


@pytest.mark.parametrize("tab", ["held", "all"])
@pytest.mark.parametrize("by", ["", "story", "account", "email", "ip"])
def test_looking_back_window_by_window_finds_all_and_nothing_twice(moderator, monkeypatch, tab, by):
    monkeypatch.setattr(queue, "WINDOW", 3)
    article, ada, now = make_article(), make_user(), timezone.now()
    for number in range(20):
        make_comment(
            article=article,
            user=ada,
            email="ada@example.com",
            ip_address="192.0.2.7",
            status="held" if number % 2 else "approved",
            body="A needle" if number % 3 else "Hay",
            # Four at each moment.
            created_at=now - timedelta(minutes=number // 4),
        )
    values = {"story": article.pk, "account": ada.pk, "email": "ada@example.com", "ip": "192.0.2.7"}
    filters = {"status": tab, "q": "needle", **({by: values[by]} if by else {})}
    form = form_of(moderator, **filters)
    wanted = Comment.objects.filter(body="A needle").order_by("-created_at", "-pk")
    wanted = wanted if tab == "all" else wanted.filter(status=tab)

    read, before, pages = [], None, 0
    while True:
        page = queue.page(form, before, 50)
        read += [row.comment.pk for row in page.rows]
        pages += 1
        if page.following is None:
            break
        before = page.following

    assert read == [comment.pk for comment in wanted]
    assert pages > 2
    # On the way back nothing is passed over either.
    seen = set(found(moderator, before, **filters))
    while before:
        later, before = before, queue.preceding(form, before, 50)
        assert before is None or before > later
        seen |= set(found(moderator, before, **filters))
    assert seen == set(read)


def test_filters_that_no_index_finds_narrow_each_other(moderator):
    city, author = make_section(), make_author()
    article = make_article(section=city, authors=[author], title="The bridge opens")
    wanted = make_comment(article=article, email="ada@example.com", ip_address="192.0.2.7", status="held")
    Firing.objects.create(comment=wanted, rule="links", verdict="held")
    matching = {
        "status": "held",
        "section": city.pk,
        "author": author.pk,
        "headline": "BRIDGE",
        "rule": "links",
        "story": article.pk,
        "email": "ada@example.com",
        "ip": "192.0.2.7",
    }
    others = {
        "section": make_section().pk,
        "author": make_author().pk,
        "headline": "tower",
        "rule": "words",
        "story": make_article().pk,
        "email": "bo@example.com",
        "ip": "192.0.2.8",
    }

    assert found(moderator, **matching) == [wanted.pk]
    assert list(form_of(moderator, **matching).comments) == [wanted]
    for name, value in others.items():
        assert (name, found(moderator, **{**matching, name: value})) == (name, [])
        assert list(form_of(moderator, **{**matching, name: value}).comments) == []


def test_a_tab_counts_no_further_than_anybody_reads(client, moderator, monkeypatch):
    monkeypatch.setattr(queue, "COUNTED", 2)
    for _ in range(4):
        make_comment(status="held")
    client.force_login(moderator)

    page = client.get(QUEUE).content.decode()

    assert queue.counted(moderator, "held") == "2+"
    assert "Held (2+)" in page


def test_of_a_person_no_more_is_counted_than_a_moderator_needs(moderator, monkeypatch):
    monkeypatch.setattr(queue, "RECORDED", 2)
    account = make_user(email="ada@example.com")
    first = timezone.now() - timedelta(days=9)
    make_comment(email="ada@example.com", created_at=first, status="trash")
    for status, number in (("approved", 3), ("spam", 2)):
        for _ in range(number):
            make_comment(email="ada@example.com", status=status)
    make_comment(email="ada@example.com", user=account, status="approved")
    visitor = make_comment(email="ada@example.com", status="held")
    signed_in = make_comment(email="ada@example.com", user=account, status="held")
    nobody = make_comment(email="", status="held")

    shown = {row.comment: row.record for row in queue.page(form_of(moderator), None, 50).rows}

    assert {comment: (record.approved, record.spam) for comment, record in shown.items()} == {
        visitor: ("2+", "2"),
        signed_in: ("1", "0"),
        nobody: ("0", "0"),
    }
    assert (shown[visitor].first_seen, shown[nobody].first_seen) == (first, nobody.created_at)


# --- How it is read ---


def plans_of(function) -> list[tuple[str, str]]:
    """Return the queries that a function makes, each with the database's plan for it."""
    made = []

    def note(execute, sql, params, many, context):
        # A savepoint has no plan.
        if "SAVEPOINT" not in sql:
            made.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        function()
    with connection.cursor() as cursor:
        prefix = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
        if connection.vendor == "postgresql":
            # It would rather sort the few rows of a test: is there an index that makes it needless?
            for way in ("sort", "incremental_sort", "seqscan", "bitmapscan"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
        plans = []
        for sql, params in made:
            cursor.execute(prefix + sql, params)
            plans.append((sql, "\n".join(str(row[-1]) for row in cursor.fetchall())))
    return plans


@pytest.fixture
def busy():
    """A story where a tenth of all comments are, by one person and in every state; the rest is approved."""
    article, elsewhere, ada, now = make_article(), make_article(), make_user(), timezone.now()
    Comment.objects.bulk_create(
        Comment(
            article=elsewhere if number % 10 else article,
            path=f"{number:010d}",
            name="Ada",
            email=f"reader{number}@example.com" if number % 10 else "ada@example.com",
            user=None if number % 10 else ada,
            ip_address="192.0.2.8" if number % 10 else "192.0.2.7",
            body="Text.",
            body_html="<p>Text.</p>",
            status="approved" if number % 10 else STATUSES[number // 10 % 5],
            open_reports=1 if number % 40 == 0 else 0,
            created_at=now - timedelta(minutes=number),
        )
        for number in range(ROWS)
    )
    return article


def index_of(tab: str, by: str) -> str:
    """The index that has the comments of a tab in the order of the queue."""
    if tab == "reported":
        return "comment_reported"
    if by:
        return {
            "story": "comment_queue_of_story",
            "account": "comment_account",
            "email": "comment_person",
            "ip": "comment_address",
        }[by]
    return "comment_recent" if tab == "all" else "comment_queue"


def reads_in_order(plan: str, index: str) -> bool:
    """Say whether a plan reads one index from where the page begins, and sorts nothing."""
    if connection.vendor == "sqlite":
        return (
            re.match(rf"(SEARCH|SCAN) comments_comment USING (COVERING )?INDEX {index}( |$)", plan)
            is not None
            and "B-TREE" not in plan
        )
    # Which index PostgreSQL takes goes by what it has counted; each of these has the order.
    return re.search(r"Scan (Backward )?using comment_\w+ on", plan) is not None and "Sort" not in plan


def reads_a_table_from_end_to_end(plan: str) -> bool:
    return re.search(r"SCAN comments_\w+$|Seq Scan on comments_comment", plan, re.MULTILINE) is not None


@pytest.mark.parametrize(("tab", "by"), list(product(TABS, ["", "story", "account", "email", "ip"])))
def test_the_queue_is_read_from_an_index_and_nothing_is_sorted(moderator, busy, tab, by):
    account = Comment.objects.get(email="ada@example.com", path=f"{0:010d}").user_id
    values = {"story": busy.pk, "account": account, "email": "ada@example.com", "ip": "192.0.2.7"}
    filters = {"status": tab, **({by: values[by]} if by else {})}
    middle = Comment.objects.order_by("created_at", "pk")[ROWS // 2]
    cursor = queue.Cursor(middle.created_at, middle.pk)

    for before in (None, cursor):
        plans = plans_of(lambda before=before: queue.page(form_of(moderator, **filters), before, 10))
        if before:
            plans += plans_of(lambda: queue.preceding(form_of(moderator, **filters), cursor, 10))
        places = [plan for sql, plan in plans if sql.startswith('SELECT "comments_comment"."created_at"')]
        assert [plan for plan in places if not reads_in_order(plan, index_of(tab, by))] == []
        assert [plan for _sql, plan in plans if reads_a_table_from_end_to_end(plan)] == []


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(
    "condition",
    [{"q": "unheard-of"}, {"rule": "links"}, {"headline": "tower"}, {"section": ""}, {"author": ""}],
)
def test_whatever_no_index_finds_is_looked_for_within_the_window(
    moderator, busy, monkeypatch, tab, condition
):
    monkeypatch.setattr(queue, "WINDOW", ROWS // 100 + 1)
    made = {"section": lambda: make_section().pk, "author": lambda: make_author().pk}
    filters = {name: value or made[name]() for name, value in condition.items()}

    oldest = Comment.objects.order_by("created_at", "pk")[0]
    form, last = form_of(moderator, status=tab, **filters), queue.Cursor(oldest.created_at, oldest.pk)

    plans = plans_of(lambda: (queue.page(form, None, 10), queue.preceding(form, last, 10)))

    places = [plan for sql, plan in plans if sql.startswith('SELECT "comments_comment"."created_at"')]
    assert len(places) == 4
    assert [
        plan for plan in places if not reads_in_order(plan.partition("\nCORRELATED")[0], index_of(tab, ""))
    ] == []


def test_the_counts_are_read_from_indexes_and_sort_nothing(moderator, busy):
    moderator.get_all_permissions()

    plans = plans_of(lambda: [queue.counted(moderator, tab) for tab in TABS])

    assert len(plans) == len(TABS)
    assert [plan for _sql, plan in plans if re.search(r"B-TREE|Sort", plan)] == []
    if connection.vendor == "sqlite":
        assert [plan for _sql, plan in plans if reads_a_table_from_end_to_end(plan)] == []


def test_how_many_wait_for_an_author_is_read_from_an_index(busy):
    author = make_staff("Author")
    Byline.objects.create(article=busy, author=make_author(user=author))
    author.get_all_permissions()

    plans = plans_of(lambda: queue.counted(author, "held"))

    counted = [plan for sql, plan in plans if "COUNT" in sql]
    assert [re.search("comment_(queue|thread|person|account)", plan) is not None for plan in counted] == [
        True
    ]
    assert [plan for plan in counted if reads_a_table_from_end_to_end(plan)] == []


def test_an_authors_own_reported_comments_are_looked_for_among_those_that_are_reported(busy):
    author = make_staff("Author")
    Byline.objects.create(article=busy, author=make_author(user=author))
    author.get_all_permissions()

    plans = plans_of(lambda: list(queue.of_tab(author, "reported").order_by()[:9]))

    counted = [plan for sql, plan in plans if "open_reports" in sql]
    assert ["comment_reported" in plan for plan in counted] == [True]


def test_what_is_known_of_a_person_is_read_from_indexes(moderator, busy):
    account = make_user()
    Comment.objects.filter(pk__in=Comment.objects.order_by("-created_at").values("pk")[:25]).update(
        user=account
    )

    plans = plans_of(lambda: queue.page(form_of(moderator, status="all"), None, 50))

    known = [plan for sql, plan in plans if "AS counted" in sql]
    assert len(known) == 2
    assert [re.search(r"B-TREE|Sort|Seq Scan on comments_comment u", plan) for plan in known] == [None, None]
    assert ["comment_person" in known[0], "comment_account" in known[1]] == [True, True]


def test_what_a_moderator_may_undo_is_looked_for_among_the_decisions_of_a_day(moderator):
    plans = plans_among_decisions(moderator, lambda: Decision.objects.undoable().filter(by=moderator).first())

    assert [plan for plan in plans if "decision_of_moderator" not in plan] == []
    assert [plan for plan in plans if re.search(r"B-TREE|Sort", plan)] == []


def test_what_is_not_finished_is_not_looked_for_among_all_decisions(moderator):
    plans = plans_among_decisions(
        moderator, lambda: Decision.objects.unfinished().filter(by=moderator).first()
    )

    assert [plan for plan in plans if "decision_unfinished" not in plan] == []
    assert [plan for plan in plans if re.search(r"B-TREE|Sort", plan)] == []


def plans_among_decisions(moderator, function) -> list[str]:
    """Return the plans of a function's queries where a moderator has decided much, long ago."""
    Decision.objects.bulk_create(
        Decision(by=moderator, kind="trash", count=1, at=timezone.now() - timedelta(days=2 + number % 9))
        for number in range(ROWS)
    )
    return [plan for _sql, plan in plans_of(function)]


# --- Queries ---


def held_by(people: int) -> list[Comment]:
    """Comments in every state by so many people, each with all that a row shows."""
    comments = []
    for _ in range(people):
        for status in STATUSES:
            comment = reply_to(make_comment(), status="held", ip_address="192.0.2.1")
            comment.approve(by=make_editor())
            make_report(comment=comment)
            Firing.objects.create(comment=comment, rule="links", verdict="held")
            Comment.objects.filter(pk=comment.pk).update(status=status, open_reports=1)
            comments.append(comment)
    return comments


@pytest.mark.parametrize("items", [1, 3])
@pytest.mark.parametrize(
    ("address", "queries"),
    [
        *((f"?status={tab}", 23) for tab in TABS),
        ("?status=all&ip=192.0.2.1", 18),
        ("?status=held&ip=192.0.2.1", 19),
        ("?status=held&story={story}", 19),
        ("?status=all&story={story}", 23),
        ("?status=held&email={email}", 18),
        ("?status=all&email={email}", 22),
        ("?status=held&q=comment&rule=links&headline=story&since=2020-01-01", 19),
        ("more/?status=held&rows=20", 19),
        ("news/?comments={all}&seen={zeros}", 6),
    ],
)
def test_an_address_of_the_queue_takes_the_same_queries_however_long(
    client, moderator, django_assert_num_queries, address, queries, items
):
    client.force_login(moderator)
    comments = held_by(items)
    story, email = comments[0].article_id, comments[0].email
    Comment.objects.filter(pk__in=[comment.pk for comment in comments]).update(article=story, email=email)
    pks = ",".join(str(comment.pk) for comment in comments)

    with django_assert_num_queries(queries):
        client.get(
            QUEUE + address.format(story=story, email=email, all=pks, zeros=re.sub("[0-9]+", "0", pks))
        )


@pytest.mark.parametrize("items", [1, 3])
@pytest.mark.parametrize(
    ("kind", "queries"), [("approve", 22), ("hold", 22), ("mark_as_spam", 22), ("trash", 22), ("restore", 23)]
)
def test_a_step_of_a_decision_on_all_takes_the_same_queries_however_many(
    moderator, django_assert_num_queries, kind, queries, items
):
    before = {"hold": "approved", "restore": "spam"}.get(kind, "held")
    for _ in range(items):
        make_comment(status=before)
    decision = decisions.start(
        kind,
        moderator,
        filters={"status": before},
        total=items,
        newest=Comment.objects.newest(),
        seen=Change.objects.newest(),
    )

    with django_assert_num_queries(queries):
        decisions.step(decision, queue.matching)

    assert Comment.objects.filter(status=before).count() == 0


@pytest.mark.parametrize("items", [1, 3])
def test_a_step_of_undoing_takes_the_same_queries_however_many(moderator, django_assert_num_queries, items):
    for _ in range(items):
        make_comment(status="held")
    decided = Comment.objects.mark_as_spam(by=moderator).decision

    with django_assert_num_queries(31):
        decisions.undo(decided, moderator)

    assert set(Comment.objects.values_list("status", flat=True)) == {"held"}
