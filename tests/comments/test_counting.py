"""Every story knows how many comments stand below it, whatever has happened to them."""

from datetime import timedelta
from importlib import import_module
from threading import Barrier, Event, Thread

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from articles.models import Article
from comments import decisions, housekeeping, posting, privacy, reports
from comments.models import Comment, Report
from comments.moderation import Submission
from demo import loader
from tests.factories import make_article, make_comment, make_editor, reply_to, set_discussion

pytestmark = pytest.mark.django_db

migration = import_module("comments.migrations.0028_stories_know_their_comments")


def kept() -> dict[str, int]:
    return dict(Article.objects.values_list("slug", "comment_count"))


def counted() -> dict[str, int]:
    """Count anew what stands below each story."""
    return {
        slug: Comment.objects.filter(article__slug=slug, status="approved").count()
        for slug in Article.objects.values_list("slug", flat=True)
    }


def of(comment: Comment):
    return Comment.objects.filter(pk=comment.pk)


def post(article: Article, **fields) -> Comment:
    words = {"name": "Ada", "email": "ada@example.com", "body": "Well said.", "ip_address": "192.0.2.1"}
    return posting.post(Submission(Comment(article=article, **{**words, **fields})))


@pytest.fixture
def two_stories():
    """Two stories with three comments each that are public, and one in each other state."""
    set_discussion(flood_seconds=0, holds_first_comments=False, reports_that_hold=1)
    stories = [make_article(slug=slug) for slug in ("bridge", "river")]
    for article in stories:
        for _ in range(3):
            make_comment(article=article, email="ada@example.com", created_at=timezone.now())
        for status in ("held", "spam", "trash", "withdrawn"):
            make_comment(article=article, status=status)
    return stories


def first(article: Article) -> Comment:
    return Comment.objects.approved().filter(article=article).order_by("pk")[0]


def decide_and_undo(kind: str):
    def change(article: Article):
        editor = make_editor()
        made = decisions.decide(article.comments.all(), kind, editor)
        assert kept() == counted()
        decisions.undo(made.decision, editor)

    return change


def decide_on_all(article: Article) -> None:
    editor = make_editor()
    newest = Comment.objects.newest()
    decision = decisions.start("trash", editor, filters={}, total=8, newest=newest, seen=10**9)
    decisions.step(decision, lambda decision: Comment.objects.all())


def edited_into_the_queue(article: Article) -> None:
    set_discussion(words_that_hold="casino")
    posting.edit(first(article), "Come to my casino.")


CHANGES = {
    "posted": (lambda article: post(article), {"bridge": 4}),
    "answered": (lambda article: post(article, parent=first(article)), {"bridge": 4}),
    "posted, and held": (lambda article: set_discussion(holds_everything=True) and post(article), {}),
    "edited into the queue": (edited_into_the_queue, {"bridge": 2}),
    "edited": (lambda article: posting.edit(first(article), "Other words."), {}),
    "withdrawn": (lambda article: posting.withdraw(first(article)), {"bridge": 2}),
    "held": (lambda article: first(article).hold(make_editor()), {"bridge": 2}),
    "approved": (lambda article: article.comments.held().approve(make_editor()), {"bridge": 4}),
    "all approved": (lambda article: article.comments.approve(make_editor()), {"bridge": 6}),
    "all of both marked as spam": (
        lambda article: Comment.objects.mark_as_spam(make_editor()),
        {"bridge": 0, "river": 0},
    ),
    "all of both, in steps": (decide_on_all, {"bridge": 0, "river": 0}),
    "restored": (lambda article: article.comments.restore(make_editor()), {}),
    "held and undone": (decide_and_undo("hold"), {}),
    "approved and undone": (decide_and_undo("approve"), {}),
    "trusted": (lambda article: decisions.decide(of(first(article)), "trust", make_editor()), {}),
    "edited by a moderator": (
        lambda article: decisions.edit(first(article), make_editor(), body="Better words."),
        {},
    ),
    "reported": (
        lambda article: reports.file(Report(reason="spam"), first(article), "192.0.2.1"),
        {"bridge": 2},
    ),
    "erased with its text": (
        lambda article: privacy.erase("ada@example.com", keep_texts=False),
        {"bridge": 0, "river": 0},
    ),
    "erased, the text kept": (lambda article: privacy.erase("ada@example.com", keep_texts=True), {}),
    "deleted": (lambda article: first(article).delete(), {"bridge": 2}),
    "all deleted": (lambda article: Comment.objects.all().delete(), {"bridge": 0, "river": 0}),
}


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_story_counts_its_comments_anew_whatever_becomes_of_one(two_stories, change, expected):
    assert kept() == {"bridge": 3, "river": 3}

    change(two_stories[0])

    assert kept() == counted() == {"bridge": 3, "river": 3, **expected}


def test_deleting_in_the_admin_counts_anew(two_stories, client):
    client.force_login(make_editor())

    client.post(f"/admin/comments/comment/{first(two_stories[0]).pk}/delete/", {"post": "yes"})

    assert kept() == counted() == {"bridge": 2, "river": 3}


def test_old_spam_leaves_without_a_word_to_the_stories(two_stories):
    Comment.objects.update(created_at=timezone.now() - timedelta(days=400))

    housekeeping.run(Event())

    assert (kept(), Comment.objects.filter(status="spam").exists()) == ({"bridge": 3, "river": 3}, False)


def test_the_stories_of_the_demo_know_their_comments():
    loader.load()

    assert kept() == counted()
    assert max(kept().values()) > 20


def test_saving_a_story_leaves_the_count_as_it_is_by_then():
    article = make_article()
    opened = Article.objects.get(pk=article.pk)
    make_comment(article=article)
    opened.title = "A better headline"

    opened.save()

    assert Article.objects.values_list("title", "comment_count").get() == ("A better headline", 1)


def test_a_new_comment_is_no_news_to_an_editor_who_has_the_story_open():
    article = make_article()
    opened = Article.objects.get(pk=article.pk).edition
    make_comment(article=article)

    assert Article.objects.get(pk=article.pk).edition == opened


@pytest.mark.django_db(transaction=True)
def test_two_approvals_at_once_are_both_counted():
    article = make_article()
    waiting = [make_comment(article=article, status="held") for _ in range(2)]
    editors = [make_editor() for _ in waiting]
    together = Barrier(2)

    def approve(comment, editor):
        together.wait()
        comment.approve(editor)
        connection.close()

    threads = [Thread(target=approve, args=pair) for pair in zip(waiting, editors, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    article.refresh_from_db()
    assert article.comment_count == 2


def test_what_was_there_before_is_counted_by_the_upgrade():
    article = make_article()
    reply_to(make_comment(article=article), status="approved")
    make_comment(article=article, status="held")
    Article.objects.update(comment_count=0)

    migration.count_comments(apps, None)

    article.refresh_from_db()
    assert article.comment_count == 2
