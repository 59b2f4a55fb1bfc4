"""Decisions on many comments at once, as a moderator takes them."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine

from comments import decisions, posting, queue
from comments.desk.answers import told_of_left
from comments.models import Change, Comment, Decision, Left, Standing
from comments.moderation import Submission
from tests.factories import make_article, make_author, make_comment, make_staff, set_discussion
from tests.givens import NOON

pytestmark = pytest.mark.django_db

QUEUE = "/admin/comments/comment/"
FRAGMENT = {"X-Fragment": "row"}


def text_of(response) -> str:
    return response.content.decode()


def messages_of(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def act(client, decision, *comments, **extra):
    data = {"decision": decision, "ticked": [comment.pk for comment in comments], **extra}
    return client.post(f"{QUEUE}many/", data, follow=True)


def act_on_all(client, decision, page, **extra):
    """Decide on all that match, from a page of the queue that someone has opened."""
    read = {
        name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("newest", "seen", "filters")
    }
    read["filters"] = unescape(read["filters"])
    data = {"decision": decision, "scope": "all", **read, **extra}
    return client.post(f"{QUEUE}many/", data, follow=True)


def statuses() -> list[str]:
    return list(Comment.objects.order_by("pk").values_list("status", flat=True))


def seen_on(page: str) -> str:
    return re.search(r'name="seen" value="(\d+)"', page)[1]


def held(body: str, **fields) -> Comment:
    return make_comment(**{"status": "held", "body": body, **fields})


def choices_of(page: str) -> list[str]:
    """The decisions that can be chosen for many."""
    select = page.partition('<select id="queue-decision"')[2].partition("</select>")[0]
    return re.findall(r'<option value="(\w+)"', select)


def hidden_in(page: str) -> dict[str, list[str]]:
    """What the form of a page sends again."""
    form = page.partition(f'action="{QUEUE}many/"')[2].partition("</form>")[0]
    sent: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form):
        sent.setdefault(name, []).append(unescape(value))
    del sent["csrfmiddlewaretoken"]
    return sent


# --- What comments become ---


@pytest.mark.parametrize(
    ("action", "before", "after", "message"),
    [
        ("approve", "held", "approved", "2 comments are public now."),
        ("hold", "approved", "held", "2 comments are held now."),
        ("mark_as_spam", "held", "spam", "2 comments marked as spam."),
        ("trash", "approved", "trash", "2 comments moved to the trash."),
        ("restore", "spam", "held", "2 comments restored."),
    ],
)
def test_the_ticked_comments_are_decided_on_and_it_is_recorded(client, alice, action, before, after, message):
    comments = [make_comment(status=before) for _ in range(3)]

    response = act(client, action, *comments[:2])

    assert messages_of(response) == [message]
    assert statuses() == [after, after, before]
    assert list(Change.objects.order_by("pk").values_list("comment", "by", "from_status", "to_status")) == [
        (comment.pk, alice.pk, before, after) for comment in comments[:2]
    ]


def test_a_decision_on_all_that_match_leaves_the_others(client, alice):
    for text in ("buy now", "buy later", "well said"):
        make_comment(status="held", body=text)
    page = text_of(client.get(QUEUE, {"q": "buy"}))

    asked = act_on_all(client, "mark_as_spam", page)
    before = statuses()
    done = act_on_all(client, "mark_as_spam", page, confirmed="1")

    assert "This is about 2 comments, on all pages of what you searched for." in text_of(asked)
    assert before == ["held", "held", "held"]
    assert "2 comments marked as spam." in text_of(done)
    assert statuses() == ["spam", "spam", "held"]


def arrived(name: str) -> Comment:
    """A comment that was public on arrival, with its history."""
    set_discussion(holds_first_comments=False)
    person = {"name": name, "email": f"{name}@example.com"}
    return posting.post(Submission(Comment(article=make_article(), body="Once.", **person)))


def test_the_second_moderator_is_told_what_the_first_did(client, alice, bob):
    comment = make_comment(status="held", name="Ada", article=make_article(title="Bridge"))
    seen = seen_on(text_of(client.get(QUEUE)))
    with time_machine.travel(NOON, tick=False) as clock:
        comment.approve(by=bob)
        clock.shift(timedelta(minutes=3))
        client.force_login(alice)
        response = act(client, "mark_as_spam", comment, seen=seen)

    assert messages_of(response) == ["Ada on “Bridge”: already approved by bob, 3\xa0minutes ago."]
    assert statuses() == ["approved"]


def test_who_decides_the_same_again_is_told_who_did(client, alice, bob):
    comment = make_comment(status="held", name="Ada", article=make_article(title="Bridge"))
    seen = seen_on(text_of(client.get(QUEUE)))
    with time_machine.travel(NOON, tick=False) as clock:
        comment.approve(by=bob)
        clock.shift(timedelta(minutes=1))
        client.force_login(alice)
        response = act(client, "approve", comment, seen=seen)

    assert messages_of(response) == ["Ada on “Bridge”: already approved by bob, 1\xa0minute ago."]
    assert Change.objects.count() == 1


def test_what_is_as_wanted_already_is_counted_and_nobody_is_said_to_have_been_quicker(client, alice, bob):
    """All that was public before the page was opened: approved, edited by its author, or on arrival."""
    held, approved = make_comment(status="held"), make_comment(status="held")
    approved.approve(by=bob)
    edited = arrived("Ada")
    posting.edit(edited, "Twice.")
    public = [approved, edited, arrived("Bo")]
    seen = seen_on(text_of(client.get(QUEUE, {"status": "all"})))

    both = act(client, "approve", held, *public, seen=seen)
    again = act(client, "approve", *public, seen=seen)

    assert messages_of(both) == ["1 comment is public now.", "3 comments were that already."]
    assert messages_of(again) == ["There was nothing to change."]


def test_a_comment_that_arrived_while_its_page_was_made_can_be_decided_on(client, alice):
    """The page shows it, and names a newest change that is older than its arrival."""
    seen = seen_on(text_of(client.get(QUEUE)))
    comment = arrived("Ada")

    response = act(client, "trash", comment, seen=seen)

    assert messages_of(response) == ["1 comment moved to the trash."]


def test_a_decision_on_all_that_match_does_not_reach_what_came_since(client, alice):
    make_comment(status="held")
    page = text_of(client.get(QUEUE))
    make_comment(status="held")

    act_on_all(client, "approve", page, confirmed="1")

    assert statuses() == ["approved", "held"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"seen": "x"}, 400),
        ({"seen": "-1"}, 400),
        ({"scope": "all", "newest": "x", "seen": "1"}, 400),
        ({"scope": "all", "newest": "1"}, 400),
        ({"scope": "all", "newest": "1", "seen": "1", "filters": "section=999999", "confirmed": "1"}, 400),
        ({"ticked": ["x"]}, 400),
        ({"ticked": []}, 302),
        ({"scope": "page"}, 302),
        ({"decision": ""}, 302),
        ({"decision": "delete"}, 302),
    ],
)
def test_what_no_page_of_ours_sends_changes_nothing(client, alice, sent, status):
    comment = make_comment(status="held")

    response = client.post(f"{QUEUE}many/", {"decision": "approve", "ticked": [comment.pk], **sent})

    assert (response.status_code, statuses()) == (status, ["held"])


def test_a_decision_after_reloading_overrules_an_earlier_one(client, alice, bob):
    comment = make_comment(status="held")
    comment.approve(by=bob)
    seen = seen_on(text_of(client.get(QUEUE, {"status": "approved"})))

    act(client, "mark_as_spam", comment, seen=seen)

    assert statuses() == ["spam"]


def test_a_decision_that_was_broken_off_can_be_carried_on(client, alice, monkeypatch):
    monkeypatch.setattr(decisions, "STEP", 2)
    for _ in range(5):
        held("x")
    begun = decisions.start(
        "trash", alice, filters={"status": "held"}, total=5, newest=Comment.objects.newest(), seen=0
    )
    decisions.step(begun, queue.matching)

    listed = text_of(client.get(f"{QUEUE}decisions/"))
    shown = text_of(client.get(f"{QUEUE}decisions/{begun.pk}/"))
    client.post(f"{QUEUE}decisions/{begun.pk}/")

    assert f'<a href="{QUEUE}decisions/{begun.pk}/">Unfinished: 2 of 5</a>' in listed
    assert "2 of 5" in shown
    assert Comment.objects.filter(status="trash").count() == 5


@pytest.mark.parametrize("name", ["seen", "newest", "ticked"])
def test_numbers_that_no_database_holds_are_refused(client, alice, name):
    comment = held("x")
    sent = {"decision": "trash", "scope": "all", "seen": "1", "newest": "1", "confirmed": "1"}
    if name == "ticked":
        sent |= {"scope": "ticked", "ticked": str(comment.pk)}

    response = client.post(f"{QUEUE}many/", {**sent, name: "9" * 30})

    assert (response.status_code, Comment.objects.get().status) == (400, "held")
    assert client.get(f"{QUEUE}news/", {"comments": "9" * 30, "seen": "0"}).status_code == 400


def test_ones_own_decision_is_no_reason_to_be_stopped(client, alice):
    comment = held("x")
    seen = re.search(r'name="seen" value="(\d+)"', text_of(client.get(QUEUE)))[1]
    client.post(f"{QUEUE}{comment.pk}/decide/", {"decision": "approve", "seen": seen}, headers=FRAGMENT)
    client.post(f"{QUEUE}decisions/{Decision.objects.get().pk}/undo/")

    sent = {"decision": "mark_as_spam", "ticked": comment.pk, "seen": seen}
    response = client.post(f"{QUEUE}many/", sent, follow=True)

    assert messages_of(response)[-1] == "1 comment marked as spam."


# --- Trusting ---


def test_the_authors_of_the_ticked_comments_are_trusted_and_the_others_explained(client, alice):
    comments = [held("x", name=name, email=f"{name}@example.com") for name in ("ada", "ada", "bo")]
    nobody = held("x", email="")

    response = act(client, "trust", *comments, nobody)

    assert messages_of(response) == [
        "2 people are trusted now.",
        "1 comment has no email address, IP address, name or website to go by.",
    ]
    assert Standing.objects.filter(standing="trusted").count() == 2
    assert "ago: 2 people are trusted now." in text_of(client.get(QUEUE))


def test_trusting_all_that_match_asks_first_and_tells_how_it_went(client, alice):
    held("pills", name="Ada", email="ada@example.com")
    held("pills", email="")
    held("hello")
    page = text_of(client.get(QUEUE, {"q": "pills"}))

    asked = text_of(act_on_all(client, "trust", page))
    before = Standing.objects.count()
    done = text_of(act_on_all(client, "trust", page, confirmed="1"))

    assert "This is about 2 comments, on all pages of what you searched for." in asked
    assert "Everyone who wrote one of them is trusted" in asked
    assert (before, Standing.objects.count()) == (0, 1)
    assert '<p role="status">1 person is trusted now.</p>' in done
    assert "<li>1 comment has no email address, IP address, name or website to go by.</li>" in done


# --- Banning ---

TERMS = {"kind": "email", "days": "7", "until": "", "note": "Bots", "mark_as_spam": "on"}


@pytest.mark.parametrize(("scope", "field"), [("ticked", "ticked"), ("page", "shown")])
def test_banning_many_asks_for_its_terms_and_keeps_what_was_chosen(client, alice, scope, field):
    story = make_article()
    comments = [
        held("x", article=story, email=email) for email in ("a@x.example", "a@x.example", "b@x.example")
    ]
    left = held("x", email="c@x.example")
    sent = {
        "decision": "ban",
        "scope": scope,
        field: [comment.pk for comment in comments],
        "seen": "0",
        "filters": f"status=held&story={story.pk}",
    }

    asked = client.post(f"{QUEUE}many/", sent)
    before = statuses()
    done = client.post(f"{QUEUE}many/", {**hidden_in(text_of(asked)), **TERMS}, follow=True)

    page = " ".join(text_of(asked).split())
    assert (asked.status_code, before) == (200, ["held"] * 4)
    assert "This is about 3 comments by 2 people. You can undo it until tomorrow." in page
    assert hidden_in(text_of(asked)) == {
        "decision": ["ban"],
        "scope": [scope],
        "seen": ["0"],
        "filters": [f"status=held&story={story.pk}"],
        field: [str(comment.pk) for comment in comments],
        "confirmed": ["1"],
    }
    assert messages_of(done) == ["2 bans made. 3 comments marked as spam."]
    assert done.redirect_chain == [(f"{QUEUE}?status=held&story={story.pk}", 302)]
    assert Standing.objects.filter(value=left.email).count() == 0
    assert statuses() == ["spam"] * 3 + ["held"]


def test_banning_all_that_match_shows_how_it_went_and_is_undone(client, alice):
    for number in range(3):
        held("pills", email=f"{number}@x.example")
    held("hello")
    with time_machine.travel(NOON, tick=False):
        client.force_login(alice)
        page = text_of(client.get(QUEUE, {"q": "pills"}))
        asked = text_of(act_on_all(client, "ban", page))
        before = Standing.objects.count()
        done = text_of(client.post(f"{QUEUE}many/", {**hidden_in(asked), **TERMS}, follow=True))
        listed = text_of(client.get(f"{QUEUE}decisions/"))

        ends = set(Standing.objects.values_list("ends_at", "note"))
        client.post(f"{QUEUE}decisions/{Decision.objects.get().pk}/undo/")

    assert "This is about 3 comments, on all pages of what you searched for." in asked
    assert (before, ends) == (0, {(NOON + timedelta(days=7), "Bots")})
    assert '<p role="status">3 bans made. 3 comments marked as spam.</p>' in done
    assert "3 bans made. 3 comments marked as spam." in listed
    assert (Standing.objects.count(), statuses()) == (0, ["held"] * 4)


@pytest.mark.parametrize("scope", ["ticked", "all"])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"kind": ""}, "This field is required."),
        ({"kind": "account"}, "Select a valid choice."),
        ({"days": "3"}, "Select a valid choice."),
        ({"until": "2026-11-22"}, "Name today or a later day."),
        ({"note": "x" * 401}, "at most 400 characters"),
    ],
)
def test_wrong_terms_ban_nobody_and_lose_nothing(client, alice, scope, wrong, words):
    comment = held("x")
    chosen = {"ticked": {"ticked": comment.pk}, "all": {"newest": comment.pk, "seen": "0"}}[scope]
    sent = {"decision": "ban", "scope": scope, "filters": "status=held", "confirmed": "1", **chosen}

    with time_machine.travel(NOON, tick=False):
        client.force_login(alice)
        response = client.post(f"{QUEUE}many/", {**sent, **TERMS, "sure": "on", **wrong})

    page = text_of(response)
    assert (response.status_code, Standing.objects.count(), statuses()) == (422, 0, ["held"])
    assert (words in page, wrong.get("note", "Bots") in page) == (True, True)
    assert 'aria-invalid="true"' in page
    assert re.search(r'name="sure"[^>]* checked', page) is not None
    assert {name: hidden_in(page)[name] for name in chosen} == {n: [str(v)] for n, v in chosen.items()}


def test_the_moderators_own_address_is_left_out_and_they_are_told(client, alice):
    own, other = held("x", ip_address="192.0.2.7"), held("x", ip_address="192.0.2.8")
    sent = {"decision": "ban", "ticked": [own.pk, other.pk], "confirmed": "1", **TERMS, "kind": "address"}

    response = client.post(f"{QUEUE}many/", sent, REMOTE_ADDR="192.0.2.7", follow=True)

    assert messages_of(response) == [
        "1 ban made. 1 comment marked as spam.",
        "1 comment is left out: it came from your own address.",
    ]
    assert statuses() == ["held", "spam"]


def test_where_a_ban_of_many_hits_nobody_nothing_can_be_undone(client, alice):
    comment = held("x", ip_address="127.0.0.1")

    response = act(client, "ban", comment, confirmed="1", **{**TERMS, "kind": "address"})

    assert messages_of(response) == ["1 comment is left out: it came from your own address."]
    assert Decision.objects.count() == 0


def test_every_reason_to_leave_a_comment_out_has_its_words():
    assert [told_of_left({why: 1})[0][:9] for why in Left] == [
        "1 comment",
    ] * len(Left)
    assert [told_of_left({why: 2})[0][:10] for why in Left] == ["2 comments"] * len(Left)


# --- Who may ---


def test_only_who_moderates_everywhere_can_choose_to_trust_and_ban(client):
    author, moderator = make_staff("Author"), make_staff("Moderator")
    held("x", article=make_article(authors=[make_author(user=author)]))
    statuses_only = ["approve", "hold", "mark_as_spam", "trash", "restore"]

    offered = []
    for user in (author, moderator):
        client.force_login(user)
        offered.append(choices_of(text_of(client.get(QUEUE))))

    assert offered == [statuses_only, [*statuses_only, "trust", "ban"]]


@pytest.mark.parametrize("kind", ["trust", "ban"])
@pytest.mark.parametrize("scope", ["ticked", "page", "all"])
def test_an_author_who_forges_it_trusts_and_bans_nobody(client, kind, scope):
    author = make_staff("Author")
    client.force_login(author)
    comment = held("x", article=make_article(authors=[make_author(user=author)]))
    sent = {
        "ticked": comment.pk,
        "shown": comment.pk,
        "filters": "status=held",
        "newest": comment.pk,
        "seen": "0",
    }

    answers = [
        client.post(f"{QUEUE}many/", {"decision": kind, "scope": scope, **sent, **more}).status_code
        for more in ({}, {"confirmed": "1", **TERMS})
    ]

    assert answers == [403, 403]
    assert (Standing.objects.count(), Decision.objects.count(), statuses()) == (0, 0, ["held"])


@pytest.mark.parametrize("items", [1, 3])
def test_the_page_about_a_ban_of_many_takes_the_same_queries(client, alice, django_assert_num_queries, items):
    comments = [held("x") for _number in range(items)]

    with django_assert_num_queries(7):
        client.post(f"{QUEUE}many/", {"decision": "ban", "ticked": [comment.pk for comment in comments]})
