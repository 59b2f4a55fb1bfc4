"""What axe-core can find against WCAG 2.2 AA: nothing, in light and in dark."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import RequestFactory
from django.utils import timezone
from playwright.sync_api import Page, expect

from comments import decisions
from comments.models import Comment, Timer
from comments.subscriptions import Subscriber
from mail.models import Mail, Outage
from newsite.views import server_error
from staff import notices
from tests.browser import newspaper
from tests.browser.links import follow
from tests.browser.reply_form import fill_in, post, post_unchecked, preview
from tests.factories import make_comment, make_editor, set_discussion
from tests.givens import announced

WCAG = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])


def violations(page: Page, context: str | None = None) -> list[str]:
    found = Axe().run(page, context=context, options=WCAG).response["violations"]
    return [f"{violation['id']}: {node['html'][:200]}" for violation in found for node in violation["nodes"]]


def show(page: Page, address: str, html: bytes) -> None:
    """Let an address show a page that the site has only where something fails."""
    page.route(
        f"**{address}", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8")
    )


@SCHEMES
def test_public_pages_have_no_wcag_violations(watch, scheme):
    # axe-core comes as a script of its own, which the site's policy would not let in.
    page = watch.new_visitor(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    news = newspaper.found()
    watch.expect_status(404)

    def look(address: str) -> list[str]:
        page.goto(address)
        return violations(page)

    assert newspaper.each_with(news.addresses, look) == {}


@SCHEMES
def test_the_form_has_no_wcag_violations_under_a_comment_and_with_errors(watch, scheme):
    page = watch.new_visitor(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    news = newspaper.found()
    page.goto(news.story.get_absolute_url())
    page.get_by_role("link", name="Reply to Ada").click()
    assert violations(page) == []
    watch.expect_status(422)
    fill_in(page, email="nobody", website="no site")
    assert post_unchecked(page).status == 422
    assert violations(page) == []
    fill_in(page, body="*Well* said.", name="Ada", email="ada@mailbox.example")
    preview(page)
    expect(page.get_by_role("heading", name="Preview")).to_be_visible()
    assert violations(page) == []


@SCHEMES
def test_a_report_with_errors_and_a_link_that_opens_nothing_have_no_wcag_violations(watch, scheme):
    page = watch.new_visitor(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    news = newspaper.found()
    page.goto(news.addresses["report page"])
    page.locator("main form").evaluate("form => { form.noValidate = true }")
    watch.expect_status(422)
    assert follow(page.locator("main form button")).status == 422
    assert violations(page) == []
    watch.expect_status(403)
    page.goto("/comments/yours/nothing/")
    assert violations(page) == []


@SCHEMES
def test_a_decision_by_mail_has_no_wcag_violations_before_and_after(watch, scheme):
    page = watch.new_visitor(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    news = newspaper.found()
    page.goto(news.links_to_decide["Spam"])
    follow(page.get_by_role("button", name="Mark this comment as spam"))
    expect(page.get_by_role("status")).to_contain_text("The comment is marked as spam.")
    assert violations(page) == []
    watch.expect_status(410)
    page.goto(news.links_to_decide["Approve"])
    expect(page.get_by_role("heading", name="There is nothing left to decide")).to_be_visible()
    assert violations(page) == []
    page.goto(news.links_to_decide["Unsubscribe from these emails"])
    follow(page.get_by_role("button", name="Unsubscribe"))
    assert violations(page) == []


@SCHEMES
def test_my_comments_have_no_wcag_violations_from_the_mail_to_the_end(watch, scheme):
    page = watch.new_visitor(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    newspaper.found()
    link = newspaper.link_in_a_mail()
    page.goto("/comments/mine/")
    page.get_by_label("Email").fill("hilde@example.com")
    follow(page.get_by_role("button", name="Send me the link"))
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    assert violations(page) == []
    page.goto(link)
    assert violations(page) == []
    follow(page.get_by_role("button", name="Show my comments"))
    assert violations(page) == []
    follow(page.get_by_role("link", name="Remove my details"))
    assert violations(page) == []
    watch.expect_status(422)
    page.locator("form").evaluate("form => { form.noValidate = true }")
    follow(page.get_by_role("button", name="Remove my details"))
    assert violations(page) == []
    page.get_by_label("Remove it too.").check()
    follow(page.get_by_role("button", name="Remove my details"))
    assert violations(page) == []
    watch.expect_status(403)
    page.goto("/comments/mine/erase/")
    assert violations(page) == []
    watch.expect_status(410)
    page.goto(link)
    assert violations(page) == []


@SCHEMES
def test_ones_own_comment_saved_listed_and_deleted_has_no_wcag_violations(watch, scheme):
    page = watch.new_visitor(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    page.goto(newspaper.found().quiet.get_absolute_url())
    fill_in(page, body="Well said.", name="Ada", email="ada@mailbox.example")
    post(page)
    private_page = page.url
    page.get_by_label("Email me about").select_option("story")
    follow(page.get_by_role("button", name="Save"))
    expect(page.locator("#mails").get_by_role("status")).to_have_text("Saved.")
    assert violations(page) == []
    follow(page.get_by_role("link", name="Edit"))
    follow(page.get_by_role("button", name="Save"))
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    assert violations(page) == []
    page.reload()
    expect(page.get_by_text("Saved.")).to_have_count(0)
    follow(page.get_by_role("link", name="My comments"))
    expect(page.get_by_role("link", name="A story without a reply")).to_be_visible()
    assert violations(page) == []
    page.goto(f"{private_page}delete/")
    follow(page.get_by_role("button", name="Delete"))
    assert violations(page) == []


@SCHEMES
def test_mails_themselves_have_no_wcag_violations_and_load_nothing(watch, scheme):
    page = watch.new_visitor(color_scheme=scheme)
    news = newspaper.found()
    newspaper.link_in_a_mail()
    news.subscriber.confirm()
    announced(make_comment(article=news.story, parent=news.top, name="Bo", body="So *it* is."))
    notices.tell(make_editor(), notices.Kind.NEW_PLACE)
    mails = [mail.html for mail in Mail.objects.all()]
    assert len(mails) == 5

    for html in mails:
        page.set_content(html)
        assert violations(page) == []


@SCHEMES
def test_mails_confirmed_and_ended_have_no_wcag_violations(watch, scheme):
    page = watch.new_visitor(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    news = newspaper.found()
    page.goto(news.addresses["mails to confirm"])
    follow(page.get_by_role("button", name="Confirm"))
    expect(page.get_by_role("status")).to_contain_text("Confirmed. You’ll get emails about:")
    assert violations(page) == []
    page.goto(news.addresses["mails to end"])
    follow(page.get_by_role("button", name="Unsubscribe"))
    expect(page.get_by_role("status")).to_contain_text("You won’t get any more emails about this story.")
    assert violations(page) == []
    page.goto(f"/comments/mail/stop/{news.subscriber.stop_token()}/")
    expect(page.get_by_role("status")).to_contain_text("You’ve been unsubscribed from all comment emails.")
    assert violations(page) == []
    Subscriber.objects.all().delete()
    watch.expect_status(410)
    page.goto(news.addresses["mails to confirm"])
    assert violations(page) == []
    watch.expect_status(403)
    page.goto("/comments/mail/stop/nothing/")
    assert violations(page) == []


@SCHEMES
def test_what_the_browser_adds_for_readers_and_writers_has_no_wcag_violations(watch, scheme):
    page = watch.new_visitor(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    news = newspaper.found()
    page.clock.install()
    page.goto(news.story.get_absolute_url())
    page.get_by_label("Comment *").fill("x" * 9_900)
    for _ in range(2):
        make_comment(article=news.story)
    page.clock.fast_forward("31:00")
    page.goto(news.story.get_absolute_url())
    make_comment(article=news.story)
    page.clock.fast_forward("00:31")

    expect(page.get_by_role("link", name="1 new comment — show")).to_be_visible()
    expect(page.get_by_text("We kept what you were writing.")).to_be_visible()
    expect(page.get_by_text("Characters left: 100").first).to_be_visible()
    expect(page.locator(".comment-new")).to_have_count(2)
    page.locator("summary").first.click()
    assert violations(page) == []


@SCHEMES
def test_the_queue_has_no_wcag_violations_in_what_is_ours(watch, scheme):
    page = watch.new_editor(make_editor(), color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    comment = newspaper.found().top
    page.goto("/admin/comments/comment/?status=all")
    assert violations(page, "#content") == []
    page.locator(".queue-filters summary").click()
    page.locator(".queue-row").first.get_by_role("button", name="Trash", exact=True).click()
    page.wait_for_selector(".queue-done")
    assert violations(page, "#content") == []
    for address in ["?q=nothing-like-it", "?section=x", "decisions/"]:
        if address == "?section=x":
            watch.expect_status(422)
        page.goto(f"/admin/comments/comment/{address}")
        assert violations(page, "#content") == []
    for name in ["change", "edit", "ban"]:
        page.goto(f"/admin/comments/comment/{comment.pk}/{name}/")
        assert violations(page, "#content") == []


@SCHEMES
def test_banning_many_has_no_wcag_violations(watch, scheme):
    page = watch.new_editor(make_editor(), color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    newspaper.found()
    page.goto("/admin/comments/comment/?status=all")
    page.locator(".queue-row input[type=checkbox]").first.check()
    page.get_by_label("Decision").select_option("ban")
    follow(page.get_by_role("button", name="Do it"))
    assert violations(page, "#content") == []
    watch.expect_status(422)
    page.locator("#content form").evaluate("form => { form.noValidate = true }")
    assert follow(page.get_by_role("button", name="Ban", exact=True)).status == 422
    assert violations(page, "#content") == []


@SCHEMES
def test_a_row_with_the_forms_of_an_edit_a_ban_and_an_answer_has_no_wcag_violations(watch, scheme):
    page = watch.new_editor(make_editor(), color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    newspaper.found()
    page.goto("/admin/comments/comment/?status=all")
    rows = page.locator(".queue-row")
    watch.expect_status(422)
    for place, name in enumerate(["Edit", "Ban"]):
        rows.nth(place).get_by_role("link", name=name).click()
        page.wait_for_selector(f"[data-written={name.lower()}]")
    rows.nth(2).locator("[data-key=r]").click()
    assert violations(page, "#content") == []
    rows.nth(0).locator("[name=body]").fill(" ")
    rows.nth(0).get_by_role("button", name="Save").click()
    rows.nth(1).get_by_label("Email address:").check()
    rows.nth(1).get_by_label("Instead of what the comment has").fill("not an address")
    rows.nth(1).locator("[data-written=ban] [type=submit]").click()
    rows.nth(2).locator("[data-written=reply] [type=submit]").click()
    page.wait_for_selector("[aria-invalid] + button")
    expect(page.locator(".error-summary")).to_have_count(2)
    assert violations(page, "#content") == []


@SCHEMES
def test_the_form_of_those_who_write_for_the_site_has_no_wcag_violations(watch, scheme):
    page = watch.new_editor(make_editor(), color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    news = newspaper.found()
    page.goto(f"{news.reply_address}signed-in/?to={news.top.pk}")
    assert violations(page) == []


@SCHEMES
def test_what_moderators_answer_and_erase_has_no_wcag_violations(watch, scheme):
    page = watch.new_editor(make_editor(), color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    top = newspaper.found().top
    page.goto(f"/admin/comments/comment/{top.pk}/everything/")
    assert violations(page, "#content") == []
    # The browser asks for what is missing, and stays here.
    page.get_by_role("button", name="Erase").click()
    assert violations(page, "#content") == []
    page.goto(f"/admin/comments/comment/{top.pk}/reply/")
    assert violations(page, "#content") == []
    watch.expect_status(422)
    page.locator("#content form").evaluate("form => { form.noValidate = true }")
    assert follow(page.locator("#content").get_by_role("button", name="Reply")).status == 422
    assert violations(page, "#content") == []


@SCHEMES
def test_what_staff_do_from_an_address_has_no_wcag_violations(watch, scheme):
    page = watch.new_editor(make_editor(), color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    newspaper.found()
    page.goto("/admin/comments/comment/address/")
    assert violations(page, "#content") == []
    page.get_by_label("Email addresses").fill("hilde@example.com\nnobody@example.com")
    follow(page.get_by_role("button", name="Show what is held"))
    expect(page.get_by_role("cell", name="Comments: Held")).to_be_visible()
    assert violations(page, "#content") == []
    watch.expect_status(422)
    page.locator("#content form").last.evaluate("form => { form.noValidate = true }")
    assert follow(page.get_by_role("button", name="Erase for good")).status == 422
    assert violations(page, "#content") == []


@SCHEMES
def test_what_the_admin_warns_of_has_no_wcag_violations(watch, settings, scheme):
    settings.MAIL_WORKER = True
    page = watch.new_editor(make_editor(), color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    newspaper.found()
    now = timezone.now()
    Timer.objects.update(begins_at=now + timedelta(days=5))
    Mail.objects.update(created_at=now - timedelta(hours=3))
    Outage.objects.create(since=now - timedelta(hours=3), tried_at=now, reason="Connection refused")
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="What will be deleted")).to_be_visible()
    expect(page.get_by_text("The worker has not been seen yet")).to_be_visible()
    expect(page.get_by_role("link", name="Connection refused")).to_be_visible()
    assert violations(page, "#content") == []


@SCHEMES
def test_what_could_not_be_saved_is_given_back_without_wcag_violations(watch, scheme):
    page = watch.new_visitor(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    sent = {"body": "Well said.", "name": "Ada", "password": "x", "code": "1"}
    for sender in ("same-origin", "cross-site"):
        request = RequestFactory().post("/reply/", sent, headers={"Sec-Fetch-Site": sender})
        show(page, f"/{sender}", server_error(request).content)
    page.goto("/same-origin")
    expect(page.get_by_role("button", name="Send again")).to_be_visible()
    assert violations(page) == []
    page.goto("/cross-site")
    expect(page.get_by_label("Your text")).to_have_value("Well said.")
    assert violations(page) == []


@SCHEMES
def test_history_and_numbers_have_no_wcag_violations(watch, scheme):
    editor = make_editor()
    page = watch.new_editor(editor, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    top = newspaper.found().top
    decisions.edit(top, editor, body="Other words.", name="Ada L.")
    Comment.objects.held().approve(by=editor)
    page.goto("/admin/comments/change/?actor=moderator")
    expect(page.locator(".history-row")).to_have_count(2)
    page.locator(".history-row summary").click()
    assert violations(page, "#content") == []
    watch.expect_status(422)
    page.goto("/admin/comments/change/?comment=none")
    assert violations(page, "#content") == []
    page.goto(f"/admin/comments/comment/{top.pk}/change/")
    expect(page.locator(".history-text ins")).to_have_text("Other words.")
    assert violations(page, ".history-rows") == []
    page.goto("/admin/comments/comment/numbers/")
    page.get_by_text("All days as a table").click()
    expect(page.locator(".numbers td").first).to_be_visible()
    assert violations(page, "#content") == []


@SCHEMES
def test_the_settings_have_no_wcag_violations_nor_has_a_trial_of_them_or_an_error(watch, scheme):
    page = watch.new_editor(make_editor(), color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    newspaper.found()
    page.goto("/admin/comments/discussionsettings/1/change/")
    assert violations(page, "#discussionsettings_form") == []
    page.get_by_label("Hold every comment").check()
    follow(page.get_by_role("button", name="Try it on the past").first)
    expect(page.get_by_role("heading", name="What these settings would have done")).to_be_focused()
    page.locator(".trial summary").first.click()
    expect(page.locator(".trial-findings").first).to_be_visible()
    assert violations(page, "#discussionsettings_form") == []
    watch.expect_status(422)
    page.get_by_label("Comments per page").fill("1")
    follow(page.get_by_role("button", name="Save"))
    expect(page.get_by_role("alert")).to_be_focused()
    assert violations(page, "#discussionsettings_form") == []
    page.get_by_role("link", name="Comments per page").click()
    expect(page.get_by_label("Comments per page")).to_be_focused()


@SCHEMES
def test_the_sign_in_of_readers_has_no_wcag_violations(watch, scheme):
    page = watch.new_visitor(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    news = newspaper.found()
    set_discussion(accounts_only=True)
    page.goto(news.story.get_absolute_url())
    assert violations(page) == []
    follow(page.get_by_role("link", name="Sign in to leave a reply."))
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert violations(page) == []
    watch.expect_status(422)
    page.get_by_label("Username").fill("nobody")
    page.get_by_label("Password").fill("nothing")
    follow(page.get_by_role("button", name="Sign in"))
    expect(page.get_by_text("Sign-in failed")).to_be_visible()
    assert violations(page) == []


@SCHEMES
def test_a_conversation_that_scripts_have_worked_on_has_no_wcag_violations(watch, scheme):
    page = watch.new_visitor(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    long = make_comment(body="\n\n".join(["A line of many."] * 80))
    address = long.article.get_absolute_url()
    posted, reported = make_comment(article=long.article), make_comment(article=long.article)
    page.goto(address)
    page.evaluate(
        """([posted, reported]) => {
          localStorage.setItem("newsite.own", JSON.stringify({[posted]: Date.now()}));
          localStorage.setItem("newsite.reported", JSON.stringify([String(reported)]));
        }""",
        [posted.pk, reported.pk],
    )
    page.goto(address)
    expect(page.get_by_role("button", name="Read more")).to_be_visible()
    expect(page.locator(f"#comment-{posted.pk}").get_by_role("link", name="Edit")).to_be_visible()
    expect(page.locator(f"#comment-{reported.pk}").get_by_text("Reported")).to_be_visible()
    fill_in(page, body="*Well* said.", name="Ada", email="ada@mailbox.example")
    preview(page)
    page.context.set_offline(True)
    page.get_by_role("button", name="Post Comment").click()
    expect(page.get_by_text("You are offline.")).to_be_visible()
    page.context.set_offline(False)
    assert violations(page) == []
