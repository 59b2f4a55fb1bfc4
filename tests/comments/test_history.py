"""The history: that everything is in it, that nothing gets out of it, and how it is read."""

import csv
import importlib
import io
import json
import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from articles.models import Article
from comments import decisions, history, posting, privacy, reports
from comments.models import Change, Comment, Decision
from comments.moderation import Submission
from tests.comments.test_queue import plans_of
from tests.factories import (
    make_article,
    make_comment,
    make_editor,
    make_report,
    make_user,
    reply_to,
    set_discussion,
)
from tests.givens import NOON

pytestmark = pytest.mark.django_db

HISTORY = "/admin/comments/change/"


def text_of(response) -> str:
    return response.content.decode()


def states_on(page: str) -> list[str]:
    return re.findall(r'class="history-states">([^<]+)<', page)


def records(client, kind="jsonl", **filters) -> list[dict]:
    response = client.get(f"{HISTORY}history.{kind}", filters)
    assert response.status_code == 200
    text = response.getvalue().decode()
    if kind == "jsonl":
        return [json.loads(line) for line in text.splitlines()]
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def posted(**fields) -> Comment:
    """A comment that someone has posted, and not only a row."""
    defaults = {"article": make_article(), "name": "Ada", "email": "ada@example.com", "body": "Well said."}
    return posting.post(Submission(Comment(**{**defaults, **fields})))


# --- Every path writes it ---


def told(comment: Comment) -> list[tuple]:
    """Return the newest change of a comment."""
    fields = ("actor", "by__username", "from_status", "to_status", "because", "body_before", "note")
    return Change.objects.filter(comment=comment).values_list(*fields)[0]


def decided(kind):
    return lambda comment, editor: decisions.decide(Comment.objects.filter(pk=comment.pk), kind, editor)


def edited(comment, editor):
    decisions.edit(comment, editor, body="Better said.")


def undone(comment, editor):
    decisions.undo(decided("mark_as_spam")(comment, editor).decision, editor)


def erased(keep_texts):
    return lambda comment, editor: privacy.erase("ada@example.com", keep_texts=keep_texts, by=editor)


def reported(comment, editor):
    comment.approve(by=editor)
    reports.file(make_report_of(comment), comment, "192.0.2.1")


def make_report_of(comment):
    set_discussion(reports_that_hold=1)
    report = make_report(comment=comment)
    report.delete()
    report.pk = None
    return report


PATHS = {
    "posted": (lambda comment, editor: None, ("commenter", None, "", "held", "first-comment", "", "")),
    "edited by its author": (
        lambda comment, editor: posting.edit(comment, "Better said."),
        ("commenter", None, "held", "held", "first-comment", "Well said.", ""),
    ),
    "withdrawn": (
        lambda comment, editor: posting.withdraw(comment),
        ("commenter", None, "held", "withdrawn", "", "", ""),
    ),
    "approved": (decided("approve"), ("moderator", "alice", "held", "approved", "", "", "")),
    "spam": (decided("mark_as_spam"), ("moderator", "alice", "held", "spam", "", "", "")),
    "trashed": (decided("trash"), ("moderator", "alice", "held", "trash", "", "", "")),
    "edited by a moderator": (edited, ("moderator", "alice", "held", "held", "", "Well said.", "")),
    "undone": (undone, ("moderator", "alice", "spam", "held", "", "", "")),
    "reported": (reported, ("readers", None, "approved", "held", "reported", "", "")),
    "erased, its text kept": (
        erased(True),
        ("commenter", "alice", "held", "held", "", "", "It was erased who wrote this."),
    ),
    "erased": (
        erased(False),
        ("commenter", "alice", "held", "withdrawn", "", "", "The text was erased, and who wrote it."),
    ),
}


@pytest.mark.parametrize(("change", "expected"), PATHS.values(), ids=PATHS)
def test_every_way_to_change_a_comment_is_on_record(editor, change, expected):
    comment = posted()
    before = Change.objects.count()

    change(comment, editor)

    assert told(comment) == expected
    # What is on record tells where the comment stands, and each change begins where the last ended.
    assert Change.objects.count() > before or change is PATHS["posted"][0]
    states = list(Change.objects.order_by("pk").values_list("from_status", "to_status"))
    assert [start for start, _end in states[1:]] == [end for _start, end in states[:-1]]
    assert states[-1][1] == Comment.objects.get().status


def test_an_erasure_answers_no_reports(editor):
    comment = make_comment(email="ada@example.com")
    comment.approve(by=editor)
    make_report(comment=comment)

    privacy.erase("ada@example.com", keep_texts=True, by=editor)

    assert comment.reports_since_approval().count() == 1


def test_what_a_moderator_did_before_an_erasure_is_kept_and_what_it_said_is_not(editor):
    comment = posted()
    decisions.edit(comment, editor, body="Shorter.", name="Eve")
    comment.approve(by=editor)

    privacy.erase("ada@example.com", keep_texts=True)

    kept = list(
        comment.changes.values_list("from_status", "to_status", "by__username", "body_before", "before")
    )
    assert kept == [
        ("approved", "approved", None, "", {}),
        ("held", "approved", "alice", "", {}),
        ("held", "held", "alice", "", {}),
        ("", "held", None, "", {}),
    ]


# --- Nothing gets out of it ---


def save(change):
    change.note = "It was never me."
    change.save()


def save_some(change):
    change.save(update_fields=["note"])


def update_or_create(change):
    Change.objects.update_or_create(pk=change.pk, defaults={"note": "It was never me."})


def bulk_update(change):
    change.note = "It was never me."
    Change.objects.bulk_update([change], ["note"])


def upsert(change):
    change.note = "It was never me."
    Change.objects.bulk_create([change], update_conflicts=True, update_fields=["note"], unique_fields=["id"])


WAYS = {
    "save": save,
    "save some fields": save_some,
    "update_or_create": update_or_create,
    "update": lambda change: Change.objects.update(note="It was never me."),
    "update through the comment": lambda change: change.comment.changes.update(note="It was never me."),
    "bulk_update": bulk_update,
    "upsert": upsert,
    "delete": lambda change: change.delete(),
    "delete many": lambda change: Change.objects.filter(pk=change.pk).delete(),
    "delete through the comment": lambda change: change.comment.changes.all().delete(),
    "take out of its decision": lambda change: change.decision.changes.remove(change),
    "clear its decision": lambda change: change.decision.changes.clear(),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_nothing_in_the_history_can_be_changed_or_deleted(editor, way):
    comment = make_comment(status="held")
    comment.approve(by=editor)
    before = list(Change.objects.values())

    with pytest.raises(TypeError, match="only ever added to"), transaction.atomic():
        way(Change.objects.get())

    assert list(Change.objects.values()) == before


@pytest.mark.parametrize("page", ["add/", "{pk}/", "{pk}/change/", "{pk}/delete/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_the_admin_has_no_page_that_changes_the_history(client, editor, page, method):
    comment = make_comment(status="held")
    comment.approve(by=editor)
    change = Change.objects.get()
    before = list(Change.objects.values())

    response = getattr(client, method)(HISTORY + page.format(pk=change.pk), {"post": "yes", "note": "x"})

    assert response.status_code == 404
    assert list(Change.objects.values()) == before
    assert (
        client.post(HISTORY, {"action": "delete_selected", "_selected_action": change.pk}).status_code == 405
    )


def test_a_deleted_comment_takes_its_history_with_it_and_no_other(client, editor):
    comment, other = make_comment(status="held"), make_comment(status="held")
    comment.approve(by=editor)
    other.approve(by=editor)

    response = client.post(f"/admin/comments/comment/{comment.pk}/delete/", {"post": "yes"})

    assert response.status_code == 302
    assert [change.comment for change in Change.objects.all()] == [other]


def test_a_deleted_account_leaves_what_it_decided_and_its_name(client, editor):
    bob = make_editor(username="bob")
    comment = make_comment(status="held")
    comment.approve(by=bob)

    bob.delete()

    assert [(change.by, change.who, change.to_status) for change in comment.changes.all()] == [
        (None, "bob", "approved")
    ]
    page = text_of(client.get(HISTORY, {"q": "bob"}))
    assert (states_on(page), "<span>bob</span>" in page) == (["Held, then Approved"], True)
    assert [record["who"] for record in records(client)] == ["bob"]


def test_an_upgrade_writes_down_the_names_of_accounts_that_are_there(editor):
    comment, other = make_comment(status="held"), make_comment()
    comment.approve(by=editor)
    other.hold_as_reported()
    QuerySet(Change).update(by_name="")
    migration = importlib.import_module("comments.migrations.0023_names_of_who_is_there")
    apps_then = MigrationLoader(connection).project_state(("comments", "0023_names_of_who_is_there")).apps

    with CaptureQueriesContext(connection) as queries:
        migration.keep_names(apps_then, None)

    assert [change.by_name for change in Change.objects.order_by("pk")] == ["alice", ""]
    assert len(queries) == 2


def test_an_upgrade_that_was_broken_off_goes_on_with_the_names_that_are_missing(editor, monkeypatch):
    for _number in range(5):
        make_comment(status="held").approve(by=editor)
    first = Change.objects.order_by("pk")[0].pk
    QuerySet(Change).exclude(pk=first).update(by_name="")
    QuerySet(Change).filter(pk=first).update(by_name="as she was called")
    migration = importlib.import_module("comments.migrations.0023_names_of_who_is_there")
    apps_then = MigrationLoader(connection).project_state(("comments", "0023_names_of_who_is_there")).apps
    monkeypatch.setattr(migration, "STEP", 2)

    migration.keep_names(apps_then, None)

    names = [change.by_name for change in Change.objects.order_by("pk")]
    assert (names, migration.Migration.atomic) == (["as she was called", *["alice"] * 4], False)


def test_a_machine_that_is_upgraded_later_writes_meanwhile():
    comment = make_comment()
    apps_then = MigrationLoader(connection).project_state(("comments", "0018_what_is_not_finished")).apps

    decision = apps_then.get_model("comments", "Decision").objects.create(kind="approve", count=1)
    apps_then.get_model("comments", "Change").objects.create(
        comment_id=comment.pk, decision=decision, from_status="held", to_status="approved"
    )

    decided = Decision.objects.values_list("people", "done", "left", "terms").get()
    assert (decided, comment.changes.get().by_name) == ((0, 0, {}, {}), "")


# --- Reading it ---


def test_the_history_shows_what_happened_newest_first(client, editor):
    with time_machine.travel(NOON, tick=False):
        article = make_article(title="The bridge opens")
        comment = posted(article=article, body="A *point* of order. " + "word " * 20)
        decisions.edit(comment, editor, body="A point.", name="Eve")
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        comment.approve(by=editor)

    page = text_of(client.get(HISTORY))

    assert states_on(page) == ["Held, then Approved", "Stayed: Held", "Arrived: Held"]
    for part in (
        'aria-describedby="id_q_helptext"',
        'id="id_q_helptext">In notes, headlines, and texts, names and addresses',
        f'href="/admin/comments/comment/{comment.pk}/change/"',
        "The bridge opens",
        "<bdi>Eve</bdi>: <bdi>A point.</bdi>",
        "First comment under this name and email address",
        "Decision: Edit",
        "A *point* of order.",
        "name before",
        "Ada",
        "alice",
        "the commenter",
        'datetime="2026-11-23T12:05:00+0000"',
    ):
        assert part in page


def test_a_change_tells_its_decision_where_its_state_does_not(client, editor):
    comment = posted()
    undone = decisions.decide(Comment.objects.filter(pk=comment.pk), "trash", editor).decision
    decisions.undo(undone, editor)

    for page in (HISTORY, f"/admin/comments/comment/{comment.pk}/change/"):
        told = re.findall(
            r'class="history-states">([^<]+)</span>(.*?)</p>', text_of(client.get(page)), re.DOTALL
        )
        assert [(state, re.findall("<span>([^<]+)</span>", more)) for state, more in told[:2]] == [
            ("Trash, then Held", ["Decision: Undo"]),
            ("Held, then Trash", ["undone since"]),
        ]


def test_a_long_word_fills_no_more_than_the_beginning_of_a_row(client, editor):
    posted(body="A" * 400)

    assert f"<bdi>{'A' * 79}…</bdi>" in text_of(client.get(HISTORY))


def test_ones_own_decision_leads_to_what_it_has_changed(client, editor):
    comments = [make_comment(status="held") for _ in range(3)]
    chosen = Comment.objects.filter(pk__in=[comment.pk for comment in comments[:2]])
    mine = decisions.decide(chosen, "mark_as_spam", editor).decision
    other = decisions.decide(Comment.objects.filter(pk=comments[2].pk), "trash", make_editor()).decision

    listed = text_of(client.get("/admin/comments/comment/decisions/"))
    page = client.get(f"{HISTORY}?decision={mine.pk}")

    assert f'<a href="{HISTORY}?decision={mine.pk}">2 comments marked as spam.</a>' in listed
    assert [row.change.comment for row in page.context["page"].rows] == comments[1::-1]
    assert "Decision: <bdi>Spam</bdi>" in text_of(page)
    assert client.get(f"{HISTORY}?decision={other.pk}").status_code == 422


def test_strangers_text_is_text_in_the_history(client, editor):
    comment = posted(name="<b>Ada</b>", body="<script>alert(1)</script>")
    decisions.edit(comment, editor, body="Better.", website="https://example.com/?<i>")
    decisions.edit(comment, editor, body="<script>alert(2)</script>", website="")

    for address in (HISTORY, f"/admin/comments/comment/{comment.pk}/change/"):
        page = text_of(client.get(address))
        assert ("<script>alert" in page, "<b>Ada" in page, "<i>" in page) == (False, False, False)
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_history_is_found_by_every_filter(client, editor):
    bob = make_editor(username="bob")
    with time_machine.travel(NOON - timedelta(days=2), tick=False):
        old = posted(body="The old one.")
    with time_machine.travel(NOON, tick=False):
        new = posted(body="The new one.", email="bo@example.com", name="Bo")
        decisions.edit(new, bob, body="The newer one.", email="eve@example.com")
        decisions.decide(Comment.objects.filter(pk=old.pk), "approve", editor, note="by a link in a mail")

    def found(**filters):
        return states_on(text_of(client.get(HISTORY, filters)))

    assert len(found()) == 4
    assert found(by=bob.pk) == ["Stayed: Held"]
    assert found(actor="commenter") == ["Arrived: Held", "Arrived: Held"]
    assert found(to_status="approved") == ["Held, then Approved"]
    assert found(because="first-comment", comment=new.pk) == ["Arrived: Held"]
    assert found(until="2026-11-22") == ["Arrived: Held"]
    assert found(since="2026-11-22", until="2026-11-23", actor="moderator") == [
        "Held, then Approved",
        "Stayed: Held",
    ]
    assert found(comment=old.pk) == ["Held, then Approved", "Arrived: Held"]
    assert found(q="THE NEW ONE") == ["Stayed: Held"]
    assert found(q="bo@example") == ["Stayed: Held"]
    assert found(q="link in a mail") == ["Held, then Approved"]
    assert found(q="BO") == found(comment=new.pk) == ["Stayed: Held", "Arrived: Held"]
    assert found(q="newer") == found(comment=new.pk)
    assert found(q="eve@example") == found(comment=new.pk)
    assert found(q="old one") == found(comment=old.pk)
    assert found(q=old.article.title) == found(story=old.article.pk) == found(comment=old.pk)
    assert found(q="bob") == found(by=bob.pk)
    assert found(q="nowhere") == []


@pytest.mark.parametrize(
    ("text", "term"),
    [("Ask Müller.", "MÜLLER"), ("ÄRGER!", "ärger"), ("Ärger!", "ÄRGER"), ("Иван Петров", "иван петров")],
)
def test_capitals_of_other_letters_are_found(client, editor, text, term):
    make_comment(body="Another.", status="held").mark_as_spam(by=editor)
    make_comment(body=text, status="held").approve(by=editor)

    assert states_on(text_of(client.get(HISTORY, {"q": term}))) == ["Held, then Approved"]


def test_the_moderators_to_choose_from_are_those_who_have_decided(client, editor):
    bob, gone = make_editor(username="bob"), make_editor(username="carla")
    comment = make_comment(status="held")
    comment.approve(by=gone)
    comment.hold(by=bob)
    make_editor(username="has-decided-nothing")
    gone.groups.clear()
    gone.is_staff = gone.is_superuser = False
    gone.save()

    form = client.get(HISTORY).context["form"]

    assert [account.username for account in form.fields["by"].queryset] == ["bob", "carla"]


def test_the_headline_leads_to_all_changes_of_the_story(client, editor):
    article = make_article(title="The <b>bridge</b>")
    for _ in range(2):
        make_comment(article=article, status="held").approve(by=editor)
    make_comment(status="held").mark_as_spam(by=editor)
    address = f"?story={article.pk}"

    page = text_of(client.get(HISTORY))
    narrowed = text_of(client.get(f"{HISTORY}{address}&actor=moderator"))

    link = f'<a href="{address}">The &lt;b&gt;bridge&lt;/b&gt;</a>'
    assert (page.count(link), '<ul class="queue-narrowed">' in page) == (2, False)
    assert states_on(narrowed) == ["Held, then Approved"] * 2
    assert "Story: <bdi>The &lt;b&gt;bridge&lt;/b&gt;</bdi>" in narrowed
    assert '<a href="?actor=moderator">Remove' in narrowed
    assert f'<input type="hidden" name="story" value="{article.pk}"' in narrowed


@pytest.mark.parametrize(
    "query",
    [
        "by=nobody", "by=999", "actor=robot", "to_status=gone", "because=x", "since=tomorrow",
        "since=0001-01-01", "until=9999-12-31", "story=999", "story=x", "comment=x", "comment=0", f"comment={2**63}", f"q={'x' * 201}",
    ],
)  # fmt: skip
def test_a_filter_that_makes_no_sense_is_explained_and_shows_nothing(client, editor, settings, query):
    settings.TIME_ZONE = "Europe/Berlin"
    make_comment(status="held").approve(by=editor)

    response = client.get(f"{HISTORY}?{query}")

    assert response.status_code == 422
    assert "Nothing was searched for yet." in text_of(response)
    assert states_on(text_of(response)) == []
    assert client.get(f"{HISTORY}history.csv?{query}").status_code == 422


@pytest.mark.parametrize("query", ["since=0001-01-01", "until=9999-12-31"])
def test_the_queue_takes_no_year_that_clocks_cannot_count(client, editor, settings, query):
    settings.TIME_ZONE = "Europe/Berlin"

    assert client.get(f"/admin/comments/comment/?{query}").status_code == 422


@pytest.mark.parametrize(
    "cursor", ["", "x", "1-x", "nan-1", "1e400-1", f"1-{10**30}", "-62135596800-1", "٣-٣"]
)
def test_an_address_that_names_no_place_shows_a_page_all_the_same(client, editor, cursor):
    assert client.get(HISTORY, {"before": cursor}).status_code == 200


def test_the_pages_show_every_change_once(client, editor, monkeypatch):
    monkeypatch.setattr(history, "ROWS", 2)
    comment = make_comment(status="held")
    with time_machine.travel(NOON, tick=False):  # all at once: only their numbers tell them apart
        for decide in [comment.approve, comment.hold, comment.trash, comment.hold, comment.approve]:
            decide(by=editor)

    seen, address = [], HISTORY
    while address:
        page = text_of(client.get(address))
        seen.append(states_on(page))
        following = re.search(r'href="(\?[^"]+)" rel="next"', page)
        address = following and HISTORY + following[1].replace("&amp;", "&")

    assert seen == [
        ["Held, then Approved", "Trash, then Held"],
        ["Held, then Trash", "Approved, then Held"],
        ["Held, then Approved"],
    ]


def test_a_search_looks_through_a_window_and_says_so(client, editor, monkeypatch):
    monkeypatch.setattr(history, "WINDOW", 2)
    comment = make_comment(status="held", body="Rare words.")
    decisions.edit(comment, editor, body="Other words.")
    for decide in [comment.approve, comment.hold]:
        decide(by=editor)

    page = text_of(client.get(HISTORY, {"q": "rare"}))

    assert "Only the latest changes were searched." in page
    assert states_on(page) == []
    further = re.search(r'href="(\?[^"]+)" rel="next">Look further back', page)[1].replace("&amp;", "&")
    assert states_on(text_of(client.get(HISTORY + further))) == ["Stayed: Held"]


@pytest.mark.parametrize("items", [1, 3])
def test_the_history_takes_the_same_queries_however_long_it_is(
    client, editor, items, django_assert_num_queries
):
    set_discussion(flood_seconds=0)
    for _ in range(items):
        comment = posted(name=make_user().username)
        decisions.edit(comment, make_editor(), body="Better.")

    # Session, account, how many wait, the moderators whom the form asks for, the places of a page,
    # and what is there.
    with django_assert_num_queries(6):
        assert len(states_on(text_of(client.get(HISTORY)))) == items * 2


@pytest.mark.parametrize(("query", "is_open"), [("", False), ("?q=word", False), ("?actor=moderator", True)])
def test_filters_that_are_in_use_are_open(client, editor, query, is_open):
    assert ("<details open>" in text_of(client.get(HISTORY + query))) == is_open


def test_nothing_has_happened_yet(client, editor):
    assert "Nothing has happened yet." in text_of(client.get(HISTORY))


# --- The history of one comment ---


def test_a_comment_shows_what_each_change_did_to_its_text(client, editor):
    comment = posted(body="We met at noon on Monday.")
    decisions.edit(comment, editor, body="We met at one on Monday.")
    comment.approve(by=editor)
    decisions.edit(
        comment, editor, body="We met at one on Tuesday, all of us.", website="https://eve.example/"
    )

    page = text_of(client.get(f"/admin/comments/comment/{comment.pk}/change/"))

    assert states_on(page) == ["Stayed: Approved", "Held, then Approved", "Stayed: Held", "Arrived: Held"]
    assert re.findall(r"<del>(.*?)</del>.*?<ins>(.*?)</ins>", page) == [
        ("Monday.", "Tuesday, all of us."),
        ("noon", "one"),
    ]
    assert re.findall(r"<dt>(.*?)</dt><dd dir=\"auto\">(.*?)</dd>", page) == [("website before", "(none)")]
    assert f'href="/admin/comments/change/?comment={comment.pk}"' in page


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("one two three", "one 2 three", ("one ", "two", "2", " three")),
        ("one two", "one two three", ("one two", "", " three", "")),
        ("same", "same", ("same", "", "", "")),
        ("a a a", "a a", ("a a", " a", "", "")),
        ("all", "", ("", "all", "", "")),
        ("", "new", ("", "", "new", "")),
        (" \n x", "x", ("", " \n ", "", "x")),
    ],
)
def test_texts_are_compared_word_by_word(before, after, expected):
    found = history.difference(before, after)

    assert found == expected
    assert found.start + found.removed + found.end == before
    assert found.start + found.added + found.end == after


def test_a_long_history_of_a_comment_is_shown_in_part(client, editor, monkeypatch):
    monkeypatch.setattr(history, "BESIDE_COMMENT", 2)
    comment = posted(body="One.")
    for text in ["Two.", "Three.", "Four."]:
        decisions.edit(comment, editor, body=text)

    page = text_of(client.get(f"/admin/comments/comment/{comment.pk}/change/"))

    assert re.findall(r"<del>(.*?)</del>.*?<ins>(.*?)</ins>", page) == [
        ("Three.", "Four."),
        ("Two.", "Three."),
    ]


# --- The export ---


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_the_export_has_every_fact_of_a_change_oldest_first(client, editor, settings, kind):
    with time_machine.travel(NOON, tick=False):
        article = make_article(title="Ünder the bridge")
        comment = posted(article=article, body='Well "said",\nAda.')
        decisions.edit(comment, editor, body="Better.", name="Eve", website="https://eve.example/")
        found = decisions.decide(Comment.objects.filter(pk=comment.pk), "approve", editor, note="It is fine.")
    first, second, third = Change.objects.order_by("pk")

    exported = records(client, kind)

    common = {
        "at": "2026-11-23T12:00:00+00:00",
        "comment": comment.pk,
        "comment_url": f"https://news.example/comments/{comment.pk}/",
        "story": "Ünder the bridge",
        "name_before": "", "email_before": "", "website_before": "", "text_before": "", "note": "",
    }  # fmt: skip
    by_alice = {"actor": "moderator", "who": "alice", "from": "held", "because": ""}
    expected = [
        {
            **common, "id": first.pk, "actor": "commenter", "who": "", "from": "", "to": "held",
            "because": "first-comment", "decision": "", "decision_id": "",
        },
        {
            **common, **by_alice, "id": second.pk, "to": "held", "decision": "edit",
            "decision_id": second.decision_id, "text_before": 'Well "said",\nAda.', "name_before": "Ada",
        },
        {
            **common, **by_alice, "id": third.pk, "to": "approved", "decision": "approve",
            "decision_id": found.decision.pk, "note": "It is fine.",
        },
    ]  # fmt: skip
    if kind == "csv":
        expected = [{name: str(value) for name, value in row.items()} for row in expected]
    assert exported == expected


def test_the_export_holds_what_the_filters_find_and_looks_beyond_the_window(client, editor, monkeypatch):
    monkeypatch.setattr(history, "WINDOW", 1)
    monkeypatch.setattr(history, "CHUNK", 2)
    comments = [make_comment(status="held") for _ in range(5)]
    for comment in comments:
        comment.approve(by=editor)
    comments[0].trash(by=editor)

    assert [row["comment"] for row in records(client, to_status="approved")] == [c.pk for c in comments]
    assert [row["to"] for row in records(client, comment=comments[0].pk)] == ["approved", "trash"]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1+1", "=cmd|' /C calc'!A0"]
)
def test_no_cell_of_the_export_is_a_formula(client, editor, text):
    article = make_article(title=f"{text} of the title")
    comment = make_comment(status="held", article=article, body=text, name=text)
    decisions.edit(comment, editor, body="Fine.", name="Ada")

    (row,) = records(client, "csv")

    assert (row["story"], row["text_before"], row["name_before"]) == (
        f"'{text} of the title",
        f"'{text}",
        f"'{text}",
    )
    assert records(client)[0]["text_before"] == text


def test_harmless_cells_stay_what_they_are():
    cells = ["", "text", "1", "a=b", "'quoted'", 7, "ünder", "https://example.com/?a=b"]

    assert [history.harmless(cell) for cell in cells] == cells


def test_every_cell_is_quoted_so_that_no_spreadsheet_parts_it_elsewhere(client, editor):
    comment = make_comment(status="held", body="one;=1+1")
    decisions.edit(comment, editor, body="Fine.")

    assert b'"one;=1+1"' in client.get(f"{HISTORY}history.csv").getvalue()


@pytest.mark.parametrize("items", [1, 3])
def test_the_export_reads_in_chunks_with_a_query_for_each(client, editor, monkeypatch, items):
    monkeypatch.setattr(history, "CHUNK", 2)
    for _ in range(items * 2):
        make_comment(status="held").approve(by=editor)

    with CaptureQueriesContext(connection) as queries:
        assert len(records(client)) == items * 2

    # Session and account; each chunk; and the last that is empty.
    assert len(queries) == 2 + items + 1


# --- Who may read it ---


def test_authors_read_the_history_of_their_own_stories_and_export_none(client, author):
    own, other = (
        make_comment(article=make_article(authors=[author]), status="held"),
        make_comment(status="held"),
    )
    own.approve(by=make_editor(username="bob"))
    other.mark_as_spam(by=make_editor(username="mallory"))

    page = text_of(client.get(HISTORY))

    assert states_on(page) == ["Held, then Approved"]
    assert "history.csv" not in page
    assert ('name="by"' in page, "bob" in page, "mallory" in page) == (False, True, False)
    assert states_on(text_of(client.get(HISTORY, {"q": other.body}))) == []
    hidden = make_article(status=Article.Status.DRAFT)
    make_comment(article=hidden, status="held").approve(by=make_editor())
    assert states_on(text_of(client.get(HISTORY, {"story": other.article.pk}))) == []
    assert client.get(HISTORY, {"story": hidden.pk}).status_code == 422
    assert states_on(text_of(client.get(HISTORY, {"comment": other.pk}))) == []
    for kind in ("csv", "jsonl"):
        assert client.get(f"{HISTORY}history.{kind}").status_code == 403


@pytest.mark.parametrize("path", ["", "history.csv", "history.jsonl"])
def test_who_moderates_nothing_reads_no_history(client, path):
    make_comment(status="held").approve(by=make_editor())
    client.force_login(make_user(is_staff=True))

    assert client.get(HISTORY + path).status_code == 403

    client.logout()
    assert client.get(HISTORY + path).status_code == 302


def test_moderators_find_the_history_on_the_front_page_of_the_admin(client, editor):
    assert f'href="{HISTORY}"' in text_of(client.get("/admin/"))


# --- How it is found ---


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's query plan")
def test_a_page_is_read_from_the_index_without_sorting(editor):
    form = history.HistoryForm({"since": "2026-11-01", "until": "2026-11-23"}, editor)
    assert form.is_valid()

    plans = [
        Change.objects.order_by("-at", "-pk")[:100].explain(),
        form.indexed().order_by("-at", "-pk")[:100].explain(),
    ]

    assert ["INDEX change_recent" in plan for plan in plans] == [True, True]
    assert ["TEMP B-TREE" in plan for plan in plans] == [False, False]


def test_of_an_authors_own_the_places_are_sorted_and_not_the_texts(author):
    comment = make_comment(article=make_article(authors=[author]), status="held")
    comment.approve(by=make_editor())
    form = history.HistoryForm({}, author.user)
    assert form.is_valid()

    plans = plans_of(lambda: history.page(form, None))

    ordered = [sql for sql, _plan in plans if "ORDER BY" in sql]
    assert [sql.partition(" FROM ")[0].count(",") for sql in ordered] == [1]


def test_changes_of_all_stories_are_in_one_history(client, editor):
    for article in (make_article(), make_article(status=Article.Status.DRAFT)):
        reply_to(make_comment(article=article), status="held").approve(by=editor)

    assert states_on(text_of(client.get(HISTORY))) == ["Held, then Approved"] * 2
