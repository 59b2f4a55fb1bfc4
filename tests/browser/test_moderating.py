"""Two moderators at once."""

from playwright.sync_api import Page, expect

from comments.models import Comment
from tests.factories import make_comment, make_editor

QUEUE = "/admin/comments/comment/"


def row_of(page: Page, comment: Comment):
    return page.locator("#result_list tbody tr", has_text=comment.body)


def test_the_second_moderator_is_told_what_the_first_one_did_and_it_stands(watch):
    comment = make_comment(name="Ada", status=Comment.Status.HELD)
    first = watch.new_editor(make_editor(username="first"))
    second = watch.new_editor(make_editor(username="second"))
    first.goto(QUEUE)
    second.goto(QUEUE)

    row_of(first, comment).get_by_role("button", name="Approve", exact=True).click()
    expect(first.locator(".messagelist")).to_contain_text("1 comment is public now.")
    row_of(second, comment).get_by_role("button", name="Spam", exact=True).click()

    expect(second.locator(".messagelist")).to_contain_text("already moved to “Approved” by first")
    comment.refresh_from_db()
    assert comment.status == Comment.Status.APPROVED
    assert [str(change.by) for change in comment.changes.all()] == ["first"]


def test_a_decision_on_many_comments_leaves_those_alone_that_another_has_decided_on(watch):
    taken, free = (make_comment(name=name, status=Comment.Status.HELD) for name in ["Ada", "Bo"])
    first = watch.new_editor(make_editor(username="first"))
    second = watch.new_editor(make_editor(username="second"))
    first.goto(QUEUE)
    second.goto(QUEUE)

    row_of(first, taken).get_by_role("button", name="Approve", exact=True).click()
    expect(first.locator(".messagelist")).to_contain_text("1 comment is public now.")
    for comment in [taken, free]:
        row_of(second, comment).locator("input.action-select").check()
    second.get_by_label("Action:").select_option("Mark selected comments as spam")
    second.locator("button[name=index]").click()

    expect(second.locator(".messagelist")).to_contain_text("1 comment marked as spam.")
    expect(second.locator(".messagelist")).to_contain_text("already moved to “Approved” by first")
    expect(row_of(second, free)).to_have_count(0)
    taken.refresh_from_db()
    free.refresh_from_db()
    assert (taken.status, free.status) == (Comment.Status.APPROVED, Comment.Status.SPAM)
