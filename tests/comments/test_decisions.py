from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from comments import bans, decisions, queue, reports
from comments.models import Change, Comment, Decision, Report, Standing
from comments.staff_notices import StaffNotice
from comments.subscriptions import Announcement
from tests.comments.test_queue import plans_of, reads_a_table_from_end_to_end, reads_in_order
from tests.factories import (
    make_article,
    make_author,
    make_comment,
    make_editor,
    make_report,
    make_user,
    set_discussion,
)
from tests.givens import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_editor(username="alice")


@pytest.fixture
def bob():
    return make_editor(username="bob")


def of(*comments):
    return Comment.objects.filter(pk__in=[comment.pk for comment in comments])


def statuses() -> list[str]:
    return list(Comment.objects.order_by("pk").values_list("status", flat=True))


def on_all(kind: str, by, terms: bans.Terms | None = None, **filters) -> Decision:
    """Begin a decision on all held comments, as the page of the queue does."""
    return decisions.start(
        kind,
        by,
        filters={"status": "held", **filters},
        total=Comment.objects.held().count(),
        newest=Comment.objects.newest(),
        seen=Change.objects.newest(),
        terms=terms,
    )


def banning(kind: str = "email", **terms) -> bans.Terms:
    """The terms of a ban for good."""
    facts = {"ends_at": "", "note": "", "mark_as_spam": True, "sure": False, "own_address": None}
    return bans.Terms(kind=kind, **{**facts, **terms})


def ban_each(by, *comments, seen=None, **terms):
    return decisions.decide(of(*comments), "ban", by, terms=banning(**terms), seen=seen, overrules_self=True)


def banned() -> list[str]:
    return list(Standing.objects.filter(standing="banned").order_by("value").values_list("value", flat=True))


def finished(decision: Decision) -> Decision:
    while not decision.finished_at:
        decision = decisions.step(decision, queue.matching)
    return decision


# --- Undoing ---


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        ("held", "approve"),
        ("approved", "hold"),
        ("held", "mark_as_spam"),
        ("approved", "trash"),
        ("spam", "restore"),
        ("trash", "approve"),
    ],
)
def test_every_decision_is_undone_and_both_are_on_record(alice, before, kind):
    comments = [make_comment(status=before) for _ in range(3)]
    decision = decisions.decide(of(*comments[:2]), kind, alice).decision
    after = statuses()

    undoing = decisions.undo(decision, alice)

    assert (after[:2] == [before, before], after[2]) == (False, before)
    assert statuses() == [before] * 3
    assert (undoing.kind, undoing.count, undoing.finished_at is None) == ("undo", 2, False)
    changes = Change.objects.order_by("pk").values_list("from_status", "to_status", "by", "decision")
    moved = [(before, after[0], alice.pk, decision.pk)] * 2 + [(after[0], before, alice.pk, undoing.pk)] * 2
    assert list(changes) == moved


def test_nobody_is_told_again_of_a_comment_that_was_public_all_the_time(alice):
    """Approving it has answered reports, and they are open again."""
    comment = make_comment(open_reports=2)
    answered = decisions.decide(of(comment), "approve", alice).decision

    decisions.undo(answered, alice)

    assert (Comment.objects.get().status, Comment.objects.get().open_reports) == ("approved", 2)
    assert (Announcement.objects.count(), StaffNotice.objects.count()) == (0, 0)


def test_a_comment_goes_back_to_what_it_was_last_even_if_that_was_decided_at_the_same_moment(alice, bob):
    comment = make_comment(status="approved")
    comment.trash(by=alice)
    quicker = [lambda: comment.hold(by=bob), lambda: comment.trash(by=bob)]

    def decide_first(execute, sql, *args):
        if sql.startswith('SELECT "comments_comment"."id"'):
            others, quicker[:] = list(quicker), []
            for decide in others:
                decide()
        return execute(sql, *args)

    with connection.execute_wrapper(decide_first):
        of(comment).restore(by=alice)

    assert statuses() == ["held"]


def test_what_someone_has_decided_since_is_not_undone(alice, bob):
    first, second = (make_comment(status="held") for _ in range(2))
    decision = decisions.decide(of(first, second), "mark_as_spam", alice).decision
    first.approve(by=bob)

    assert decisions.undo(decision, alice).count == 1
    assert statuses() == ["approved", "held"]


def test_what_its_author_has_deleted_since_does_not_come_back(alice):
    comment = make_comment(status="held")
    decision = decisions.decide(of(comment), "approve", alice).decision
    Comment.objects.update(status="withdrawn")

    assert decisions.undo(decision, alice).count == 0
    assert statuses() == ["withdrawn"]


@pytest.mark.parametrize(
    ("after", "is_undone"), [(timedelta(hours=24), False), (timedelta(hours=23, minutes=59), True)]
)
def test_a_decision_can_be_undone_until_the_next_day(alice, after, is_undone):
    comment = make_comment(status="held")
    with time_machine.travel(NOON, tick=False) as clock:
        decision = decisions.decide(of(comment), "trash", alice).decision
        clock.shift(after)

        assert (decisions.undo(decision, alice) is not None) == is_undone

    assert statuses() == ["held" if is_undone else "trash"]


def test_a_decision_is_undone_once_and_an_undoing_never(alice):
    decision = decisions.decide(of(make_comment(status="held")), "trash", alice).decision

    undoing = decisions.undo(decision, alice)

    assert decisions.undo(decision, alice) is None
    assert decisions.undo(undoing, alice) is None
    assert statuses() == ["held"]


def test_an_edit_is_undone_with_name_and_address(alice):
    comment = make_comment(name="Ada", email="ada@example.com", website="https://ada.example", body="Before.")
    outcome = decisions.edit(comment, alice, body="After.", name="A.", email="a@example.com", website="")
    edited = Comment.objects.values_list("name", "email", "website", "body", "body_html").get()

    decisions.undo(outcome.decision, alice)

    assert edited == ("A.", "a@example.com", "", "After.", "<p>After.</p>")
    assert Comment.objects.values_list("name", "email", "website", "body", "body_html").get() == (
        "Ada", "ada@example.com", "https://ada.example", "Before.", "<p>Before.</p>",
    )  # fmt: skip
    assert list(Change.objects.order_by("pk").values_list("body_before", "before__name")) == [
        ("Before.", "Ada"),
        ("After.", "A."),
    ]
    assert Comment.objects.get().edited_at is None


def test_who_was_quicker_themselves_is_not_overtaken_by_it(alice, bob):
    comment = make_comment(status="held", body="Before.")
    seen = Change.objects.newest()
    comment.approve(by=alice)

    assert decisions.edit(comment, alice, seen=seen, body="After.").changed == 1
    comment.hold(by=bob)
    comment.approve(by=alice)
    assert decisions.edit(comment, alice, seen=seen, body="Later.").changed == 0
    assert Comment.objects.get().body == "After."


@pytest.mark.parametrize(
    "words",
    [{"body": "A."}, {"name": "A."}, {"email": "a@example.com"}, {"website": "https://a.example"}],
    ids=["body", "name", "email", "website"],
)
def test_of_an_edited_comment_akismet_has_said_nothing(alice, words):
    comment = make_comment(akismet_says_spam=True)

    decisions.edit(comment, alice, body=comment.body)
    assert Comment.objects.get().akismet_says_spam is True
    decisions.edit(comment, alice, **words)
    assert Comment.objects.get().akismet_says_spam is None


def test_an_undone_edit_brings_nothing_back_that_was_erased(alice):
    comment = make_comment(name="Ada")
    outcome = decisions.edit(comment, alice, name="A.")
    Change.objects.all().erase()
    Comment.objects.update(name="Anonymous")

    assert decisions.undo(outcome.decision, alice).count == 0
    assert Comment.objects.get().name == "Anonymous"


# --- Trusting and banning ---


def test_a_visitor_is_trusted_by_name_and_address_together_and_it_is_undone(alice):
    comment = make_comment(name="Ada", email="ada@example.com")

    decision = decisions.decide(of(comment), "trust", alice).decision

    facts = Standing.objects.values_list("standing", "kind", "value", "by").get()
    assert facts == ("trusted", "person", "Ada <ada@example.com>", alice.pk)
    assert decisions.decide(of(comment), "trust", alice) == (0, [], None, {"trusted": 1}, 0)
    assert decisions.undo(decision, alice).count == 1
    assert Standing.objects.count() == 0


def test_someone_with_an_account_is_trusted_by_it(alice):
    decisions.decide(of(make_comment(user=make_user(username="ada"))), "trust", alice)

    assert Standing.objects.values_list("kind", "value").get() == ("account", "ada")


def test_nobody_is_trusted_who_could_not_be_known_again(alice):
    outcome = decisions.decide(of(make_comment(email="")), "trust", alice)

    assert outcome == (0, [], None, {"unknown": 1}, 0)
    assert (Standing.objects.count(), Decision.objects.count()) == (0, 0)


def test_a_ban_has_an_end_and_a_note_and_is_undone(alice):
    decision = decisions.ban(alice, kind="email", value="ada@example.com", ends_at=NOON, note="Again")

    facts = Standing.objects.values_list("standing", "value", "ends_at", "note").get()
    assert facts == ("banned", "ada@example.com", NOON, "Again")
    decisions.undo(decision, alice)
    assert Standing.objects.count() == 0


def test_a_longer_ban_takes_the_place_of_a_shorter_one(alice):
    facts = {"kind": "email", "value": "ada@example.com", "note": ""}
    later = datetime(2999, 1, 1, tzinfo=UTC)
    decisions.ban(alice, ends_at=later - timedelta(days=1), **facts)

    assert decisions.ban(alice, ends_at=later, **facts) is not None
    assert decisions.ban(alice, ends_at=later, **facts) is None
    assert decisions.ban(alice, ends_at=None, **facts) is not None
    assert decisions.ban(alice, ends_at=later, **facts) is None


@pytest.mark.parametrize("kind", ["approve", "trust", "undo"])
def test_a_decision_on_many_ends_where_the_account_of_its_moderator_is_deleted(alice, kind):
    comment = make_comment(status="held")
    if kind == "undo":
        decided = decisions.decide(of(comment), "approve", alice).decision
        begun = Decision.objects.create(by=alice, kind="undo", total=1, reached=0, finished_at=None)
        Decision.objects.filter(pk=decided.pk).update(undone_by=begun)
    else:
        begun = on_all(kind, alice, status="held")
    before = statuses()
    alice.delete()

    ended = decisions.step(begun, queue.matching)

    assert ended.finished_at is not None
    assert (statuses(), Standing.objects.count()) == (before, 0)


def test_what_was_deleted_for_good_meanwhile_is_passed_over(alice):
    gone, left = (make_comment(status="held") for _ in range(2))
    decision = decisions.decide(of(gone, left), "trash", alice).decision
    Comment.objects.filter(pk=gone.pk).delete()

    assert decisions.undo(decision, alice).count == 1
    assert statuses() == ["held"]


# --- Trusting and banning many ---


def test_everyone_who_wrote_one_of_many_is_trusted_once_and_it_is_undone_as_a_whole(alice):
    ada = {"name": "Ada", "email": "ada@example.com"}
    comments = [
        make_comment(**ada),
        make_comment(**ada),
        make_comment(name="Bo", email="bo@example.com"),
        make_comment(user=make_user(username="cy")),
    ]
    make_comment(name="Not chosen")

    outcome = decisions.decide(of(*comments), "trust", alice)

    found = Standing.objects.order_by("value").values_list("standing", "value", "by", "decision")
    expected = ["Ada <ada@example.com>", "Bo <bo@example.com>", "cy"]
    assert list(found) == [("trusted", value, alice.pk, outcome.decision.pk) for value in expected]
    assert (outcome.changed, outcome.left, outcome.decision.count) == (3, {}, 3)
    assert decisions.undo(outcome.decision, alice).count == 3
    assert Standing.objects.count() == 0


def test_who_is_trusted_banned_or_nobody_is_left_as_they_are(alice, bob):
    trusted = make_comment(name="Ada", email="ada@example.com")
    decisions.decide(of(trusted), "trust", bob)
    in_network = make_comment(ip_address="192.0.2.7")
    decisions.ban(bob, kind="address", value="192.0.2.0/24", ends_at=None, note="")
    before = list(Standing.objects.order_by("pk").values())

    outcome = decisions.decide(of(trusted, in_network, make_comment(email="")), "trust", alice)

    assert outcome == (0, [], None, {"trusted": 1, "banned": 1, "unknown": 1}, 0)
    assert list(Standing.objects.order_by("pk").values()) == before
    assert Decision.objects.filter(by=alice).count() == 0


def test_what_a_colleague_has_decided_on_since_makes_nobody_trusted_or_banned(alice, bob):
    seen = Change.objects.newest()
    overtaken, free = (make_comment(status="held", email=f"{n}@example.com") for n in "ab")
    overtaken.approve(by=bob)

    trusting = decisions.decide(of(overtaken), "trust", alice, seen=seen, overrules_self=True)
    banning = ban_each(alice, overtaken, free, seen=seen)

    assert (trusting.changed, trusting.left) == (0, {"decided": 1})
    assert (banning.decision.people, banning.left, banned()) == (1, {"decided": 1}, ["b@example.com"])
    assert statuses() == ["approved", "spam"]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("email", ["ada@example.com", "bo@example.com"]),
        ("address", ["192.0.2.7/32", "2001:db8:1:2::/64"]),
        ("name", ["ada", "bo"]),
        ("website", ["ada.example", "bo.example"]),
    ],
)
def test_everyone_who_wrote_one_of_many_is_banned_and_their_comments_are_spam(alice, kind, values):
    comments = [
        make_comment(name="Ada", email="ada@example.com", ip_address="192.0.2.7", website="https://ada.example"),
        make_comment(name="ADA", email="ada@example.com", ip_address="192.0.2.7", website="https://ada.example/x"),
        make_comment(name="Bo", email="bo@example.com", ip_address="2001:db8:1:2::3", website="https://bo.example"),
    ]  # fmt: skip
    make_comment()

    outcome = ban_each(alice, *comments, kind=kind, ends_at="2999-01-01T00:00:00+00:00", note="Bots")

    decision = outcome.decision
    facts = ("banned", kind, datetime(2999, 1, 1, tzinfo=UTC), "Bots", alice.pk, decision.pk)
    found = Standing.objects.values_list("standing", "kind", "ends_at", "note", "by", "decision")
    assert (banned(), set(found)) == (values, {facts})
    assert (decision.people, decision.comments, outcome.left) == (2, 3, {})
    assert statuses() == ["spam", "spam", "spam", "approved"]
    assert list(Decision.objects.values_list("kind", flat=True)) == ["ban"]


def test_a_ban_of_many_and_their_spam_are_undone_together(alice):
    comments = [make_comment(status=status) for status in ("held", "approved", "spam")]
    decision = ban_each(alice, *comments).decision

    undoing = decisions.undo(decision, alice)

    assert (decision.people, decision.comments) == (3, 2)
    assert (undoing.count, undoing.done, undoing.total) == (5, 5, 5)
    assert (Standing.objects.count(), statuses()) == (0, ["held", "approved", "spam"])


def test_comments_stay_what_they_are_where_only_people_are_banned(alice):
    outcome = ban_each(alice, make_comment(status="held"), mark_as_spam=False)

    assert (outcome.decision.people, outcome.decision.comments, statuses()) == (1, 0, ["held"])


def test_only_a_longer_ban_of_many_takes_the_place_of_a_shorter_one(alice, bob):
    long, short = make_comment(email="long@example.com"), make_comment(email="short@example.com")
    later = datetime(2999, 1, 1, tzinfo=UTC)
    decisions.ban(bob, kind="email", value="long@example.com", ends_at=later, note="")
    decisions.ban(bob, kind="email", value="short@example.com", ends_at=later - timedelta(days=1), note="")

    outcome = ban_each(alice, long, short, ends_at=later.isoformat())

    assert (outcome.decision.people, outcome.left) == (1, {"banned-as-long": 1})
    assert banned() == ["long@example.com", "short@example.com", "short@example.com"]
    # What is to be done to the comments does not hang on that.
    assert statuses() == ["spam", "spam"]


def test_who_has_no_website_or_was_erased_is_not_banned_by_it(alice):
    none = make_comment(website="", status="held")
    erased = make_comment(name="Anonymous", erased_at=NOON, status="held")

    by_website, by_name = ban_each(alice, none, kind="website"), ban_each(alice, erased, kind="name")

    assert [by_website.left, by_name.left] == [{"unknown": 1}, {"unknown": 1}]
    assert (banned(), statuses()) == ([], ["spam", "spam"])


def test_the_name_of_whoever_leaves_it_empty_bans_nobody(alice):
    outcome = ban_each(alice, make_comment(name="Anonymous", status="held"), kind="name", sure=True)

    assert (outcome.left, banned()) == ({"unknown": 1}, [])


def test_visitors_without_name_and_address_are_others_too(alice):
    for number in (1, 2):
        make_comment(name="Anonymous", email="", ip_address=f"192.0.2.{number}", website="https://a.example")
    hit = make_comment(status="held", website="https://a.example")

    outcome = ban_each(alice, hit, kind="website")

    assert (outcome.left, banned(), Comment.objects.get(pk=hit.pk).status) == ({"shared": 1}, [], "held")


def test_a_moderators_own_address_is_left_out_of_a_ban_of_many(alice):
    own, other = (make_comment(ip_address=f"192.0.2.{n}", status="held") for n in (7, 8))

    outcome = ban_each(alice, own, other, kind="address", own_address="192.0.2.7", sure=True)

    assert (banned(), outcome.left, statuses()) == (["192.0.2.8/32"], {"own": 1}, ["held", "spam"])


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("email", {"email": "IDA@newsroom.example"}),
        ("name", {"name": "lDA lund"}),
        ("name", {"name": "Ida Pen"}),
        # Someone in the newsroom writes from there.
        ("address", {"ip_address": "192.0.2.7"}),
    ],
)
def test_who_writes_for_the_site_is_left_out_of_a_ban_of_many(alice, kind, fields):
    ida = make_user(username="ida", first_name="Ida", last_name="Lund", email="ida@newsroom.example")
    make_author(name="Ida Pen", user=ida)
    make_comment(user=ida, ip_address="192.0.2.7")
    hit = make_comment(status="held", **fields)

    outcome = ban_each(alice, hit, kind=kind, sure=True)

    assert (banned(), outcome.left, Comment.objects.get(pk=hit.pk).status) == ([], {"staff": 1}, "held")


def test_a_comment_by_an_account_of_the_newsroom_bans_nobody(alice):
    outcome = ban_each(
        alice, make_comment(user=alice, name="A", email="", website="https://a.example"), kind="website"
    )

    assert (banned(), outcome.left, statuses()) == ([], {"staff": 1}, ["approved"])


@pytest.mark.parametrize(
    ("kind", "shared", "value"),
    [
        ("name", {"name": "Guest"}, "guest"),
        ("address", {"ip_address": "192.0.2.7"}, "192.0.2.7/32"),
        ("website", {"website": "https://blogs.example/x"}, "blogs.example"),
    ],
)
def test_what_several_people_with_approved_comments_share_is_banned_only_on_purpose(
    alice, kind, shared, value
):
    for _number in range(2):
        make_comment(**shared)
    hit = make_comment(status="held", **shared)

    careful = ban_each(alice, hit, kind=kind)
    after = banned(), Comment.objects.get(pk=hit.pk).status
    on_purpose = ban_each(alice, hit, kind=kind, sure=True)

    assert (careful.left, after) == ({"shared": 1}, ([], "held"))
    assert (on_purpose.left, banned(), Comment.objects.get(pk=hit.pk).status) == ({}, [value], "spam")


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("name", {"name": "RITA  reader"}),
        ("name", {"name": "Rita99"}),
        ("name", {"name": "\u00e9va nov\u00e1k"}),
        ("email", {"email": "rita@home.example"}),
    ],
)
def test_whose_account_has_that_name_or_address_is_banned_by_it_only_on_purpose(alice, kind, typed):
    rita = make_user(username="rita99", first_name="Rita", last_name="Reader", email="Rita@home.example")
    make_user(first_name="\u00c9va", last_name="Nov\u00e1k")
    make_comment(user=rita, name="Rita Reader", email="")
    hit, other = make_comment(status="held", **typed), make_comment(status="held")

    careful = ban_each(alice, hit, other, kind=kind)
    after = len(banned()), Comment.objects.get(pk=hit.pk).status
    on_purpose = ban_each(alice, hit, kind=kind, sure=True)

    assert (careful.left, after) == ({"registered": 1}, (1, "held"))
    assert (on_purpose.left, len(banned()), Comment.objects.get(pk=hit.pk).status) == ({}, 2, "spam")


@pytest.mark.parametrize("place", [0, 2])
@pytest.mark.parametrize("kind", ["name", "email"])
def test_whoever_wrote_a_chosen_comment_with_their_account_is_banned_by_its_name_and_address(
    alice, steps_of_two, kind, place
):
    rita = make_user(username="rita", email="rita@home.example")
    chosen = [
        make_comment(
            user=rita if number == place else None, name="rita", email="rita@home.example", status="held"
        )
        for number in range(3)
    ]

    decision = finished(on_all("ban", alice, banning(kind)))

    assert (decision.people, decision.left, len(banned())) == (1, {}, 1)
    assert statuses() == ["spam"] * len(chosen)


def test_those_who_are_banned_are_not_the_others_whom_a_ban_would_hit(alice):
    chosen = [make_comment(ip_address="192.0.2.7") for _number in range(3)]
    make_comment(ip_address="192.0.2.7")

    outcome = ban_each(alice, *chosen, kind="address")

    assert (banned(), outcome.left) == (["192.0.2.7/32"], {})


# --- Many ---


@pytest.fixture
def steps_of_two(monkeypatch):
    monkeypatch.setattr(decisions, "STEP", 2)


def test_a_decision_on_all_that_match_is_carried_out_in_steps(alice, steps_of_two):
    article = make_article()
    for number in range(5):
        make_comment(article=article, status="held", body=f"pills {number}")
        make_comment(article=article, status="held", body="hello")
    decision = on_all("mark_as_spam", alice, q="pills")

    counts = []
    while not decision.finished_at:
        decision = decisions.step(decision, queue.matching)
        counts.append(decision.count)

    assert counts == [2, 4, 5]
    assert statuses() == ["spam", "held"] * 5
    assert Change.objects.filter(decision=decision).count() == 5


def test_a_decision_on_many_reaches_nothing_that_came_or_was_decided_since(alice, bob, steps_of_two):
    taken, free = (make_comment(status="approved") for _ in range(2))
    decision = decisions.start(
        "trash", alice, filters={"status": "approved"}, total=2, newest=free.pk, seen=Change.objects.newest()
    )
    taken.hold(by=bob)
    taken.approve(by=bob)
    make_comment(status="approved")

    assert finished(decision).count == 1
    assert statuses() == ["approved", "trash", "approved"]


def test_a_decision_on_many_that_is_undone_in_the_middle_ends_there(alice, steps_of_two):
    for _ in range(5):
        make_comment(status="held")
    decision = decisions.step(on_all("approve", alice), queue.matching)
    half = statuses()

    undoing = finished(decisions.undo(decision, alice))

    assert half == ["held", "held", "held", "approved", "approved"]
    assert (undoing.count, statuses()) == (2, ["held"] * 5)
    decision.refresh_from_db()
    assert finished(decision).count == 2


def test_undoing_many_takes_steps_as_well(alice, steps_of_two):
    comments = [make_comment(status="held") for _ in range(5)]
    decision = finished(on_all("approve", alice))

    undoing = decisions.undo(decision, alice)
    first = statuses().count("held")
    undoing = finished(undoing)

    assert (first, undoing.count, statuses()) == (2, 5, ["held"] * len(comments))


@pytest.mark.parametrize("items", [1, 3])
def test_a_step_takes_the_same_queries_however_many(alice, django_assert_num_queries, items):
    for _ in range(items):
        make_comment(status="held")
    decision = on_all("mark_as_spam", alice)

    with django_assert_num_queries(20):
        decisions.step(decision, queue.matching)


def test_who_has_lost_the_right_decides_nothing_more(alice, steps_of_two):
    for _ in range(5):
        make_comment(status="held")
    decision = decisions.step(on_all("approve", alice), queue.matching)
    alice.is_superuser = False
    alice.save()

    assert finished(decision).count == 2
    assert statuses().count("approved") == 2


# --- Trusting and banning all that match ---


def test_all_that_match_are_banned_in_steps_and_the_terms_are_forgotten(alice, steps_of_two):
    # One person in each step, and one in several.
    for email in ("b", "a", "c", "a", "a"):
        make_comment(status="held", email=f"{email}@example.com", body="pills")
    make_comment(status="held", email="d@example.com", body="hello")
    decision = on_all("ban", alice, banning(note="Bots"), q="pills")

    stands = []
    while not decision.finished_at:
        decision = decisions.step(decision, queue.matching)
        stands.append((decision.people, decision.comments, decision.done))

    assert stands == [(1, 2, 2), (2, 4, 4), (3, 5, 5)]
    assert (decision.left, decision.terms, decision.filters) == ({}, {}, {})
    assert banned() == ["a@example.com", "b@example.com", "c@example.com"]
    assert statuses() == ["spam"] * 5 + ["held"]


def test_all_that_match_share_nothing_with_others_however_many_steps_it_takes(alice, steps_of_two):
    make_comment(ip_address="192.0.2.7")
    for _number in range(4):
        make_comment(ip_address="192.0.2.7", body="pills")
    decision = decisions.start(
        "ban",
        alice,
        filters={"status": "approved", "q": "pills"},
        total=4,
        newest=Comment.objects.newest(),
        seen=Change.objects.newest(),
        terms=banning("address"),
    )

    decision = finished(decision)

    assert (decision.left, decision.people, decision.comments) == ({}, 1, 4)
    assert statuses() == ["approved"] + ["spam"] * 4


def test_all_that_match_are_trusted_in_steps_and_those_who_were_are_counted(alice, steps_of_two):
    decisions.decide(of(make_comment(status="held", name="B", email="b@example.com")), "trust", alice)
    for email in ("a", "c", "a", "a"):
        make_comment(status="held", name=email.upper(), email=f"{email}@example.com")

    decision = finished(on_all("trust", alice))

    assert (decision.people, decision.comments, decision.done) == (2, 0, 5)
    assert decision.left == {"trusted": 1}
    assert statuses() == ["held"] * 5


def test_a_ban_of_many_that_is_undone_in_the_middle_ends_there(alice, steps_of_two):
    for _number in range(5):
        make_comment(status="held")
    decision = decisions.step(on_all("ban", alice, banning()), queue.matching)
    half = (len(banned()), statuses().count("spam"))

    undoing = finished(decisions.undo(decision, alice))

    decision.refresh_from_db()
    assert half == (2, 2)
    assert (undoing.count, undoing.done, banned(), statuses()) == (4, 4, [], ["held"] * 5)
    assert (decision.terms, finished(decision).people) == ({}, 2)


@pytest.mark.parametrize("kind", ["trust", "ban"])
def test_who_may_not_decide_on_people_any_more_goes_on_with_none(alice, steps_of_two, kind):
    author = make_author(user=alice)
    story = make_article(authors=[author])
    for _number in range(5):
        make_comment(status="held", article=story)
    decision = decisions.step(on_all(kind, alice, banning() if kind == "ban" else None), queue.matching)
    # The comments below their own stories they still decide on.
    alice.is_superuser = False
    alice.save()
    alice.groups.set(Group.objects.filter(name="Author"))

    decision = finished(decision)

    assert (decision.people, decision.done, decision.terms) == (2, 2, {})
    assert Standing.objects.count() == 2


@pytest.mark.parametrize("kind", ["trust", "ban"])
def test_who_may_not_decide_on_people_any_more_takes_nothing_back_about_them(alice, kind):
    author = make_author(user=alice)
    comment = make_comment(status="held", article=make_article(authors=[author]))
    how = {"terms": banning()} if kind == "ban" else {}
    decision = decisions.decide(of(comment), kind, alice, **how).decision
    before = statuses()
    alice = User.objects.get(pk=alice.pk)
    alice.is_superuser = False
    alice.save()
    alice.groups.set(Group.objects.filter(name="Author"))

    with pytest.raises(PermissionDenied):
        decisions.undo(decision, alice)

    assert (Standing.objects.count(), statuses()) == (1, before)
    assert Decision.objects.undoable().get() == decision


@pytest.mark.parametrize("items", [1, 3])
@pytest.mark.parametrize(("kind", "queries"), [("trust", 13), ("ban", 30)])
def test_a_step_on_people_takes_the_same_queries_however_many(
    alice, django_assert_num_queries, kind, queries, items
):
    for number in range(items):
        make_comment(status="held", user=make_user())
        make_comment(status="held", ip_address=f"2001:db8::{number}")
        make_comment(status="approved", user=make_user())
    decision = on_all(kind, alice, banning("name") if kind == "ban" else None)

    with django_assert_num_queries(queries):
        decisions.step(decision, queue.matching)

    assert Standing.objects.count() == 2 * items


def test_a_step_of_a_ban_reads_no_table_from_end_to_end(alice):
    now = timezone.now()
    story = make_article()
    Comment.objects.bulk_create(
        Comment(article=story, path=f"{n:010d}", name="Ada", status="held", created_at=now)
        for n in range(200)
    )
    decision = on_all("ban", alice, banning("name"))

    plans = plans_of(lambda: decisions.step(decision, queue.matching))

    assert [sql for sql, plan in plans if reads_a_table_from_end_to_end(plan)] == []
    newest = [plan for sql, plan in plans if "erased_at" in sql.partition("WHERE")[2]]
    assert [reads_in_order(plan, "comment_queue") for plan in newest] == [True]


# --- Reports ---


@pytest.mark.parametrize("kind", ["mark_as_spam", "approve"])
def test_undone_the_reports_wait_for_an_answer_again(alice, kind):
    comment = make_comment(status="approved", open_reports=3)
    decision = decisions.decide(of(comment), kind, alice).decision

    undoing = decisions.undo(decision, alice)

    comment.refresh_from_db()
    assert (undoing.count, comment.status, comment.open_reports) == (1, "approved", 3)


def test_reports_that_came_since_wait_beside_those_that_are_back(alice):
    set_discussion(reports_that_hold=5)
    first, second = make_comment(open_reports=3), make_comment(open_reports=2)
    decision = decisions.decide(of(first, second), "approve", alice).decision
    reports.file(Report(reason="spam"), first, "192.0.2.1")

    decisions.undo(decision, alice)

    assert list(Comment.objects.order_by("pk").values_list("open_reports", flat=True)) == [4, 2]


@pytest.mark.parametrize("items", [1, 3])
def test_reports_come_back_with_the_same_queries_however_many(alice, django_assert_num_queries, items):
    comments = [make_comment(open_reports=2) for _ in range(items)]
    decision = decisions.decide(of(*comments), "approve", alice).decision

    with django_assert_num_queries(20):
        decisions.undo(decision, alice)


def test_restoring_what_stands_in_the_open_answers_no_reports(alice):
    comment = make_comment(status="approved", open_reports=3)

    assert decisions.decide(of(comment), "restore", alice).changed == 0
    comment.refresh_from_db()
    assert comment.open_reports == 3


def test_keeping_a_reported_comment_answers_the_reports(alice):
    comment = make_comment(status="approved", open_reports=2)
    make_report(comment=comment)

    outcome = decisions.decide(of(comment), "approve", alice)

    comment.refresh_from_db()
    assert (outcome.changed, comment.status, comment.open_reports) == (1, "approved", 0)
    assert comment.reports_since_approval().count() == 0
