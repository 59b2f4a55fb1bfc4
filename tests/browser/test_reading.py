"""A long conversation: closing branches, reading on where one stopped, and what comes in meanwhile."""

import re

import pytest
from playwright.sync_api import Page, expect

from comments import threads
from comments.models import Comment
from tests.browser.reply_form import fill_in, post
from tests.factories import make_article, make_comment, reply_to

PERSON = {"name": "Mira", "email": "mira@mailbox.example"}


def branch(page: Page, comment: Comment):
    """What can be closed and opened below a comment."""
    return page.locator(f"li:has(> #comment-{comment.pk}) > details")


# --- Branches ---------------------------------------------------------------------------


@pytest.mark.parametrize("javascript", [True, False])
def test_a_branch_is_closed_and_opened_by_keyboard(watch, javascript):
    page = watch.new_visitor(java_script_enabled=javascript)
    top = make_comment(name="Ada")
    answer = reply_to(top, name="Bo")
    page.goto(top.article.get_absolute_url())
    expect(page.locator(f"#comment-{answer.pk}")).to_be_visible()

    branch(page, top).locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#comment-{answer.pk}")).to_be_hidden()
    expect(page.locator(f"#comment-{top.pk}")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(f"#comment-{answer.pk}")).to_be_visible()


def test_a_link_to_a_comment_opens_the_branch_that_it_is_in(page):
    top = make_comment()
    answer = reply_to(top)
    page.goto(top.article.get_absolute_url())
    branch(page, top).locator("summary").click()
    expect(page.locator(f"#comment-{answer.pk}")).to_be_hidden()

    page.evaluate(f"location.hash = '#comment-{answer.pk}'")

    expect(page.locator(f"#comment-{answer.pk}")).to_be_in_viewport()


def test_on_paper_a_closed_branch_is_open(page):
    top = make_comment()
    reply_to(top, body="Print me.")
    page.goto(top.article.get_absolute_url())
    branch(page, top).locator("summary").click()
    expect(page.get_by_text("Print me.")).to_be_hidden()

    page.emulate_media(media="print")

    expect(page.get_by_text("Print me.")).to_be_visible()
    expect(branch(page, top).locator("summary")).to_be_hidden()


# --- Pages ------------------------------------------------------------------------------


@pytest.mark.parametrize("javascript", [True, False])
def test_a_reply_to_a_reply_on_page_three_lands_beside_it(watch, monkeypatch, javascript):
    monkeypatch.setattr(threads, "COMMENTS_PER_PAGE", 2)
    page = watch.new_visitor(java_script_enabled=javascript)
    article = make_article()
    make_comment(article=article, **PERSON)
    for _ in range(3):
        make_comment(article=article)
    answered = reply_to(make_comment(article=article, name="Ada"), name="Bo")
    page.goto(article.get_absolute_url())
    page.get_by_role("navigation", name="Pages of replies").get_by_role("link", name="Page 3").click()

    page.get_by_role("link", name="Reply to Bo").click()
    fill_in(page, body="Quite so.", **PERSON)
    assert post(page).status == 200

    reply = Comment.objects.get(body="Quite so.")
    assert reply.parent == answered
    expect(page).to_have_url(re.compile(rf"/{article.slug}/\?page=4#comment-{reply.pk}$"))
    expect(page.locator(f"#comment-{reply.pk}")).to_be_in_viewport()
    page.locator(f"#comment-{reply.pk}").get_by_role("link", name="Bo", exact=True).click()
    expect(page.locator(f"#comment-{answered.pk}")).to_be_in_viewport()


def test_the_order_is_chosen_by_a_link_and_the_whole_is_one_click_away(page, monkeypatch):
    monkeypatch.setattr(threads, "COMMENTS_PER_PAGE", 2)
    article = make_article()
    first, _, third = [make_comment(article=article) for _ in range(3)]
    page.goto(article.get_absolute_url())

    page.get_by_role("link", name="Newest first").click()
    expect(page.locator(f"#comment-{third.pk}")).to_be_visible()
    expect(page.locator(f"#comment-{first.pk}")).to_have_count(0)
    expect(page.locator("[aria-current=true]").get_by_text("Newest first")).to_be_visible()
    page.get_by_role("link", name="All replies on one page").click()
    expect(page.locator(".comment")).to_have_count(3)
