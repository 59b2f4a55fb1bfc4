"""Leave a Reply, filled in and sent."""

from datetime import timedelta

from django.db.models import F
from playwright.sync_api import Page, Response, expect

from comments.models import Comment
from newsite.models import Attempt
from tests.browser.links import follow


def fill_in(page: Page, *, body: str = "", name: str = "", email: str = "", website: str = "") -> None:
    page.get_by_label("Comment *").fill(body)
    page.get_by_label("Name *").fill(name)
    page.get_by_label("Email *").fill(email)
    page.get_by_label("Website", exact=True).fill(website)


def post(page: Page) -> Response:
    """Press Post Comment, and return the answer to it, redirections followed."""
    return follow(page.get_by_role("button", name="Post Comment"))


def preview(page: Page) -> None:
    """Press Preview, and wait until it is there: beside the form, or without JavaScript on another page."""
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview")).to_be_visible()


def post_unchecked(page: Page) -> Response:
    """Press Post Comment in a browser that leaves the checking to the site."""
    page.locator("#commentform").evaluate("form => { form.noValidate = true }")
    return post(page)


def an_hour_passes() -> None:
    """Let all comments be older, since nobody may post two in a few seconds."""
    Comment.objects.update(created_at=F("created_at") - timedelta(hours=1))
    Attempt.objects.update(at=F("at") - timedelta(hours=1))
