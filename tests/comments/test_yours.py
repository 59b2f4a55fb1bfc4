import html
import re
from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client

from comments import posting, yours
from comments.models import Change, Comment, Standing
from comments.moderation import Submission
from comments.subscriptions import Subscription
from tests.factories import make_article, make_comment, make_editor, reply_to, set_discussion
from tests.givens import NOON, SAME_ORIGIN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def text_of(response) -> str:
    return response.content.decode()


def fresh(**fields) -> Comment:
    """A comment that was written just now."""
    return make_comment(created_at=NOON, **fields)


def edit(client, comment, body="Better said.", headers=SAME_ORIGIN):
    return client.post(f"{yours.address(comment)}edit/", {"body": body}, headers=headers)


def delete(client, comment, headers=SAME_ORIGIN):
    return client.post(f"{yours.address(comment)}delete/", headers=headers)


# --- The page of a comment ---


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("held", "Thank you. A moderator will read your comment before it appears."),
        ("spam", "Thank you. Your comment is awaiting moderation."),
        ("approved", "Your comment is public."),
        ("trash", "Thank you. Your comment is awaiting moderation."),
        ("withdrawn", "You deleted this comment."),
    ],
)
def test_the_private_page_tells_what_became_of_the_comment(client, status, words):
    response = client.get(yours.address(make_comment(status=status, email="ada@example.com")))

    assert words in text_of(response)
    assert "ada@example.com" not in text_of(response)
    assert (response["X-Robots-Tag"], "private" in response["Cache-Control"]) == ("noindex", True)


WAITS = "Thank you. Your comment is awaiting moderation."
IS_REMOVED = "Your comment was removed by a moderator."


def states_on(client, *addresses) -> list[list[str]]:
    """Return what each page tells of the state of a comment."""
    pages = [text_of(client.get(address)) for address in addresses]
    return [[words for words in (WAITS, IS_REMOVED) if words in page] for page in pages]


@pytest.mark.parametrize(
    ("text", "status"), [("A dragon.", "trash"), ("A griffin.", "spam"), ("A unicorn.", "held")]
)
def test_whoever_was_caught_on_arrival_is_told_the_same_and_promised_nothing(client, text, status):
    set_discussion(words_that_trash="dragon", words_that_hold="unicorn")
    written = Comment(article=make_article(), name="Ada", email="ada@example.com", body=text)
    comment = posting.post(Submission(written, trap="filled in" if status == "spam" else ""))
    remembered(client, comment)

    assert comment.status == status
    assert states_on(client, yours.address(comment), "/comments/mine/") == [[WAITS], [WAITS]]


def test_whose_comment_a_moderator_has_removed_is_told_so(client):
    editor = make_editor()
    caught, public = make_comment(status="trash"), make_comment()
    caught.approve(editor)
    caught.trash(editor)
    public.trash(editor)

    assert states_on(client, *map(yours.address, (caught, public))) == [[IS_REMOVED], [IS_REMOVED]]


def test_a_moderator_who_only_corrects_what_a_word_has_caught_has_not_removed_it(client):
    comment = make_comment(status="trash")
    Change.objects.create(comment=comment, by=make_editor(), from_status="trash", to_status="trash")

    assert states_on(client, yours.address(comment)) == [[WAITS]]


def test_an_approved_comment_that_a_word_of_its_new_text_moves_to_the_trash_waits(client):
    set_discussion(words_that_trash="dragon")
    editor, comment = make_editor(), fresh()
    comment.trash(editor)
    comment.restore(editor)

    edit(client, comment, "A dragon.")

    comment.refresh_from_db()
    assert (comment.status, states_on(client, yours.address(comment))) == ("trash", [[WAITS]])


def test_a_changed_link_opens_nothing(client):
    comment = make_comment(status="held", body="Secret")
    url = yours.address(comment)
    forged = signing.dumps(comment.pk, salt="another purpose")

    responses = [
        client.get(changed)
        for changed in (url[:-2] + "x/", f"/comments/yours/{forged}/", "/comments/yours/x/")
    ]

    assert [response.status_code for response in responses] == [403, 403, 403]
    assert ["Secret" in text_of(response) for response in responses] == [False, False, False]


def test_a_link_expires_after_thirty_days(client, clock):
    url = yours.address(make_comment(status="held", body="Secret"))
    clock.shift(timedelta(days=30))
    before = client.get(url)
    clock.shift(timedelta(seconds=1))
    after = client.get(url)

    assert (before.status_code, after.status_code) == (200, 410)
    assert "Secret" not in text_of(after)


def test_the_link_to_a_deleted_comment_has_expired(client):
    comment = make_comment()
    url = yours.address(comment)
    comment.delete()

    assert client.get(url).status_code == 410


def test_who_was_editing_a_comment_that_is_gone_meanwhile_gets_the_text_back(client):
    comment = make_comment(body="Secret")
    Comment.objects.filter(pk=comment.pk).update(erased_at=NOON)

    response = edit(client, comment, "Better said.")

    assert response.status_code == 410
    assert "readonly>Better said.</textarea>" in text_of(response)
    assert "Secret" not in text_of(response)


@pytest.mark.parametrize(
    ("because", "words"),
    [
        ("first-comment", "We read everyone’s first comment before it appears."),
        ("links", "We read comments with links before they appear."),
        ("registered", "We read everyone’s first comment before it appears."),
        ("reported", "Readers have asked us to look at this comment again before it appears."),
    ],
)
def test_the_private_page_says_why_a_comment_waits(client, because, words):
    page = text_of(client.get(yours.address(make_comment(status="held", held_because=because))))

    assert words in page


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("Well said.", ["A moderator will read", "We read everyone’s first comment"]),
        ("https://a.example https://b.example", ["A moderator will read", "We read comments with links"]),
        ("A dragon.", ["is awaiting moderation"]),
        ("A unicorn.", ["is awaiting moderation"]),
    ],
)
@pytest.mark.parametrize("kind", ["banned", "refused"])
def test_nobody_learns_from_the_private_page_that_an_address_is_banned(client, clock, kind, body, words):
    set_discussion(words_that_trash="dragon", words_that_hold="unicorn")
    if kind == "banned":
        Standing.objects.create(standing="banned", kind="email", value="ada@example.com")
    else:
        set_discussion(refused_addresses="ada@example.com")
    pages = []
    for email in ("ada@example.com", "bo@example.com"):
        post(client, make_article(title="One story"), email=email, body=body)
        pages.append(text_of(client.get(yours.address(Comment.objects.latest("pk")))))
        clock.shift(timedelta(minutes=1))

    statuses = list(Comment.objects.order_by("pk").values_list("status", flat=True))

    assert (statuses[0], statuses[1] != "spam") == ("spam", True)
    assert [[its for its in words if its in page] for page in pages] == [words, words]


def test_the_private_page_does_not_tell_a_robot_that_it_was_caught(client):
    page = text_of(client.get(yours.address(make_comment(status="spam", held_because="trap"))))

    # The signed part of an address may hold any four letters.
    assert "spam" not in re.sub(r"/comments/yours/[^/]+/", "", page).lower()
    assert "do not see" not in page


# --- Editing ---


def test_a_comment_is_edited_marked_and_what_it_said_is_kept(client, clock):
    comment = fresh(body="Badly said.")
    clock.shift(timedelta(minutes=5))

    response = edit(client, comment, "*Better* said.")

    comment.refresh_from_db()
    change = Change.objects.get()
    assert (response.status_code, response["Location"]) == (302, yours.address(comment))
    assert comment.body_html == "<p><em>Better</em> said.</p>"
    assert (comment.status, comment.edited_at) == ("held", NOON + timedelta(minutes=5))
    assert (change.body_before, change.who, change.from_status) == (
        "Badly said.",
        "the commenter",
        "approved",
    )


def test_what_is_saved_is_said_once_and_on_no_other_page(client):
    comment, other = fresh(), fresh()
    response = edit(client, comment, "*Better* said.")
    cookie = response.cookies["saved"]
    page = yours.address(comment)
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (page, True, "Lax")

    first = client.get(page)
    again = text_of(client.get(page))

    assert re.findall(r"<title>([^·]+?) ·|<strong>(Saved\.)</strong>", text_of(first)) == [
        ("Saved", ""),
        ("", "Saved."),
    ]
    assert (first.cookies["saved"]["max-age"], first.cookies["saved"]["path"]) == (0, page)
    assert ("Saved" in again, "Saved" in text_of(client.get(yours.address(other)))) == (False, False)


def test_what_is_refused_is_not_called_saved(client):
    comment = fresh()

    bad, foreign = edit(client, comment, " "), client.post(f"{yours.address(comment)}edit/", {"body": "x"})

    assert ("saved" in bad.cookies, "saved" in foreign.cookies) == (False, False)
    assert "Saved" not in text_of(client.get(yours.address(comment)))


def test_an_edit_that_changes_nothing_leaves_no_trace(client):
    comment = fresh(body="As written.")

    edit(client, comment, "As written.")

    comment.refresh_from_db()
    assert (comment.edited_at, comment.status, Change.objects.count()) == (None, "approved", 0)


def test_three_edits_in_a_row_are_taken_and_the_fourth_waits(client, clock):
    comment = fresh(status="held")
    for text in ("Once.", "Twice.", "Three times."):
        assert edit(client, comment, text).status_code == 302
        clock.shift(timedelta(seconds=2))

    too_soon = edit(client, comment, "Four times.")
    clock.shift(timedelta(seconds=9))
    in_time = edit(client, comment, "Five times.")

    assert (too_soon.status_code, in_time.status_code) == (429, 302)
    page = text_of(too_soon)
    assert "Please wait 9 seconds and save again. Your text is safe below." in page
    assert "Four times.</textarea>" in page


def test_an_approved_first_comment_is_no_proof_of_what_it_becomes(client):
    comment = fresh(body="Well said.")

    edit(client, comment, "Buy at https://spam.example")

    comment.refresh_from_db()
    assert (comment.status, comment.held_because) == ("held", "first-comment")


def test_an_edit_is_previewed_and_not_saved(client):
    comment = fresh(body="As written.")

    response = client.post(
        f"{yours.address(comment)}edit/", {"body": "*Better* said.", "preview": "1"}, headers=SAME_ORIGIN
    )

    comment.refresh_from_db()
    assert (response.status_code, comment.body) == (200, "As written.")
    assert "<em>Better</em> said." in text_of(response)
    assert "*Better* said.</textarea>" in text_of(response)


def test_an_edited_comment_of_a_known_person_stays_public_and_says_so(client):
    make_comment(name="Ada", email="ada@example.com")
    comment = fresh(name="Ada", email="ada@example.com")

    edit(client, comment)

    page = text_of(client.get(comment.article.get_absolute_url()))
    assert "Better said." in page
    assert (
        'edited <time class="moment" datetime="2026-11-23T12:00:00+00:00">23 November 2026, 12:00 UTC</time>'
        in page
    )


def test_an_edit_passes_moderation_again(client):
    make_comment(name="Ada", email="ada@example.com")
    comment = fresh(name="Ada", email="ada@example.com")

    edit(client, comment, "https://a.example https://b.example")

    comment.refresh_from_db()
    assert (comment.status, comment.held_because) == ("held", "links")


def test_an_edit_never_shows_what_a_moderator_took_back(client):
    make_comment(name="Ada", email="ada@example.com")
    comment = fresh(name="Ada", email="ada@example.com")
    comment.hold(by=make_editor())

    edit(client, comment)

    comment.refresh_from_db()
    assert (comment.status, comment.body) == ("held", "Better said.")


@pytest.mark.parametrize(("minutes", "seconds", "status"), [(14, 59, 302), (15, 0, 403)])
def test_the_window_for_changes_is_fifteen_minutes(client, clock, minutes, seconds, status):
    comments = [fresh(body="As written."), fresh(body="As written.")]
    clock.shift(timedelta(minutes=minutes, seconds=seconds))

    answers = [edit(client, comments[0]).status_code, delete(client, comments[1]).status_code]

    assert answers == [status, status]
    changed = list(Comment.objects.order_by("pk").values_list("body", "status"))
    assert (changed == [("As written.", "approved")] * 2) == (status == 403)


def test_the_owner_sets_how_long_the_window_is(client, clock):
    set_discussion(edit_minutes=60)
    comment = fresh()
    clock.shift(timedelta(minutes=59))

    assert edit(client, comment).status_code == 302


def test_a_comment_that_was_answered_is_changed_no_more(client):
    comment = fresh(body="As written.")
    reply_to(comment)

    refused = edit(client, comment, "Something else.")
    deleted = delete(client, comment)

    comment.refresh_from_db()
    assert (refused.status_code, deleted.status_code) == (403, 403)
    assert (comment.body, comment.status) == ("As written.", "approved")
    assert "Something else.</textarea>" in text_of(refused)
    assert "This comment can no longer be edited." in text_of(refused)
    assert "Edit</a>" not in text_of(client.get(yours.address(comment)))


def test_an_answer_that_nobody_sees_does_not_close_the_window(client):
    comment = fresh()
    reply_to(comment, status="held")

    assert edit(client, comment).status_code == 302


@pytest.mark.parametrize("status", ["spam", "trash", "withdrawn"])
def test_what_was_removed_is_changed_no_more(client, status):
    comment = fresh(status=status)

    assert (edit(client, comment).status_code, delete(client, comment).status_code) == (403, 403)


def test_a_bad_edit_is_explained_and_nothing_is_lost(client):
    comment = fresh(body="As written.")

    response = edit(client, comment, "x" * 10_001)

    comment.refresh_from_db()
    assert (response.status_code, comment.body) == (422, "As written.")
    assert "Ensure this value has at most 10000 characters" in text_of(response)
    assert "x" * 10_001 in text_of(response)


def test_an_edit_that_sends_nothing_is_explained(client):
    comment = fresh()

    response = client.post(f"{yours.address(comment)}edit/", {}, headers=SAME_ORIGIN)

    assert (response.status_code, "Please write a comment." in text_of(response)) == (422, True)


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "cross-site"}])
def test_another_site_changes_nothing(client, headers):
    comment = fresh(body="As written.")

    edited, deleted = edit(client, comment, headers=headers), delete(client, comment, headers=headers)

    comment.refresh_from_db()
    assert (edited.status_code, deleted.status_code) == (403, 403)
    assert (comment.body, comment.status) == ("As written.", "approved")


@pytest.mark.parametrize("page", ["edit", "delete"])
def test_opening_a_link_changes_nothing(client, page):
    comment = fresh(body="As written.")

    response = client.get(f"{yours.address(comment)}{page}/")

    comment.refresh_from_db()
    assert (response.status_code, comment.body, comment.status) == (200, "As written.", "approved")
    assert "As written." in text_of(response)


@pytest.mark.parametrize("page", ["edit/", "delete/"])
def test_a_token_for_another_purpose_changes_nothing(client, page):
    comment = fresh()
    forged = signing.dumps(comment.pk, salt="another purpose")

    response = client.post(f"/comments/yours/{forged}/{page}", {"body": "x"}, headers=SAME_ORIGIN)

    comment.refresh_from_db()
    assert (response.status_code, comment.status, comment.edited_at) == (403, "approved", None)


# --- Deleting ---


def test_before_deleting_it_its_author_reads_what_cannot_be_undone_and_what_stays(client):
    response = client.get(f"{yours.address(fresh())}delete/")

    assert "This can't be undone. Replies to your comment stay." in html.unescape(text_of(response))
    assert Comment.objects.get().status == "approved"


def test_its_author_deletes_a_comment_and_a_moderator_does_not_bring_it_back(client):
    comment = fresh(status="held")

    response = delete(client, comment)

    assert (response.status_code, response["Location"]) == (302, yours.address(comment))
    for decision in (comment.approve, comment.restore):
        assert decision(by=make_editor()).changed == 0
    comment.refresh_from_db()
    assert comment.status == "withdrawn"
    assert "You deleted this comment." in text_of(client.get(yours.address(comment)))


@pytest.mark.parametrize("by", ["its author", "a moderator"])
def test_the_page_of_a_removed_comment_promises_nothing(client, by):
    comment = fresh(email="ada@example.com")
    before = text_of(client.get(yours.address(comment)))
    if by == "its author":
        delete(client, comment)
    else:
        comment.trash(by=make_editor())

    page = text_of(client.get(yours.address(comment)))
    sent = client.post(
        f"{yours.address(comment)}mails/", {"scope": "story", "rhythm": "daily"}, headers=SAME_ORIGIN
    )

    promises = ["Bookmark this private page", "Email alerts", "<form", "/edit/", "/delete/"]
    assert [promise in before for promise in promises] == [True] * 5
    assert [promise in page for promise in promises] == [False] * 5
    assert (sent["Location"], Subscription.objects.count()) == (yours.address(comment), 0)


def test_what_can_no_longer_be_changed_is_only_promised_to_be_followed(client, clock):
    comment = fresh()
    clock.shift(timedelta(minutes=15))

    page = text_of(client.get(yours.address(comment)))

    assert "Bookmark this private page to follow your comment. Don’t share its address." in page


def test_what_was_deleted_may_be_said_again(client):
    article = make_article()
    comment = fresh(article=article, name="Ada", email="ada@example.com", body="Well said.")
    delete(client, comment)

    response = client.post(
        f"{article.get_absolute_url()}reply/",
        {"name": "Ada", "email": "ada@example.org", "body": "Well said."},
        headers=SAME_ORIGIN,
    )

    assert response.status_code == 303


# --- The list of one browser ---


HOME, PHONE = "127.0.0.1", "203.0.113.9"


def post(client, article, *, network=HOME, **fields):
    data = {"name": "Ada", "email": "ada@example.com", "body": "Well said.", **fields}
    address = f"/comments{article.get_absolute_url()}reply/"
    return client.post(address, data, headers=SAME_ORIGIN, REMOTE_ADDR=network)


def test_a_browser_lists_the_comments_that_it_posted_and_no_others(client, clock):
    article = make_article(title="The bridge opens")
    fresh(article=article, body="Somebody else's.")
    clock.shift(timedelta(minutes=1))
    post(client, article, body="First of mine.")
    clock.shift(timedelta(minutes=1))
    post(client, article, body="Second of mine.")

    page = text_of(client.get("/comments/mine/"))

    assert page.index("Second of mine.") < page.index("First of mine.")
    assert page.count("The bridge opens") == 2
    assert "Somebody else" not in page


def test_the_list_of_another_browser_is_empty(client):
    fresh()

    assert "No comments were posted from this browser" in text_of(client.get("/comments/mine/"))


def test_the_cookie_is_sent_to_no_story(client):
    cookie = post(client, make_article()).cookies[f"yours-{Comment.objects.get().pk}"]

    assert (cookie["path"], cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (
        "/comments/",
        True,
        "Lax",
        30 * 24 * 60 * 60,
    )


@pytest.mark.parametrize("value", ["", "nonsense", signing.Signer(salt="another purpose").sign_object(1)])
def test_a_changed_cookie_lists_nothing(client, value):
    comment = fresh(body="Secret")
    client.cookies[f"yours-{comment.pk}"] = value

    assert "Secret" not in text_of(client.get("/comments/mine/"))


def remembered(client, *comments) -> None:
    for comment in comments:
        client.cookies[f"yours-{comment.pk}"] = signing.dumps(comment.pk, salt=yours.COOKIE_SALT)


@pytest.mark.parametrize("items", [1, 3])
def test_the_list_takes_one_query_for_comments(client, django_assert_num_queries, items):
    remembered(client, *[fresh() for _ in range(items)])

    # Of the list: the comments, and which of them may still be changed, with the settings that say so.
    with django_assert_num_queries(5):
        client.get("/comments/mine/")


def test_the_list_leads_to_changing_a_comment_while_that_works(client, clock):
    comment = fresh()
    remembered(client, comment)
    changes = [f'href="/comments/yours/{yours.token(comment)}/{what}/"' for what in ("edit", "delete")]

    page = text_of(client.get("/comments/mine/"))
    clock.shift(timedelta(minutes=15))
    later = text_of(client.get("/comments/mine/"))

    assert [change in page for change in changes] == [True, True]
    assert ("/edit/" in later, "/delete/" in later) == (False, False)


def test_the_list_ends_with_the_forty_newest_and_lets_go_of_the_others(client):
    comments = [fresh(body=f"Number {n}.") for n in range(42)]
    remembered(client, *comments)

    response = client.get("/comments/mine/")

    page = text_of(response)
    assert [f"Number {n}." in page for n in (0, 1, 2, 41)] == [False, False, True, True]
    assert sorted(name for name, morsel in response.cookies.items() if morsel["max-age"] == 0) == sorted(
        f"yours-{comment.pk}" for comment in comments[:2]
    )


def test_who_comes_back_with_the_same_browser_on_another_network_is_known(client, clock):
    story = make_article()
    post(client, story, body="My first.")
    Comment.objects.update(status="approved")
    clock.shift(timedelta(days=1))

    post(Client(), story, network=PHONE, body="Another browser.")
    clock.shift(timedelta(minutes=1))
    post(client, story, network=PHONE, body="On a phone.")

    states = list(Comment.objects.order_by("pk").values_list("body", "status"))
    assert states == [("My first.", "approved"), ("Another browser.", "held"), ("On a phone.", "approved")]


def test_a_cookie_that_nobody_signed_makes_nobody_known(client):
    comment = make_comment(name="Ada", email="ada@example.com")
    client.cookies[f"yours-{comment.pk}"] = yours.token(comment)

    post(client, comment.article, network=PHONE)

    assert Comment.objects.latest("pk").held_because == "first-comment"


def test_the_same_words_from_the_same_browser_are_posted_once_whatever_the_network(client, clock):
    story = make_article()
    post(client, story)
    at_once = post(client, story, network=PHONE)
    clock.shift(timedelta(hours=1))
    later = post(client, story, network=PHONE)

    assert (at_once.status_code, later.status_code, Comment.objects.count()) == (303, 409, 1)


def test_a_cookie_is_that_of_the_comment_that_its_name_says(client):
    comment, other = fresh(body="Mine."), fresh(body="Another.")
    signed = signing.dumps(comment.pk, salt=yours.COOKIE_SALT)
    for name in (f"yours-{other.pk}", f"{comment.pk}", "yours-", "yours-x", f"yours-{'9' * 30}"):
        client.cookies[name] = signed

    page = text_of(client.get("/comments/mine/"))

    assert ("Mine." in page, "Another." in page) == (False, False)


def test_a_link_and_the_cookie_do_not_open_each_others_doors(client):
    comment = fresh(body="Secret", status="held")
    listed = signing.dumps(comment.pk, salt=yours.COOKIE_SALT)
    client.cookies[f"yours-{comment.pk}"] = yours.token(comment)

    as_link, as_cookie = client.get(f"/comments/yours/{listed}/"), client.get("/comments/mine/")

    assert (as_link.status_code, as_cookie.status_code) == (403, 200)
    assert "Secret" not in text_of(as_link) + text_of(as_cookie)


def test_visiting_a_private_page_does_not_make_its_link_last_longer(client, clock):
    comment = fresh(status="held")
    link = yours.address(comment)
    clock.shift(timedelta(days=29))

    page = text_of(client.get(link))

    assert link in page or f"{link}mails/" in page
    clock.shift(timedelta(days=2))
    assert client.get(link).status_code == 410


def test_an_approved_comment_of_a_story_that_is_hidden_is_not_called_public(client):
    comment = fresh(article=make_article(status="draft"))

    page = text_of(client.get(yours.address(comment)))

    assert "Your comment is public." not in page
    assert "Its story is not public at the moment." in page


# --- From the conversation ---


def test_the_cookie_of_a_comment_opens_its_pages_from_the_conversation(client):
    comment = fresh()
    remembered(client, comment)

    for page in ("edit", "delete"):
        response = client.get(f"/comments/yours/{comment.pk}/{page}/")

        assert (response.status_code, response["Location"]) == (302, f"{yours.address(comment)}{page}/")
        assert "no-store" in response["Cache-Control"]


def test_who_did_not_post_a_comment_is_led_to_their_own(client):
    own, other = fresh(), fresh()
    remembered(client, own)

    for page in ("edit", "delete"):
        response = client.get(f"/comments/yours/{other.pk}/{page}/")

        assert (response.status_code, response["Location"]) == (302, "/comments/mine/")
