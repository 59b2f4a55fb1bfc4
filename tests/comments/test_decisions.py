from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from comments import decisions, queue
from comments.models import Change, Comment, Decision, Standing
from tests.factories import make_article, make_comment, make_editor, make_report, make_user

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


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


def on_all(kind: str, by, **filters) -> Decision:
    """Begin a decision on all held comments, as the page of the queue does."""
    return decisions.start(
        kind,
        by,
        filters={"status": "held", **filters},
        total=Comment.objects.held().count(),
        newest=Comment.objects.newest(),
        seen=Change.objects.newest(),
    )


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

    decision = decisions.trust(comment, alice)

    facts = Standing.objects.values_list("standing", "kind", "value", "by").get()
    assert facts == ("trusted", "person", "Ada <ada@example.com>", alice.pk)
    assert decisions.trust(comment, alice) is None
    assert decisions.undo(decision, alice).count == 1
    assert Standing.objects.count() == 0


def test_someone_with_an_account_is_trusted_by_it(alice):
    decisions.trust(make_comment(user=make_user(username="ada")), alice)

    assert Standing.objects.values_list("kind", "value").get() == ("account", "ada")


def test_nobody_is_trusted_who_could_not_be_known_again(alice):
    assert decisions.trust(make_comment(email=""), alice) is None
    assert Standing.objects.count() == 0


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


def test_what_was_deleted_for_good_meanwhile_is_passed_over(alice):
    gone, left = (make_comment(status="held") for _ in range(2))
    decision = decisions.decide(of(gone, left), "trash", alice).decision
    Comment.objects.filter(pk=gone.pk).delete()

    assert decisions.undo(decision, alice).count == 1
    assert statuses() == ["held"]


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

    with django_assert_num_queries(17):
        decisions.step(decision, queue.matching)


def test_who_has_lost_the_right_decides_nothing_more(alice, steps_of_two):
    for _ in range(5):
        make_comment(status="held")
    decision = decisions.step(on_all("approve", alice), queue.matching)
    alice.is_superuser = False
    alice.save()

    assert finished(decision).count == 2
    assert statuses().count("approved") == 2


# --- Reports ---


@pytest.mark.parametrize("kind", ["mark_as_spam", "approve"])
def test_undone_the_reports_wait_for_an_answer_again(alice, kind):
    comment = make_comment(status="approved", open_reports=3)
    decision = decisions.decide(of(comment), kind, alice).decision

    undoing = decisions.undo(decision, alice)

    comment.refresh_from_db()
    assert (undoing.count, comment.status, comment.open_reports) == (1, "approved", 3)


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
