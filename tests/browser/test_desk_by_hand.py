"""The moderation queue as those use it who moderate all day: by mouse, by keyboard, by ear, in large letters."""

import os
import re
import shutil

import pytest
from playwright.sync_api import Page, expect

from comments.models import Comment
from tests.browser.conftest import FLAGS, Watch
from tests.browser.links import follow
from tests.browser.test_accessibility import SCHEMES, violations
from tests.browser.test_moderating import QUEUE, make_held, row_of, statuses_of, with_keys
from tests.factories import make_article, make_comment, make_editor

WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 320, "height": 640}
NEWS = re.compile("/news/")


@pytest.fixture
def watch_in_large_letters(browser, live_server):
    """A browser whose letters are twice as large as others have them."""
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    flags = [*FLAGS, *sandbox, "--blink-settings=defaultFontSize=32"]
    large = browser.browser_type.launch(executable_path=shutil.which("chromium"), args=flags)
    watch = Watch(large, live_server.url)
    yield watch
    watch.close()
    large.close()
    assert watch.unexpected == []


def button(page: Page, comment: Comment, name: str):
    return row_of(page, comment).get_by_role("button", name=name, exact=True)


def is_in_view(page: Page, selector: str) -> bool:
    """Whether all of an element stands in the window."""
    box = page.locator(selector).bounding_box()
    return bool(box["height"]) and box["y"] >= 0 and box["y"] + box["height"] <= page.viewport_size["height"]


def ends_of(page: Page) -> list[tuple[float, float]]:
    boxes = [row.bounding_box() for row in page.locator(".queue-row").all()]
    return [(box["y"], box["y"] + box["height"]) for box in boxes]


# --- What is seen ---


def test_five_ordinary_comments_stand_in_a_window_and_the_first_on_a_phone(watch):
    article = make_article(title="The bridge opens")
    for number in range(6):
        make_comment(article=article, name=f"Reader {number}", body="Two lines or so. " * 8, status="held")
    editor = make_editor()
    wide, phone = (watch.new_editor(editor, viewport=size) for size in (WIDE, PHONE))
    for page in (wide, phone):
        page.goto(QUEUE)

    assert len([end for _top, end in ends_of(wide) if end <= WIDE["height"]]) >= 5
    assert ends_of(phone)[0][0] < PHONE["height"] - 150
    # Nothing is folded away where there is room, and what is can be opened.
    expect(wide.get_by_role("searchbox")).to_be_visible()
    expect(wide.get_by_label("Decision")).to_be_visible()
    expect(phone.get_by_label("Decision")).to_be_hidden()
    phone.locator("summary", has_text="Many at once").click()
    expect(phone.get_by_label("Decision")).to_be_visible()


@pytest.mark.parametrize("path", [QUEUE, f"{QUEUE}%s/change/"], ids=["queue", "comment"])
def test_in_letters_twice_as_large_the_text_has_room(watch_in_large_letters, path):
    comment = make_held(1)[0]
    page = watch_in_large_letters.new_editor(make_editor(), viewport=WIDE)
    page.goto(path.replace("%s", str(comment.pk)))

    width = page.locator(".queue-text").first.bounding_box()["width"]
    letter = page.locator(".queue-body").first.evaluate("one => parseFloat(getComputedStyle(one).fontSize)")

    assert (letter > 24, width >= 20 * letter) == (True, True)


@pytest.mark.parametrize("state", ["queue-row", "queue-done"])
def test_a_word_without_end_keeps_to_the_smallest_screen(watch, state):
    comment = make_comment(name="N" * 90, body="w" * 300, status="held")
    page = watch.new_editor(make_editor(), viewport=PHONE)
    page.goto(QUEUE)
    if state == "queue-done":
        button(page, comment, "Approve").click()
    expect(row_of(page, comment)).to_have_class(state)

    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


# --- What is told ---


def test_a_failure_is_told_where_it_is_seen_however_far_down_the_page(watch):
    comments = make_held(12)
    page = watch.new_editor(make_editor(), viewport=WIDE)
    page.route(re.compile("/decide/"), lambda route: route.abort())
    page.goto(QUEUE)
    status = page.locator("#queue-status")
    # It is there before it has anything to say, or it would not be heard.
    assert status.evaluate("one => getComputedStyle(one).display") != "none"
    watch.expect("Failed to load resource")

    button(page, comments[-1], "Approve").click()

    expect(status).to_contain_text("No answer came from the site.")
    assert (page.evaluate("scrollY > 300"), is_in_view(page, "#queue-status")) == (True, True)
    # What has been done stands in its row, and covers nothing.
    page.unroute_all()
    button(page, comments[-1], "Approve").click()
    expect(status).to_contain_text("Approved: ")
    assert status.bounding_box()["height"] <= 1


def let_it_look(page: Page) -> None:
    """Let the queue ask what others have decided, and wait for the answer."""
    with page.expect_response(NEWS):
        page.clock.run_for(20_000)


def test_what_a_colleague_decides_is_heard_once(watch):
    comments = make_held(3)
    page = watch.new_editor(make_editor())
    page.clock.install()
    page.goto(QUEUE)
    heard = page.locator("#queue-news")
    colleague = make_editor(username="colleague")

    comments[0].approve(by=colleague)
    let_it_look(page)
    expect(heard).to_contain_text(re.compile(r"^Reader 2 on .*: Approved by colleague, "))
    heard.evaluate("one => { one.textContent = '' }")
    row_of(page, comments[0]).locator(".queue-overtaken").evaluate("one => { one.id = 'of-before' }")
    let_it_look(page)
    expect(page.locator("#of-before")).to_have_count(0)
    expect(row_of(page, comments[0]).locator(".queue-overtaken")).to_have_count(1)
    assert heard.text_content() == ""
    for comment in comments[1:]:
        comment.trash(by=colleague)
    let_it_look(page)

    expect(heard).to_have_text("Others have decided on several of these comments. Each says so.")


def test_a_slow_answer_does_not_undo_what_a_newer_one_tells(watch):
    comment = make_held(1)[0]
    page = watch.new_editor(make_editor())
    page.clock.install()
    page.goto(QUEUE)
    asked, answers = [], []
    page.route(NEWS, lambda route: asked.append(route))
    colleague = make_editor(username="colleague")
    for decide in (comment.approve, comment.trash):
        decide(by=colleague)
        page.clock.run_for(20_000)
        while len(asked) == len(answers):
            page.wait_for_timeout(10)
        answers.append(asked[-1].fetch())

    for route, answer in reversed(list(zip(asked, answers, strict=True))):
        with page.expect_response(NEWS) as came:
            route.fulfill(response=answer)
        came.value.finished()

    overtaken = row_of(page, comment).locator(".queue-overtaken")
    expect(overtaken).to_have_text(re.compile("Moved to the trash by colleague"))


def test_the_keys_go_past_a_comment_that_a_colleague_has_decided_on(watch):
    comments = make_held(3)
    page = watch.new_editor(make_editor())
    page.clock.install()
    with_keys(page)
    comments[1].approve(by=make_editor(username="colleague"))
    let_it_look(page)
    expect(row_of(page, comments[1]).locator(".queue-overtaken")).to_have_count(1)

    for _ in range(2):
        page.keyboard.press("j")
    expect(row_of(page, comments[2])).to_be_focused()
    for _ in range(2):
        page.keyboard.press("k")

    expect(row_of(page, comments[0])).to_be_focused()


def test_a_row_is_known_by_its_name_and_so_are_its_buttons(watch):
    comment = make_comment(article=make_article(title="The bridge opens"), name="Ada", status="held")
    page = watch.new_editor(make_editor())
    page.goto(QUEUE)

    expect(page.locator("#queue-rows")).to_match_aria_snapshot("""
    - list:
      - listitem "Ada on The bridge opens":
        - paragraph:
          - checkbox "Choose the comment by Ada"
        - heading "Ada on The bridge opens" [level=2]
        - group "Ada on The bridge opens":
          - button "Approve"
          - button "Spam"
          - button "Trash"
    """)
    page.keyboard.press("Shift")
    row_of(page, comment).focus()
    # 3:1 against the page, WCAG 2.2, 1.4.11.
    mark = row_of(page, comment).evaluate("one => getComputedStyle(one).outline")
    assert mark == "rgb(65, 120, 147) solid 3px"


# --- What stays where it was ---


def test_nothing_moves_under_the_hand_that_clicks(watch):
    comments = make_held(14)
    page = watch.new_editor(make_editor(), viewport=WIDE)
    page.goto(QUEUE)

    # What can be undone finds its place above without pushing the rows away.
    for comment in comments[1:4]:
        assert abs(moved_by_a_click(page, comment)) < 2
    # Half of the next row is below the window's end, where the keyboard would bring it into sight.
    bottom = next(one for one in reversed(comments) if row_of(page, one).bounding_box()["y"] < 780)
    assert abs(moved_by_a_click(page, bottom)) < 2
    assert page.evaluate("scrollY") == 0


def moved_by_a_click(page: Page, comment: Comment) -> float:
    """Approve a comment, and return how far its row has moved by then."""
    before = row_of(page, comment).bounding_box()["y"]
    button(page, comment, "Approve").click()
    expect(row_of(page, comment)).to_have_class("queue-done")
    # What follows the decision comes with the counts.
    decided = Comment.objects.approved().count()
    expect(page.locator("#queue-tabs")).to_contain_text(f"Approved ({decided})")
    return row_of(page, comment).bounding_box()["y"] - before


def test_what_is_missing_in_a_decision_on_many_is_said_and_the_page_stays(watch):
    comments = make_held(12)
    page = watch.new_editor(make_editor(), viewport=WIDE)
    with_keys(page)
    status = page.locator("#queue-status")
    page.evaluate("window.stayed = true")

    # The keyboard is no reason to scroll away.
    for _ in range(10):
        page.keyboard.press("j")
    page.keyboard.press("Shift+A")
    expect(status).to_have_text("Tick at least one comment.")
    assert is_in_view(page, "#queue-status")
    expect(row_of(page, comments[10])).to_be_focused()
    for comment in comments[:3]:
        row_of(page, comment).get_by_role("checkbox").check()
    page.get_by_role("button", name="Do it").click()
    expect(status).to_have_text("Choose what is to become of the comments.")
    expect(page.get_by_label("Decision")).to_be_focused()

    assert page.locator("[name=ticked]:checked").count() == 3
    assert page.evaluate("window.stayed") is True
    assert statuses_of(comments) == ["held"] * 12


def test_without_a_script_ticks_and_a_begun_answer_outlive_a_decision(watch):
    comments = make_held(12)
    page = watch.new_editor(make_editor(), viewport=WIDE, java_script_enabled=False)
    page.goto(QUEUE)
    row_of(page, comments[8]).get_by_role("checkbox").check()
    answer = row_of(page, comments[9]).locator("textarea")
    row_of(page, comments[9]).locator("summary", has_text="Reply").click()
    answer.fill("Thank you.")

    watch.expect_status(422)
    assert follow(page.get_by_role("button", name="Do it")).status == 422
    expect(page.get_by_role("alert")).to_have_text("Choose what is to become of the comments.")
    expect(row_of(page, comments[8]).get_by_role("checkbox")).to_be_checked()
    follow(button(page, comments[10], "Approve"))

    # It goes on at the next comment, and what was done is seen there.
    expect(page.locator(".messagelist")).to_contain_text("Approved: ")
    assert page.url.endswith(f"#row-{comments[11].pk}")
    assert is_in_view(page, ".messagelist")
    expect(row_of(page, comments[8]).get_by_role("checkbox")).to_be_checked()
    expect(answer).to_have_value("Thank you.")


# --- The keys ---


def test_z_takes_back_the_wrong_key_though_the_next_comment_has_the_focus(watch):
    comments = make_held(3)
    page = watch.new_editor(make_editor())
    with_keys(page)
    page.keyboard.press("s")
    expect(row_of(page, comments[1])).to_be_focused()

    page.keyboard.press("z")
    expect(row_of(page, comments[0])).to_have_class("queue-row")
    expect(row_of(page, comments[0])).to_be_focused()
    after = statuses_of(comments)
    page.keyboard.press("z")

    expect(page.locator("#queue-status")).to_contain_text("Nothing that you have decided on this page")
    assert is_in_view(page, "#queue-status")
    assert after == ["held"] * 3


@SCHEMES
def test_the_list_of_keys_opens_where_it_is_asked_for_and_nothing_scrolls(watch, scheme):
    comments = make_held(12)
    page = watch.new_editor(make_editor(), viewport=WIDE, color_scheme=scheme, bypass_csp=True)
    with_keys(page)
    for _ in range(10):
        page.keyboard.press("j")
    before = page.evaluate("scrollY")

    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    expect(dialog.get_by_label("Use these keys in this browser")).to_be_focused()
    assert (is_in_view(page, "#queue-keys"), violations(page, "#queue-keys")) == (True, [])
    # WCAG 2.2, 2.5.8.
    assert min(one.bounding_box()["height"] for one in dialog.locator("input, button").all()) >= 24
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(dialog).to_be_hidden()
    expect(row_of(page, comments[10])).to_be_focused()
    assert page.evaluate("scrollY") == before > 300


# --- The way on ---


def test_a_search_stays_when_the_tab_changes_and_is_looked_for_in_all(watch):
    article = make_article()
    make_comment(article=article, body="A casino", status="trash")
    make_comment(article=article, body="A bridge", status="trash")
    page = watch.new_editor(make_editor())
    page.goto(f"{QUEUE}?q=casino")

    follow(page.locator("#queue-tabs").get_by_role("link", name="Spam"))
    expect(page.get_by_role("searchbox")).to_have_value("casino")
    follow(page.get_by_role("link", name="Search in all"))

    expect(page.locator(".queue-row")).to_have_count(1)
    expect(page.locator(".queue-row")).to_contain_text("A casino")


def test_whoever_is_trusted_with_a_held_comment_has_it_approved(watch):
    comment, other = make_held(2)
    page = watch.new_editor(make_editor())
    page.goto(QUEUE)

    button(page, comment, "Approve and trust").click()

    expect(row_of(page, comment)).to_have_class("queue-done")
    expect(row_of(page, comment)).to_contain_text("1 person is trusted now. 1 comment is public now.")
    expect(row_of(page, other)).to_be_focused()
    assert statuses_of([comment, other]) == ["approved", "held"]
    button(page, comment, "Undo").click()
    expect(row_of(page, comment)).to_have_class("queue-row")
    assert statuses_of([comment, other]) == ["held", "held"]


def test_a_ban_begins_with_the_address_of_the_comment(watch):
    comment = make_held(1)[0]
    page = watch.new_editor(make_editor())
    page.goto(QUEUE)

    row_of(page, comment).get_by_role("link", name="Ban").click()

    chosen = page.get_by_role("form", name="Ban Reader 0").get_by_label("Email address:")
    expect(chosen).to_be_checked()
    expect(chosen).to_be_focused()
