"""Answers, edits and bans in the row of a comment: the pieces of the queue that a script asks for."""

import re

import pytest

from comments.models import Change, Comment, Decision, Standing
from tests.factories import make_article, make_comment, make_editor, make_staff

pytestmark = pytest.mark.django_db

QUEUE = "/admin/comments/comment/"
FRAGMENT = {"X-Fragment": "row"}


def text_of(response) -> str:
    return response.content.decode()


def ask(client, comment: Comment, name: str):
    return client.get(f"{QUEUE}{comment.pk}/{name}/", headers=FRAGMENT)


def send(client, comment: Comment, page: str, fields: dict):
    return client.post(f"{QUEUE}{comment.pk}/{page}/", fields, headers=FRAGMENT)


def reply(client, comment: Comment, text: str, **fields):
    return send(client, comment, "reply", {f"{comment.pk}-body": text, **fields})


def edit(client, comment: Comment, **fields):
    known = {name: getattr(comment, name) for name in ("body", "name", "email", "website")}
    return send(client, comment, "edit", {**known, "seen": Change.objects.newest(), **fields})


def ban(client, comment: Comment, **fields):
    return send(client, comment, "ban", {"kind": "email", "days": 0, **fields})


def told_by(response) -> str:
    told = re.search(r"<p data-told>(.*?)</p>", text_of(response), re.S)[1]
    return " ".join(re.sub("<[^>]*>", "", told).split())


def row_in(response, comment: Comment) -> str:
    """The class of the row that takes the place of the old one: `queue-row`, or `queue-done`."""
    return re.search(rf'<li class="([\w-]+)" id="row-{comment.pk}"', text_of(response))[1]


def undoes(response) -> list[int]:
    return [int(pk) for pk in re.findall(r'formaction="[^"]*/decisions/(\d+)/undo/"', text_of(response))]


def undo(client, response, comment: Comment):
    (pk,) = undoes(response)
    return client.post(f"{QUEUE}decisions/{pk}/undo/", {"comment": comment.pk}, headers=FRAGMENT)


def written_in(response, name: str) -> list[str]:
    """The forms of a row that are open: those of its edit and its ban, and its answer."""
    return re.findall(rf'data-written="({name})"(?: open)?>', text_of(response))


# --- What every piece has ---


@pytest.mark.parametrize("name", ["edit", "ban"])
def test_a_form_is_asked_for_alone_and_has_its_comments_own_ids(client, alice, name):
    comment = make_comment()

    piece, page = ask(client, comment, name), client.get(f"{QUEUE}{comment.pk}/{name}/")

    assert (piece.status_code, piece["X-Fragment"], "X-Fragment" in page.headers) == (200, "row", False)
    assert "<html" not in text_of(piece)
    assert f'action="{QUEUE}{comment.pk}/{name}/"' in text_of(piece)
    assert "csrfmiddlewaretoken" in text_of(piece)
    # Two of them may be open at once.
    ids = re.findall(r'\sid="([^"]+)"', text_of(piece))
    assert ids != []
    assert [its for its in ids if not its.startswith(f"{name}-{comment.pk}-")] == []
    assert Decision.objects.count() == 0


@pytest.mark.parametrize("name", ["reply", "edit", "ban"])
def test_who_may_not_decide_gets_no_form_in_a_row_and_changes_nothing(client, name):
    author = make_staff("Author")
    comment = make_comment(status="held", body="Not below a story of theirs")
    client.force_login(author)
    send_it = {"reply": lambda: reply(client, comment, "Thank you."), "edit": lambda: edit(client, comment, body="!"),
               "ban": lambda: ban(client, comment)}[name]  # fmt: skip

    responses = [ask(client, comment, name), send_it()]

    assert [response.status_code for response in responses] == [403, 403]
    assert ["Not below" in text_of(response) for response in responses] == [False, False]
    comment.refresh_from_db()
    assert (comment.status, comment.body) == ("held", "Not below a story of theirs")
    assert (Comment.objects.count(), Standing.objects.count()) == (1, 0)


# --- An answer ---


def test_an_answer_in_place_takes_the_row_away_with_an_undo_for_both(client, alice):
    comment = make_comment(name="Ada", status="held")

    response = reply(client, comment, "Thank you.")
    after = list(Comment.objects.order_by("pk").values_list("status", flat=True))
    undone = undo(client, response, comment)

    assert (response.status_code, row_in(response, comment)) == (200, "queue-done")
    assert told_by(response) == "Your reply to Ada is public."
    assert after == ["approved", "approved"]
    assert (undone.status_code, row_in(undone, comment)) == (200, "queue-row")
    assert list(Comment.objects.order_by("pk").values_list("status", flat=True)) == ["held", "trash"]
    # Nothing is left to be said on the next page.
    assert [str(message) for message in client.get(QUEUE).context["messages"]] == []


def test_an_answer_to_a_public_comment_leaves_its_row_where_it_stands(client, alice):
    comment = make_comment(name="Ada")

    response = reply(client, comment, "Thank you.")

    assert (response.status_code, row_in(response, comment)) == (200, "queue-row")
    assert "<p>Your reply to Ada is public. </p>" in text_of(response)
    assert undoes(response) == [Decision.objects.get().pk]


def test_an_answer_that_was_sent_twice_is_posted_once_and_told_twice(client, alice):
    comment = make_comment(name="Ada", status="held")

    told = [told_by(reply(client, comment, "Thank you.")) for _ in range(2)]

    assert told == ["Your reply to Ada is public."] * 2
    assert Comment.objects.filter(parent=comment).count() == 1


@pytest.mark.parametrize(
    ("text", "before", "status", "words"),
    [
        (" ", None, 422, "Please write a comment."),
        ("x" * 10_001, None, 422, "at most 10000 characters"),
        ("Thank you.", "hide", 409, "Nothing was posted: the comment is not public."),
        ("Thank you.", "unpublish", 403, "Comments closed while you were writing"),
    ],
)
def test_an_answer_that_is_refused_comes_back_in_its_row_with_the_reason_at_the_text(
    client, alice, text, before, status, words
):
    comment = make_comment(status="held")
    if before == "hide":
        comment.mark_as_spam(by=make_editor(username="bob"))
    if before == "unpublish":
        comment.article.status = "draft"
        comment.article.save()

    response = reply(client, comment, text, seen="0")

    page = text_of(response)
    assert row_in(response, comment) == "queue-row"
    assert told_by(response) == "Your comment has not been posted."
    assert '<details data-written="reply" open>' in page
    error = f"id_{comment.pk}-body_error"
    assert f'aria-invalid="true" aria-describedby="{error}" autofocus>{text}</textarea>' in page
    assert re.search(rf'<ul class="errorlist" id="{error}"><li>(.*?)</li>', page)
    assert (response.status_code, words in page) == (status, True)
    assert undoes(response) == []
    assert Comment.objects.filter(parent=comment).count() == 0


def test_an_answer_that_was_overtaken_is_posted_when_it_is_sent_again(client, alice):
    comment = make_comment(status="held")
    comment.mark_as_spam(by=make_editor(username="bob"))

    refused = reply(client, comment, "Thank you.", seen="0")
    seen = re.search(r'data-seen="(\d+)"', text_of(refused))[1]
    response = reply(client, comment, "Thank you.", seen=seen)

    # The row says what is true by now, so that it is not overwritten unseen.
    assert "Marked as spam by bob" in text_of(refused)
    assert (refused.status_code, response.status_code) == (409, 200)
    assert Comment.objects.get(parent=comment).body == "Thank you."


# --- An edit ---


def test_an_edit_in_place_shows_the_row_anew_with_an_undo(client, alice):
    comment = make_comment(body="My number is 555.", status="held")

    response = edit(client, comment, body="My number is …")
    body = Comment.objects.get().body
    undone = undo(client, response, comment)

    assert (response.status_code, row_in(response, comment)) == (200, "queue-row")
    assert told_by(response) == "1 comment changed."
    assert "<p>My number is …</p>" in text_of(response)
    assert written_in(response, "edit") == []
    assert (body, Comment.objects.get().body) == ("My number is …", "My number is 555.")
    assert "<p>My number is 555.</p>" in text_of(undone)


def test_a_wrong_edit_comes_back_in_its_row_with_the_reasons_and_loses_nothing(client, alice):
    comment = make_comment(body="Before", status="held")

    response = edit(client, comment, body="After", email="nonsense", website="ftp://x")

    page = text_of(response)
    assert (response.status_code, row_in(response, comment)) == (422, "queue-row")
    assert told_by(response) == "Your changes have not been saved."
    assert written_in(response, "edit") == ["edit"]
    assert f'<ul class="errorlist" id="edit-{comment.pk}-email_error">' in page
    assert f'aria-describedby="edit-{comment.pk}-email_error"' in page
    assert 'value="nonsense"' in page
    assert ">\nAfter</textarea>" in page
    assert Comment.objects.get().body == "Before"


def test_an_address_in_capitals_is_the_same_address(client, alice):
    comment = make_comment(email="ada@example.com")

    response = edit(client, comment, email="Ada@Example.com")

    assert "There was nothing to change." in text_of(response)
    assert Change.objects.count() == 0


def test_an_edit_in_place_that_was_overtaken_says_by_whom_and_is_saved_the_second_time(client, alice):
    comment = make_comment(body="Before")
    seen = Change.objects.newest()
    comment.hold(by=make_editor(username="bob"))

    refused = edit(client, comment, body="After", seen=seen)
    seen_by_now = re.search(r'name="seen" value="(\d+)"', text_of(refused))[1]
    response = edit(client, comment, body="After", seen=seen_by_now)

    assert "bob has changed this comment" in text_of(refused)
    assert ">\nAfter</textarea>" in text_of(refused)
    assert (refused.status_code, response.status_code) == (409, 200)
    assert Comment.objects.get().body == "After"


# --- A ban ---


def test_a_ban_in_place_takes_the_row_away_with_an_undo_for_both(client, alice):
    comment = make_comment(email="spam@example.com", status="held")

    response = ban(client, comment, mark_as_spam="on")
    after = (Comment.objects.get().status, Standing.objects.count())
    undone = undo(client, response, comment)

    assert (response.status_code, row_in(response, comment)) == (200, "queue-done")
    assert after == ("spam", 1)
    assert row_in(undone, comment) == "queue-row"
    assert (Comment.objects.get().status, Standing.objects.count()) == ("held", 0)


def test_a_ban_in_place_that_marks_nothing_as_spam_leaves_the_row_with_an_undo(client, alice):
    comment = make_comment(email="spam@example.com", status="held")

    response = ban(client, comment)

    assert (response.status_code, row_in(response, comment)) == (200, "queue-row")
    assert undoes(response) == [Decision.objects.get().pk]
    assert written_in(response, "ban") == []
    undo(client, response, comment)
    assert Standing.objects.count() == 0


def test_a_ban_that_stands_already_says_so_and_leaves_the_row(client, alice):
    comment = make_comment(email="spam@example.com", status="held")
    ban(client, comment)

    response = ban(client, comment)

    assert (response.status_code, row_in(response, comment)) == (200, "queue-row")
    assert told_by(response) == "That was banned already."
    assert undoes(response) == []


def seen_by(form) -> str:
    return re.search(r'name="seen" value="(\d+)"', text_of(form))[1]


def test_a_ban_leaves_a_comment_that_a_colleague_has_decided_on_since(client, alice):
    comment, bob = (
        make_comment(email="spam@example.com", name="Ada", status="held"),
        make_editor(username="bob"),
    )
    seen = seen_by(ask(client, comment, "ban"))
    comment.approve(by=bob)

    response = ban(client, comment, mark_as_spam="on", seen=seen)

    after = Comment.objects.get().status, Standing.objects.count(), Decision.objects.count()
    assert (response.status_code, row_in(response, comment), after) == (200, "queue-row", ("approved", 1, 2))
    told = f"1 ban made. {comment}: already approved by bob, a moment ago."
    assert told_by(response) == told
    assert undoes(response) == [Decision.objects.get(kind="ban").pk]


def test_a_ban_that_stands_already_leaves_a_comment_that_a_colleague_has_decided_on_since(client, alice):
    comment = make_comment(email="spam@example.com", status="held")
    ban(client, comment)
    seen = seen_by(ask(client, comment, "ban"))
    comment.approve(by=make_editor(username="bob"))

    response = ban(client, comment, mark_as_spam="on", seen=seen)

    told = f"That was banned already. {comment}: already approved by bob, a moment ago."
    assert told_by(response) == told
    assert (Comment.objects.get().status, undoes(response)) == ("approved", [])


def test_a_ban_reaches_a_comment_on_which_only_the_moderator_has_decided_since(client, alice):
    comment = make_comment(email="spam@example.com", status="held")
    seen = seen_by(ask(client, comment, "ban"))
    comment.trash(by=alice)

    response = ban(client, comment, mark_as_spam="on", seen=seen)

    assert told_by(response) == "1 ban made. 1 comment marked as spam."
    assert Comment.objects.get().status == "spam"


def test_what_is_spam_already_stays_spam_and_nothing_more_is_told(client, alice):
    comment = make_comment(email="spam@example.com", status="held")
    comment.mark_as_spam(by=make_editor(username="bob"))

    response = ban(client, comment, mark_as_spam="on", seen=seen_by(ask(client, comment, "ban")))

    assert (row_in(response, comment), told_by(response)) == ("queue-done", "1 ban made.")


def test_what_was_seen_stays_what_it_was_when_a_wrong_ban_comes_back(client, alice):
    comment = make_comment(status="held")
    seen = seen_by(ask(client, comment, "ban"))
    comment.approve(by=make_editor(username="bob"))

    response = ban(client, comment, kind="address", value="not an address", seen=seen)

    assert (response.status_code, seen_by(response)) == (422, seen)


def test_a_wrong_ban_comes_back_in_its_row_and_keeps_what_was_typed(client, alice):
    comment = make_comment(email="spam@example.com", status="held")

    response = ban(client, comment, kind="address", value="not an address", note="Again")

    page = text_of(response)
    assert (response.status_code, row_in(response, comment)) == (422, "queue-row")
    assert told_by(response) == "Nobody was banned yet."
    assert written_in(response, "ban") == ["ban"]
    assert 'value="not an address"' in page
    assert 'value="Again"' in page
    assert Standing.objects.count() == 0


# --- Queries ---


@pytest.mark.parametrize("items", [1, 3])
@pytest.mark.parametrize(("name", "queries"), [("edit", 5), ("ban", 4)])
def test_a_form_in_a_row_takes_few_queries_however_much_there_is(
    client, alice, django_assert_num_queries, name, queries, items
):
    article = make_article()
    comment = [make_comment(article=article, status="held") for _ in range(items)][0]

    with django_assert_num_queries(queries):
        ask(client, comment, name)
