from collections import Counter
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from articles.models import Article, Author, Image, RelatedRead, Section
from comments import threads
from comments.models import Comment, Firing
from demo import pictures

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded")]


def counts() -> dict[str, int]:
    return {
        model.__name__: model.objects.count()
        for model in (Article, Author, Comment, Image, RelatedRead, Section)
    }


def test_it_loads_stories_by_three_authors_in_four_sections(loaded):
    assert loaded == 17
    assert counts() == {
        "Article": 17, "Author": 3, "Comment": 126, "Image": 18, "RelatedRead": 9, "Section": 4,
    }  # fmt: skip
    assert Article.objects.published().count() == 15
    assert Article.objects.filter(status=Article.Status.DRAFT).count() == 1
    assert Article.objects.filter(published_at__gt=timezone.now()).count() == 1
    assert Article.objects.filter(discussion=Article.Discussion.CLOSED).count() == 1
    assert Article.objects.filter(updated_at__isnull=False).count() == 1


def test_a_second_load_changes_nothing(capsys):
    before = counts()
    call_command("load_demo")
    assert capsys.readouterr().out == "There are stories already; nothing loaded.\n"
    assert counts() == before


def test_every_story_is_complete():
    for article in Article.objects.all():
        assert article.standfirst != ""
        assert article.bylines.count() >= 1
        assert 1 <= article.topics.count() <= 4
        assert article.lead_image.alternative_text != ""
        assert article.lead_image.caption != ""
        assert article.lead_image.credit == "Illustration: Newsite"
        assert (article.lead_image.width, article.lead_image.height) == (1600, 900)
        article.full_clean()


def test_stories_lead_to_one_another_with_related_reads_and_links_only():
    assert Article.objects.filter(body__contains="Also Read").count() == 0
    assert Article.objects.filter(body__contains="story:").count() == 0
    assert Article.objects.filter(body__contains="picture:").count() == 0
    assert RelatedRead.objects.public().count() == RelatedRead.objects.count()
    summit = Article.objects.get(slug="hollin-visits-marsk")
    assert list(summit.related_reads.values_list("label", "after_paragraph", "target__slug")) == [
        ("also", 6, "a-river-in-twelve-clauses"),
        ("related", None, "the-ship-that-waited"),
    ]


def test_pictures_in_a_body_survive_its_sanitising():
    reef = Article.objects.get(slug="the-reef-that-hums-at-dawn")
    figure = Image.objects.get(file__contains="soundscape")
    assert f'<img src="{figure.file.url}"' in reef.body_html
    assert f'alt="{figure.alternative_text}"' in reef.body_html


def test_conversations_are_of_every_size():
    sizes = Counter(
        {article.slug: article.comments.approved().count() for article in Article.objects.published()}
    )
    assert sizes["iron-bridge-to-close-to-cars"] == 60
    assert [slug for slug, size in sizes.items() if size == 0] == ["nine-thousand-autumns"]
    assert all(size <= 8 for slug, size in sizes.items() if slug != "iron-bridge-to-close-to-cars")


def test_the_long_conversation_has_two_pages_and_more_levels_than_are_shown():
    bridge = Article.objects.get(slug="iron-bridge-to-close-to-cars")
    assert threads.opened(bridge).page(1).page.paginator.num_pages == 2
    assert max(len(comment.lineage) for comment in bridge.comments.approved()) == 7


def test_the_queue_holds_five_comments_for_different_reasons():
    assert Counter(Comment.objects.held().values_list("held_because", flat=True)) == {
        "first-comment": 3, "links": 1, "registered": 1,
    }  # fmt: skip
    assert Comment.objects.held().filter(parent__isnull=False).count() == 1
    assert Comment.objects.filter(status=Comment.Status.SPAM).count() == 2
    assert Comment.objects.filter(status=Comment.Status.TRASH).count() == 1
    assert Comment.objects.reported().count() == 1


def test_every_comment_has_a_history_that_ends_where_it_stands():
    for comment in Comment.objects.prefetch_related("changes", "firings"):
        changes = sorted(comment.changes.all(), key=lambda change: change.pk)
        arrival, last = changes[0], changes[-1]
        decided = [firing.rule for firing in comment.firings.all() if firing.has_decided]
        assert (arrival.from_status, arrival.at) == ("", comment.created_at)
        assert decided == ([arrival.because] if arrival.because else [])
        assert last.to_status == comment.status
        assert arrival.at <= last.at <= timezone.now()


def test_the_first_comment_of_everyone_was_held():
    first = {}
    for comment in Comment.objects.order_by("-pk"):
        first[comment.name] = comment
    held = Firing.objects.filter(rule="first-comment").values_list("comment", flat=True)
    assert {comment.pk for comment in first.values()} <= set(held)


def test_comments_are_dated_after_their_story_in_the_order_of_their_ids_and_not_ahead_of_the_clock():
    dates = list(Comment.objects.order_by("pk").values_list("created_at", flat=True))
    assert dates == sorted(set(dates))
    assert dates[-1] < timezone.now()
    for comment in Comment.objects.select_related("article", "parent"):
        assert comment.created_at > comment.article.published_at
        assert comment.parent is None or comment.parent.article == comment.article
        comment.full_clean()


def test_every_address_belongs_to_documentation():
    for comment in Comment.objects.all():
        assert comment.email.rpartition("@")[2] in {"example.com", "example.net", "example.org"}
        assert comment.ip_address.startswith(("192.0.2.", "198.51.100.", "2001:db8:"))


def test_a_drawing_is_the_same_each_time_and_small():
    file = pictures.draw("chessboard")
    assert file == pictures.draw("chessboard")
    assert len(file) < 150_000


def test_every_drawing_has_a_place_in_a_story():
    used = {Path(image.file.name).stem for image in Image.objects.all()}
    assert used == set(pictures.DRAWINGS)
