import re

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from comments.models import Change, Comment, Firing
from tests.factories import make_article, make_comment, make_editor, make_report, make_user, reply_to
from tests.givens import NOON

pytestmark = pytest.mark.django_db

QUEUE = "/admin/comments/comment/"


@pytest.fixture
def editor(client):
    editor = make_editor(username="alice", first_name="Alice", last_name="Ward")
    client.force_login(editor)
    return editor


@pytest.fixture
def other():
    return make_editor(username="bob")


def text_of(response) -> str:
    return response.content.decode()


def messages_of(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def statuses() -> list[str]:
    return list(Comment.objects.order_by("pk").values_list("status", flat=True))


def seen_on(page: str) -> str:
    return re.search(r'name="seen" value="(\d+)"', page)[1]


def history_on(page: str) -> list[tuple[str, str]]:
    """Return who did what, as the page of one comment tells it."""
    return re.findall(r'<span>([^<]+)</span>\s*<span class="history-states">([^<]+)</span>', page)


# --- The queue ---


def test_the_queue_shows_what_is_held_and_all_that_a_moderator_needs(client, editor):
    article = make_article(title="The bridge opens")
    parent = make_comment(article=article, name="Bo", body="A *point*.")
    make_comment(
        article=article,
        parent=parent,
        name="Ada",
        email="ada@example.com",
        website="https://ada.example",
        ip_address="198.51.100.7",
        body="The whole **text**.\n\n" + "word " * 300 + "end",
        status="held",
        held_because="links",
    )

    page = text_of(client.get(QUEUE))

    for part in (
        "The bridge opens",
        "Bo",
        "A <em>point</em>.",
        "The whole <strong>text</strong>.",
        "word end",
        "Ada",
        "ada@example.com",
        "https://ada.example",
        "198.51.100.7",
    ):
        assert part in page
    assert page.count('class="queue-text"') == 1


def test_a_row_quotes_the_words_that_a_rule_found_and_says_what_a_number_counts(client, editor):
    comment = make_comment(status="held")
    for rule, detail in [("words", "unicorn"), ("links", "1"), ("too-fast", "1.7298"), ("reported", "3")]:
        Firing.objects.create(comment=comment, rule=rule, verdict="held", detail=detail)

    rules = re.search(r'<ul class="queue-rules".*?</ul>', text_of(client.get(QUEUE)), re.DOTALL)[0]

    assert re.findall("<li>(.*?)</li>", rules) == [
        'Has a word that holds it: <q dir="auto">unicorn</q>',
        "Links: 1 link",
        "Written faster than anyone types: 1.7 seconds",
        "Reported by readers: 3",
    ]


def test_the_tabs_count_and_filter(client, editor):
    article = make_article()
    for number, status in enumerate(["held", "approved", "spam", "trash"], start=1):
        for _ in range(number):
            make_comment(article=article, status=status, body=f"It is {status}")

    page = text_of(client.get(QUEUE))

    assert re.findall(r">(\w+ \(\d+\))</a>", page) == [
        "Held (1)",
        "Reported (0)",
        "Approved (2)",
        "Spam (3)",
        "Trash (4)",
        "All (10)",
    ]
    for tab, count in (("held", 1), ("approved", 2), ("spam", 3), ("trash", 4), ("all", 10), ("nonsense", 1)):
        assert text_of(client.get(QUEUE, {"status": tab})).count('class="queue-text"') == count


@pytest.mark.parametrize("term", ["needle", "Nora", "nora@example.com", "nora.example", "192.0.2.44"])
def test_the_queue_is_searched_by_text_person_website_and_address(client, editor, term):
    make_comment(status="held")
    make_comment(
        status="held",
        name="Nora",
        email="nora@example.com",
        website="https://nora.example",
        body="A needle",
        ip_address="192.0.2.44",
    )

    page = text_of(client.get(QUEUE, {"q": term}))

    assert re.findall(r'class="queue-text"', page) == ['class="queue-text"']
    assert "A needle" in page


@pytest.mark.parametrize("page", ["", "articles/article/", "account/", "comments/comment/numbers/"])
def test_every_page_of_the_admin_says_how_many_wait(client, editor, page):
    article = make_article()
    told = []
    for _ in range(3):
        shown = strip_tags(text_of(client.get(f"/admin/{page}")))
        told += re.findall(r"Comments \(\d+\) waiting for a decision", shown)
        make_comment(article=article, status="held")
        make_comment(article=article, status="approved")

    assert told == [f"Comments ({n}) waiting for a decision" for n in range(3)]


def test_who_does_not_moderate_is_not_told_how_many_wait_and_nothing_is_counted(client):
    make_comment(status="held")
    client.force_login(make_user(is_staff=True))

    with CaptureQueriesContext(connection) as queries:
        page = text_of(client.get("/admin/"))

    assert "waiting for a decision" not in page
    assert [query["sql"] for query in queries if "comments_comment" in query["sql"]] == []


@pytest.mark.parametrize("items", [1, 3])
def test_the_queue_takes_the_same_queries_however_long(client, editor, django_assert_num_queries, items):
    for _ in range(items):
        held = reply_to(make_comment(), status="held", ip_address="192.0.2.1", website="https://a.example")
        make_report(comment=held)
        make_report(comment=held)

    with django_assert_num_queries(21):
        client.get(QUEUE)


@pytest.mark.parametrize("items", [1, 3])
def test_the_list_of_stories_counts_comments_in_the_same_queries(
    client, editor, django_assert_num_queries, items
):
    for number in range(items):
        article = make_article(title=f"Story {number}")
        for _ in range(number):
            make_comment(article=article)
            make_comment(article=article, status="held")

    with django_assert_num_queries(12):
        page = text_of(client.get("/admin/articles/article/"))

    assert re.findall(r'class="field-comment_count">(\d+)<', page) == [str(n) for n in reversed(range(items))]


@pytest.mark.parametrize(("order", "expected"), [("7", ["0", "1", "2"]), ("-7", ["2", "1", "0"])])
def test_stories_are_sorted_by_their_comments(client, editor, order, expected):
    for count in [1, 0, 2]:
        article = make_article()
        for _ in range(count):
            make_comment(article=article)
        make_comment(article=article, status="spam")

    page = text_of(client.get("/admin/articles/article/", {"o": order}))

    assert re.findall(r'class="field-comment_count">(\d+)<', page) == expected


# --- What was seen ---


@pytest.mark.parametrize("page", ["", "{pk}/reply/"])
def test_what_was_seen_is_noted_before_the_page_is_read(client, editor, page):
    comment = make_comment(status="held")

    with CaptureQueriesContext(connection) as queries:
        client.get(QUEUE + page.format(pk=comment.pk))

    noted = [n for n, query in enumerate(queries) if 'MAX("comments_change"."id")' in query["sql"]]
    read = [n for n, query in enumerate(queries) if '"comments_comment"."body_html"' in query["sql"]]
    assert noted[0] < read[0]


@pytest.mark.parametrize("page", ["change", "reply"])
def test_a_decision_from_the_page_of_one_comment_overrules_nobody(client, editor, other, page):
    comment = make_comment(status="held")
    seen = seen_on(text_of(client.get(f"{QUEUE}{comment.pk}/{page}/")))
    comment.mark_as_spam(by=other)

    client.post(f"{QUEUE}{comment.pk}/decide/", {"decision": "approve", "seen": seen})

    assert statuses() == ["spam"]


# --- One by one ---


@pytest.mark.parametrize(
    ("decision", "after"), [("approve", "approved"), ("mark_as_spam", "spam"), ("trash", "trash")]
)
def test_a_button_decides_on_one_comment_and_leads_back(client, editor, decision, after):
    comment, neighbour = make_comment(status="held"), make_comment(status="held")
    url = f"{QUEUE}{comment.pk}/decide/"
    back = f"http://testserver{QUEUE}?q=x"

    response = client.post(url, {"decision": decision}, headers={"referer": back})

    assert (response.status_code, response["Location"]) == (302, back)
    assert statuses() == [after, "held"]
    assert Comment.objects.get(pk=neighbour.pk).status == "held"


def test_comments_below_a_story_that_is_not_public_are_decided_on_too(client, editor):
    comment = make_comment(status="held", article=make_article(status="draft"))

    client.post(f"{QUEUE}{comment.pk}/decide/", {"decision": "approve"})

    assert statuses() == ["approved"]
    assert list(Comment.objects.public()) == []


def test_a_decision_never_leads_to_another_site(client, editor):
    comment = make_comment(status="held")

    response = client.post(
        f"{QUEUE}{comment.pk}/decide/", {"decision": "approve"}, headers={"referer": "https://evil.example/"}
    )

    assert response["Location"] == QUEUE


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("get", "{pk}/decide/", {}, 405),
        ("post", "{pk}/decide/", {"decision": "delete"}, 400),
        ("post", "{pk}/decide/", {}, 400),
        ("post", "{pk}/decide/", {"decision": "approve", "seen": "x"}, 400),
        ("post", "999999/decide/", {"decision": "approve"}, 404),
        ("get", "999999/reply/", {}, 404),
    ],
)
def test_a_wrong_decision_changes_nothing(client, editor, method, path, data, status):
    comment = make_comment(status="held")

    response = getattr(client, method)(QUEUE + path.format(pk=comment.pk), data)

    assert (response.status_code, statuses()) == (status, ["held"])


def test_details_show_the_history(client, editor, other):
    comment = make_comment(status="held")
    comment.approve(by=other)
    comment.mark_as_spam(by=editor)

    page = text_of(client.get(f"{QUEUE}{comment.pk}/change/"))

    assert history_on(page) == [("alice", "Approved, then Spam"), ("bob", "Held, then Approved")]


def test_the_history_names_who_did_what_even_when_the_account_is_gone(client, editor, other):
    comment = make_comment(status="held")
    comment.approve(by=other)
    Comment.objects.get().hold_as_reported()
    comment.approve(by=editor)
    Change.objects.create(comment=comment, actor="commenter", from_status="approved", to_status="withdrawn")
    other.delete()

    page = text_of(client.get(f"{QUEUE}{comment.pk}/change/"))

    assert [who for who, _what in history_on(page)] == [
        "the commenter",
        "alice",
        "readers, by their reports",
        other.get_username(),
    ]


@pytest.mark.parametrize(("status", "linked"), [("approved", True), ("held", False), ("spam", False)])
def test_details_lead_to_the_comment_where_readers_can_see_it(client, editor, status, linked):
    comment = make_comment(status=status)

    page = text_of(client.get(f"{QUEUE}{comment.pk}/change/"))

    assert (f'href="{comment.get_absolute_url()}"' in page) == linked


def test_details_cannot_be_edited(client, editor):
    comment = make_comment(body="As written")

    client.post(f"{QUEUE}{comment.pk}/change/", {"body": "Changed", "name": "Changed"})

    comment.refresh_from_db()
    assert comment.body == "As written"


# --- Answers ---


def test_an_answer_from_the_queue_approves_and_is_public_in_the_moderators_name(client, editor):
    comment = make_comment(status="held", name="Ada")

    response = client.post(
        f"{QUEUE}{comment.pk}/reply/", {f"{comment.pk}-body": "Thank you, *Ada*."}, follow=True
    )

    answer = Comment.objects.latest("pk")
    assert messages_of(response) == ["Your reply to Ada is public."]
    assert statuses() == ["approved", "approved"]
    assert (answer.parent, answer.user, answer.name) == (comment, editor, "Alice Ward")
    assert answer.body_html == "<p>Thank you, <em>Ada</em>.</p>"


def test_an_empty_answer_is_refused_and_decides_nothing(client, editor):
    comment = make_comment(status="held")

    response = client.post(f"{QUEUE}{comment.pk}/reply/", {f"{comment.pk}-body": " "})

    assert (response.status_code, statuses()) == (422, ["held"])
    assert "Please write a comment." in text_of(response)


def test_an_answer_that_sends_nothing_is_explained(client, editor):
    comment = make_comment(status="held")

    response = client.post(f"{QUEUE}{comment.pk}/reply/", {})

    assert (response.status_code, "Please write a comment." in text_of(response)) == (422, True)


@pytest.mark.parametrize("meanwhile", ["mark_as_spam", "withdraw"])
def test_an_answer_to_what_someone_has_removed_meanwhile_is_not_posted(client, editor, other, meanwhile):
    comment = make_comment(status="held")
    seen = seen_on(text_of(client.get(f"{QUEUE}{comment.pk}/reply/")))
    if meanwhile == "withdraw":
        Comment.objects.filter(pk=comment.pk).update(status="withdrawn")
    else:
        comment.mark_as_spam(by=other)

    response = client.post(f"{QUEUE}{comment.pk}/reply/", {f"{comment.pk}-body": "Thank you.", "seen": seen})

    assert (response.status_code, Comment.objects.count()) == (409, 1)
    assert "Nothing was posted: the comment is not public." in text_of(response)
    assert "Thank you.</textarea>" in text_of(response)


def test_a_double_click_on_an_answer_posts_once(client, editor):
    comment = make_comment()

    for _ in range(2):
        client.post(f"{QUEUE}{comment.pk}/reply/", {f"{comment.pk}-body": "Thank you."})

    assert Comment.objects.filter(parent=comment).count() == 1


def test_a_moderator_answers_in_a_closed_conversation_but_below_no_draft(client, editor):
    closed = make_comment(article=make_article(discussion="closed"))
    hidden = make_comment(article=make_article(status="draft"))

    answers = [
        client.post(f"{QUEUE}{comment.pk}/reply/", {f"{comment.pk}-body": "Thank you."}).status_code
        for comment in (closed, hidden)
    ]

    assert answers == [302, 403]
    assert [comment.replies.count() for comment in (closed, hidden)] == [1, 0]


def test_an_answer_leads_back_to_the_queue_and_not_to_its_own_form(client, editor):
    comment = make_comment()
    url = f"{QUEUE}{comment.pk}/reply/"

    response = client.post(
        url, {f"{comment.pk}-body": "Hello."}, headers={"referer": f"http://testserver{url}"}
    )

    assert response["Location"] == QUEUE


@pytest.mark.parametrize("items", [1, 3])
def test_details_take_the_same_queries_however_long_the_history(
    client, editor, django_assert_num_queries, items
):
    comment = make_comment(status="held")
    for _ in range(items):
        comment.approve(by=make_editor())
        comment.hold(by=make_editor())

    # Django asks for it once in a process.
    ContentType.objects.get_for_model(Comment)

    with django_assert_num_queries(14):
        client.get(f"{QUEUE}{comment.pk}/change/")


def test_too_long_an_answer_is_kept_in_the_form(client, editor):
    comment = make_comment()

    response = client.post(f"{QUEUE}{comment.pk}/reply/", {f"{comment.pk}-body": "x" * 10_001})

    assert (response.status_code, Comment.objects.count()) == (422, 1)
    assert "x" * 10_001 in text_of(response)


# --- Rights ---


@pytest.mark.parametrize("right", ["none", "view_comment"])
def test_who_may_not_decide_is_refused_and_nothing_changes(client, right):
    user = make_user(is_staff=True)
    if right != "none":
        user.user_permissions.add(Permission.objects.get(codename=right))
    client.force_login(user)
    comment = make_comment(status="held")

    answers = [
        client.post(f"{QUEUE}{comment.pk}/decide/", {"decision": "approve"}).status_code,
        client.post(f"{QUEUE}{comment.pk}/reply/", {f"{comment.pk}-body": "Hello"}).status_code,
        client.post(f"{QUEUE}{comment.pk}/edit/", {"body": "Hello", "seen": "0"}).status_code,
        client.post(f"{QUEUE}{comment.pk}/ban/", {"kind": "email"}).status_code,
        client.post(f"{QUEUE}many/", {"decision": "approve", "ticked": [comment.pk]}).status_code,
        client.get(QUEUE).status_code,
        client.get(f"{QUEUE}more/").status_code,
        client.get(f"{QUEUE}news/").status_code,
    ]

    assert answers == [403] * 8
    assert statuses() == ["held"]


def test_a_visitor_is_sent_to_sign_in(client):
    comment = make_comment(status="held")

    response = client.post(f"{QUEUE}{comment.pk}/decide/", {"decision": "approve"})

    assert (response.status_code, statuses()) == (302, ["held"])
    assert response["Location"].startswith("/admin/login/")


def test_the_page_of_a_comment_says_once_what_a_row_of_the_queue_shows(client, editor):
    comment = make_comment(name="Ada", body="Well *said*.", user_agent="Browser 1", status="held")

    page = client.get(f"/admin/comments/comment/{comment.pk}/change/").content.decode()

    assert (page.count("Well <em>said</em>."), page.count("Well *said*.")) == (1, 1)
    assert (page.count(comment.email), page.count("Browser 1")) == (1, 1)


def test_the_page_of_a_comment_has_no_rows_about_what_is_not_so(client, editor):
    bare = make_comment(ip_address=None)
    full = reply_to(make_comment(), user_agent="Browser 1", ip_address=None)
    Comment.objects.filter(pk=full.pk).update(edited_at=NOON)

    shown = {
        comment: re.findall(
            r'class="form-row[^"]* field-(\w+)"',
            text_of(client.get(f"{QUEUE}{comment.pk}/change/")),
        )
        for comment in (bare, full)
    }

    assert shown == {
        bare: ["article", "typed", "created_at"],
        full: ["article", "parent", "typed", "created_at", "edited_at", "user_agent"],
    }


def test_the_page_of_a_comment_is_named_after_it_once(client, editor):
    comment = make_comment(name="Ada", article=make_article(title="Bridge"))

    page = text_of(client.get(f"{QUEUE}{comment.pk}/change/"))

    assert "<h1>Ada on “Bridge”</h1>" in page
    assert re.findall("<h2>Ada", page) == []
    way = re.search('<div class="breadcrumbs">(.*?)</div>', page, re.DOTALL)[1]
    assert re.sub(r"<[^>]+>|\s+", " ", way).split() == ["Home", "›", "Comments", "›", "Ada", "on", "“Bridge”"]
