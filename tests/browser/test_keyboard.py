"""What readers and commenters do with a comment, by keyboard alone."""

import re

from django.utils import timezone
from playwright.sync_api import Page, expect

from comments import yours
from comments.models import Comment, Report
from mail.models import Mail
from tests.browser.keyboard import tab_to
from tests.factories import make_article, make_comment

ADA = {"name": "Ada", "email": "ada@mailbox.example"}


def press(page: Page, element: str) -> None:
    """Go to a link or a button with Tab, and press Enter."""
    tab_to(page, element)
    page.keyboard.press("Enter")


def headline(page: Page, words: str) -> None:
    """Wait for a page."""
    expect(page.get_by_role("heading", level=1)).to_have_text(words)
    page.wait_for_load_state()


def just_posted() -> Comment:
    return make_comment(**ADA, created_at=timezone.now())


def test_a_comment_is_reported_by_keyboard_alone(page):
    comment = make_comment()
    page.goto(comment.article.get_absolute_url())
    press(page, "Report")
    headline(page, "Report a comment")

    tab_to(page, "id_reason")
    page.keyboard.type("Some")
    expect(page.get_by_label("Why are you reporting it?")).to_have_value("personal-data")
    assert tab_to(page, "id_text") == ["id_text"]
    page.keyboard.type("My telephone number.")
    assert tab_to(page, "Report") == ["Report"]
    page.keyboard.press("Enter")
    headline(page, "Thank you for your report")

    assert Report.objects.get().text == "My telephone number."
    press(page, "Back to the conversation")
    expect(page).to_have_url(re.compile(f"#comment-{comment.pk}$"))


def test_a_comment_is_edited_by_keyboard_alone(page):
    comment = just_posted()
    page.goto(yours.address(comment))
    press(page, "Edit")
    headline(page, "Edit your comment")

    tab_to(page, "id_body")
    page.keyboard.press("Control+A")
    page.keyboard.type("Without a mouse.")
    assert tab_to(page, "Preview") == ["id_body_helptext", "Save", "Preview"]
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Preview")).to_be_focused()
    press(page, "Save")
    headline(page, "Your comment")

    comment.refresh_from_db()
    assert comment.body == "Without a mouse."


def test_an_unsent_edit_is_discarded_by_keyboard_alone(page):
    comment = just_posted()
    page.goto(f"{yours.address(comment)}edit/")
    page.get_by_label("Comment *").fill("Never mind")
    page.reload()

    press(page, "Discard")

    expect(page.get_by_label("Comment *")).to_be_focused()
    expect(page.get_by_label("Comment *")).to_have_value(comment.body)


def test_a_comment_is_deleted_by_keyboard_alone(page):
    page.goto(yours.address(just_posted()))
    press(page, "Delete")
    headline(page, "Delete your comment")
    press(page, "Delete")
    headline(page, "Your comment")

    expect(page.get_by_role("status")).to_contain_text("You deleted this comment.")


def test_everything_is_asked_for_shown_and_erased_by_keyboard_alone(page, live_server, settings):
    settings.SITE_URL = live_server.url
    make_comment(**ADA)
    page.goto("/comments/mine/")
    tab_to(page, "id_email")
    page.keyboard.type(ADA["email"])
    page.keyboard.press("Enter")
    headline(page, "Check your email")

    page.goto(re.search(r"\S+/comments/mine/link/\S+", Mail.objects.get().text)[0])
    press(page, "Show my comments")
    expect(page.get_by_role("link", name="Download")).to_be_visible()
    page.wait_for_load_state()
    press(page, "Remove my details")
    headline(page, "Remove my details from my comments")
    tab_to(page, "id_texts_0")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Remove it too.")).to_be_checked()
    press(page, "Remove my details")
    headline(page, "Done")

    assert Comment.objects.get().email == ""


def test_mails_are_chosen_confirmed_and_ended_by_keyboard_alone(page):
    comment = make_comment(**ADA, article=make_article(title="The bridge opens"))
    page.goto(yours.address(comment))
    tab_to(page, "id_scope")
    page.keyboard.type("All")
    assert tab_to(page, "Save") == ["id_rhythm", "Save"]
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_label("Email me about")).to_have_value("story")

    subscriber = comment.subscription.subscriber
    page.goto(f"/comments/mail/confirm/{subscriber.confirm_token}/")
    press(page, "Confirm")
    expect(page.get_by_role("status")).to_contain_text("Confirmed. You’ll get emails about:")
    page.goto(f"/comments/mail/stop/{subscriber.stop_token()}/")
    press(page, "Unsubscribe from all")
    expect(page.get_by_role("status")).to_contain_text("You’ve been unsubscribed from all comment emails.")

    assert not subscriber.gets_mails(None)
