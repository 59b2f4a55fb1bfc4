"""My comments: asked for by mail, exported, erased."""

import json
import re

from playwright.sync_api import expect

from comments.models import Comment
from mail.models import Mail
from tests.factories import make_comment, reply_to

EMAIL = "ada@mailbox.example"


def test_someone_finds_exports_and_erases_everything_that_she_wrote(watch, live_server, settings, tmp_path):
    settings.SITE_URL = live_server.url
    page = watch.new_visitor(java_script_enabled=False)
    comments = [
        make_comment(name="Ada", email=EMAIL, body="I live by the bridge.", ip_address="198.51.100.7"),
        make_comment(name="Ada", email=EMAIL, body="See https://a.example.", status="held"),
    ]
    reply_to(comments[0], name="Bo", body="So do I.")

    page.goto("/comments/mine/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()

    link = re.search(r"\S+/comments/mine/link/\S+", Mail.objects.get(recipient=EMAIL).text)[0]
    page.goto(link)
    page.get_by_role("button", name="Show my comments").click()
    expect(page).to_have_url(f"{live_server.url}/comments/mine/")
    expect(page.get_by_text("2 comments were posted with")).to_be_visible()
    expect(page.get_by_text("I live by the bridge.")).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "comments.json")
    exported = json.loads((tmp_path / "comments.json").read_text(encoding="utf-8"))
    assert [comment["text"] for comment in exported["comments"]] == [comment.body for comment in comments]

    page.get_by_role("link", name="Remove my details").click()
    page.get_by_label("Keep it, without your name").check()
    page.get_by_role("button", name="Remove my details").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    expect(page.get_by_text("Your details have been removed from 2 comments.")).to_be_visible()
    assert list(Comment.objects.filter(name="Bo").values_list("erased_at")) == [(None,)]
    assert page.context.cookies() == []

    page.goto(comments[0].article.get_absolute_url())
    shown = page.locator(f"#comment-{comments[0].pk}")
    expect(shown).to_contain_text("Anonymous")
    expect(shown).to_contain_text("I live by the bridge.")
    expect(page.get_by_text("So do I.")).to_be_visible()
    page.goto("/comments/mine/")
    expect(page.get_by_role("button", name="Send me the link")).to_be_visible()
