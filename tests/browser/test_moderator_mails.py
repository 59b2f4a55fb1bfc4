"""Moderating from a mail: the link, its one button, and what everybody else sees then."""

import re

from playwright.sync_api import expect

from comments import moderator_mails
from comments.models import Change, Comment
from tests.browser.reply_form import fill_in, post
from tests.browser.test_mail import link, newest, postbox, press_stop  # noqa: F401 (a fixture)
from tests.factories import make_article, make_editor


def test_a_comment_is_approved_from_a_mail_without_javascript_and_without_signing_in(watch, postbox):  # noqa: F811
    make_editor(username="mo", email="mo@newsroom.example")
    make_editor(username="una", email="una@newsroom.example")
    article = make_article(title="The bridge opens")
    reader = watch.new_visitor()
    reader.goto(article.get_absolute_url())
    fill_in(reader, body="Well *said*.", name="Ada", email="ada@mailbox.example")
    post(reader)
    comment = Comment.objects.get()

    moderator_mails.send_due()
    newest(postbox)
    mails = {mail["To"]: mail for mail in postbox.mails}
    mail = mails["mo@newsroom.example"]
    assert mail["Subject"] == "Held: Ada on “The bridge opens”"
    page = watch.new_visitor(java_script_enabled=False)
    # As a scanner of mails does, which follows every link.
    for address in re.findall(
        r'href="(http://localhost[^"]+/comments/[^"]+)"', mail.get_body(["html"]).get_content()
    ):
        page.request.get(address)
    comment.refresh_from_db()
    assert comment.status == "held"

    page.goto(link(mail, "Approve"))
    expect(page.get_by_role("main")).to_contain_text("Well said.")
    expect(page.get_by_role("button")).to_have_text("Approve this comment")
    page.get_by_role("button", name="Approve this comment").click()
    expect(page.get_by_role("status")).to_contain_text("The comment is public now.")
    page.get_by_role("link", name="To the comment").click()
    expect(page.locator(f"#comment-{comment.pk}")).to_contain_text("Well said.")
    change = Change.objects.latest("pk")
    assert (change.by.username, change.note) == ("mo", "by a link in a mail")

    watch.expect_status(410)
    page.goto(link(mails["una@newsroom.example"], "Trash"))
    expect(page.get_by_role("main")).to_contain_text("Approved by mo, a moment ago")
    expect(page.get_by_role("button")).to_have_count(0)
    press_stop(page, mails["una@newsroom.example"])
    page.goto(link(mails["una@newsroom.example"], "Unsubscribe from these emails"))
    expect(page.get_by_role("status")).to_contain_text("You won’t get any more emails about:")
