"""What a decision says of itself, in the queue and on the pages about decisions."""

import re
from datetime import timedelta
from html import unescape

import pytest

from comments import decisions
from comments.models import Change, Comment, Decision
from tests.factories import make_article, make_comment

pytestmark = pytest.mark.django_db

QUEUE = "/admin/comments/comment/"
FRAGMENT = {"X-Fragment": "row"}


def page_of(client, comment: Comment) -> str:
    return client.get(f"{QUEUE}{comment.pk}/change/").content.decode()


def said_of(client, comment: Comment) -> str:
    return re.search('<p class="queue-decided">(.*)</p>', page_of(client, comment))[1]


def messages_of(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


# --- The last change ---


@pytest.mark.parametrize(
    ("kind", "before", "said"),
    [
        ("approve", "held", "Approved by bob, a moment ago"),
        ("hold", "approved", "Held by bob, a moment ago"),
        ("mark_as_spam", "held", "Marked as spam by bob, a moment ago"),
        ("trash", "held", "Moved to the trash by bob, a moment ago"),
        ("restore", "trash", "Held by bob, a moment ago"),
    ],
)
def test_a_row_says_what_was_decided_last_and_by_whom(client, clock, alice, bob, kind, before, said):
    comment = make_comment(status=before)
    getattr(comment, kind)(by=bob)

    assert said_of(client, comment) == said


def test_after_an_edit_or_an_undoing_a_row_says_just_that(client, clock, alice, bob):
    edited, undone, kept = (make_comment(status=status) for status in ("held", "held", "approved"))
    decisions.edit(edited, bob, body="Other words.")
    decisions.undo(decisions.decide(Comment.objects.filter(pk=undone.pk), "trash", bob).decision, bob)
    Comment.objects.filter(pk=kept.pk).update(open_reports=1)
    kept.approve(by=bob)
    clock.shift(timedelta(minutes=3))

    assert [said_of(client, one) for one in (edited, undone, kept)] == [
        "Edited by bob, 3\xa0minutes ago",
        "Undone by bob, 3\xa0minutes ago",
        "Approved by bob, 3\xa0minutes ago",
    ]


def test_what_its_author_did_to_a_comment_is_no_decision(client, clock, alice):
    edited, sent_back, withdrawn = (make_comment(status="approved") for _ in range(3))
    facts = {"actor": Change.Actor.COMMENTER, "from_status": "approved", "body_before": "x"}
    Change.objects.create(comment=edited, to_status="approved", **facts)
    Change.objects.create(comment=sent_back, to_status="held", **facts)
    gone = {"actor": Change.Actor.COMMENTER, "from_status": "approved", "to_status": "withdrawn"}
    Change.objects.create(comment=withdrawn, **gone)

    assert [said_of(client, one) for one in (edited, sent_back, withdrawn)] == [
        "Edited by the commenter, a moment ago",
        "Edited by the commenter, a moment ago",
        "Deleted by the commenter, a moment ago",
    ]


def test_who_comes_too_late_reads_the_same_words(client, clock, alice, bob):
    article = make_article(title="Bridge")
    approved, edited = (make_comment(status="held", name="Ada", article=article) for _ in range(2))
    approved.approve(by=bob)
    decisions.edit(edited, bob, body="Other words.")

    told = []
    for comment in (approved, edited):
        sent = {"decision": "trash", "seen": "0"}
        told += messages_of(client.post(f"{QUEUE}{comment.pk}/decide/", sent, follow=True))
    news = client.get(f"{QUEUE}news/", {"comments": f"{approved.pk},{edited.pk}", "seen": "0,0"})

    assert told == [
        "Ada on “Bridge”: already approved by bob, a moment ago.",
        "Ada on “Bridge”: edited by bob, a moment ago. Read it again first.",
    ]
    assert sorted(re.findall(r"<p [^>]*>(.*)</p>", unescape(news.content.decode()))) == [
        "Approved by bob, a moment ago",
        "Edited by bob, a moment ago",
    ]


def test_the_arrival_of_a_comment_is_no_news_and_no_edit(client, alice):
    comment = make_comment(status="approved")
    Change.objects.create(comment=comment, actor=Change.Actor.COMMENTER, to_status="approved")

    news = client.get(f"{QUEUE}news/", {"comments": comment.pk, "seen": "0"})

    assert "<p" not in news.content.decode()
    assert 'class="queue-decided"' not in page_of(client, comment)


@pytest.mark.parametrize("items", [1, 3])
def test_the_news_take_the_same_queries_however_many(client, alice, bob, django_assert_num_queries, items):
    comments = [make_comment(status="held") for _ in range(items)]
    for comment in comments:
        decisions.edit(comment, bob, body="Other words.")
    pks = ",".join(str(comment.pk) for comment in comments)

    with django_assert_num_queries(4):
        client.get(f"{QUEUE}news/", {"comments": pks, "seen": ",".join("0" * items)})


# --- A moderator's own answer ---


def test_the_history_names_who_answered_from_the_queue_and_finds_it_by_that_name(client, clock, alice, bob):
    comment = make_comment(body="A question.")
    bob_answers = {f"{comment.pk}-body": "An answer."}
    client.force_login(bob)
    client.post(f"{QUEUE}{comment.pk}/reply/", bob_answers)
    make_comment(body="Of no account.").hold(by=alice)
    answer = Comment.objects.get(body="An answer.")

    change = answer.changes.get()
    found = [
        [row.change.pk for row in client.get("/admin/comments/change/", asked).context["page"].rows]
        for asked in ({"by": bob.pk}, {"q": "bob"})
    ]

    assert (change.by, change.who, change.from_status) == (bob, "bob", "")
    assert found == [[change.pk], [change.pk]]
    assert "<span>bob</span>" in page_of(client, answer)


# --- All that can be undone ---


def listed(client) -> list[str]:
    """What the rows of the list say, without the words for screen readers beside its buttons."""
    page = client.get(f"{QUEUE}decisions/").content.decode()
    cells = re.findall(r"</td>\s*<td>(.*?)</td>", page, re.S)
    return [" ".join(unescape(re.sub("<[^>]*>", "", cell)).split()) for cell in cells]


def test_the_list_names_the_comment_that_a_decision_was_on(client, clock, alice):
    article = make_article(title="Bridge")
    first, second, third = (
        make_comment(status="held", name=name, body="Words " * 20, article=article) for name in "ABC"
    )
    first.approve(by=alice)
    decisions.edit(second, alice, body="<b>Other</b> words.")
    decisions.decide(Comment.objects.filter(pk__in=[first.pk, second.pk]), "trash", alice)
    client.post(f"{QUEUE}{third.pk}/reply/", {f"{third.pk}-body": "Thank you."})
    decisions.decide(Comment.objects.filter(pk=third.pk), "trust", alice)

    page = client.get(f"{QUEUE}decisions/").content.decode()

    words = ("Words " * 20)[:59] + "…"
    assert listed(client) == [
        "1 person is trusted now.",
        "Reply posted: Alice Ward, Thank you. on Bridge",
        "2 comments moved to the trash.",
        "Edited: B, <b>Other</b> words. on Bridge",
        f"Approved: A, {words} on Bridge",
    ]
    assert f'<a href="{QUEUE}{first.pk}/change/">' in page
    assert ">a moment ago</time>" in page


def test_the_list_names_no_comment_that_its_moderator_may_not_see_any_more(client, author):
    story = make_article(authors=[author])
    make_comment(status="held", name="Ada", article=story).approve(by=author.user)
    story.authors.clear()

    assert listed(client) == ["1 comment is public now."]


@pytest.mark.parametrize("items", [1, 3])
def test_the_list_takes_the_same_queries_however_many(client, alice, django_assert_num_queries, items):
    for _ in range(items):
        make_comment(status="held").approve(by=alice)

    with django_assert_num_queries(6):
        assert len(listed(client)) == items


# --- What is undone, and what is not ---


def undo(client, decision: Decision) -> list[str]:
    return messages_of(client.post(f"{QUEUE}decisions/{decision.pk}/undo/", follow=True))


def test_an_edit_is_undone_after_ones_own_later_decision_which_stays(client, alice):
    comment = make_comment(status="held", body="First words.", name="Ada")
    edited = decisions.edit(comment, alice, body="Other words.", name="A.").decision
    comment.approve(by=alice)

    told = undo(client, edited)

    comment.refresh_from_db()
    assert told == ["1 change undone."]
    assert (comment.body, comment.name, comment.status) == ("First words.", "Ada", "approved")


def test_an_edit_stays_where_another_has_decided_on_its_words(client, alice, bob):
    comment = make_comment(status="held", body="First words.")
    edited = decisions.edit(comment, alice, body="Other words.").decision
    comment.approve(by=bob)

    assert undo(client, edited) == ["Nothing was undone: others have decided since."]
    assert Comment.objects.get().body == "Other words."


@pytest.mark.parametrize("again", [{"body": "Third words."}, {"name": "B."}])
def test_an_edit_stays_below_ones_own_later_edit(client, alice, again):
    comment = make_comment(body="First words.", name="Ada")
    first = decisions.edit(comment, alice, body="Other words.").decision
    decisions.edit(Comment.objects.get(), alice, **again)

    assert undo(client, first) == ["Nothing was undone: you have decided again since."]
    assert Comment.objects.get().body == again.get("body", "Other words.")


def test_ones_own_later_decision_is_not_called_anothers(client, alice, bob):
    mine, both = make_comment(status="held"), make_comment(status="held")
    first = decisions.decide(Comment.objects.filter(pk=mine.pk), "approve", alice).decision
    second = decisions.decide(Comment.objects.filter(pk=both.pk), "approve", alice).decision
    mine.trash(by=alice)
    both.trash(by=alice)
    both.hold(by=bob)

    assert undo(client, first) == ["Nothing was undone: you have decided again since."]
    assert undo(client, second) == ["Nothing was undone: others have decided since."]


def test_what_is_gone_for_good_is_not_said_to_be_decided_on(client, alice):
    comment = make_comment(status="held")
    decision = decisions.decide(Comment.objects.filter(pk=comment.pk), "trash", alice).decision
    comment.delete()

    assert undo(client, decision) == ["Nothing was undone: the comments are gone, or out of your reach."]


def test_the_page_of_a_decision_that_is_undone_says_so_and_leads_to_the_undoing(client, clock, alice):
    comments = [make_comment(status="held") for _ in range(2)]
    chosen = Comment.objects.filter(pk__in=[comment.pk for comment in comments])
    decision = decisions.decide(chosen, "approve", alice).decision
    address = f"{QUEUE}decisions/{decision.pk}/"
    before = client.get(address).content.decode()
    told = undo(client, decision)

    page = client.get(address).content.decode()

    undoing = Decision.objects.get(kind="undo")
    assert '<p role="status">2 comments are public now.</p>' in before
    assert told == ["2 changes undone."]
    assert "public now" not in page
    assert '<p role="status">Undone, a moment ago: Approve, 2 changes. ' in page
    assert f'<a href="{QUEUE}decisions/{undoing.pk}/">See the undoing</a>' in page


# --- The way to the history ---


def test_the_history_of_a_comment_is_the_one_on_its_page(client, alice):
    comment = make_comment(status="held")
    comment.approve(by=alice)

    page = page_of(client, comment)
    answer = client.get(f"{QUEUE}{comment.pk}/history/")

    assert '<a href="#history" class="historylink">' in page
    assert '<h2 id="history">' in page
    assert (answer.status_code, answer["Location"]) == (302, f"{QUEUE}{comment.pk}/change/#history")


def test_the_way_to_a_history_tells_an_author_nothing_of_others_comments(client, author):
    comment = make_comment(status="held", body="Of another story.")

    answer = client.get(f"{QUEUE}{comment.pk}/history/", follow=True)

    assert answer.status_code == 403
    assert "Of another story." not in answer.content.decode()


# --- In the place of a row ---


@pytest.mark.parametrize(
    ("kind", "said"),
    [("approve", "Approved"), ("mark_as_spam", "Marked as spam"), ("trash", "Moved to the trash")],
)
def test_what_takes_the_place_of_a_row_says_whose_comment_it_was(client, alice, kind, said):
    comment = make_comment(status="held", name="<b>Ada</b>", body="Words & more.")

    response = client.post(f"{QUEUE}{comment.pk}/decide/", {"decision": kind}, headers=FRAGMENT)

    page = " ".join(response.content.decode().split())
    named = f'{said}: <bdi>&lt;b&gt;Ada&lt;/b&gt;</bdi>, <q dir="auto">Words &amp; more.</q>'
    assert f"<p data-told> {named} </p>" in page
    # Once to be heard, and once to be read.
    assert (page.count(named), page.count("<q")) == (2, 2)
    assert "1 comment" not in page
