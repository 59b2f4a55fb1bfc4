"""A long conversation: closing branches, reading on where one stopped, and what comes in meanwhile."""

import re

import pytest
from playwright.sync_api import Page, expect

from comments.models import Comment
from tests.browser.clock import stop_the_clock
from tests.browser.links import follow
from tests.browser.reply_form import fill_in, post
from tests.factories import make_article, make_comment, reply_to, set_discussion

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
def test_a_reply_to_a_reply_on_page_three_lands_beside_it(watch, javascript):
    set_discussion(per_page=2)
    page = watch.new_visitor(java_script_enabled=javascript)
    article = make_article()
    make_comment(article=article, **PERSON)
    for _ in range(3):
        make_comment(article=article)
    answered = reply_to(make_comment(article=article, name="Ada"), name="Bo")
    page.goto(article.get_absolute_url())
    pages = page.get_by_role("navigation", name="Pages of comments")
    follow(pages.get_by_role("link", name="Page 3"))

    page.get_by_role("link", name="Reply to Bo").click()
    fill_in(page, body="Quite so.", **PERSON)
    assert post(page).status == 200

    reply = Comment.objects.get(body="Quite so.")
    assert reply.parent == answered
    expect(page).to_have_url(re.compile(rf"/{article.slug}/\?page=4#comment-{reply.pk}$"))
    expect(page.locator(f"#comment-{reply.pk}")).to_be_in_viewport()
    page.locator(f"#comment-{reply.pk}").get_by_role("link", name="Bo", exact=True).click()
    expect(page.locator(f"#comment-{answered.pk}")).to_be_in_viewport()


def test_the_order_is_chosen_by_a_link_and_the_whole_is_one_click_away(page):
    set_discussion(per_page=2)
    article = make_article()
    first, _, third = [make_comment(article=article) for _ in range(3)]
    page.goto(article.get_absolute_url())

    follow(page.get_by_role("link", name="Newest first"))
    expect(page.locator(f"#comment-{third.pk}")).to_be_visible()
    expect(page.locator(f"#comment-{first.pk}")).to_have_count(0)
    expect(page.locator("[aria-current=true]").get_by_text("Newest first")).to_be_visible()
    follow(page.get_by_role("link", name="All comments on one page"))
    expect(page.locator(".comment")).to_have_count(3)


# --- New since the last visit -----------------------------------------------------------


def new_ones(page: Page) -> list[str]:
    """The names over the comments that are marked as new."""
    return page.locator(".comment:has(.comment-new) .comment-name").all_inner_texts()


def test_what_is_new_since_the_last_visit_is_marked_until_the_visit_is_over(page):
    article = make_article()
    top = make_comment(article=article, name="Ada")
    page.clock.install()
    page.goto(article.get_absolute_url())
    assert new_ones(page) == []

    reply_to(top, name="Bo")
    make_comment(article=article, name="Cleo")
    page.clock.fast_forward("31:00")
    for _ in range(2):
        page.goto(article.get_absolute_url())
        expect(page.get_by_role("link", name="New since your last visit")).to_be_visible()
        assert new_ones(page) == ["Bo", "Cleo"]
    page.clock.fast_forward("31:00")
    page.goto(article.get_absolute_url())
    assert new_ones(page) == []
    expect(page.get_by_role("link", name="New since your last visit")).to_be_hidden()


def test_links_lead_by_keyboard_from_one_new_comment_to_the_next(page):
    article = make_article()
    top = make_comment(article=article)
    page.clock.install()
    page.goto(article.get_absolute_url())
    first, last = reply_to(top), make_comment(article=article)
    page.clock.fast_forward("31:00")
    page.goto(article.get_absolute_url())
    branch(page, top).locator("summary").click()

    page.get_by_role("link", name="New since your last visit").press("Enter")
    expect(page.locator(f"#comment-{first.pk}")).to_be_in_viewport()
    page.get_by_role("link", name="Next new").press("Enter")
    expect(page.locator(f"#comment-{last.pk}")).to_be_in_viewport()
    expect(page.get_by_role("link", name="Next new")).to_have_count(1)


def test_what_is_new_on_another_page_is_one_click_away(page):
    set_discussion(per_page=2)
    article = make_article()
    for _ in range(2):
        make_comment(article=article)
    page.clock.install()
    page.goto(article.get_absolute_url())
    newest = make_comment(article=article, name="Cleo")
    page.clock.fast_forward("31:00")
    page.goto(article.get_absolute_url())
    assert new_ones(page) == []

    page.get_by_role("link", name="New since your last visit").click()

    expect(page).to_have_url(re.compile(rf"\?page=2#comment-{newest.pk}$"))
    follow(page.get_by_role("link", name="Newest first"))
    expect(page.locator(".comment-name", has_text="Cleo")).to_be_visible()
    assert new_ones(page) == ["Cleo"]


def test_a_comment_of_ones_own_is_not_news(page):
    article = make_article()
    make_comment(article=article, **PERSON)
    page.goto(article.get_absolute_url())
    fill_in(page, body="My own words.", **PERSON)
    post(page)

    expect(page.get_by_text("My own words.")).to_be_visible()
    assert new_ones(page) == []
    expect(page.get_by_role("link", name="New since your last visit")).to_be_hidden()


def test_the_browser_keeps_the_latest_two_hundred_stories(page):
    article = make_comment().article
    page.goto(article.get_absolute_url())
    page.evaluate("""() => {
      const stories = Object.fromEntries(Array.from({length: 300}, (_, i) => [`x${i}`, [1, 1, i]]));
      localStorage.setItem("newsite.seen", JSON.stringify(stories));
    }""")

    page.goto(article.get_absolute_url())

    kept = page.evaluate("Object.keys(JSON.parse(localStorage.getItem('newsite.seen')))")
    assert (len(kept), str(article.pk) in kept, "x299" in kept, "x0" in kept) == (200, True, True, False)


@pytest.mark.parametrize("stored", ["", "{", "7", "[]", '{"STORY": 7}'])
def test_a_storage_that_holds_nonsense_breaks_nothing(page, stored):
    article = make_comment().article
    page.goto(article.get_absolute_url())
    page.evaluate(
        "value => localStorage.setItem('newsite.seen', value)", stored.replace("STORY", str(article.pk))
    )

    page.goto(article.get_absolute_url())

    assert new_ones(page) == []


# --- New while the page is open ---------------------------------------------------------


def hide(page: Page, *, hidden: bool) -> None:
    page.evaluate("""hidden => {
      Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
      document.dispatchEvent(new Event("visibilitychange"));
    }""", hidden)  # fmt: skip


def test_new_comments_are_announced_without_moving_the_text(page):
    shown = make_comment()
    page.clock.install()
    page.goto(shown.article.get_absolute_url())
    before = page.locator(f"#comment-{shown.pk}").bounding_box()
    first = make_comment(article=shown.article)
    make_comment(article=shown.article)
    page.clock.fast_forward(31_000)

    link = page.get_by_role("status").get_by_role("link", name="2 new comments — show")
    expect(link).to_be_in_viewport()
    assert page.locator(f"#comment-{shown.pk}").bounding_box() == before
    link.click()

    expect(page).to_have_url(re.compile(f"/{shown.article.slug}/#comment-{first.pk}$"))
    expect(page.locator(".comment")).to_have_count(3)
    expect(page.locator("#arrivals a")).to_have_count(0)


# In place of the server, so that time goes by without it.
SERVER = """
window.asked = 0;
window.status = "200";
window.fetch = async () => {
  window.asked += 1;
  return Response.json({text: "", address: ""}, {status: Number(window.status)});
};
"""


@pytest.fixture
def open_page(page) -> Page:
    page.add_init_script(SERVER)
    stop_the_clock(page)
    page.goto(make_comment().article.get_absolute_url())
    return page


def seconds_until_asked(page: Page, within: int = 300) -> int | None:
    """Let time go by until the page asks for new comments, and say how much that was."""
    before = page.evaluate("asked")
    for seconds in range(5, within + 1, 5):
        page.clock.run_for(5_000)
        if page.evaluate("asked") > before:
            return seconds
    return None


def test_the_page_asks_every_half_minute_for_an_hour_and_never_while_hidden(open_page):
    page = open_page
    assert [seconds_until_asked(page) for _ in range(2)] == [30, 30]
    hide(page, hidden=True)
    assert seconds_until_asked(page) is None
    hide(page, hidden=False)
    page.clock.run_for(1)
    assert page.evaluate("asked") == 3
    page.clock.fast_forward("01:00:00")
    seconds_until_asked(page, within=5)
    assert seconds_until_asked(page) is None


def test_a_server_in_trouble_is_asked_ever_more_seldom(open_page):
    page = open_page
    page.evaluate("status = '503'")
    assert [seconds_until_asked(page) for _ in range(4)] == [30, 60, 120, 240]
    page.evaluate("status = '200'")
    assert seconds_until_asked(page, within=600) == 480
    assert seconds_until_asked(page) == 30


# --- Long comments, and what one has reported ---

LONG = "\n\n".join(f"Paragraph {number} of many." for number in range(60))


def test_a_long_comment_folds_and_opens_by_keyboard(page):
    comment = make_comment(body=LONG)
    short = make_comment(article=comment.article)
    page.goto(comment.article.get_absolute_url())
    text = page.locator(f"#comment-{comment.pk} .comment-text")
    folded = text.bounding_box()["height"]
    assert page.get_by_role("button", name="Read more").count() == 1
    assert page.locator(f"#comment-{short.pk} .folded").count() == 0

    page.get_by_role("button", name="Read more").press("Enter")

    assert text.bounding_box()["height"] > 2 * folded
    expect(page.get_by_role("button", name="Read more")).to_have_count(0)
    expect(page.locator(f"#comment-{comment.pk}")).to_be_focused()


def test_a_long_comment_opens_for_who_looks_for_a_word_in_it_and_for_whom_a_link_led_to_it(page):
    comment = make_comment(body=LONG)
    page.goto(comment.article.get_absolute_url())
    # As browsers do that find a word.
    page.get_by_text("Paragraph 59 of many.").evaluate("paragraph => paragraph.scrollIntoView()")
    expect(page.get_by_role("button", name="Read more")).to_have_count(0)

    page.goto(comment.get_absolute_url())

    expect(page.get_by_text("Paragraph 59 of many.")).to_be_visible()
    assert page.locator(".folded").count() == 0


def test_a_long_comment_is_whole_on_paper_and_without_javascript(watch, page):
    comment = make_comment(body=LONG)
    page.goto(comment.article.get_absolute_url())
    page.emulate_media(media="print")
    printed = page.locator(".comment-text").evaluate("text => text.scrollHeight <= text.clientHeight")
    plain = watch.new_visitor(java_script_enabled=False)
    plain.goto(comment.article.get_absolute_url())

    assert printed
    expect(page.locator(".read-more")).to_be_hidden()
    assert plain.locator(".folded, .read-more").count() == 0


def test_a_report_leads_back_to_the_comment_which_is_marked_in_this_browser(page, watch):
    comment = make_comment(name="Ada")
    page.goto(comment.article.get_absolute_url())
    follow(page.get_by_role("link", name="Report the comment by Ada"))
    page.get_by_label("Why are you reporting it?").select_option("spam")
    follow(page.get_by_role("button", name="Report"))
    follow(page.get_by_role("link", name="Back to the conversation"))

    expect(page.locator(f"#comment-{comment.pk}")).to_be_in_viewport()
    expect(page.locator(f"#comment-{comment.pk} .comment-actions")).to_contain_text("Reported")
    expect(page.get_by_role("link", name="Report the comment by Ada")).to_have_count(0)
    stranger = watch.new_visitor()
    stranger.goto(comment.article.get_absolute_url())
    expect(stranger.get_by_role("link", name="Report the comment by Ada")).to_be_visible()


def test_the_notice_of_new_comments_can_be_sent_away_until_there_are_more(page):
    shown = make_comment()
    page.clock.install()
    page.goto(shown.article.get_absolute_url())
    make_comment(article=shown.article)
    page.clock.fast_forward(31_000)
    expect(page.get_by_role("link", name="1 new comment — show")).to_be_in_viewport()
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("#arrivals a, #arrivals button")).to_have_count(0)

    make_comment(article=shown.article)
    page.clock.fast_forward(31_000)

    expect(page.get_by_role("link", name="2 new comments — show")).to_be_in_viewport()


def test_a_closed_story_asks_for_no_new_comments(page):
    article = make_article(discussion="closed")
    make_comment(article=article)
    page.add_init_script(SERVER)
    stop_the_clock(page)
    page.goto(article.get_absolute_url())

    assert seconds_until_asked(page) is None


# --- How a comment stands there ---


def top_of(page: Page, selector: str) -> float:
    return page.locator(selector).first.evaluate("element => element.getBoundingClientRect().top")


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_actions_and_the_replies_of_a_comment_stand_on_one_line_and_can_be_pressed(
    watch, settings, width, language
):
    settings.LANGUAGE_CODE = language
    page = watch.new_visitor(viewport={"width": width, "height": 800})
    top = make_comment(name="Bartholomew Nkemelu-Featherstonehaugh")
    answer = reply_to(top)
    page.goto(top.article.get_absolute_url())
    comment = f"#comment-{top.pk}"

    assert abs(top_of(page, f"{comment} .comment-report") - top_of(page, "summary")) < 2
    assert abs(top_of(page, f"{comment} .avatar") - top_of(page, f"{comment} h3")) < 12
    branch(page, top).locator("summary").click()
    expect(page.locator(f"#comment-{answer.pk}")).to_be_hidden()
    follow(page.locator(f"{comment} .comment-report"))


def test_the_number_of_replies_steps_aside_for_the_form(page):
    top = make_comment(name="Ada")
    reply_to(top)
    page.goto(top.article.get_absolute_url())
    page.get_by_role("link", name="Reply to Ada").click()

    form = page.locator("#respond").bounding_box()
    assert page.locator("summary", has_text="1 reply").bounding_box()["y"] >= form["y"] + form["height"]


def test_comments_are_headings_that_say_who_and_when(page):
    page.goto(make_comment(name="Ada").article.get_absolute_url())

    expect(page.get_by_role("heading", level=3, name="Ada 30 minutes ago")).to_be_visible()
    expect(page.get_by_role("article", name="Ada 30 minutes ago")).to_be_visible()


def test_initials_have_a_disc_where_colours_are_forced_and_are_not_printed(watch):
    comment = make_comment(name="Ada Byron")
    page = watch.new_visitor(forced_colors="active")
    page.goto(comment.article.get_absolute_url())
    avatar = page.locator(".avatar")

    style = avatar.evaluate("avatar => [getComputedStyle(avatar).borderTopStyle, "
                            "getComputedStyle(avatar).borderTopColor, "
                            "getComputedStyle(avatar, '::before').content]")  # fmt: skip
    assert style == ["solid", "rgb(0, 0, 0)", '"AB"']
    page.emulate_media(media="print")
    expect(avatar).to_be_hidden()
    assert (
        page.locator(".comment header").evaluate("header => getComputedStyle(header).breakAfter") == "avoid"
    )
