"""The pages of the moderator's desk, as a moderator reads them."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine

from comments import decisions, queue
from comments.models import Change, Comment, Decision, Firing, Standing
from tests.factories import (
    make_article,
    make_author,
    make_comment,
    make_report,
    make_section,
    make_user,
    reply_to,
)
from tests.givens import NOON

pytestmark = pytest.mark.django_db

QUEUE = "/admin/comments/comment/"
FRAGMENT = {"X-Fragment": "row"}


def text_of(response) -> str:
    return response.content.decode()


def rows_on(response) -> list[str]:
    """The texts of the comments that a page shows, from top to bottom."""
    return [row.comment.body for row in response.context["page"].rows]


def messages_of(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def held(body: str, **fields) -> Comment:
    return make_comment(**{"status": "held", "body": body, **fields})


# --- Filters ---


def test_each_filter_finds_what_it_names_and_nothing_else(client, alice):
    section, author = make_section(name="Sport"), make_author(name="Ida Lund")
    story = make_article(title="The bridge opens", section=section, authors=[author])
    sought = held(
        "sought",
        article=story,
        email="ada@example.com",
        ip_address="192.0.2.7",
        created_at=datetime(2026, 11, 20, 12, tzinfo=UTC),
    )
    Firing.objects.create(comment=sought, rule="links", verdict="held", detail="2")
    held("other", email="bo@example.com", ip_address="192.0.2.8", held_because="words")

    filters = [
        {"story": story.pk},
        {"headline": "BRIDGE"},
        {"section": section.pk},
        {"author": author.pk},
        {"email": "Ada@example.com"},
        {"ip": "192.0.2.7"},
        {"rule": "links"},
        {"until": "2026-11-20"},
        {"since": "2026-11-20", "until": "2026-11-20"},
        {"q": "SOUGHT"},
        {"q": "192.0.2.7"},
    ]
    found = [rows_on(client.get(QUEUE, asked)) for asked in filters]

    assert found == [["sought"]] * len(filters)
    assert rows_on(client.get(QUEUE, {"rule": "words"})) == ["other"]
    assert rows_on(client.get(QUEUE)) == ["other", "sought"]


def test_the_search_says_where_it_looks(client, alice):
    page = text_of(client.get(QUEUE))

    assert 'aria-describedby="id_q_helptext"' in page
    assert (
        '<span class="help" id="id_q_helptext">In text, name, email, website and IP address.</span>' in page
    )


def test_filters_are_combined_and_can_be_removed_one_by_one(client, alice):
    story = make_article(title="The bridge opens")
    held("sought", article=story, email="ada@example.com")
    held("same story", article=story)
    held("same person", email="ada@example.com")

    response = client.get(QUEUE, {"story": story.pk, "email": "ada@example.com"})

    assert rows_on(response) == ["sought"]
    assert "Story: <bdi>The bridge opens</bdi>" in text_of(response)
    assert f'href="{QUEUE}?story={story.pk}&amp;status=held"' in text_of(response)


@pytest.mark.parametrize(
    "asked", [{"section": "x"}, {"since": "yesterday"}, {"story": "999999"}, {"rule": "x"}, {"ip": "x"}]
)
def test_a_filter_that_cannot_be_read_is_named_and_finds_nothing(client, alice, asked):
    held("here")

    response = client.get(QUEUE, asked)

    assert (response.status_code, rows_on(response)) == (422, [])
    assert "error-summary" in text_of(response)


def test_the_reported_tab_holds_what_no_moderator_has_answered(client, alice):
    reported = make_comment(body="reported", open_reports=1)
    make_report(comment=reported, text="Look at this")
    make_comment(body="fine")

    before = client.get(QUEUE, {"status": "reported"})
    client.post(f"{QUEUE}{reported.pk}/decide/", {"decision": "approve"})

    assert rows_on(before) == ["reported"]
    assert "Look at this" in text_of(before)
    assert rows_on(client.get(QUEUE, {"status": "reported"})) == []


# --- Pages ---


def test_the_queue_is_read_page_by_page_without_loss_or_double(client, alice, monkeypatch):
    monkeypatch.setattr(queue, "ROWS", 2)
    article = make_article()
    for number in range(5):
        # Two at the same moment: the order must still be one.
        held(str(number), article=article, created_at=NOON - timedelta(minutes=number // 2))

    pages, address = [], QUEUE
    while address:
        response = client.get(address)
        pages.append(rows_on(response))
        following = re.search(r'href="([^"]*)" rel="next"', text_of(response))
        address = unescape(following[1]) if following else None

    assert pages == [["1", "0"], ["3", "2"], ["4"]]


def test_a_later_page_leads_back_to_newer_comments(client, alice, monkeypatch):
    monkeypatch.setattr(queue, "ROWS", 2)
    for number in range(5):
        held(f"x {number}")
    shown, address = [], f"{QUEUE}?q=x"
    for _ in range(2):
        page = text_of(client.get(unescape(address)))
        address = re.search(r'href="([^"]+)" rel="next"', page)[1]
    for _ in range(3):
        response = client.get(unescape(address))
        shown.append(rows_on(response))
        back = re.search(r'href="([^"]+)" rel="prev">Newer comments<', text_of(response))
        address = back and back[1]

    assert shown == [["x 0"], ["x 2", "x 1"], ["x 4", "x 3"]]
    # The first page has nothing before it.
    assert address is None


def test_what_no_index_finds_is_looked_for_a_window_at_a_time(client, alice, monkeypatch):
    monkeypatch.setattr(queue, "WINDOW", 3)
    article = make_article()
    for number in range(7):
        held("needle" if number == 1 else "hay", article=article, created_at=NOON + timedelta(minutes=number))

    asked = [client.get(QUEUE, {"q": "needle"})]
    while following := re.search(r'href="([^"]*)" rel="next"', text_of(asked[-1])):
        asked.append(client.get(unescape(following[1])))

    assert [rows_on(response) for response in asked] == [[], ["needle"], []]
    assert ["Look further back" in text_of(response) for response in asked] == [True, True, False]


@pytest.mark.parametrize("cursor", ["x", "1-x", "-", "nan-1", "1e400-5", "99999999999999-1"])
def test_a_cursor_that_is_none_shows_the_first_page(client, alice, cursor):
    held("here")

    assert rows_on(client.get(QUEUE, {"before": cursor})) == ["here"]


def test_tabs_count_up_to_a_limit(client, alice, monkeypatch):
    monkeypatch.setattr(queue, "COUNTED", 2)
    for _ in range(3):
        held("x")

    assert "Held (2+)" in text_of(client.get(QUEUE))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "No comment waits for a decision."),
        ({"status": "spam"}, "No comments here."),
        ({"q": "needle"}, "No comment matches."),
        ({"q": "needle"}, f'<a href="{QUEUE}?q=needle&amp;status=all">Search in all</a>'),
    ],
)
def test_an_empty_list_says_what_it_means(client, alice, asked, words):
    assert words in text_of(client.get(QUEUE, asked))


def test_a_search_goes_along_from_tab_to_tab_and_counts_without_it_are_not_told(client, alice):
    held("casino")
    held("hello")

    searched = text_of(client.get(QUEUE, {"q": "casino", "status": "spam", "before": "1-1"}))
    plain = text_of(client.get(QUEUE))

    tabs = re.findall(r'<a href="([^"]+)"(?: aria-current="page")?>(\w+)</a></li>', searched)
    wanted = [(f"{QUEUE}?status={tab.value}&q=casino", str(tab.label)) for tab in queue.Tab]
    assert [(unescape(address), label) for address, label in tabs] == wanted
    assert ("Held (2)" in searched, "Held (2)" in plain) == (False, True)
    # How many wait stands above every page all the same.
    assert "Comments (2)" in searched


def test_what_was_searched_for_is_named_as_people_read_it_and_can_be_taken_back(client, alice):
    asked = {"q": "<casino>", "rule": "links", "since": "2026-03-01"}

    page = text_of(client.get(QUEUE, asked))

    named = re.search(r'<ul class="queue-narrowed">(.*?)</ul>', page, re.DOTALL)[1]
    assert re.findall(r"<li>([^<]+): <bdi>(.*?)</bdi>", named) == [
        ("Search", "&lt;casino&gt;"),
        ("Rule", "Links"),
        ("Posted from", "1 March 2026"),
    ]
    without_rule = f'href="{QUEUE}?q=%3Ccasino%3E&amp;since=2026-03-01&amp;status=held"'
    assert without_rule in named


# --- What a row tells ---


def test_a_row_tells_the_record_of_the_person(client, alice):
    with time_machine.travel(NOON, tick=False):
        person = {"name": "Ada", "email": "ada@example.com"}
        for status in ["approved", "approved", "spam", "held"]:
            make_comment(**person, status=status, created_at=datetime(2026, 3, 1, tzinfo=UTC))
        # What someone with an account wrote is not hers.
        make_comment(email="ada@example.com", user=make_user())
        ban = Standing.objects.create(standing="banned", kind="email", value="ada@example.com")

        page = text_of(client.get(QUEUE))

    assert "2 approved, 1 spam" in page
    assert "first seen 1 March 2026" in page
    assert f'<a class="queue-standing" href="/admin/comments/standing/{ban.pk}/change/">Banned</a>' in page


def test_only_who_may_see_it_is_led_to_the_ban(client, author):
    make_comment(article=make_article(authors=[author]), email="ada@example.com", status="held")
    Standing.objects.create(standing="banned", kind="email", value="ada@example.com")

    assert '<span class="queue-standing">Banned</span>' in text_of(client.get(QUEUE))


def test_a_row_tells_the_rules_that_fired_and_what_they_found(client, alice):
    comment = held("x", held_because="words")
    Firing.objects.create(comment=comment, rule="words", verdict="held", detail="<casino>", has_decided=True)
    Firing.objects.create(comment=comment, rule="first-comment", verdict="held")

    page = text_of(client.get(QUEUE))

    assert 'Has a word that holds it: <q dir="auto">&lt;casino&gt;</q>' in page
    assert "<li>First comment under this name and email address</li>" in page


def test_a_row_names_a_rule_once_and_never_as_the_reason_of_a_persons_verdict(client, alice):
    comment = held("x", held_because="words")
    Firing.objects.create(comment=comment, rule="words", verdict="held", detail="casino", has_decided=True)
    # Of what was brought along from elsewhere only the reason is known.
    held("y", held_because="first-comment")

    waiting = text_of(client.get(QUEUE))
    comment.mark_as_spam(by=alice)
    marked = text_of(client.get(QUEUE, {"status": "spam"}))

    rows = waiting.partition('id="queue-rows"')[2]
    assert (rows.count("Has a word that holds it"), rows.count("First comment under this name")) == (1, 1)
    heading = '<p id="rules-{}"{}>Rules that fired:</p>'
    assert heading.format(comment.pk, ' class="visually-hidden"') in waiting
    assert heading.format(comment.pk, "") in marked


def test_a_row_begins_with_a_heading_that_names_it_and_its_buttons(client, alice):
    comment = held("x", name="<i>Ada</i>", article=make_article(title="Bread & roses"))

    page = text_of(client.get(QUEUE))

    heading = re.search(rf'<h2 id="head-{comment.pk}">(.*?)</h2>', page, re.DOTALL)[1]
    words = " ".join(unescape(re.sub("</?(?:bdi|a)[^>]*>", "", heading)).split())
    assert words == "<i>Ada</i> on Bread & roses"
    assert page.count(f'aria-labelledby="head-{comment.pk}"') == 2
    row = page.partition(f'id="row-{comment.pk}"')[2]
    order = ["<h2", "0 approved, 0 spam", "queue-body", "queue-decide"]
    assert sorted(order, key=row.index) == order


def test_a_row_names_its_state_and_when_it_came_in(client, alice):
    with time_machine.travel(NOON, tick=False):
        for status in ("held", "approved", "spam", "trash"):
            make_comment(status=status, created_at=NOON - timedelta(hours=2))
        page = text_of(client.get(QUEUE, {"status": "all"}))

    assert re.findall(r'class="queue-status">([^<]+)<', page) == ["Trash", "Spam", "Approved", "Held"]
    assert page.count("2\xa0hours ago</time>") == 4


def test_a_row_leads_to_all_by_the_same_person_from_the_same_address_and_on_the_story(client, alice):
    comment = held("x", email="ada@example.com", ip_address="192.0.2.7")

    page = text_of(client.get(QUEUE))

    for asked in ("email=ada%40example.com", "ip=192.0.2.7", f"story={comment.article_id}"):
        assert f'href="{QUEUE}?status=all&amp;{asked}"' in page


def test_a_row_leads_to_all_from_the_same_account(client, alice):
    ada = make_user(username="ada", email="")
    comment = held("By Ada", user=ada)
    held("By Ada, long ago", user=ada, email="ada@old.example")
    held("By another")

    page = text_of(client.get(QUEUE))
    hers = client.get(QUEUE, {"status": "all", "account": comment.user_id})

    assert f'href="{QUEUE}?status=all&amp;account={ada.pk}"' in page
    assert rows_on(hers) == ["By Ada, long ago", "By Ada"]
    assert "Account: <bdi>ada</bdi>" in text_of(hers)


def test_an_author_learns_of_no_account_that_has_not_written_below_own_stories(client, author):
    ada = make_user(username="ada-of-elsewhere")
    held("Elsewhere", user=ada)
    here = make_user(username="bo-from-here")
    held("Here", user=here, article=make_article(authors=[author]))

    found = client.get(QUEUE, {"status": "all", "account": here.pk})
    refused = client.get(QUEUE, {"status": "all", "account": ada.pk})

    assert rows_on(found) == ["Here"]
    assert (refused.status_code, "ada-of-elsewhere" in text_of(refused)) == (422, False)


def test_a_row_leads_to_the_comment_in_its_place_and_tells_what_it_answers(client, alice):
    parent = make_comment(name="Bo", status="spam")
    answer = reply_to(parent, body="An answer", status="approved")
    hidden = held("Held")

    page = text_of(client.get(QUEUE, {"status": "all"}))

    assert f'<a href="/comments/{answer.pk}/"><time' in page
    assert f'href="/comments/{hidden.pk}/"' not in page
    assert "in reply to <bdi>Bo</bdi> (Spam)" in page
    assert page.count(f'href="{QUEUE}{parent.pk}/change/"') == 2


def test_the_buttons_of_a_row_are_those_that_change_something(client, alice):
    article = make_article()
    rows = {
        status: make_comment(status=status, article=article)
        for status in ("held", "approved", "spam", "trash", "withdrawn")
    }

    found = {}
    for status, comment in rows.items():
        row = text_of(client.get(f"{QUEUE}{comment.pk}/change/"))
        found[status] = re.findall(r'name="decision" value="(\w+)"', row)

    assert found == {
        "held": ["approve", "mark_as_spam", "trash", "approve_and_trust"],
        "approved": ["hold", "mark_as_spam", "trash", "trust"],
        "spam": ["approve", "restore", "trash", "approve_and_trust"],
        "trash": ["approve", "restore", "mark_as_spam", "approve_and_trust"],
        "withdrawn": [],
    }


def test_a_row_tells_who_decided_last(client, alice, bob):
    comment = held("x")
    with time_machine.travel(NOON, tick=False) as clock:
        comment.approve(by=bob)
        clock.shift(timedelta(minutes=3))

        page = text_of(client.get(QUEUE, {"status": "approved"}))

    assert "Approved by bob, 3\xa0minutes ago" in page


# --- In place ---


def test_a_decision_in_place_returns_the_row_with_an_undo(client, alice):
    comment = held("x")

    response = client.post(f"{QUEUE}{comment.pk}/decide/", {"decision": "trash"}, headers=FRAGMENT)

    decision = Decision.objects.get()
    assert response.status_code == 200
    assert f'<li class="queue-done" id="row-{comment.pk}"' in text_of(response)
    assert "Moved to the trash: <bdi>" in text_of(response)
    assert f'formaction="{QUEUE}decisions/{decision.pk}/undo/"' in text_of(response)
    # Nothing is left to be said on the next page.
    assert messages_of(client.get(QUEUE)) == []


def test_undone_in_place_the_row_is_back_and_can_be_decided_on_again(client, alice):
    comment = held("x")
    client.post(f"{QUEUE}{comment.pk}/decide/", {"decision": "trash", "seen": "0"}, headers=FRAGMENT)

    response = client.post(
        f"{QUEUE}decisions/{Decision.objects.get().pk}/undo/", {"comment": comment.pk}, headers=FRAGMENT
    )
    seen = re.search(r'data-seen="(\d+)"', text_of(response))[1]
    client.post(f"{QUEUE}{comment.pk}/decide/", {"decision": "mark_as_spam", "seen": seen}, headers=FRAGMENT)

    assert 'class="queue-row"' in text_of(response)
    assert Comment.objects.get().status == "spam"


def test_in_place_it_is_told_what_another_has_decided(client, alice, bob):
    comment = held("x", name="Ada", article=make_article(title="Bridge"))
    with time_machine.travel(NOON, tick=False) as clock:
        comment.approve(by=bob)
        clock.shift(timedelta(minutes=1))
        response = client.post(
            f"{QUEUE}{comment.pk}/decide/", {"decision": "trash", "seen": "0"}, headers=FRAGMENT
        )

    assert response.status_code == 409
    assert "Ada on “Bridge”: already approved by bob, 1\xa0minute ago." in text_of(response)
    assert "/undo/" not in text_of(response)
    assert Comment.objects.get().status == "approved"


def test_rows_that_follow_come_with_the_tabs(client, alice, monkeypatch):
    monkeypatch.setattr(queue, "ROWS", 2)
    article = make_article()
    for number in range(4):
        held(str(number), article=article)
    cursor = client.get(QUEUE).context["page"].rows[-1].cursor

    response = client.get(f"{QUEUE}more/", {"status": "held", "before": str(cursor), "rows": 1})

    assert rows_on(response) == ["1"]
    assert "Held (4)" in text_of(response)
    assert client.get(f"{QUEUE}more/", {"rows": "x"}).status_code == 400
    assert rows_on(client.get(f"{QUEUE}more/", {"rows": "1000"})) == ["3", "2"]


def test_the_news_are_what_others_have_decided_since(client, alice, bob):
    mine, theirs, untouched = (held("x") for _ in range(3))
    before = held("x")
    before.approve(by=bob)
    seen = Change.objects.newest()
    mine.approve(by=alice)
    theirs.mark_as_spam(by=bob)
    # It has followed since, and shows already what was decided.
    followed = held("x")
    followed.approve(by=bob)
    comments = (mine, theirs, untouched, before, followed)
    shown = {
        "comments": ",".join(str(comment.pk) for comment in comments),
        "seen": ",".join(str(Change.objects.newest() if one == followed else seen) for one in comments),
    }

    page = text_of(client.get(f"{QUEUE}news/", shown))

    assert re.findall(r'data-comment="(\d+)" data-change="\d+">([^,]*),', page) == [
        (str(theirs.pk), "Marked as spam by bob")
    ]
    for wrong in (
        {},
        {"comments": "x", "seen": "1"},
        {"comments": "1", "seen": "x"},
        {"comments": "1,2", "seen": "1"},
    ):
        assert client.get(f"{QUEUE}news/", wrong).status_code == 400


# --- Editing ---


def sent(comment: Comment, **fields) -> dict:
    known = {name: getattr(comment, name) for name in ("body", "name", "email", "website")}
    return {**known, "seen": Change.objects.newest(), **fields}


def test_a_moderator_edits_what_a_comment_says_and_who_it_is_by(client, alice):
    comment = make_comment(body="My number is 555.", name="Ada")

    client.post(f"{QUEUE}{comment.pk}/edit/", sent(comment, body="My number is gone.", name="A."))

    comment.refresh_from_db()
    assert (comment.body, comment.body_html, comment.name) == (
        "My number is gone.",
        "<p>My number is gone.</p>",
        "A.",
    )
    assert comment.edited_at is not None
    change = comment.changes.get()
    assert (change.by, change.body_before, change.before) == (alice, "My number is 555.", {"name": "Ada"})


def test_a_name_from_a_moderator_hides_nothing_either(client, alice):
    comment = make_comment(name="Ada")

    client.post(f"{QUEUE}{comment.pk}/edit/", sent(comment, name="Ada\tB\u202eyron\u200d"))

    assert Comment.objects.get().name == "Ada Byron"


def test_an_edit_that_someone_was_quicker_than_is_kept_in_the_form(client, alice, bob):
    comment = make_comment(body="First.")
    form = sent(comment, body="Mine.")
    comment.hold(by=bob)

    response = client.post(f"{QUEUE}{comment.pk}/edit/", form)
    again = re.search(r'name="seen" value="(\d+)"', text_of(response))[1]

    assert response.status_code == 409
    assert "bob has changed this comment" in text_of(response)
    assert ">\nMine.</textarea>" in text_of(response)
    assert Comment.objects.get().body == "First."
    client.post(f"{QUEUE}{comment.pk}/edit/", {**form, "seen": again})
    assert Comment.objects.get().body == "Mine."


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"body": " "}, "Please write a comment."),
        ({"email": "x"}, "Enter a valid email address."),
        ({"website": "javascript:alert(1)"}, "Enter a web address like https://example.com"),
        ({"name": "n" * 101}, "at most 100 characters"),
        ({"name": "\u200d"}, "This field is required."),
        ({"website": "me@example.com"}, "What stands before the @ would be published"),
    ],
)
def test_a_wrong_edit_is_explained_and_kept(client, alice, fields, words):
    comment = make_comment(body="First.")

    response = client.post(f"{QUEUE}{comment.pk}/edit/", sent(comment, **fields))

    assert response.status_code == 422
    assert words in text_of(response)
    assert next(iter(fields.values())) in text_of(response)
    assert Change.objects.count() == 0


def test_the_name_of_an_account_is_not_typed(client, alice):
    comment = make_comment(user=make_user(), name="Boss")

    client.post(f"{QUEUE}{comment.pk}/edit/", sent(comment, name="Somebody", body="Edited."))

    assert Comment.objects.values_list("name", "body").get() == ("Boss", "Edited.")


def test_what_a_moderator_types_passes_the_filter_of_every_comment(client, alice):
    comment = make_comment(body="First.")

    client.post(
        f"{QUEUE}{comment.pk}/edit/",
        sent(comment, body="*Hm* <script>alert(1)</script> https://a.example"),
    )

    html = Comment.objects.get().body_html
    assert ("<em>Hm</em>" in html, "<script>" in html, "&lt;script&gt;" in html) == (True, False, True)
    assert 'rel="nofollow ugc noopener"' in html


def test_a_comment_that_came_without_an_address_is_edited_without_one(client, alice):
    comment = make_comment(body="First.", email="")

    response = client.post(f"{QUEUE}{comment.pk}/edit/", sent(comment, body="Better."))

    assert (response.status_code, Comment.objects.get().body) == (302, "Better.")


def test_a_comment_in_the_trash_is_edited_and_stays_there(client, alice):
    comment = make_comment(body="My number is 555.", status="trash")

    client.post(f"{QUEUE}{comment.pk}/edit/", sent(comment, body="My number is gone."))

    assert Comment.objects.values_list("body", "status").get() == ("My number is gone.", "trash")


# --- Trusting and banning ---


def test_a_person_is_trusted_by_a_button(client, alice):
    comment = held("x", name="Ada", email="ada@example.com")

    first = client.post(f"{QUEUE}{comment.pk}/decide/", {"decision": "trust"}, follow=True)
    second = client.post(f"{QUEUE}{comment.pk}/decide/", {"decision": "trust"}, follow=True)

    assert messages_of(first) == ["1 person is trusted now."]
    assert messages_of(second) == ["1 comment is left out: its author is trusted already."]
    assert Standing.objects.values_list("value", flat=True).get() == "Ada <ada@example.com>"


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("email", "", "ada@example.com"),
        ("email", "@example.com", "@example.com"),
        ("address", "", "192.0.2.7/32"),
        ("address", "192.0.2.0/24", "192.0.2.0/24"),
        ("name", "", "ada"),
        ("website", "", "ada.example"),
    ],
)
def test_a_person_is_banned_by_what_the_comment_has(client, alice, kind, value, expected):
    comment = held(
        "x", name="Ada", email="ada@example.com", ip_address="192.0.2.7", website="https://www.ada.example/x"
    )

    with time_machine.travel(NOON, tick=False):
        client.post(
            f"{QUEUE}{comment.pk}/ban/",
            {"kind": kind, "value": value, "days": "7", "note": "Third time", "mark_as_spam": "on"},
        )

    facts = Standing.objects.values_list("standing", "kind", "value", "ends_at", "note", "by").get()
    assert facts == ("banned", kind, expected, NOON + timedelta(days=7), "Third time", alice.pk)
    assert Comment.objects.get().status == "spam"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": ""}, "This field is required."),
        ({"kind": "account"}, "Select a valid choice."),
        ({"kind": "website"}, "Select a valid choice."),
        ({"kind": "address", "value": "300.1.1.1"}, "Enter an IP address like 192.0.2.7"),
        ({"kind": "email", "value": "192.0.2.7"}, "Enter an email address like name@example.com"),
        ({"days": "3"}, "Select a valid choice."),
        ({"until": "2026-11-22"}, "Name today or a later day."),
        ({"until": "soon"}, "Name a day like 2026-12-31."),
    ],
)
def test_a_wrong_ban_bans_nobody_and_keeps_what_was_typed(client, alice, fields, words):
    comment = held("x", ip_address="192.0.2.7", website="")

    with time_machine.travel(NOON, tick=False):
        client.force_login(alice)
        response = client.post(
            f"{QUEUE}{comment.pk}/ban/", {"kind": "email", "days": "7", "note": "Third time", **fields}
        )

    assert (response.status_code, Standing.objects.count()) == (422, 0)
    assert words in text_of(response)
    assert 'value="Third time"' in text_of(response)


@pytest.mark.parametrize(
    ("day", "ends_at"),
    [
        # The clocks went back there on 1 November.
        ("2026-11-23", datetime(2026, 11, 24, 5, tzinfo=UTC)),
        ("2027-06-30", datetime(2027, 7, 1, 4, tzinfo=UTC)),
    ],
)
def test_a_ban_until_a_day_ends_at_midnight_where_the_site_is(client, alice, settings, day, ends_at):
    settings.TIME_ZONE = "America/New_York"
    comment = held("x")

    with time_machine.travel(NOON, tick=False):
        client.force_login(alice)
        client.post(f"{QUEUE}{comment.pk}/ban/", {"kind": "name", "days": "7", "until": day})

    assert Standing.objects.get().ends_at == ends_at


# --- Answers ---


def test_an_answer_and_the_approval_that_came_with_it_are_undone_together(client, alice):
    comment = held("x", name="Ada")
    client.post(f"{QUEUE}{comment.pk}/reply/", {f"{comment.pk}-body": "Thank you."})
    made = Decision.objects.order_by("pk").values_list("kind", "count")

    client.post(f"{QUEUE}decisions/{Decision.objects.get(kind='reply').pk}/undo/")

    assert list(made) == [("reply", 2), ("undo", 2)]
    assert list(Comment.objects.order_by("pk").values_list("status", flat=True)) == ["held", "trash"]


def test_only_the_newest_of_ones_own_decisions_stands_above_the_queue(client, alice, bob):
    held("Mine", name="Ada").approve(by=alice)
    held("Theirs").trash(by=bob)

    page = text_of(client.get(QUEUE))

    assert "a moment ago: Approved: \u2068Ada\u2069, “\u2068Mine\u2069”" in page
    assert "Theirs" not in page


def test_of_ones_own_decision_on_several_the_number_stands_above_the_queue(client, alice):
    held("x"), held("y")
    Comment.objects.all().approve(by=alice)

    assert "a moment ago: 2 comments are public now." in text_of(client.get(QUEUE))


def test_all_that_can_be_undone_is_listed(client, alice, bob):
    assert "There is nothing that you can undo." in text_of(client.get(f"{QUEUE}decisions/"))
    held("Mine").approve(by=alice)
    held("Theirs").trash(by=bob)

    page = text_of(client.get(f"{QUEUE}decisions/"))

    assert "Mine" in page
    assert "Theirs" not in page


def test_nobody_undoes_what_another_has_decided(client, alice, bob):
    comment = held("x")
    comment.trash(by=bob)

    response = client.post(f"{QUEUE}decisions/{Decision.objects.get().pk}/undo/")

    assert (response.status_code, Comment.objects.get().status) == (403, "trash")


def test_an_undoing_that_was_broken_off_is_found_again_and_carried_on(client, alice, monkeypatch):
    monkeypatch.setattr(decisions, "STEP", 2)
    comments = [held("x") for _ in range(5)]
    chosen = Comment.objects.filter(pk__in=[comment.pk for comment in comments])
    undoing = decisions.undo(decisions.decide(chosen, "trash", alice).decision, alice)

    page = text_of(client.get(QUEUE))
    client.post(f"{QUEUE}decisions/{undoing.pk}/")

    assert f'href="{QUEUE}decisions/{undoing.pk}/">Unfinished: Undo, 2 of 5. Go on</a>' in page
    assert Comment.objects.held().count() == 5


def test_saving_an_edit_that_changes_nothing_says_so(client, alice, bob):
    comment = held("x")
    comment.approve(by=bob)
    comment.refresh_from_db()

    response = client.post(f"{QUEUE}{comment.pk}/edit/", sent(comment), follow=True)

    assert messages_of(response) == ["There was nothing to change."]
    assert Change.objects.count() == 1


@pytest.mark.parametrize("gone", [{"status": "withdrawn"}, {"erased_at": NOON}])
def test_nobody_writes_anew_what_its_author_has_deleted_or_had_erased(client, alice, gone):
    comment = make_comment(body="x", **gone)

    response = client.post(f"{QUEUE}{comment.pk}/edit/", sent(comment, body="Mine.", email="a@example.com"))

    assert (response.status_code, Comment.objects.get().body) == (404, "x")


def test_a_banned_person_is_not_trusted(client, alice):
    comment = held("x", email="ada@example.com")
    Standing.objects.create(standing="banned", kind="email", value="ada@example.com")

    response = client.post(f"{QUEUE}{comment.pk}/decide/", {"decision": "trust"}, follow=True)

    text = "1 comment is left out: its author is banned. Lift the ban first: it would win."
    assert messages_of(response) == [text]
    assert Standing.objects.count() == 1


def test_trusted_in_place_a_comment_goes_on_waiting_where_it_stood(client, alice):
    comment = held("x")

    page = text_of(client.post(f"{QUEUE}{comment.pk}/decide/", {"decision": "trust"}, headers=FRAGMENT))

    assert "<p data-told>1 person is trusted now. </p>" in page
    assert f'<li class="queue-row" id="row-{comment.pk}"' in page


def test_an_answer_that_is_refused_approves_nothing(client, alice):
    comment = held("x")

    response = client.post(f"{QUEUE}{comment.pk}/reply/", {f"{comment.pk}-body": " "})

    assert (response.status_code, Comment.objects.get().status) == (422, "held")


@pytest.mark.parametrize("items", [1, 3])
def test_what_another_is_doing_takes_few_queries(client, alice, bob, django_assert_num_queries, items):
    comments = [reply_to(make_comment(), status="held") for _ in range(items)]
    for comment in comments:
        comment.approve(by=bob)
    shown = ",".join(str(comment.pk) for comment in comments)

    with django_assert_num_queries(4):
        client.get(f"{QUEUE}news/", {"comments": shown, "seen": re.sub("[0-9]+", "0", shown)})
