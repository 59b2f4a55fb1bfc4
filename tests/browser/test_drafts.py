"""Nothing typed is lost: drafts, a network that fails, and writing with the keyboard."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from comments import moderation, yours
from comments.discussion import DiscussionSettings
from comments.models import Comment
from tests.browser.clock import stop_the_clock
from tests.browser.links import follow
from tests.browser.reply_form import an_hour_passes, fill_in, post, post_unchecked, preview
from tests.factories import make_article, make_comment, make_editor

PERSON = {"name": "Mira", "email": "mira@mailbox.example"}
BACK = "We kept what you were writing."


def text(page: Page):
    return page.get_by_label("Comment *")


def drafts(page: Page) -> list[str]:
    """The texts that this browser keeps."""
    return page.evaluate("""() => Object.keys(localStorage).filter(key => key.startsWith("newsite.draft."))
        .map(key => JSON.parse(localStorage[key]).text)""")  # fmt: skip


@pytest.fixture
def story():
    """A story with a comment of Mira's and one of Ada's, so that Mira is known."""
    article = make_article()
    make_comment(**PERSON, article=article)
    make_comment(name="Ada", article=article)
    return article


# --- A draft is kept until it is posted ---


def test_a_text_that_was_not_posted_is_back_with_the_form_and_can_be_discarded(page, story):
    page.goto(story.get_absolute_url())
    fill_in(page, body="Half a thought", **PERSON)
    assert "mira" not in str(page.evaluate("Object.entries(localStorage)")).lower()

    page.goto("/")
    page.goto(story.get_absolute_url())
    expect(text(page)).to_have_value("Half a thought")
    expect(page.get_by_text(BACK)).to_be_visible()
    page.get_by_role("button", name="Discard").click()

    expect(text(page)).to_have_value("")
    expect(text(page)).to_be_focused()
    expect(page.get_by_text(BACK)).to_be_hidden()
    assert drafts(page) == []


def test_a_new_visitor_is_offered_nothing(page, story):
    page.goto(story.get_absolute_url())

    expect(page.get_by_text(BACK)).to_be_hidden()
    expect(page.get_by_role("link", name="Continue")).to_be_hidden()


def test_each_answer_has_a_draft_of_its_own(page, story):
    page.goto(story.get_absolute_url())
    page.get_by_role("link", name="Reply to Ada").click()
    text(page).fill("Dear Ada")
    page.goto("/")
    page.goto(story.get_absolute_url())
    expect(text(page)).to_have_value("")

    page.get_by_role("link", name="Continue").click()
    expect(page.locator("#reply-title")).to_have_text("Leave a Reply to Ada")
    expect(text(page)).to_have_value("Dear Ada")
    page.goto("/")
    page.goto(story.get_absolute_url())
    text(page).fill("Dear all")
    page.get_by_role("link", name="Reply to Ada").click()
    expect(text(page)).to_have_value("Dear Ada")
    page.get_by_role("link", name="Cancel reply").click()
    expect(text(page)).to_have_value("Dear all")

    assert sorted(drafts(page)) == ["Dear Ada", "Dear all"]


def test_an_answer_that_was_begun_is_continued_on_the_forms_own_page(page, story):
    page.goto(story.get_absolute_url())
    page.get_by_role("link", name="Reply to Ada").click()
    text(page).fill("Dear Ada")
    page.goto(f"{story.get_absolute_url()}reply/")

    page.get_by_role("link", name="Continue").click()

    expect(page.locator("#reply-title")).to_have_text("Leave a Reply to Ada")
    expect(text(page)).to_have_value("Dear Ada")


@pytest.mark.parametrize("name", ["Mira", "Someone new"])
def test_a_text_that_was_posted_is_no_draft_any_more(page, story, name):
    page.goto(story.get_absolute_url())
    fill_in(page, body="All of a thought", name=name, email=PERSON["email"])
    assert drafts(page) == ["All of a thought"]

    assert post(page).status == 200

    assert drafts(page) == []
    page.goto(story.get_absolute_url())
    expect(text(page)).to_have_value("")


def test_a_text_that_was_refused_or_previewed_is_still_a_draft(page, story, watch):
    watch.expect_status(422)
    watch.expect_status(429)
    page.goto(story.get_absolute_url())
    fill_in(page, body="Try this", name="Mira", email="mira")
    assert post_unchecked(page).status == 422
    assert drafts(page) == ["Try this"]

    make_comment(article=story, created_at=timezone.now())
    moderation.pause(DiscussionSettings.load()).count("127.0.0.1")
    fill_in(page, body="Try this now", **PERSON)
    assert post(page).status == 429
    assert drafts(page) == ["Try this now"]

    preview(page)
    expect(page.get_by_role("heading", name="Preview")).to_be_visible()
    assert drafts(page) == ["Try this now"]
    an_hour_passes()
    assert post(page).status == 200
    assert drafts(page) == []


def test_after_a_preview_both_buttons_work_again(page, story):
    page.goto(story.get_absolute_url())
    fill_in(page, body="Not yet", **PERSON)
    preview(page)
    text(page).fill("As it will look")
    expect(page.locator(".preview")).to_have_count(0)

    preview(page)
    expect(page.locator(".preview .comment-text")).to_have_text("As it will look")
    assert post(page).status == 200

    assert Comment.objects.filter(body="As it will look").count() == 1


def test_the_browser_keeps_twenty_drafts_for_thirty_days(page, story):
    page.goto(story.get_absolute_url())
    page.evaluate("""() => {
      for (let day = 0; day < 40; day += 1) {
        const at = Date.now() - day * 24 * 60 * 60 * 1000;
        localStorage.setItem(`newsite.draft.x${day}.`, JSON.stringify({at, text: `${day} days`}));
      }
      for (let day = 5; day < 25; day += 1) localStorage.removeItem(`newsite.draft.x${day}.`);
      localStorage.setItem("newsite.draft.y.", "{");
    }""")

    page.goto(story.get_absolute_url())
    kept = drafts(page)
    assert sorted(int(draft.split()[0]) for draft in kept) == [0, 1, 2, 3, 4, 25, 26, 27, 28, 29]
    page.evaluate("""() => { for (let i = 0; i < 30; i += 1)
      localStorage.setItem(`newsite.draft.z${i}.`, JSON.stringify({at: Date.now(), text: "z"})); }""")
    text(page).fill("The latest")
    assert (len(drafts(page)), "The latest" in drafts(page)) == (20, True)


def test_where_storage_is_blocked_the_form_works_without_it(watch, story):
    page = watch.new_visitor()
    page.add_init_script("""
      for (const name of ["localStorage", "sessionStorage"])
        Object.defineProperty(window, name, {get() { throw new DOMException("", "SecurityError"); }});
    """)
    page.goto(story.get_absolute_url())
    page.get_by_role("link", name="Reply to Ada").click()
    fill_in(page, body="Nothing is kept", **PERSON)

    assert post(page).status == 200
    assert Comment.objects.get(body="Nothing is kept").parent.name == "Ada"


# --- An edit, and what those write who are signed in ---


@pytest.fixture
def edit_page(story) -> str:
    """Where Mira changes what she has just posted."""
    comment = make_comment(**PERSON, article=story, body="As posted", created_at=timezone.now())
    return f"{yours.address(comment)}edit/"


@pytest.fixture
def signed_in_page(story) -> str:
    return f"{story.get_absolute_url()}reply/signed-in/"


def test_an_edit_that_was_not_saved_is_back_and_can_be_discarded(page, edit_page):
    page.goto(edit_page)
    text(page).fill("As it should be")
    page.goto("/")
    page.goto(edit_page)
    expect(text(page)).to_have_value("As it should be")
    expect(page.get_by_text(BACK)).to_be_visible()

    page.get_by_role("button", name="Discard").click()

    expect(text(page)).to_have_value("As posted")
    expect(text(page)).to_be_focused()
    assert drafts(page) == []


def test_an_edit_that_was_refused_or_previewed_is_still_a_draft_until_it_is_saved(page, edit_page, watch):
    watch.expect_status(422)
    page.goto(edit_page)
    page.locator("#commentform").evaluate("form => { form.noValidate = true }")
    text(page).fill("&nbsp;")
    follow(page.get_by_role("button", name="Save"))
    expect(page.locator(".error-summary")).to_be_focused()
    assert drafts(page) == ["&nbsp;"]

    text(page).fill("As it should be")
    preview(page)
    expect(page.get_by_role("heading", name="Preview")).to_be_visible()
    assert drafts(page) == ["As it should be"]

    follow(page.get_by_role("button", name="Save"))
    expect(page.get_by_role("heading", name="Your comment")).to_be_visible()
    assert drafts(page) == []


def test_the_draft_of_an_edit_is_offered_nowhere_else(page, edit_page, story):
    page.goto(edit_page)
    text(page).fill("As it should be")

    page.goto(story.get_absolute_url())

    expect(text(page)).to_have_value("")
    expect(page.get_by_role("link", name="Continue")).to_be_hidden()


def test_a_text_begun_as_a_visitor_is_continued_under_ones_own_name(watch, story, signed_in_page):
    page = watch.new_editor(make_editor())
    page.goto(story.get_absolute_url())
    page.get_by_role("link", name="Reply to Ada").click()
    text(page).fill("Dear Ada")

    page.goto(signed_in_page)
    page.get_by_role("link", name="Continue").click()
    expect(page.locator(".answered")).to_contain_text("Ada")
    expect(text(page)).to_have_value("Dear Ada")
    assert post(page).status == 200

    assert (Comment.objects.latest("pk").parent.name, drafts(page)) == ("Ada", [])


def test_what_is_written_under_ones_own_name_is_a_draft_until_it_is_posted(watch, signed_in_page):
    watch.expect_status(404)
    page = watch.new_editor(make_editor())
    page.goto(signed_in_page)
    text(page).fill("Half a thought")
    page.goto("/nowhere/")
    page.goto(signed_in_page)
    expect(page.get_by_text(BACK)).to_be_visible()
    expect(text(page)).to_have_value("Half a thought")

    assert post(page).status == 200

    assert drafts(page) == []


@pytest.mark.parametrize("keys", ["Control+Enter", "Meta+Enter"])
def test_an_edit_is_saved_by_key(page, edit_page, keys):
    page.goto(edit_page)
    text(page).fill("By key")
    text(page).press(keys)

    expect(page.get_by_role("heading", name="Your comment")).to_be_visible()
    assert Comment.objects.latest("pk").body == "By key"


def test_a_comment_under_ones_own_name_is_posted_by_key(watch, signed_in_page):
    page = watch.new_editor(make_editor())
    page.goto(signed_in_page)
    text(page).fill("By key")
    text(page).press("Control+Enter")

    expect(page).to_have_url(re.compile("#comment-"))
    assert Comment.objects.latest("pk").body == "By key"


def test_the_last_500_characters_of_an_edit_are_counted_down(page, edit_page):
    page.goto(edit_page)
    text(page).fill("x" * 9_500)

    expect(page.locator("#characters-left")).to_have_text("Characters left: 500")


def test_the_last_500_characters_under_ones_own_name_are_counted_down(watch, signed_in_page):
    page = watch.new_editor(make_editor())
    page.goto(signed_in_page)
    text(page).fill("x" * 9_500)

    expect(page.locator("#characters-left")).to_have_text("Characters left: 500")


# --- The network fails while posting ---


def lose_the_network_while_posting(page: Page) -> None:
    page.route("**/reply/", lambda route: route.abort())
    page.get_by_role("button", name="Post Comment").click()
    # The browser's own page about it, which would otherwise come in the way of the next.
    page.wait_for_url("chrome-error://*/")
    page.unroute("**/reply/")


def test_who_is_offline_is_told_so_and_posts_when_the_network_is_back(page, story):
    page.goto(story.get_absolute_url())
    fill_in(page, body="From the tunnel", **PERSON)
    page.context.set_offline(True)
    page.get_by_role("button", name="Post Comment").click()
    told = page.get_by_role("status").get_by_text("You are offline. Your text is kept here.")
    expect(told).to_be_in_viewport()
    expect(page.get_by_role("button", name="Post Comment")).to_be_enabled()
    assert drafts(page) == ["From the tunnel"]

    page.context.set_offline(False)
    expect(told).to_have_count(0)
    assert post(page).status == 200

    assert (Comment.objects.filter(body="From the tunnel").count(), drafts(page)) == (1, [])


def test_the_button_says_that_a_slow_post_is_on_its_way_and_can_be_tried_again(page, story):
    stop_the_clock(page)
    page.goto(story.get_absolute_url())
    fill_in(page, body="Slowly", **PERSON)
    # In place of a network on which it never arrives.
    page.evaluate("document.addEventListener('submit', (event) => event.preventDefault())")

    page.get_by_role("button", name="Post Comment").click()
    expect(page.get_by_role("button", name="Posting…")).to_be_disabled()
    expect(page.get_by_role("button", name="Preview")).to_be_disabled()
    page.clock.run_for(10_000)

    expect(page.get_by_role("button", name="Post Comment")).to_be_enabled()


def test_a_draft_for_a_story_that_has_closed_since_is_there_to_copy(page, story):
    page.goto(story.get_absolute_url())
    text(page).fill("Half a thought")
    story.discussion = "closed"
    story.save()

    page.goto(story.get_absolute_url())
    copy = page.get_by_role("textbox", name="Here is what you were writing")
    expect(copy).to_have_value("Half a thought")
    expect(copy).not_to_be_editable()
    page.get_by_role("button", name="Discard").click()

    expect(copy).to_have_count(0)
    expect(page.get_by_text("Comments on this story are closed.")).to_be_visible()
    assert drafts(page) == []


def test_a_text_survives_a_network_that_fails_while_posting(page, story):
    page.goto(story.get_absolute_url())
    page.get_by_role("link", name="Reply to Ada").click()
    fill_in(page, body="Into the void", **PERSON)

    lose_the_network_while_posting(page)
    page.goto(story.get_absolute_url())
    assert Comment.objects.filter(body="Into the void").count() == 0

    page.get_by_role("link", name="Continue").click()
    expect(text(page)).to_have_value("Into the void")
    fill_in(page, body="Into the void", **PERSON)
    assert post(page).status == 200
    assert (Comment.objects.get(body="Into the void").parent.name, drafts(page)) == ("Ada", [])


def test_back_from_a_network_that_failed_the_form_is_where_it_was(page, story):
    page.goto(story.get_absolute_url())
    page.get_by_role("link", name="Reply to Ada").click()
    fill_in(page, body="Into the void", **PERSON)

    lose_the_network_while_posting(page)
    page.go_back()

    expect(page.locator("#reply-title")).to_have_text("Leave a Reply to Ada")
    expect(text(page)).to_have_value("Into the void")
    assert post(page).status == 200
    assert (Comment.objects.get(body="Into the void").parent.name, drafts(page)) == ("Ada", [])


# --- Writing ---


@pytest.mark.parametrize("keys", ["Control+Enter", "Meta+Enter"])
def test_a_comment_is_posted_by_key_with_the_browsers_own_checks(page, story, keys):
    page.goto(story.get_absolute_url())
    text(page).fill("By key")
    text(page).press(keys)
    expect(page.get_by_label("Name *")).to_be_focused()

    fill_in(page, body="By key", **PERSON)
    text(page).press(keys)

    expect(page).to_have_url(re.compile("#comment-"))
    assert Comment.objects.filter(body="By key").count() == 1


def test_the_last_500_characters_are_counted_down(page, story):
    stop_the_clock(page)
    page.goto(story.get_absolute_url())
    shown, spoken = page.locator("#characters-left"), page.locator("#characters-left-spoken")
    text(page).fill("x" * 9_499)
    expect(shown).to_be_hidden()

    text(page).fill("x" * 9_498 + "🙂")
    expect(shown).to_have_text("Characters left: 500")
    expect(spoken).to_have_text("")
    page.clock.run_for(1_100)
    expect(spoken).to_have_text("Characters left: 500")
    text(page).fill("x")
    expect(shown).to_be_hidden()
