"""The desk on the smallest screen that a page must fit."""

import pytest

from tests.factories import make_article, make_author, make_comment, make_editor, make_section


@pytest.mark.parametrize(
    "path", ["/admin/comments/comment/", "/admin/comments/change/"], ids=["queue", "history"]
)
def test_the_filters_fit_320_pixels_and_none_is_cut_off(watch, path):
    long = "A name that is longer than any small screen is wide, and goes on"
    story = make_article(title=long, section=make_section(name=long), authors=[make_author(name=long)])
    make_comment(article=story, status="held").approve(make_editor(username="moderator" * 10))
    editor = watch.new_editor(make_editor(), viewport={"width": 320, "height": 640})
    editor.goto(f"{path}?q=e&status=all")
    for summary in ("Search and filters", "Filters"):
        folded = editor.locator("details:not([open]) > summary").get_by_text(summary, exact=True)
        if folded.count():
            folded.click()

    fields = editor.locator(".queue-filters").locator("select, input:not([type=hidden]), button")
    edges = [(box["x"], box["x"] + box["width"]) for field in fields.all() if (box := field.bounding_box())]

    assert len(edges) > 4
    assert [edge for edge in edges if edge[0] < 0 or edge[1] > 320] == []
