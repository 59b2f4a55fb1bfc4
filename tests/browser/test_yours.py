"""What a commenter does with a comment of her own, in the minutes after posting."""

import pytest
from playwright.sync_api import expect

from comments.models import Comment
from tests.browser.links import follow
from tests.browser.reply_form import an_hour_passes, fill_in, post, preview
from tests.factories import make_article


@pytest.mark.parametrize("javascript", [True, False])
def test_a_commenter_previews_posts_edits_within_the_window_and_deletes(watch, javascript):
    page = watch.new_visitor(java_script_enabled=javascript)
    article = make_article()

    page.goto(article.get_absolute_url())
    fill_in(page, body="The bridge is *lovly*.", name="Ada", email="ada@mailbox.example")
    preview(page)
    expect(page.locator(".preview em")).to_have_text("lovly")
    assert Comment.objects.count() == 0

    post(page)
    expect(page.get_by_role("status")).to_contain_text("A moderator will read your comment")

    follow(page.get_by_role("link", name="Edit"))
    page.get_by_label("Comment *").fill("The bridge is *lovely*.")
    follow(page.get_by_role("button", name="Save"))
    expect(page.locator(".comment-text em")).to_have_text("lovely")
    assert Comment.objects.get().body == "The bridge is *lovely*."

    follow(page.get_by_role("link", name="My comments"))
    follow(page.get_by_role("link", name=article.title).first)
    follow(page.get_by_role("link", name="Delete"))
    follow(page.get_by_role("button", name="Delete"))
    expect(page.get_by_role("status")).to_contain_text("You deleted this comment.")
    assert Comment.objects.get().status == "withdrawn"


def test_a_browser_lists_all_that_was_posted_in_it(page):
    article = make_article()
    for body in ("First of mine.", "Second of mine."):
        page.goto(article.get_absolute_url())
        fill_in(page, body=body, name="Ada", email="ada@mailbox.example")
        post(page)
        an_hour_passes()

    page.goto("/comments/mine/")

    expect(page.locator(".comment-text")).to_have_text(["Second of mine.", "First of mine."])
