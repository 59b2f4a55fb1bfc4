"""What a commenter does with a comment of her own, in the minutes after posting."""

import re

import pytest
from playwright.sync_api import expect

from comments.models import Comment
from tests.browser.links import follow
from tests.browser.reply_form import an_hour_passes, fill_in, post, preview
from tests.factories import make_article, make_comment, reply_to, set_discussion


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


# --- From the place of the comment in the conversation ---

PERSON = {"name": "Mira", "email": "mira@mailbox.example"}


def post_as_known(page, body="As it stands."):
    """Post a comment that is shown at once, and return it."""
    article = make_comment(**PERSON).article
    page.goto(article.get_absolute_url())
    fill_in(page, body=body, **PERSON)
    post(page)
    return Comment.objects.latest("pk")


def test_a_posted_comment_says_so_and_can_be_edited_and_deleted_from_its_place(page):
    comment = post_as_known(page)
    own = page.locator(f"#comment-{comment.pk} .own-comment")
    expect(own).to_contain_text("Posted. Edit Delete for another 14 minutes, or until someone replies")

    follow(own.get_by_role("link", name="Edit"))
    page.get_by_label("Comment *").fill("As it should.")
    follow(page.get_by_role("button", name="Save"))
    assert Comment.objects.get(pk=comment.pk).body == "As it should."

    page.goto(comment.article.get_absolute_url())
    expect(own).not_to_contain_text("Posted.")
    follow(own.get_by_role("link", name="Delete"))
    follow(page.get_by_role("button", name="Delete"))
    assert Comment.objects.get(pk=comment.pk).status == "withdrawn"


def test_a_comment_can_be_changed_from_its_place_until_its_time_is_over(page):
    comment = post_as_known(page)
    page.clock.install()
    page.goto(comment.article.get_absolute_url())
    own = page.locator(f"#comment-{comment.pk} .own-comment")
    expect(own.get_by_role("link")).to_have_text(["Edit", "Delete"])

    page.clock.fast_forward("15:31")
    expect(own.get_by_role("link")).to_have_count(0)
    page.goto(comment.article.get_absolute_url())

    expect(own).to_have_count(0)


def test_a_comment_with_a_reply_offers_no_change(page):
    comment = post_as_known(page)
    reply_to(comment)
    page.goto(comment.article.get_absolute_url())
    expect(page.locator(f"#comment-{comment.pk}")).to_be_visible()

    assert page.locator(".own-comment").count() == 0


def test_where_nothing_may_be_edited_a_comment_only_says_that_it_is_posted(page):
    set_discussion(edit_minutes=0, seconds_to_write=0)
    comment = post_as_known(page)

    expect(page.locator(f"#comment-{comment.pk} .own-comment")).to_have_text("Posted.")


def test_who_follows_a_link_to_a_comment_of_someone_else_is_offered_nothing(page, watch):
    comment = post_as_known(page)
    stranger = watch.new_visitor()

    stranger.goto(comment.get_absolute_url())
    expect(stranger.locator(f"#comment-{comment.pk}")).to_be_visible()
    assert stranger.locator(".own-comment").count() == 0
    stranger.goto(f"/comments/yours/{comment.pk}/edit/")

    expect(stranger).to_have_url(re.compile("/comments/mine/$"))
