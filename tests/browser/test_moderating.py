"""Moderators at work: alone and by keyboard, many comments at once, and two at a time."""

import re

import pytest
from playwright.sync_api import Page, expect

from comments.models import Comment, Standing
from tests.browser.links import follow, stay
from tests.factories import make_article, make_comment, make_editor

QUEUE = "/admin/comments/comment/"


def row_of(page: Page, comment: Comment):
    return page.locator(f"#row-{comment.pk}")


def make_held(count: int) -> list[Comment]:
    """Comments in the order in which the queue shows them."""
    article = make_article()
    made = [make_comment(article=article, name=f"Reader {n}", status="held") for n in range(count)]
    return made[::-1]


def statuses_of(comments: list[Comment]) -> list[str]:
    found = dict(Comment.objects.values_list("pk", "status"))
    return [found[comment.pk] for comment in comments]


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_the_second_moderator_is_told_what_the_first_one_did_and_it_stands(watch, javascript):
    comment = make_comment(name="Ada", status=Comment.Status.HELD)
    first = watch.new_editor(make_editor(username="first"), java_script_enabled=javascript)
    second = watch.new_editor(make_editor(username="second"), java_script_enabled=javascript)
    first.goto(QUEUE)
    second.goto(QUEUE)
    if javascript:
        watch.expect_status(409)

    row_of(first, comment).get_by_role("button", name="Approve", exact=True).click()
    said = first.locator(".queue-done" if javascript else ".messagelist")
    expect(said).to_contain_text(re.compile("Approved: \u2068?Ada"))
    row_of(second, comment).get_by_role("button", name="Spam", exact=True).click()

    expect(second.locator(".queue-done" if javascript else ".messagelist")).to_contain_text(
        "already approved by first"
    )
    comment.refresh_from_db()
    assert comment.status == Comment.Status.APPROVED
    assert [str(change.by) for change in comment.changes.all()] == ["first"]


def test_a_decision_on_many_comments_leaves_those_alone_that_another_has_decided_on(watch):
    taken, free = make_held(2)
    first = watch.new_editor(make_editor(username="first"))
    second = watch.new_editor(make_editor(username="second"))
    first.goto(QUEUE)
    second.goto(QUEUE)

    row_of(first, taken).get_by_role("button", name="Approve", exact=True).click()
    expect(first.locator(".queue-done")).to_contain_text("Approved: ")
    for comment in [taken, free]:
        row_of(second, comment).get_by_role("checkbox").check()
    second.get_by_label("Decision").select_option("Spam")
    second.get_by_role("button", name="Do it").click()

    expect(second.locator(".messagelist")).to_contain_text("1 comment marked as spam.")
    expect(second.locator(".messagelist")).to_contain_text("already approved by first")
    expect(row_of(second, free)).to_have_count(0)
    assert statuses_of([taken, free]) == ["approved", "spam"]


def test_what_another_has_decided_shows_beside_the_comment(watch):
    comment, other = make_held(2)
    first = watch.new_editor(make_editor(username="first"))
    first.clock.install()
    first.goto(QUEUE)
    comment.approve(by=make_editor(username="second"))

    first.clock.run_for(20_000)

    expect(row_of(first, comment).locator(".queue-overtaken")).to_contain_text("Approved by second")
    expect(row_of(first, other).locator(".queue-overtaken")).to_have_count(0)


def test_ten_comments_are_moderated_by_keyboard_alone(watch):
    comments = make_held(10)
    page = watch.new_editor(make_editor())
    page.goto(QUEUE)
    press = page.keyboard.press

    # Off until someone switches the keys on.
    press("j")
    press("a")
    assert statuses_of(comments) == ["held"] * 10

    press("?")
    expect(page.get_by_label("Use these keys in this browser")).to_be_focused()
    press("Space")
    press("j")
    for place, key in enumerate("aasda"):
        expect(row_of(page, comments[place])).to_be_focused()
        press(key)
        # The next comment has the focus, without a key for it.
        expect(row_of(page, comments[place + 1])).to_be_focused()
    # The last one was a mistake: back to it, undone, and decided otherwise.
    press("k")
    expect(row_of(page, comments[4])).to_be_focused()
    press("z")
    expect(row_of(page, comments[4])).to_have_class("queue-row")
    expect(row_of(page, comments[4])).to_be_focused()
    press("s")
    expect(row_of(page, comments[5])).to_be_focused()
    # Two are ticked and decided on together, one is answered, the last two are approved.
    press("x")
    press("j")
    press("x")
    press("Shift+S")
    expect(page.locator(".messagelist")).to_contain_text("2 comments marked as spam.")
    # The page has loaded anew, and goes on where it was.
    expect(row_of(page, comments[7])).to_be_focused()
    press("r")
    page.keyboard.type("Thank you, I have put it right.")
    press("Tab")
    press("Enter")
    expect(page.locator("#queue-status")).to_contain_text("Your reply to Reader 2 is public.")
    expect(row_of(page, comments[8])).to_be_focused()
    press("a")
    expect(row_of(page, comments[9])).to_be_focused()
    press("a")
    expect(page.locator(".queue-done")).to_have_count(3)

    assert statuses_of(comments) == [
        "approved", "approved", "spam", "trash", "spam", "spam", "spam", "approved", "approved", "approved",
    ]  # fmt: skip
    assert Comment.objects.get(parent=comments[7]).body == "Thank you, I have put it right."


def test_the_other_keys_hold_edit_leave_fields_alone_and_decide_on_all_that_are_ticked(watch):
    comments = make_held(3)
    page = watch.new_editor(make_editor())
    press = page.keyboard.press
    page.goto(QUEUE)
    press("?")
    press("Space")
    message = page.locator(".messagelist")

    for keys, told, after in (
        (["Shift+X", "Shift+A"], "3 comments are public now.", "approved"),
        (["Shift+X", "Shift+U"], "3 comments are held now.", "held"),
        (["Shift+X", "Shift+D"], "3 comments moved to the trash.", "trash"),
        (["Shift+X", "Shift+Z"], "3 comments restored.", "held"),
        (["Shift+X", "Shift+T"], "3 comments moved to the trash.", "trash"),
    ):
        page.goto(f"{QUEUE}?status=all")
        for key in keys:
            press(key)
        expect(message).to_contain_text(told)
        assert statuses_of(comments) == [after] * 3

    comments[0].approve(by=make_editor())
    page.goto(f"{QUEUE}?status=approved")
    press("j")
    press("u")
    expect(page.locator(".queue-done")).to_contain_text("Held: ")

    # What is typed into a field is no key.
    page.goto(f"{QUEUE}?status=all")
    page.get_by_label("Search").focus()
    for key in "aus":
        press(key)
    assert page.get_by_label("Search").input_value() == "aus"
    assert statuses_of(comments) == ["held", "trash", "trash"]

    for key in "eq":
        page.goto(QUEUE)
        press("j")
        press(key)
        expect(page.get_by_role("form", name="Edit the comment of Reader 2")).to_be_visible()


def test_j_and_k_go_over_the_end_of_a_page_and_not_out_of_the_queue(watch, monkeypatch):
    monkeypatch.setattr("comments.queue.ROWS", 2)
    comments = make_held(3)
    page = watch.new_editor(make_editor())
    press = page.keyboard.press
    page.goto("/admin/")
    page.goto(QUEUE)
    press("?")
    press("Space")

    for key in "jjj":
        press(key)
    expect(row_of(page, comments[2])).to_be_visible()
    page.wait_for_load_state()
    for key in "jk":
        press(key)
    expect(row_of(page, comments[1])).to_be_visible()
    expect(row_of(page, comments[2])).to_have_count(0)
    # There is nothing before the first comment.
    page.goto(QUEUE)
    for key in "jkk":
        press(key)
    expect(row_of(page, comments[0])).to_be_focused()
    stay(page)
    assert page.url.endswith(QUEUE)


def test_k_pressed_twice_at_the_top_of_a_page_goes_back_one_page_and_not_two(watch, monkeypatch):
    monkeypatch.setattr("comments.queue.ROWS", 2)
    comments = make_held(5)
    page = watch.new_editor(make_editor())
    with_keys(page)
    for first in comments[2::2]:
        follow(page.get_by_role("link", name="Older comments"))
        expect(row_of(page, first)).to_be_visible()
    page.keyboard.press("j")
    expect(row_of(page, comments[4])).to_be_focused()

    page.keyboard.press("k")
    page.keyboard.press("k")

    expect(row_of(page, comments[2])).to_be_visible()
    stay(page)
    expect(row_of(page, comments[3])).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_all_that_match_are_marked_as_spam_and_it_is_undone(watch, javascript):
    article = make_article()
    spam = [make_comment(article=article, body="Buy pills", status="held") for _ in range(60)]
    others = [make_comment(article=article, status="held") for _ in range(3)]
    page = watch.new_editor(make_editor(), java_script_enabled=javascript)
    page.goto(QUEUE)
    page.get_by_label("Search").fill("pills")
    follow(page.get_by_role("button", name="Search"))

    page.get_by_label("Decision").select_option("Spam")
    page.get_by_label("of", exact=True).select_option("all that match, on all pages")
    follow(page.get_by_role("button", name="Do it"))
    expect(page.locator("#content")).to_contain_text("60 comments")
    page.get_by_role("button", name="Spam").click()
    expect(page.locator("#content")).to_contain_text("60 comments marked as spam.")
    after = (set(statuses_of(spam)), set(statuses_of(others)))
    page.get_by_role("button", name="Undo").click()

    expect(page.locator(".messagelist")).to_contain_text("60 changes undone.")
    assert after == ({"spam"}, {"held"})
    assert set(statuses_of([*spam, *others])) == {"held"}


def test_rows_follow_as_rows_leave_and_the_counts_change(watch, monkeypatch):
    monkeypatch.setattr("comments.queue.ROWS", 3)
    comments = make_held(7)
    page = watch.new_editor(make_editor())
    page.goto(QUEUE)
    expect(page.locator(".queue-row")).to_have_count(3)

    for comment in comments[:2]:
        row_of(page, comment).get_by_role("button", name="Approve", exact=True).click()
        expect(row_of(page, comment)).to_have_class("queue-done")

    expect(page.locator(".queue-row")).to_have_count(3)
    expect(row_of(page, comments[4])).to_be_visible()
    expect(page.locator("#queue-tabs")).to_contain_text("Held (5)")
    expect(page.locator("#queue-tabs")).to_contain_text("Approved (2)")
    page.get_by_role("link", name="Older comments").click()
    expect(row_of(page, comments[5])).to_be_visible()
    expect(row_of(page, comments[4])).to_have_count(0)


def test_rows_that_followed_are_decided_on_with_others_as_they_were_read(watch, monkeypatch):
    monkeypatch.setattr("comments.queue.ROWS", 2)
    comments = make_held(3)
    page = watch.new_editor(make_editor())
    page.goto(QUEUE)
    # Someone else has it back in the queue before it follows on this page.
    comments[2].approve(by=make_editor())
    comments[2].hold(by=make_editor())

    row_of(page, comments[0]).get_by_role("button", name="Approve", exact=True).click()
    row_of(page, comments[2]).get_by_role("checkbox").check()
    page.get_by_label("Decision").select_option("Spam")
    page.get_by_role("button", name="Do it").click()

    expect(page.locator(".messagelist")).to_have_text("1 comment marked as spam.")
    assert statuses_of(comments) == ["approved", "held", "spam"]


def test_a_decision_that_gets_no_answer_says_so_and_can_be_taken_again(watch):
    (comment,) = make_held(1)
    page = watch.new_editor(make_editor())
    page.route(re.compile("/decide/"), lambda route: route.abort())
    page.goto(QUEUE)
    watch.expect("Failed to load resource")

    row_of(page, comment).get_by_role("button", name="Approve", exact=True).click()

    expect(page.locator("#queue-status")).to_have_text(
        "No answer came from the site. Load the page again to see whether it was done."
    )
    page.unroute_all()
    row_of(page, comment).get_by_role("button", name="Approve", exact=True).click()
    expect(page.locator(".queue-done")).to_have_count(1)
    assert statuses_of([comment]) == ["approved"]


def with_keys(page: Page) -> None:
    """Open the queue with its keys switched on, at the first comment."""
    page.goto(QUEUE)
    page.get_by_role("button", name="Keyboard").click()
    page.get_by_label("Use these keys in this browser").check()
    page.keyboard.press("j")


def test_a_key_that_is_held_down_decides_once(watch):
    comments = make_held(4)
    page = watch.new_editor(make_editor())
    with_keys(page)

    page.keyboard.down("s")
    expect(row_of(page, comments[0])).to_have_class("queue-done")
    for _ in range(5):
        page.keyboard.down("s")
    page.keyboard.up("s")
    page.keyboard.press("j")

    expect(row_of(page, comments[2])).to_be_focused()
    assert statuses_of(comments) == ["spam", "held", "held", "held"]


def test_a_late_answer_leaves_the_moderator_where_they_are_by_then(watch):
    comments = make_held(4)
    page = watch.new_editor(make_editor())

    def answer_late(route):
        for _ in range(3):
            page.keyboard.press("j")
        route.continue_()

    page.route(re.compile("/decide/"), answer_late)
    with_keys(page)
    page.keyboard.press("a")

    expect(row_of(page, comments[0])).to_have_class("queue-done")
    expect(row_of(page, comments[3])).to_be_focused()


def test_two_quick_decisions_fetch_no_row_twice(watch, monkeypatch):
    monkeypatch.setattr("comments.queue.ROWS", 3)
    comments = make_held(7)
    page = watch.new_editor(make_editor())
    page.goto(QUEUE)

    for comment in comments[:2]:
        row_of(page, comment).get_by_role("button", name="Approve", exact=True).click()

    expect(row_of(page, comments[4])).to_be_visible()
    shown = page.locator("#queue-rows > li").evaluate_all("rows => rows.map((row) => row.id)")
    assert shown == [f"row-{comment.pk}" for comment in comments[:5]]


def test_an_answer_that_was_begun_stays_when_its_comment_is_decided_on(watch):
    comment, _other = make_held(2)
    page = watch.new_editor(make_editor())
    page.goto(QUEUE)
    row_of(page, comment).locator("summary", has_text="Reply").click()
    row_of(page, comment).get_by_label("Reply to Reader 1").fill("Thank you.")

    row_of(page, comment).get_by_role("button", name="Approve", exact=True).click()

    expect(row_of(page, comment)).to_have_class("queue-done")
    expect(row_of(page, comment).get_by_label("Reply to Reader 1")).to_have_value("Thank you.")
    row_of(page, comment).get_by_role("button", name="Approve and reply").click()
    expect(page.locator("#queue-status")).to_have_text("Your reply to Reader 1 is public.")


def test_an_answer_is_refused_put_right_and_undone_in_its_row(watch):
    comment, other = make_held(2)
    page = watch.new_editor(make_editor())
    page.goto(QUEUE)
    row = row_of(page, comment)
    text = row.get_by_label("Reply to Reader 1")
    row.locator("summary", has_text="Reply").click()
    text.focus()

    watch.expect_status(422)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#queue-status")).to_have_text("Your comment has not been posted.")
    expect(text).to_be_focused()
    expect(text).to_have_accessible_description("Please write a comment.")
    page.keyboard.type("Thank you.")
    page.keyboard.press("Control+Enter")

    expect(page.locator("#queue-status")).to_have_text("Your reply to Reader 1 is public.")
    expect(row).to_have_class("queue-done")
    expect(row_of(page, other)).to_be_focused()
    expect(page.locator("#comments-waiting")).to_contain_text("Comments (1)")
    assert Comment.objects.get(parent=comment).status == "approved"
    row.get_by_role("button", name="Undo").click()
    expect(row).to_have_class("queue-row")
    expect(page.locator("#comments-waiting")).to_contain_text("Comments (2)")
    assert (statuses_of([comment]), Comment.objects.get(parent=comment).status) == (["held"], "trash")


def test_a_comment_is_edited_in_its_row_by_keyboard_alone(watch):
    comment, other = make_held(2)
    Comment.objects.filter(pk=comment.pk).update(website="https://reader.example")
    page = watch.new_editor(make_editor())
    press, status = page.keyboard.press, page.locator("#queue-status")
    with_keys(page)
    row = row_of(page, comment)
    form = page.get_by_role("form", name="Edit the comment of Reader 1")

    # Opened and closed, nothing is asked, and the focus is where it was.
    press("x")
    press("e")
    expect(form.get_by_label("Comment")).to_be_focused()
    expect(row.locator(".queue-body")).to_be_hidden()
    press("Escape")
    expect(form).to_have_count(0)
    expect(row.get_by_role("link", name="Edit")).to_be_focused()
    expect(row.locator(".queue-body")).to_be_visible()
    # What has been changed stays, and its letters are no keys.
    press("q")
    expect(form.get_by_label("Comment")).to_be_focused()
    press("Control+A")
    page.keyboard.type("as said")
    press("Escape")
    expect(status).to_contain_text("is not sent yet")
    expect(form.get_by_label("Comment")).to_have_value("as said")
    watch.expect_status(422)
    form.get_by_label("Email").fill("nobody@nowhere")
    form.get_by_label("Email").press("Enter")
    expect(form.locator(".error-summary")).to_be_focused()
    form.get_by_label("Email").fill("reader@example.com")
    form.get_by_label("Comment").focus()
    press("Control+Enter")

    expect(status).to_have_text("1 comment changed.")
    expect(row).to_be_focused()
    expect(row.locator(".queue-body")).to_have_text("as said")
    expect(row.get_by_role("checkbox")).to_be_checked()
    comment.refresh_from_db()
    assert (comment.body, comment.email, comment.status) == ("as said", "reader@example.com", "held")
    press("z")
    expect(row.locator(".queue-body")).to_have_text(Comment.objects.get(pk=comment.pk).body)
    expect(status).to_have_text("1 change undone.")
    press("j")
    expect(row_of(page, other)).to_be_focused()


def test_r_leads_to_the_answer_and_never_to_the_words_of_an_open_edit(watch):
    comment = make_held(1)[0]
    page = watch.new_editor(make_editor())
    with_keys(page)
    page.keyboard.press("e")
    expect(row_of(page, comment).locator("textarea[name=body]")).to_be_focused()
    row_of(page, comment).focus()

    page.keyboard.press("r")
    page.keyboard.type("My answer.")
    row_of(page, comment).focus()
    page.keyboard.press("r")

    answer = row_of(page, comment).locator(f"textarea[name='{comment.pk}-body']")
    expect(answer).to_be_focused()
    assert answer.input_value() == "My answer."
    assert row_of(page, comment).locator("textarea[name=body]").input_value() == comment.body


def test_a_person_is_banned_in_the_row_of_a_comment_and_it_is_undone(watch):
    comment, other = make_held(2)
    page = watch.new_editor(make_editor())
    page.goto(QUEUE)
    row = row_of(page, comment)
    form = page.get_by_role("form", name="Ban Reader 1")

    row.get_by_role("link", name="Ban").click()
    expect(form.get_by_label("Email address:")).to_be_focused()
    # What the comment says stays to be read.
    expect(row.locator(".queue-body")).to_be_visible()
    form.get_by_label("Email address:").check()
    form.get_by_label("Instead of what the comment has").fill("not an address")
    watch.expect_status(422)
    form.get_by_role("button", name="Ban").click()
    expect(form.locator(".error-summary")).to_be_focused()
    expect(form.get_by_label("Instead of what the comment has")).to_have_value("not an address")
    form.get_by_label("Instead of what the comment has").fill("")
    form.get_by_role("button", name="Ban").click()

    expect(row).to_have_class("queue-done")
    expect(row_of(page, other)).to_be_focused()
    assert (statuses_of([comment]), Standing.objects.count()) == (["spam"], 1)
    row.get_by_role("button", name="Undo").click()
    expect(row).to_have_class("queue-row")
    assert (statuses_of([comment]), Standing.objects.count()) == (["held"], 0)


def test_an_edit_that_was_begun_stays_when_its_comment_is_decided_on(watch):
    comment, _other = make_held(2)
    page = watch.new_editor(make_editor())
    page.goto(QUEUE)
    row = row_of(page, comment)
    row.get_by_role("link", name="Edit").click()
    form = page.get_by_role("form", name="Edit the comment of Reader 1")
    form.get_by_label("Comment").fill("As it should be")

    # The form of a ban would take its place.
    row.get_by_role("link", name="Ban").click()
    expect(page.locator("#queue-status")).to_contain_text("is not sent yet")
    row.get_by_role("button", name="Approve", exact=True).click()

    expect(row).to_have_class("queue-done")
    expect(form.get_by_label("Comment")).to_have_value("As it should be")
    form.get_by_role("button", name="Cancel").click()
    expect(form).to_have_count(0)
    expect(row).to_be_focused()


def test_the_latest_decision_that_can_be_undone_is_the_one_just_taken_in_place(watch):
    first, second = make_held(2)
    page = watch.new_editor(make_editor())
    page.goto(QUEUE)

    row_of(page, first).get_by_role("button", name="Trash").click()
    expect(page.locator("#queue-last")).to_contain_text("Moved to the trash: ")
    row_of(page, second).get_by_role("button", name="Spam").click()
    expect(page.locator("#queue-last")).to_contain_text("Marked as spam: ")
    page.locator("#queue-last").get_by_role("button", name="Undo").click()

    expect(page.locator(".messagelist")).to_have_text("1 change undone.")
    assert statuses_of([first, second]) == ["trash", "held"]


def test_the_list_of_keys_opens_and_leads_back_to_where_it_was_asked_for(watch):
    comments = make_held(3)
    page = watch.new_editor(make_editor())
    with_keys(page)
    page.keyboard.press("j")

    for way_back in ("Escape", "?"):
        page.keyboard.press("?")
        expect(page.get_by_label("Use these keys in this browser")).to_be_focused()
        page.keyboard.press(way_back)
        expect(row_of(page, comments[1])).to_be_focused()
        expect(page.get_by_label("Use these keys in this browser")).to_be_hidden()


def test_after_a_decision_on_the_ticked_ones_the_keys_go_on_at_the_next_comment(watch):
    comments = make_held(5)
    page = watch.new_editor(make_editor())
    with_keys(page)
    for key in ("x", "j", "j", "x"):
        page.keyboard.press(key)

    page.keyboard.press("Shift+A")

    expect(page.locator(".messagelist")).to_have_text("2 comments are public now.")
    expect(row_of(page, comments[3])).to_be_focused()
    page.keyboard.press("j")
    expect(row_of(page, comments[4])).to_be_focused()


def test_a_finger_finds_the_buttons_that_undo(watch):
    make_held(1)[0].trash(by=(editor := make_editor()))
    page = watch.new_editor(editor)
    page.goto(f"{QUEUE}decisions/")

    box = page.get_by_role("button", name="Undo").bounding_box()

    # WCAG 2.2, 2.5.8.
    assert (box["height"] >= 24, box["width"] >= 24) == (True, True)
