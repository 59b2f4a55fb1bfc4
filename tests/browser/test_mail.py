"""Mails about answers: asked for under a story, confirmed from the mail, and ended again."""

import re
from email.message import EmailMessage

import pytest
from playwright.sync_api import Page, expect

from comments import access, announcements, notifications, posting
from comments.models import Comment
from comments.moderation import Submission
from mail.delivery import deliver_due
from tests.browser.links import follow
from tests.browser.reply_form import an_hour_passes, fill_in, post
from tests.factories import make_article, make_comment, make_editor
from tests.mail import smtp


@pytest.fixture
def postbox(settings, live_server):
    """What the site's mail server has got."""
    server = smtp.start(smtp.Postbox())
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.SITE_URL = live_server.url
    yield server.handler
    server.stop()


def do_chores() -> None:
    announcements.send_due()
    deliver_due()


def newest(postbox: smtp.Postbox) -> EmailMessage:
    do_chores()
    return postbox.mails[-1]


def link(mail: EmailMessage, words: str) -> str:
    """Return where a link in the HTML of a mail leads."""
    html = mail.get_body(["html"]).get_content()
    return re.search(rf'<a(?: class="button")? href="(\S+)">{words}</a>', html)[1]


def answer(comment: Comment, body: str) -> Comment:
    """Answer as Bo does, who is known."""
    an_hour_passes()
    person = {"name": "Bo", "email": "bo@example.com"}
    known = make_comment(**person)
    an_hour_passes()
    reply = Comment(article=comment.article, parent=comment, body=body, **person)
    return posting.post(Submission(reply, own={known.pk}))


def press_stop(page: Page, mail: EmailMessage) -> None:
    """Do what mail programs do behind their button: RFC 8058, section 3.1."""
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = mail["List-Unsubscribe"].strip("<>")
    response = page.request.post(address, form={"List-Unsubscribe": "One-Click"})
    assert response.status == 200


def test_a_commenter_confirms_the_mails_gets_an_answer_and_ends_them_with_one_click(page, postbox):
    article = make_article(title="The bridge opens")
    page.goto(article.get_absolute_url())
    fill_in(page, body="Well said.", name="Ada", email="ada@mailbox.example")
    page.get_by_label("Email me when someone replies").check()
    post(page)
    do_chores()
    assert postbox.mails == []

    editor = make_editor()
    comment = Comment.objects.get()
    comment.approve(by=editor)
    page.goto(link(newest(postbox), "Confirm your email alerts"))
    expect(page.get_by_role("main")).to_contain_text("The bridge opens: Replies to my comment")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("status")).to_contain_text("Confirmed. You’ll get emails about:")

    comment.hold(by=editor)
    comment.approve(by=editor)
    assert newest(postbox)["Subject"] == "Your comment on “The bridge opens” has been published"
    given = answer(comment, "Quite *so*.")
    told = newest(postbox)
    assert (told["Subject"], told["To"]) == (
        "Bo replied to your comment on “The bridge opens”",
        "ada@mailbox.example",
    )
    assert told["In-Reply-To"] == postbox.mails[-2]["Message-ID"]
    page.goto(link(told, "Read and reply"))
    expect(page.locator(f"#comment-{given.pk}")).to_be_in_viewport()
    expect(page.locator(f"#comment-{given.pk}")).to_contain_text("Quite so.")

    page.goto(link(told, "Unsubscribe from this story"))
    expect(page.get_by_role("button", name="Unsubscribe")).to_be_visible()
    press_stop(page, told)
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("You won’t get any more emails about this story.")
    answer(comment, "And another thing.")
    do_chores()
    assert len(postbox.mails) == 3


def test_without_javascript_the_private_page_changes_how_often_mails_come(watch, postbox):
    page = watch.new_visitor(java_script_enabled=False)
    article = make_article()
    page.goto(article.get_absolute_url())
    fill_in(page, body="Well said.", name="Ada", email="ada@mailbox.example")
    page.get_by_label("Email me when someone replies").check()
    post(page)

    expect(page.get_by_label("Email me about")).to_have_value("answers")
    page.get_by_label("Email me about").select_option("All new comments on this story")
    page.get_by_label("How often").select_option("Once a day, all in one email")
    follow(page.get_by_role("button", name="Save"))

    subscription = Comment.objects.get().subscription
    assert (subscription.scope, subscription.rhythm) == ("story", "daily")
    expect(page.get_by_label("Email me about")).to_have_value("story")


def test_who_is_asked_by_mail_for_nothing_they_did_ends_such_mails_and_may_have_them_again(page, postbox):
    comment = make_comment(email="ada@mailbox.example")
    notifications.subscribe(comment, "story")
    notifications.announce([comment])
    asked = newest(postbox)

    page.goto(link(asked, "Do not write to me again"))
    page.get_by_role("button", name="Do not write to me again").click()
    expect(page.get_by_role("status")).to_contain_text("We won’t write to you again")
    page.get_by_role("button", name="Write to me again").click()
    expect(page.get_by_role("status")).to_contain_text("We’ll write to you again")
    press_stop(page, asked)
    access.ask("ada@mailbox.example", None)
    do_chores()

    assert len(postbox.mails) == 1
