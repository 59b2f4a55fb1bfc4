"""Leave a Reply: with JavaScript, without it, by keyboard alone, on a narrow screen."""

import re

import pytest
from playwright.sync_api import Page, expect

from articles.models import Article
from comments.models import Comment
from tests.browser import newspaper
from tests.browser.keyboard import tab_to
from tests.browser.reply_form import an_hour_passes, fill_in, post, post_unchecked, preview
from tests.factories import make_article, make_comment, reply_to

NARROW = {"viewport": {"width": 320, "height": 640}}
PERSON = {"name": "Mira", "email": "mira@mailbox.example"}


def known(article: Article) -> None:
    """Make a person known, so that what she posts is public at once."""
    make_comment(**PERSON, article=article, body="I have been here before.")


def stands_under(comment: Comment) -> str:
    """Where the form is while it answers this comment: in its place, before other comments."""
    return f"li:has(> #comment-{comment.pk}) > #respond"


# --- With JavaScript --------------------------------------------------------------------


def test_reply_moves_the_form_under_the_comment_and_takes_the_focus_there(page):
    first = make_comment(name="Ada")
    make_comment(article=first.article, name="Bo")
    page.goto(first.article.get_absolute_url())
    page.get_by_label("Comment *").fill("Half a thought")

    page.get_by_role("link", name="Reply to Ada").click()

    expect(page.locator(stands_under(first))).to_be_visible()
    expect(page.locator("#reply-title")).to_have_text("Leave a Reply to Ada")
    expect(page.locator("input[name=parent]")).to_have_value(str(first.pk))
    expect(page.get_by_label("Comment *")).to_be_focused()
    expect(page.get_by_label("Comment *")).to_have_value("Half a thought")
    expect(page.get_by_label("Comment *")).to_be_in_viewport()
    expect(page).to_have_url(re.compile(rf"{first.article.slug}/$"))


def test_the_form_moves_on_from_one_comment_to_another(page):
    first = make_comment(name="Ada")
    second = make_comment(article=first.article, name="$& <b>Bo</b>")
    page.goto(first.article.get_absolute_url())

    page.get_by_role("link", name="Reply to Ada").click()
    page.get_by_label("Comment *").fill("Dear Ada, dear Bo")
    page.get_by_role("link", name="Reply to $& <b>Bo</b>").click()

    expect(page.locator(stands_under(second))).to_be_visible()
    expect(page.locator("#respond")).to_have_count(1)
    expect(page.locator("#reply-title")).to_have_text("Leave a Reply to $& <b>Bo</b>")
    expect(page.locator("input[name=parent]")).to_have_value(str(second.pk))
    expect(page.get_by_label("Comment *")).to_have_value("Dear Ada, dear Bo")


def test_cancel_reply_puts_the_form_back_and_the_focus_on_the_link_that_moved_it(page):
    comment = make_comment(name="Ada")
    page.goto(comment.article.get_absolute_url())
    expect(page.get_by_role("link", name="Cancel reply")).to_be_hidden()
    page.get_by_role("link", name="Reply to Ada").click()
    page.get_by_label("Comment *").fill("Half a thought")

    page.get_by_role("link", name="Cancel reply").click()

    expect(page.locator("#comments ~ #respond")).to_be_visible()
    expect(page.locator("#reply-title")).to_have_text("Leave a Reply")
    expect(page.locator("input[name=parent]")).to_have_value("")
    expect(page.get_by_role("link", name="Cancel reply")).to_be_hidden()
    expect(page.get_by_role("link", name="Reply to Ada")).to_be_focused()
    expect(page.get_by_label("Comment *")).to_have_value("Half a thought")


def test_a_posted_reply_lands_on_itself_below_the_comment_it_answers(page):
    comment = make_comment(name="Ada")
    known(comment.article)
    page.goto(comment.article.get_absolute_url())

    page.get_by_role("link", name="Reply to Ada").click()
    fill_in(page, body="Quite so.", **PERSON)
    assert post(page).status == 200

    reply = Comment.objects.get(body="Quite so.")
    expect(page).to_have_url(re.compile(rf"/{comment.article.slug}/#comment-{reply.pk}$"))
    shown = page.locator(f"li:has(> #comment-{comment.pk}) > details > ol > li > #comment-{reply.pk}")
    expect(shown).to_contain_text("Quite so.")
    expect(shown).to_be_in_viewport()


def test_a_reply_with_an_error_comes_back_as_a_reply_to_the_same_comment(page, watch):
    comment = make_comment(name="Ada")
    page.goto(comment.article.get_absolute_url())
    page.get_by_role("link", name="Reply to Ada").click()
    watch.expect_status(422)
    fill_in(page, body="Quite so.", name="Mira", email="mira")
    assert post_unchecked(page).status == 422

    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator("#reply-title")).to_have_text("Leave a Reply to Ada")
    expect(page.locator("input[name=parent]")).to_have_value(str(comment.pk))
    page.get_by_role("link", name="Cancel reply").click()
    expect(page.locator("#reply-title")).to_have_text("Leave a Reply")
    expect(page.locator("input[name=parent]")).to_have_value("")
    expect(page.get_by_label("Comment *")).to_have_value("Quite so.")


def test_the_browser_takes_a_website_without_its_scheme_and_a_domain_in_its_own_script(page):
    article = make_article()
    page.goto(article.get_absolute_url())

    fill_in(page, body="Well said.", name="Mira", email="mira@münchen.example", website="www.example.com")
    post(page)

    comment = Comment.objects.get()
    assert (comment.website, comment.email) == ("https://www.example.com", "mira@xn--mnchen-3ya.example")


def test_a_double_click_posts_one_comment(page):
    article = make_article()
    known(article)
    page.goto(article.get_absolute_url())
    fill_in(page, body="Only once.", **PERSON)
    page.get_by_role("button", name="Post Comment").dblclick()
    expect(page).to_have_url(re.compile("#comment-"))
    assert Comment.objects.filter(body="Only once.").count() == 1


# --- Without JavaScript -----------------------------------------------------------------


@pytest.fixture
def plain_page(watch) -> Page:
    return watch.new_visitor(java_script_enabled=False)


def test_without_javascript_reply_leads_to_a_page_of_its_own_that_posts(plain_page):
    page = plain_page
    comment = make_comment(name="Ada", body="What I *said*.")
    known(comment.article)
    page.goto(comment.article.get_absolute_url())
    # The browser would not remember, so the box that asks it to is not there.
    expect(page.get_by_label("Save my name")).to_be_hidden()

    page.get_by_role("link", name="Reply to Ada").click()
    expect(page).to_have_url(re.compile(rf"/reply/\?to={comment.pk}#respond$"))
    expect(page.locator("#reply-title")).to_have_text("Leave a Reply to Ada")
    expect(page.locator(".answered")).to_contain_text("What I said.")
    fill_in(page, body="Quite so.", **PERSON)
    assert post(page).status == 200

    reply = Comment.objects.get(body="Quite so.")
    assert reply.parent == comment
    expect(page).to_have_url(re.compile(rf"/{comment.article.slug}/#comment-{reply.pk}$"))
    expect(
        page.locator(f"li:has(> #comment-{comment.pk}) > details > ol #comment-{reply.pk}")
    ).to_be_visible()


def test_without_javascript_cancel_reply_leads_back_to_the_story(plain_page):
    page = plain_page
    comment = make_comment(name="Ada")
    page.goto(comment.article.get_absolute_url())
    page.get_by_role("link", name="Reply to Ada").click()
    page.get_by_role("link", name="Cancel reply").click()
    expect(page).to_have_url(re.compile(rf"/{comment.article.slug}/#respond$"))
    expect(page.locator("#reply-title")).to_have_text("Leave a Reply")
    expect(page.locator("input[name=parent]")).to_have_value("")


def test_without_javascript_errors_take_the_focus_and_keep_what_was_typed(plain_page, watch):
    page = plain_page
    comment = make_comment(name="Ada")
    page.goto(comment.article.get_absolute_url())
    page.get_by_role("link", name="Reply to Ada").click()
    watch.expect_status(422)
    fill_in(page, body="Quite so.", name="Mira", email="mira", website="not a site")
    assert post_unchecked(page).status == 422

    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator(".error-summary")).to_be_in_viewport()
    expect(page.get_by_role("heading", level=1)).to_have_text(comment.article.title)
    expect(page.locator("#reply-title")).to_have_text("Leave a Reply to Ada")
    expect(page.get_by_label("Comment *")).to_have_value("Quite so.")
    expect(page.get_by_label("Name *")).to_have_value("Mira")
    expect(page.get_by_label("Email *")).to_have_value("mira")
    expect(page.get_by_label("Website", exact=True)).to_have_value("not a site")
    page.locator(".error-summary").get_by_role("link", name="Email").click()
    expect(page.get_by_label("Email *")).to_be_focused()


def test_a_preview_shows_the_comment_as_it_will_look_and_posts_nothing(watch, plain_page):
    comment = make_comment(name="Ada")
    known(comment.article)
    for page in [watch.new_visitor(), plain_page]:
        page.goto(comment.article.get_absolute_url())
        page.get_by_role("link", name="Reply to Ada").click()
        fill_in(page, body="Quite *so*.", **PERSON)
        preview(page)

        expect(page.get_by_role("heading", name="Preview")).to_be_focused()
        expect(page.get_by_role("heading", name="Preview")).to_be_in_viewport()
        expect(page.locator(".preview em")).to_have_text("so")
        expect(page.locator("#reply-title")).to_have_text("Leave a Reply to Ada")
        expect(page.get_by_label("Comment *")).to_have_value("Quite *so*.")
        assert not Comment.objects.filter(parent=comment).exists()

    post(plain_page)
    assert Comment.objects.get(parent=comment).body == "Quite *so*."


# --- By keyboard alone ------------------------------------------------------------------


def test_a_comment_is_read_answered_and_posted_by_keyboard_alone(page):
    comment = make_comment(name="Ada")
    known(comment.article)
    page.goto(comment.article.get_absolute_url())

    assert tab_to(page, "Skip to content") == ["Skip to content"]
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#content$"))
    passed = tab_to(page, "Reply")
    assert not {"Newsite", comment.article.title} & set(passed)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Comment *")).to_be_focused()

    page.keyboard.type("Without a mouse.")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("link", name="Cancel reply")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Reply to Ada")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Comment *")).to_have_value("Without a mouse.")
    assert tab_to(page, "id_name") == ["id_body_helptext", "id_name"]
    page.keyboard.type(PERSON["name"])
    assert tab_to(page, "id_email") == ["id_email"]
    page.keyboard.type(PERSON["email"])
    assert tab_to(page, "Post Comment") == [
        "id_website",
        "id_remember",
        "id_tell_answers",
        "id_tell_all",
        "My comments",
        "Post Comment",
    ]
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("#comment-"))
    assert Comment.objects.get(body="Without a mouse.").parent == comment


# --- What the browser remembers ---------------------------------------------------------


def test_the_browser_remembers_the_person_only_if_asked_to_and_forgets_when_told(page):
    articles = [make_article() for _ in range(4)]
    known(articles[0])
    remember = page.get_by_label("Save my name, email, and website in this browser")

    def write_on(article: Article, body: str) -> None:
        an_hour_passes()
        page.goto(article.get_absolute_url())
        page.get_by_label("Comment *").fill(body)

    write_on(articles[0], "Do not keep me.")
    expect(remember).not_to_be_checked()
    fill_in(page, body="Do not keep me.", **PERSON)
    post(page)
    assert page.evaluate("localStorage.getItem('newsite.commenter')") is None

    write_on(articles[1], "Keep me.")
    expect(page.get_by_label("Name *")).to_have_value("")
    fill_in(page, body="Keep me.", **PERSON, website="https://mira.example/")
    remember.check()
    post(page)

    write_on(articles[2], "Forget me.")
    expect(remember).to_be_checked()
    expect(page.get_by_label("Name *")).to_have_value(PERSON["name"])
    expect(page.get_by_label("Email *")).to_have_value(PERSON["email"])
    expect(page.get_by_label("Website", exact=True)).to_have_value("https://mira.example/")
    remember.uncheck()
    post(page)
    assert page.evaluate("localStorage.getItem('newsite.commenter')") is None

    write_on(articles[3], "")
    expect(page.get_by_label("Name *")).to_have_value("")
    expect(remember).not_to_be_checked()
    assert Comment.objects.filter(email=PERSON["email"]).count() == 4
    assert page.context.cookies(page.url) == []


def test_no_page_of_the_site_sets_a_cookie_or_stores_more_than_what_was_seen(page, watch):
    news = newspaper.found()
    watch.expect_status(404)
    for address in news.addresses.values():
        page.goto(address)
        assert page.evaluate("sessionStorage.length") == 0
    assert page.evaluate("Object.keys(localStorage)") == ["newsite.seen"]
    assert page.evaluate("Object.keys(JSON.parse(localStorage['newsite.seen']))") == [
        str(story.pk) for story in (news.story, news.closed)
    ]
    assert page.context.cookies() == []


# --- On a narrow screen, and from right to left -----------------------------------------


def sideways_scroll(page: Page) -> list[str]:
    width = page.evaluate("document.documentElement.scrollWidth")
    return [f"{width} px wide"] if width > 320 else []


def sideways_scrolls(page: Page, news: newspaper.Newspaper) -> dict[str, list]:
    def look(address: str) -> list[str]:
        page.goto(address)
        return sideways_scroll(page)

    found = newspaper.each_with(news.addresses, look)
    page.goto(news.addresses["story with comments"])
    page.get_by_role("link", name="Reply to Finn").click()
    found["form under a deep comment"] = sideways_scroll(page)
    fill_in(page, body=newspaper.LONG_WORD, name="N" * 100, email="e" * 250, website="w" * 200)
    post_unchecked(page)
    found["form with errors"] = sideways_scroll(page)
    return {name: faults for name, faults in found.items() if faults}


def test_nothing_scrolls_sideways_at_320_pixels(watch):
    news = newspaper.found()
    watch.expect_status(404)
    watch.expect_status(422)
    assert sideways_scrolls(watch.new_visitor(**NARROW), news) == {}


def test_nothing_scrolls_sideways_in_a_language_written_from_right_to_left(watch, settings):
    settings.LANGUAGE_CODE = "ar"
    page = watch.new_visitor(**NARROW)
    news = newspaper.found()
    reply_to(news.top, name="ليلى", body="لا أحد سألنا.")
    watch.expect_status(404)

    def look(address: str) -> list[str]:
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        return sideways_scroll(page)

    assert newspaper.each_with(news.addresses, look) == {}
