"""After an upgrade all comments get the HTML that their text has now: once, in chunks, while the site runs."""

from io import StringIO
from threading import Event

import pytest
from django.core.management import call_command

from comments import rendering
from comments.models import Comment, Rendering
from newsite.management.commands import serve
from newsite.markup import COMMENT_EDITION
from tests.factories import make_article, make_comment
from tests.givens import StoppedAfter

pytestmark = pytest.mark.django_db

OLD = "<p>as it was before</p>"


@pytest.fixture
def upgraded():
    """A site with five comments, rendered by an edition of before."""
    article = make_article()
    comments = [make_comment(article=article, body=f"*{number}*") for number in range(5)]
    Comment.objects.update(body_html=OLD)
    Rendering.objects.update_or_create(pk=1, defaults={"edition": COMMENT_EDITION - 1, "reached": None})
    return comments


def render(*options) -> list[str]:
    output = StringIO()
    call_command("render_comments", *options, stdout=output)
    return output.getvalue().splitlines()


def texts() -> list[str]:
    return list(Comment.objects.order_by("pk").values_list("body_html", flat=True))


NEW = [f"<p><em>{number}</em></p>" for number in range(5)]


def test_all_comments_are_rendered_anew_and_the_progress_is_told(upgraded, monkeypatch):
    monkeypatch.setattr(rendering, "CHUNK", 2)
    first, last = upgraded[0].pk, upgraded[-1].pk

    said = render()

    assert texts() == NEW
    assert said == [
        f"Comment {first + 1} of {last}: 2 changed",
        f"Comment {first + 3} of {last}: 4 changed",
        f"Comment {last} of {last}: 5 changed",
        "All is done.",
    ]


def test_a_second_time_there_is_nothing_to_do_unless_it_is_asked_for(upgraded):
    render()
    Comment.objects.update(body_html=OLD)

    assert render() == ["All comments are rendered as this version does it."]
    assert texts() == [OLD] * 5

    assert render("--again")[-1] == "All is done."
    assert texts() == NEW


def test_broken_off_it_goes_on_where_it_was(upgraded, monkeypatch):
    monkeypatch.setattr(rendering, "CHUNK", 2)

    assert len(list(rendering.run(StoppedAfter(1)))) == 1
    assert texts() == [*NEW[:2], *[OLD] * 3]
    assert Rendering.load().is_due

    Comment.objects.filter(pk=upgraded[0].pk).update(body_html=OLD)
    list(rendering.run(Event()))
    assert texts() == [OLD, *NEW[1:]]
    assert not Rendering.load().is_due


def test_what_an_earlier_upgrade_has_not_finished_begins_again_with_the_next(upgraded):
    Rendering.objects.update(edition=COMMENT_EDITION - 1, reached=upgraded[-1].pk)

    list(rendering.run(Event()))

    assert texts() == NEW


def test_an_edit_that_comes_meanwhile_stays(upgraded, monkeypatch):
    """It is saved between reading a chunk and writing it."""
    edited = upgraded[1]
    html_of = rendering.comment_html

    def slowly(text):
        if text == edited.body:
            Comment.objects.filter(pk=edited.pk).update(body="newer", body_html="<p>newer</p>")
        return html_of(text)

    monkeypatch.setattr(rendering, "comment_html", slowly)

    list(rendering.run(Event()))

    assert texts() == [NEW[0], "<p>newer</p>", *NEW[2:]]


def test_a_comment_that_is_right_already_costs_no_query(upgraded, django_assert_num_queries):
    render()
    Rendering.load().begin()

    # The row; the chunk, its transaction, how far it came; and that there is no more.
    with django_assert_num_queries(9):
        list(rendering.run(Event()))


def test_an_upgrade_does_it_once(upgraded, monkeypatch):
    monkeypatch.setattr(serve, "collect_static", lambda: None)

    serve.prepare()
    assert texts() == NEW

    Comment.objects.update(body_html=OLD)
    serve.prepare()
    assert texts() == [OLD] * 5


def test_a_new_site_has_nothing_to_render_anew():
    assert not Rendering.load().is_due


def test_a_site_that_had_comments_before_renders_them():
    make_comment()

    assert Rendering.load().is_due
