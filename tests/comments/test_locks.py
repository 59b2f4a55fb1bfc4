"""Who waits for whom, where moderators and visitors write about one comment at the same moment."""

from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone

from articles.models import Article
from comments import decisions, posting, privacy, reports
from comments.models import Comment, Report
from comments.moderation import Submission
from tests.factories import make_comment, make_editor, set_discussion

pytestmark = [
    pytest.mark.skipif(connection.vendor == "sqlite", reason="lets one transaction write at a time"),
    pytest.mark.django_db(transaction=True),
]


def of(comment: Comment):
    return Comment.objects.filter(pk=comment.pk)


def undo(comment: Comment) -> None:
    moderator = make_editor()
    made = decisions.edit(comment, moderator, body="Better words.")
    decisions.undo(made.decision, moderator)


class Visitor(Thread):
    """Answers a comment, once told to."""

    def __init__(self, parent: Comment):
        super().__init__()
        self.parent, self.begins, self.has_answered = parent, Event(), Event()

    def run(self):
        try:
            assert self.begins.wait(60)
            answer = Comment(article=self.parent.article, parent=self.parent, name="Bo", body="I agree.")
            posting.post(Submission(answer))
            self.has_answered.set()
        finally:
            connection.close()

    def answers(self) -> bool:
        """Whether the answer is saved now, while the caller holds what it has locked."""
        self.begins.set()
        return self.has_answered.wait(20)


@pytest.fixture
def comment():
    set_discussion(requires_name_and_email=False, holds_first_comments=False, flood_seconds=0)
    return make_comment(created_at=timezone.now())


@pytest.fixture
def visitor(comment):
    visitor = Visitor(comment)
    visitor.start()
    yield visitor
    visitor.begins.set()
    visitor.join()


@pytest.mark.parametrize(
    "write",
    [
        lambda comment: decisions.decide(of(comment), "trust", make_editor()),
        lambda comment: decisions.edit(comment, make_editor(), body="Better words."),
        undo,
        lambda comment: reports.file(Report(reason="spam"), comment, "192.0.2.1"),
        lambda comment: posting.edit(comment, "Better words."),
        lambda comment: privacy.erase(comment.email, keep_texts=True),
    ],
    ids=["trust", "an edit", "an undoing", "a report", "its author", "erasing"],
)
def test_a_visitor_answers_while_someone_writes_about_the_comment(comment, visitor, write):
    with transaction.atomic():
        write(comment)
        assert visitor.answers()


@pytest.mark.parametrize(
    "write",
    [
        lambda comment: decisions.decide(of(comment), "hold", make_editor()),
        posting.withdraw,
        lambda comment: privacy.erase(comment.email, keep_texts=False),
    ],
    ids=["a decision", "withdrawing", "erasing"],
)
def test_the_story_counts_a_comment_that_goes_and_one_that_comes_at_the_same_moment(comment, visitor, write):
    """Whoever comes second waits until the first has counted, and no longer."""
    make_comment(article=comment.article)
    with transaction.atomic():
        write(comment)
        visitor.begins.set()
        assert not visitor.has_answered.wait(0.5)
    assert visitor.has_answered.wait(20)

    assert Article.objects.get(pk=comment.article_id).comment_count == 2


def test_a_moderator_and_a_visitor_answer_a_comment_at_the_same_moment(client, comment, visitor):
    """The moderator has locked the comment, the visitor the story: neither needs what the other has."""
    client.force_login(make_editor())
    answered = []

    def let_the_visitor_in(execute, sql, *args):
        if not answered and "articles_article" in sql and "FOR " in sql and "comments_comment" not in sql:
            answered.append(visitor.answers())
        return execute(sql, *args)

    with connection.execute_wrapper(let_the_visitor_in):
        client.post(f"/admin/comments/comment/{comment.pk}/reply/", {f"{comment.pk}-body": "Thank you."})

    assert answered == [True]
    bodies = Comment.objects.filter(parent=comment).order_by("pk").values_list("body", flat=True)
    assert list(bodies) == ["I agree.", "Thank you."]


def test_an_undoing_gives_nothing_back_that_is_erased_the_moment_before_it(comment):
    moderator = make_editor()
    made = decisions.edit(comment, moderator, name="Reader")
    erased = []

    def erase():
        erased.append(privacy.erase(comment.email, keep_texts=True, by=moderator))
        connection.close()

    def let_the_erasure_in(execute, sql, *args):
        if not erased and sql.startswith("SELECT") and "FOR NO KEY UPDATE" in sql:
            eraser = Thread(target=erase)
            eraser.start()
            eraser.join()
        return execute(sql, *args)

    with connection.execute_wrapper(let_the_erasure_in):
        decisions.undo(made.decision, moderator)

    comment.refresh_from_db()
    assert (erased, comment.name) == ([1], "Anonymous")
