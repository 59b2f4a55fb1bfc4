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


def seen_on(page: str) -> dict[str, str]:
    """What a page says of each comment that it shows: the newest change of it."""
    return dict(re.findall(r'name="(seen-\d+)" value="(\d+)"', page))


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

    page = text_of(asked)
    assert "<h1>Mark 2 comments as spam?</h1>" in page
    assert re.findall("<li>([^<]*<bdi>[^<]*</bdi>)</li>", page) == [
        "Status: <bdi>Held</bdi>",
        "Search: <bdi>buy</bdi>",
    ]
    assert '<button type="submit" class="button default">Mark them as spam</button>' in page
    assert before == ["held", "held", "held"]
    assert "2 comments marked as spam." in text_of(done)
    assert statuses() == ["spam", "spam", "held"]


def arrived(name: str) -> Comment:
    """A comment that was public on arrival, with its history."""
    set_discussion(holds_first_comments=False)
    person = {"name": name, "email": f"{name}@example.com"}
    return posting.post(Submission(Comment(article=make_article(), body="Once.", **person)))


def test_a_decision_on_all_comments_there_are_says_so(client, alice):
    make_comment()
    page = text_of(client.get(QUEUE, {"status": "all"}))

    asked = text_of(act_on_all(client, "hold", page))

    assert "<h1>Hold 1 comment?</h1>" in asked
    assert "They are all comments that you may decide on." in asked


@pytest.mark.parametrize("step", [1, 10])
def test_a_decision_on_all_that_match_leads_back_to_the_list_that_it_was_taken_in(
    client, alice, monkeypatch, step
):
    make_comment(status="held", body="buy")
    page = text_of(client.get(QUEUE, {"q": "buy", "status": "held"}))
    monkeypatch.setattr(decisions, "STEP", step)

    shown = act_on_all(client, "trash", page, confirmed="1")
    if step == 1:
        assert "<h1>Unfinished: Trash</h1>" in text_of(shown)
        shown = client.post(shown.redirect_chain[-1][0], follow=True)

    assert "<h1>Done: Trash</h1>" in text_of(shown)
    back = unescape(re.search('<a href="([^"]+)">Back to the queue</a>', text_of(shown))[1])
    asked = client.get(back).context["form"].filters
    assert asked == {"q": "buy", "status": "held"}


def test_the_second_moderator_is_told_what_the_first_did(client, alice, bob):
    comment = make_comment(status="held", name="Ada", article=make_article(title="Bridge"))
    seen = seen_on(text_of(client.get(QUEUE)))
    with time_machine.travel(NOON, tick=False) as clock:
        comment.approve(by=bob)
        clock.shift(timedelta(minutes=3))
        client.force_login(alice)
        response = act(client, "mark_as_spam", comment, **seen)

    assert messages_of(response) == ["Ada on “Bridge”: already approved by bob, 3\xa0minutes ago."]
    assert statuses() == ["approved"]


def test_who_decides_the_same_again_is_told_who_did(client, alice, bob):
    comment = make_comment(status="held", name="Ada", article=make_article(title="Bridge"))
    seen = seen_on(text_of(client.get(QUEUE)))
    with time_machine.travel(NOON, tick=False) as clock:
        comment.approve(by=bob)
        clock.shift(timedelta(minutes=1))
        client.force_login(alice)
        response = act(client, "approve", comment, **seen)

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

    both = act(client, "approve", held, *public, **seen)
    again = act(client, "approve", *public, **seen)

    assert messages_of(both) == ["1 comment is public now.", "3 comments were that already."]
    assert messages_of(again) == ["There was nothing to change."]


def test_a_comment_that_arrived_while_its_page_was_made_can_be_decided_on(client, alice):
    """The page shows it, and knows of no change of it."""
    comment = arrived("Ada")

    response = act(client, "trash", comment, **{f"seen-{comment.pk}": "0"})

    assert messages_of(response) == ["1 comment moved to the trash."]


@pytest.mark.parametrize("way", ["ticked", "page", "row"])
def test_a_decision_that_was_numbered_earlier_and_ended_later_is_not_overwritten(client, alice, bob, way):
    """Of two moderators who decide at once, PostgreSQL may show the second decision first."""
    comment, other = held("x", name="Ada"), make_comment(status="approved")
    Change.objects.bulk_create(
        [Change(pk=100, comment=other, by=bob, from_status="held", to_status="approved")]
    )
    page = text_of(client.get(QUEUE))
    seen = {"seen": re.search(r'name="seen" value="(\d+)"', page)[1], **seen_on(page)}
    Change.objects.bulk_create(
        [Change(pk=1, comment=comment, by=bob, from_status="held", to_status="approved")]
    )
    Comment.objects.filter(pk=comment.pk).update(status="approved")

    if way == "row":
        sent = {"decision": "mark_as_spam", "shown": comment.pk, **seen}
        response = client.post(f"{QUEUE}{comment.pk}/decide/", sent, follow=True)
    else:
        response = act(client, "mark_as_spam", comment, scope=way, shown=comment.pk, **seen)

    assert "already approved by bob" in messages_of(response)[0]
    assert statuses() == ["approved", "approved"]


def test_who_is_asked_about_a_ban_of_many_has_still_seen_what_the_page_had_shown(client, alice, bob):
    comment = held("x", name="Ada")
    asked = text_of(act(client, "ban", comment, **seen_on(text_of(client.get(QUEUE)))))
    comment.approve(by=bob)

    act(client, "ban", comment, confirmed="1", kind="email", days="30", mark_as_spam="on", **seen_on(asked))

    assert (list(seen_on(asked)), statuses()) == ([f"seen-{comment.pk}"], ["approved"])


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
        ({"ticked": []}, 422),
        ({"scope": "page"}, 422),
        ({"decision": ""}, 422),
        ({"decision": "delete"}, 422),
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

    act(client, "mark_as_spam", comment, **seen)

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


# --- What is missing, and what was begun ---


def on_page(*comments: Comment, **fields) -> dict:
    """What the form of a page of the queue sends that shows these comments."""
    answers = {f"{comment.pk}-body": "" for comment in comments}
    shown = [comment.pk for comment in comments]
    return {"shown": shown, "filters": "status=held", "seen": "0", **answers, **fields}


def ticked_on(page: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'name="ticked" value="(\d+)" checked', page)]


def answers_on(page: str) -> list[tuple[int, str]]:
    """The answers that are open, and what is written in them."""
    opened = re.findall(r'data-written="reply" open>.*?name="(\d+)-body"[^>]*>([^<]*)<', page, re.DOTALL)
    return [(int(pk), unescape(text)) for pk, text in opened]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"decision": "", "scope": "ticked"}, "Choose what is to become of the comments."),
        ({"decision": "trash", "scope": "ticked", "ticked": []}, "Tick at least one comment."),
    ],
)
def test_a_decision_with_something_missing_comes_back_with_all_that_was_chosen(client, alice, sent, words):
    comments = [held(str(number)) for number in range(3)]
    chosen = {"ticked": [comments[0].pk, comments[2].pk], f"{comments[1].pk}-body": "<Thank> you.", **sent}

    response = client.post(f"{QUEUE}many/", on_page(*comments, **chosen, filters="status=all&q="))

    page = text_of(response)
    assert (response.status_code, statuses()) == (422, ["held"] * 3)
    assert f'<p class="errornote" role="alert" id="queue-fault">{words}</p>' in page
    assert 'aria-invalid="true" aria-describedby="queue-fault" autofocus' in page
    assert sorted(ticked_on(page)) == sorted(chosen["ticked"])
    assert answers_on(page) == [(comments[1].pk, "<Thank> you.")]
    assert ('value="trash" selected' in page) == (sent["decision"] == "trash")
    assert '<input type="hidden" name="status" value="all">' in page
    # Who loads the address itself comes to the queue.
    assert client.get(f"{QUEUE}many/").headers["Location"] == QUEUE


def test_a_decision_on_one_comment_keeps_what_was_begun_beside_the_others(client, alice):
    comments = [held(str(number), name="Ada") for number in range(3)]
    begun = {"ticked": [comments[0].pk, comments[1].pk], f"{comments[2].pk}-body": "Thank you."}
    sent = on_page(*comments, decision="approve", **begun)

    response = client.post(f"{QUEUE}{comments[1].pk}/decide/", sent)
    there = client.get(response.headers["Location"])
    later = text_of(client.get(QUEUE))

    assert response.headers["Location"] == f"{QUEUE}?status=held#row-{comments[2].pk}"
    assert messages_of(there) == ["Approved: \u2068Ada\u2069, “\u20681\u2069”"]
    assert ticked_on(text_of(there)) == [comments[0].pk]
    assert answers_on(text_of(there)) == [(comments[2].pk, "Thank you.")]
    # A tick waits for one page. What was written waits until it is sent, or emptied.
    assert (ticked_on(later), answers_on(later)) == ([], [(comments[2].pk, "Thank you.")])
    client.post(f"{QUEUE}{comments[2].pk}/reply/", on_page(*comments, **begun))
    assert answers_on(text_of(client.get(QUEUE, {"status": "all"}))) == []
    assert Comment.objects.get(parent=comments[2]).body == "Thank you."


def test_what_was_begun_is_kept_while_a_large_decision_is_undone(client, alice, monkeypatch):
    monkeypatch.setattr(decisions, "STEP", 1)
    comment = held("x")
    approved = decisions.decide(Comment.objects.filter(pk__in=[held("y").pk, held("z").pk]), "approve", alice)

    sent = on_page(comment, **{f"{comment.pk}-body": "Thank you."})
    response = client.post(f"{QUEUE}decisions/{approved.decision.pk}/undo/", sent)

    undoing = Decision.objects.get(kind="undo")
    assert response.headers["Location"] == f"{QUEUE}decisions/{undoing.pk}/"
    assert answers_on(text_of(client.get(QUEUE))) == [(comment.pk, "Thank you.")]


def test_what_is_missing_is_said_where_others_have_decided_on_the_whole_page(client, alice):
    comment = held("x")
    comment.approve(by=alice)

    response = client.post(f"{QUEUE}many/", on_page(comment, decision="trash", ticked=[]))

    fault = '<p class="errornote" role="alert">Tick at least one comment.</p>'
    assert (response.status_code, fault in text_of(response)) == (422, True)


def test_an_answer_begun_on_the_page_of_a_comment_outlives_a_decision_there(client, alice):
    comment = held("x")
    page = f"{QUEUE}{comment.pk}/change/"
    shown = re.search(r'name="shown" value="(\d+)"', text_of(client.get(page)))[1]

    sent = {"decision": "approve", "shown": shown, f"{comment.pk}-body": "Thank you."}
    client.post(f"{QUEUE}{comment.pk}/decide/", sent, headers={"Referer": f"http://testserver{page}"})

    assert statuses() == ["approved"]
    assert answers_on(text_of(client.get(page))) == [(comment.pk, "Thank you.")]


def test_an_answer_of_many_lines_is_kept_to_its_end(client, alice):
    comment = held("x")
    text = "x\r\n" * 4_000 + "the end"

    client.post(f"{QUEUE}many/", on_page(comment, **{f"{comment.pk}-body": text}))

    ((_pk, kept),) = answers_on(text_of(client.get(QUEUE)))
    assert kept == text.replace("\r\n", "\n")


def test_ticks_that_no_page_has_sent_are_not_kept(client, alice):
    made_up = ["x" * 1_000, *map(str, range(100))]

    sent = {"decision": "trash", "shown": made_up, "ticked": made_up}
    client.post(f"{QUEUE}{held('x').pk}/decide/", sent)

    assert client.session["queue-ticked"] == [str(number) for number in range(50)]


def test_an_answer_that_was_emptied_is_kept_no_more(client, alice):
    comments = [held("x"), held("y")]
    for text in ("Thank you.", " "):
        sent = on_page(*comments, **{f"{comments[0].pk}-body": text})
        client.post(f"{QUEUE}many/", sent)

    assert answers_on(text_of(client.get(QUEUE))) == []


def test_only_so_much_is_kept_of_what_was_begun(client, alice, monkeypatch):
    monkeypatch.setattr("comments.desk.begun.ANSWERS_KEPT", 2)
    monkeypatch.setattr("comments.desk.begun.LONGEST", 5)
    comments = [held(str(number)) for number in range(3)]
    texts = {f"{comment.pk}-body": "Thank you." for comment in comments} | {"x-body": "No comment."}

    client.post(f"{QUEUE}many/", on_page(*comments, **texts, shown=[*[c.pk for c in comments], "x"]))

    assert sorted(answers_on(text_of(client.get(QUEUE)))) == [(c.pk, "Thank") for c in comments[1:]]


def test_what_was_begun_is_nobody_elses(client, alice, bob):
    comment = held("x")
    client.post(f"{QUEUE}many/", on_page(comment, **{f"{comment.pk}-body": "Mine."}))

    client.force_login(bob)

    assert "Mine." not in text_of(client.get(QUEUE))


@pytest.mark.parametrize(("place", "next_one"), [(0, 1), (1, 2), (2, 1)])
def test_without_a_script_a_decision_leads_to_the_next_comment(client, alice, place, next_one):
    comments = [held(str(number)) for number in range(3)]

    sent = on_page(*comments, decision="trash", before="1-1", filters="q=x&status=held")
    response = client.post(f"{QUEUE}{comments[place].pk}/decide/", sent)

    assert response.headers["Location"] == f"{QUEUE}?q=x&status=held&before=1-1#row-{comments[next_one].pk}"


# --- Trusting ---


@pytest.mark.parametrize("status", ["held", "spam"])
def test_a_person_is_trusted_and_the_comment_approved_with_one_button_and_one_undo(client, alice, status):
    comment = held("x", status=status, email="ada@example.com")

    sent = {"decision": "approve_and_trust", "seen": "0"}
    page = text_of(client.post(f"{QUEUE}{comment.pk}/decide/", sent, headers=FRAGMENT))
    after = (statuses(), Standing.objects.count())
    client.post(f"{QUEUE}decisions/{Decision.objects.get().pk}/undo/")

    assert "<p data-told>1 person is trusted now. 1 comment is public now. </p>" in page
    assert f'<li class="queue-done" id="row-{comment.pk}"' in page
    assert (after, statuses(), Standing.objects.count()) == ((["approved"], 1), [status], 0)


@pytest.mark.parametrize("why", ["banned", "decided"])
def test_where_nobody_can_be_trusted_nothing_is_approved_either(client, alice, bob, why):
    comment = held("x", email="ada@example.com")
    if why == "banned":
        Standing.objects.create(standing="banned", kind="email", value="ada@example.com")
    else:
        comment.trash(by=bob)

    sent = {"decision": "approve_and_trust", "seen": "0"}
    response = client.post(f"{QUEUE}{comment.pk}/decide/", sent, headers=FRAGMENT)

    assert (response.status_code, "1 comment is left out: " in text_of(response)) == (409, True)
    assert f'<li class="queue-row" id="row-{comment.pk}"' in text_of(response)
    assert statuses() == ["trash" if why == "decided" else "held"]
    assert Decision.objects.filter(kind="trust").count() == 0


def test_an_author_trusts_nobody_with_an_approval(client):
    author = make_staff("Author")
    story = make_article(authors=[make_author(user=author)])
    comment = held("x", article=story)
    client.force_login(author)

    response = client.post(f"{QUEUE}{comment.pk}/decide/", {"decision": "approve_and_trust"})

    assert (response.status_code, statuses(), Standing.objects.count()) == (403, ["held"], 0)


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

    assert "<h1>Trust who wrote these 2 comments?</h1>" in asked
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
    assert "<h1>Ban who wrote these 3 comments</h1>" in page
    assert "They are by 2 people. You can undo it until tomorrow." in page
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

    assert "<h1>Ban who wrote these 3 comments</h1>" in asked
    assert "<li>Search: <bdi>pills</bdi></li>" in asked
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

    with django_assert_num_queries(9):
        client.post(f"{QUEUE}many/", {"decision": "ban", "ticked": [comment.pk for comment in comments]})
