import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command

from articles.models import Article, Author, Byline, Image, RelatedRead, Section, Topic
from comments.models import Change, Comment, Firing, Report
from tests.factories import make_article, make_comment, make_editor, make_image, reply_to

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded")]

OF_THE_DEMO = [Article, Author, Byline, Image, RelatedRead, Section, Topic, Comment, Change, Firing, Report]


def left() -> dict[str, int]:
    counts = {model.__name__: model.objects.count() for model in OF_THE_DEMO}
    return {name: count for name, count in counts.items() if count}


def remove(capsys) -> list[str]:
    call_command("load_demo", "--remove")
    return capsys.readouterr().out.splitlines()


def test_all_that_the_demo_brought_goes_and_a_second_time_does_nothing(
    capsys, settings, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        first = remove(capsys)

    assert first == [
        "Removed comments: 126",
        "Removed stories: 17",
        "Removed pictures: 18",
        "Removed authors: 3",
        "Removed topics: 16",
        "Removed sections: 4",
    ]
    assert left() == {}
    assert remove(capsys) == ["There was nothing to remove."]


def test_what_people_have_added_stays(capsys):
    editor = make_editor()
    own = make_article(title="Our own", section=Section.objects.get(slug="city"), lead_image=make_image())
    Byline.objects.create(article=own, author=Author.objects.get(slug="rhys-tallentire"))
    commented = Article.objects.get(slug="iron-bridge-to-close-to-cars")
    answer = reply_to(commented.comments.approved().first(), name="Bo")
    mine = make_comment(article=own)

    said = remove(capsys)

    assert f"Kept: {commented.title}: people have commented on it." in said
    assert set(Comment.objects.all()) == {answer, mine}
    assert {own, commented} <= set(Article.objects.all())
    assert Section.objects.filter(slug="city").exists()
    assert Author.objects.filter(slug="rhys-tallentire").exists()
    assert list(get_user_model().objects.all()) == [editor]
    own.refresh_from_db()
    assert own.lead_image is not None


def test_what_people_have_changed_stays_with_its_picture(capsys):
    story = Article.objects.get(slug="eleven-minutes")
    Article.objects.filter(pk=story.pk).update(title="Twelve minutes")
    Topic.objects.filter(slug="music").update(name="Music and noise")

    said = remove(capsys)

    assert "Kept: Twelve minutes: it was changed." in said
    story.refresh_from_db()
    assert Image.objects.filter(pk=story.lead_image_id).exists()
    assert Topic.objects.filter(name="Music and noise").exists()


def test_a_comment_of_the_demo_that_was_rewritten_is_somebodys(capsys):
    comment = Comment.objects.approved().first()
    Comment.objects.filter(pk=comment.pk).update(body="Ours now.")

    remove(capsys)

    assert list(Comment.objects.values_list("body", flat=True)) == ["Ours now."]
