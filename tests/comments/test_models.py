from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from comments.models import Change, Comment
from tests.factories import make_article, make_comment, make_editor, reply_to
from tests.givens import NOON

pytestmark = pytest.mark.django_db


def test_a_comment_knows_its_ancestors_from_its_path():
    top = make_comment()
    reply = reply_to(top)
    answer = reply_to(reply)

    assert [c.lineage for c in (top, reply, answer)] == [
        [top.pk],
        [top.pk, reply.pk],
        [top.pk, reply.pk, answer.pk],
    ]


def test_a_very_deep_reply_is_placed_beside_its_parent():
    comments = [make_comment()]
    for _ in range(11):
        comments.append(reply_to(comments[-1]))

    pks = [comment.pk for comment in comments]
    assert comments[9].lineage == pks[:10]
    assert comments[10].lineage == [*pks[:9], pks[10]]
    assert comments[11].lineage == [*pks[:9], pks[11]]
    assert comments[11].parent == comments[10]


def test_saving_again_moves_a_comment_nowhere():
    reply = reply_to(make_comment())
    path = reply.path

    reply.body = "Edited"
    reply.save()

    reply.refresh_from_db()
    assert (reply.path, reply.body_html) == (path, "<p>Edited</p>")


def test_addresses_are_compared_without_case_so_they_are_kept_without():
    assert make_comment(email="Ada@Example.COM").email == "ada@example.com"


def test_only_approved_comments_of_published_stories_are_public():
    shown = make_comment()
    for status in ("held", "spam", "trash", "withdrawn"):
        make_comment(article=shown.article, status=status)
    make_comment(article=make_article(status="draft"))
    make_comment(article=make_article(published_at=timezone.now() + timedelta(days=1)))

    assert list(Comment.objects.public()) == [shown]
    assert [comment for comment in Comment.objects.all() if comment.is_public] == [shown]


@pytest.mark.parametrize(
    ("decision", "status"), [("approve", "approved"), ("mark_as_spam", "spam"), ("trash", "trash")]
)
def test_a_decision_is_carried_out_and_recorded(decision, status):
    editor = make_editor()
    comment = make_comment(status="held")

    with time_machine.travel(NOON, tick=False):
        outcome = getattr(comment, decision)(by=editor)

    comment.refresh_from_db()
    change = Change.objects.get()
    assert outcome.changed == 1
    assert comment.status == status
    assert (change.comment, change.by, change.at) == (comment, editor, NOON)
    assert (change.from_status, change.to_status) == ("held", status)


def test_a_decision_that_changes_nothing_is_not_recorded():
    comment = make_comment(status="approved")

    assert comment.approve(by=make_editor()) == (0, [], None, {}, 1)
    assert Change.objects.count() == 0


def test_deciding_on_many_takes_the_same_queries_as_on_few(django_assert_num_queries):
    editor = make_editor()
    for count in (1, 3):
        comments = Comment.objects.filter(pk__in=[make_comment(status="held").pk for _ in range(count)])
        with django_assert_num_queries(14):
            assert comments.approve(by=editor).changed == count


def test_holding_takes_a_comment_off_the_page():
    comment = make_comment(status="approved")

    comment.hold(by=make_editor())

    assert list(Comment.objects.public()) == []


def test_what_its_author_withdrew_no_decision_brings_back():
    comment = make_comment(status="withdrawn")
    editor = make_editor()

    decisions = (comment.approve, comment.hold, comment.mark_as_spam, comment.trash, comment.restore)

    assert [decision(by=editor).changed for decision in decisions] == [0] * 5


@pytest.mark.parametrize("before", ["held", "approved"])
def test_restoring_brings_back_what_a_comment_was(before):
    editor = make_editor()
    comment = make_comment(status=before)
    comment.mark_as_spam(by=editor)
    comment.trash(by=editor)

    comment.restore(by=editor)

    comment.refresh_from_db()
    assert comment.status == before


def test_restoring_goes_back_to_the_latest_state_in_the_open():
    editor = make_editor()
    comment = make_comment(status="held")
    for decision in (comment.trash, comment.restore, comment.approve, comment.mark_as_spam):
        decision(by=editor)

    comment.restore(by=editor)

    comment.refresh_from_db()
    assert comment.status == "approved"


def test_what_was_spam_from_the_start_is_restored_to_the_queue():
    comment = make_comment(status="spam")

    comment.restore(by=make_editor())

    comment.refresh_from_db()
    assert comment.status == "held"


def test_restoring_leaves_alone_what_is_in_the_open():
    comment = make_comment(status="approved")

    assert comment.restore(by=make_editor()).changed == 0


def test_a_decision_does_not_overwrite_one_that_its_maker_has_not_seen():
    first, second = make_editor(), make_editor()
    comment, other = make_comment(status="held"), make_comment(status="held")
    seen = Change.objects.newest()
    comment.approve(by=first)

    outcome = Comment.objects.filter(pk__in=[comment.pk, other.pk]).mark_as_spam(by=second, seen=seen)

    statuses = list(Comment.objects.order_by("pk").values_list("status", flat=True))
    assert statuses == ["approved", "spam"]
    assert outcome.changed == 1
    assert [(c.comment, c.by, c.to_status) for c in outcome.overtaken] == [(comment, first, "approved")]


def test_a_decision_with_a_smaller_number_than_the_newest_is_not_overwritten_either():
    """Transactions that overlap end in another order than they number their changes in."""
    comment, other = make_comment(status="held"), make_comment(status="held")
    seen = {comment.pk: 0, other.pk: 0}
    comment.approve(by=make_editor())
    other.approve(by=make_editor())
    as_it_was_shown = Change.objects.newest()

    assert Change.objects.overtaking([comment.pk], as_it_was_shown) == set()
    assert Change.objects.overtaking([comment.pk, other.pk], seen) == {comment.pk, other.pk}


def test_a_decision_that_its_maker_has_seen_may_be_overruled():
    first, second = make_editor(), make_editor()
    comment = make_comment(status="held")
    comment.approve(by=first)

    Comment.objects.filter(pk=comment.pk).mark_as_spam(by=second, seen=Change.objects.newest())

    comment.refresh_from_db()
    assert comment.status == "spam"


def test_an_answer_outlives_the_comment_that_it_answers():
    parent = make_comment()
    answer = reply_to(parent)
    lineage = answer.lineage

    parent.delete()

    answer.refresh_from_db()
    assert (answer.parent, answer.lineage) == (None, lineage)
