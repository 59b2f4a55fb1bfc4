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


@pytest.mark.parametrize("page", ["reply", "edit", "ban", "everything", "change"])
def test_what_is_done_with_one_comment_fits_320_pixels_with_targets_for_fingers(watch, page):
    comment = make_comment(
        article=make_article(title="Bridge"),
        name="Ada" * 30,
        email=f"{'ada' * 20}@mailbox.example",
        status="held",
    )
    editor = watch.new_editor(make_editor(), viewport={"width": 320, "height": 640})
    editor.goto(f"/admin/comments/comment/{comment.pk}/{page}/")

    wide = editor.evaluate("document.documentElement.scrollWidth")
    controls = editor.locator("#content form").locator("button, input:not([type=hidden]), select, a")
    sizes = [round(box["height"]) for control in controls.all() if (box := control.bounding_box())]

    assert wide == 320
    assert len(sizes) > 1
    assert [size for size in sizes if size < 24] == []


def test_the_list_of_ones_decisions_scrolls_by_itself_where_it_is_too_wide(watch):
    editor = make_editor()
    make_comment(article=make_article(title="A" * 200), status="held").approve(by=editor)
    page = watch.new_editor(editor, viewport={"width": 320, "height": 640})
    page.goto("/admin/comments/comment/decisions/")

    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert page.get_by_role("region", name="Your latest decisions").evaluate("it => it.tabIndex") == 0


def test_the_days_below_a_chart_go_the_way_of_its_bars_in_every_language(watch, settings):
    settings.LANGUAGE_CODE = "ar"
    make_comment()
    page = watch.new_editor(make_editor())
    page.goto("/admin/comments/comment/numbers/")

    first, last = page.locator(".numbers-axis").first.locator("span").all()

    assert first.bounding_box()["x"] < last.bounding_box()["x"]
