"""What each of the owner's settings does, from the form to the page."""

import re
from datetime import timedelta

import pytest
from django.utils.html import strip_tags

from articles.models import Article
from comments import moderation, posting
from comments.discussion import DiscussionSettings
from comments.models import Comment
from comments.moderation import Submission
from comments.subscriptions import Subscriber
from tests.factories import (
    make_article,
    make_author,
    make_comment,
    make_editor,
    make_user,
    reply_to,
    set_discussion,
)
from tests.givens import NOON, SAME_ORIGIN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
PASSWORD = "a long password of many words"
ADA = {"body": "Well said.", "name": "Ada", "email": "ada@example.com"}


def text_of(response) -> str:
    return response.content.decode()


def page_of(client, article, query="") -> str:
    return text_of(client.get(article.get_absolute_url() + query))


def words_of(page: str) -> str:
    return " ".join(strip_tags(page).split())


def send(client, article, **fields):
    address = f"{article.get_absolute_url()}reply/"
    return client.post(address, {**ADA, **fields}, headers=SAME_ORIGIN)


def send_signed_in(client, article, **fields):
    address = f"{article.get_absolute_url()}reply/signed-in/"
    return client.post(address, {"body": "Well said.", **fields}, headers=SAME_ORIGIN)


def names_on(page: str) -> list[str]:
    return re.findall(r'<span class="comment-name"[^>]*><bdi>([^<]*)</bdi>', page)


# --- The row ---


def test_the_defaults_are_those_of_wordpress_where_it_has_them():
    """But for the page shown first: there, the last page is shown as long as there is only one."""
    settings = DiscussionSettings.load()

    assert {name: getattr(settings, name) for name in WORDPRESS} == WORDPRESS
    assert settings.first_shown == "first"


WORDPRESS = {
    "is_open": True,
    "requires_name_and_email": True,
    "accounts_only": False,
    "closes_old_stories": False,
    "closes_after_days": 14,
    "offers_to_remember": True,
    "has_threads": True,
    "levels": 5,
    "per_page": 50,
    "order": "oldest",
    "author_mails": "at-once",
    "held_mails": "at-once",
    "holds_everything": False,
    "holds_first_comments": True,
    "links_that_hold": 2,
    "words_that_hold": "",
    "words_that_trash": "",
    "shows_avatars": True,
    "flood_seconds": 15,
    "trash_days": 30,
}


def test_without_a_row_the_defaults_are_in_force_and_become_one():
    DiscussionSettings.objects.all().delete()

    assert (DiscussionSettings.load().per_page, DiscussionSettings.load().pk) == (50, 1)
    assert DiscussionSettings.objects.count() == 1


# --- Open and closed, by the site and by the story ---


OPEN_BY_ITSELF, CLOSED, FOLLOWS, HELD = "open", "closed", "follow", "hold"


@pytest.mark.parametrize(
    ("own", "site", "is_taken"),
    [
        (FOLLOWS, {}, True),
        (FOLLOWS, {"is_open": False}, False),
        (FOLLOWS, {"closes_old_stories": True}, False),
        (FOLLOWS, {"closes_old_stories": True, "closes_after_days": 16}, True),
        (OPEN_BY_ITSELF, {"is_open": False}, True),
        (OPEN_BY_ITSELF, {"closes_old_stories": True}, True),
        (HELD, {"is_open": False}, True),
        (HELD, {"closes_old_stories": True}, True),
        (CLOSED, {}, False),
        (CLOSED, {"is_open": True, "closes_old_stories": False}, False),
    ],
)
def test_a_story_follows_the_site_unless_it_says_otherwise_itself(client, own, site, is_taken):
    """On the page, and when someone sends the form all the same."""
    set_discussion(**site)
    article = make_article(discussion=own, published_at=NOON - 15 * DAY)
    shown = page_of(client, article)

    response = send(client, article)

    assert ('name="body"' in shown, "Comments on this story are closed." in shown) == (is_taken, not is_taken)
    assert (response.status_code, Comment.objects.count()) == ((303, 1) if is_taken else (403, 0))


@pytest.mark.parametrize("own", Article.Discussion.values)
@pytest.mark.parametrize("site", [{}, {"is_open": False}])
def test_no_setting_opens_a_story_that_is_not_public(own, site):
    draft = make_article(discussion=own, status="draft")
    scheduled = make_article(discussion=own, published_at=NOON + SECOND)

    assert [set_discussion(**site).takes_comments_on(story) for story in (draft, scheduled)] == [False, False]


def test_an_old_story_closes_to_the_second(client, clock):
    set_discussion(closes_old_stories=True, closes_after_days=14)
    article = make_article(published_at=NOON - 14 * DAY + SECOND)

    before = send(client, article).status_code
    clock.shift(SECOND)
    after = send(client, article, body="Once more.")

    assert (before, after.status_code, Comment.objects.count()) == (303, 403, 1)
    assert "Comments on this story are closed." in page_of(client, article)


def test_a_kept_page_changes_when_its_story_closes(client, clock):
    """It is asked for again by what it was, and nobody has written anything meanwhile."""
    set_discussion(closes_old_stories=True, closes_after_days=14)
    article = make_article(published_at=NOON - 14 * DAY + SECOND)
    etag = client.get(article.get_absolute_url())["ETag"]
    clock.shift(SECOND)

    assert client.get(article.get_absolute_url(), headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize(
    ("own", "site", "expected"),
    [
        (FOLLOWS, {}, "approved"),
        (FOLLOWS, {"holds_everything": True}, "held"),
        (OPEN_BY_ITSELF, {}, "approved"),
        (OPEN_BY_ITSELF, {"holds_everything": True}, "held"),
        (HELD, {}, "held"),
        (HELD, {"holds_everything": True}, "held"),
    ],
)
def test_everything_is_held_where_the_site_or_the_story_says_so(client, own, site, expected):
    set_discussion(holds_first_comments=False, **site)

    send(client, make_article(discussion=own))

    assert Comment.objects.get().status == expected


# --- Name and email ---


def test_without_name_and_email_a_comment_is_anonymous(client):
    set_discussion(requires_name_and_email=False)
    article = make_article()
    page = page_of(client, article)

    response = send(client, article, name="", email="")

    comment = Comment.objects.get()
    assert re.findall(r'name="(\w+)"[^>]* required', page) == ["body"]
    assert (response.status_code, comment.name, comment.email) == (303, "Anonymous", "")
    assert (comment.status, comment.held_because) == ("held", "first-comment")


def test_who_gives_a_name_or_an_address_has_it_checked_and_kept(client):
    set_discussion(requires_name_and_email=False)
    article = make_article()

    wrong = send(client, article, name="", email="nobody")
    right = send(client, article, name="", email="ada@example.com")

    assert (wrong.status_code, right.status_code) == (422, 303)
    assert list(Comment.objects.values_list("name", "email")) == [("Anonymous", "ada@example.com")]


def test_people_without_an_address_never_become_known(client, clock):
    set_discussion(requires_name_and_email=False)
    send(client, make_article(), name="", email="")
    Comment.objects.get().approve(by=make_editor())
    clock.shift(timedelta(minutes=1))

    send(client, make_article(), name="", email="")

    assert Comment.objects.latest("pk").status == "held"


def test_two_people_without_an_address_do_not_wait_for_each_other(client):
    set_discussion(requires_name_and_email=False)

    codes = [
        client.post(
            f"{make_article().get_absolute_url()}reply/",
            {"body": "Well said."},
            headers=SAME_ORIGIN,
            REMOTE_ADDR=address,
        ).status_code
        for address in ("192.0.2.1", "192.0.2.2", "192.0.2.2")
    ]

    assert codes == [303, 303, 429]


def test_nobody_is_written_to_who_gave_no_address(client):
    set_discussion(requires_name_and_email=False)

    response = send(client, make_article(), name="", email="", tell_all="on")

    assert (response.status_code, Subscriber.objects.count()) == (303, 0)


# --- Accounts only ---


@pytest.fixture
def accounts_only():
    return set_discussion(accounts_only=True, holds_first_comments=False)


def test_visitors_find_a_sign_in_where_the_form_stood_and_nothing_to_answer_with(client, accounts_only):
    comment = make_comment()
    address = comment.article.get_absolute_url()
    pages = [text_of(client.get(page)) for page in (address, f"{address}reply/?to={comment.pk}")]

    assert ['name="body"' in page for page in pages] == [False, False]
    assert "Only people with an account may comment here." in pages[0]
    assert f'href="{address}reply/signed-in/"' in pages[0]
    assert f'href="{address}reply/signed-in/?to={comment.pk}"' in pages[1]
    assert "Do you write for" not in pages[1]


def test_what_a_visitor_sends_all_the_same_is_refused_with_the_text_kept(client, accounts_only):
    response = send(client, make_article(), body="Half an hour of work")

    page = text_of(response)
    assert (response.status_code, Comment.objects.count()) == (403, 0)
    assert "Only people with an account may comment here, so yours could not be posted." in page
    assert "Half an hour of work</textarea>" in page
    assert "Sign in to leave a reply." in page


def test_a_closed_story_offers_no_sign_in(client, accounts_only):
    assert "Sign in to leave" not in page_of(client, make_article(discussion="closed"))


def test_anyone_with_an_account_comments_under_its_name(client, accounts_only):
    reader = make_user(username="rita", first_name="Rita", last_name="Reader", email="rita@example.com")
    parent = make_comment()
    client.force_login(reader)
    form = client.get(f"{parent.article.get_absolute_url()}reply/signed-in/?to={parent.pk}")

    response = send_signed_in(client, parent.article, parent=parent.pk)

    comment = Comment.objects.latest("pk")
    assert "Signed in as <strong><bdi>Rita Reader</bdi></strong>" in text_of(form)
    assert (response.status_code, comment.parent) == (303, parent)
    assert (comment.user, comment.name, comment.email) == (reader, "Rita Reader", "rita@example.com")
    assert comment.status == "approved"
    assert "Staff" not in re.findall(r"comment-mark\">([^<]*)", page_of(client, parent.article))


def test_the_rules_hold_for_accounts_that_do_not_write_for_the_site(client):
    set_discussion(accounts_only=True, words_that_hold="bingo")
    reader = make_user()
    make_comment(user=reader)
    client.force_login(reader)

    send_signed_in(client, make_article(), body="Play bingo")

    assert Comment.objects.latest("pk").held_because == "words"


@pytest.mark.parametrize(
    ("accounts_only", "words"),
    [
        (True, ["Only people with an account may comment here.", "Leave a Reply"]),
        (False, ["Accounts are for our staff.", "Comment as a member of staff"]),
    ],
)
def test_readers_with_an_account_are_not_taken_for_staff(client, accounts_only, words):
    set_discussion(accounts_only=accounts_only)

    asked = text_of(client.get("/sign-in/"))
    client.force_login(make_user(is_staff=True))
    form = text_of(client.get(f"{make_article().get_absolute_url()}reply/signed-in/"))

    assert (words[0] in asked, f"<h1>{words[1]}</h1>" in form) == (True, True)


def test_an_account_that_is_switched_off_is_nobody(client, accounts_only):
    client.force_login(make_user(is_active=False))

    response = send_signed_in(client, make_article())

    assert (response.status_code, Comment.objects.count()) == (403, 0)


def test_accounts_are_for_those_who_write_for_the_site_where_anyone_may_comment(client):
    client.force_login(make_user())
    article = make_article()

    shown = client.get(f"{article.get_absolute_url()}reply/signed-in/")
    sent = send_signed_in(client, article)

    assert (shown.status_code, sent.status_code, Comment.objects.count()) == (403, 403, 0)


# --- Signing in as a reader ---


def sign_in(client, next_page="", **fields):
    return client.post("/sign-in/", {"password": PASSWORD, "next": next_page, **fields})


def test_a_reader_signs_in_comments_and_signs_out(client, accounts_only):
    make_user(username="rita", password=PASSWORD)
    article = make_article()
    form = f"{article.get_absolute_url()}reply/signed-in/"

    asked = client.get(form)
    shown = client.get(asked["Location"])
    signed_in = sign_in(client, form, username="rita")

    assert asked["Location"] == f"/sign-in/?next={form}"
    assert f'name="next" value="{form}"' in text_of(shown)
    assert ("no-store" in shown["Cache-Control"], "noindex" in text_of(shown)) == (True, True)
    assert "<title>Sign in · Newsite</title>" in text_of(shown)
    assert (signed_in.status_code, signed_in["Location"]) == (302, form)
    assert send_signed_in(client, article).status_code == 303
    assert 'action="/sign-out/">' in text_of(client.get(form))
    out = client.post("/sign-out/", {"next": article.get_absolute_url()})
    assert out["Location"] == article.get_absolute_url()
    assert client.get(form)["Location"] == f"/sign-in/?next={form}"


def test_a_link_signs_nobody_out(client):
    client.force_login(make_user())

    assert client.get("/sign-out/").status_code == 405
    assert "_auth_user_id" in client.session


@pytest.mark.parametrize(
    "fields", [{"username": "rita", "password": "wrong"}, {"username": "nobody"}, {"username": "gone"}]
)
def test_a_wrong_name_password_or_account_is_told_in_one_way_and_the_name_stays(client, fields):
    make_user(username="rita", password=PASSWORD)
    make_user(username="gone", password=PASSWORD, is_active=False)

    response = sign_in(client, **fields)

    page = text_of(response)
    assert response.status_code == 422
    assert "Sign-in failed" in page
    assert "Please enter a correct username and password." in page
    assert f'value="{fields["username"]}"' in page
    assert PASSWORD not in page
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_else(client, target):
    make_user(username="rita", password=PASSWORD)

    assert sign_in(client, target, username="rita")["Location"] == "/"


def test_guessing_is_stopped_as_at_the_sign_in_of_staff_and_says_for_how_long(client, clock):
    make_user(username="rita", password=PASSWORD)
    for _number in range(4):
        assert sign_in(client, username="rita", password="wrong").status_code == 422
    fifth = sign_in(client, username="rita", password="wrong")
    clock.shift(timedelta(minutes=3))

    right = sign_in(client, "/next/", username="rita")

    assert (fifth.status_code, right.status_code, right["Retry-After"]) == (429, 429, "720")
    page = text_of(right)
    assert "Too many wrong passwords from here. Try again in 12 minutes." in page
    assert ('value="rita"' in page, 'name="next" value="/next/"' in page) == (True, True)
    assert '<form method="post" class="comment-form">' in page
    assert client.post("/admin/login/", {"username": "rita", "password": PASSWORD}).status_code == 429
    clock.shift(timedelta(minutes=13))
    assert sign_in(client, username="rita").status_code == 302


def test_the_second_factor_of_staff_is_asked_for_here_too(client, settings):
    settings.REQUIRE_SECOND_FACTOR = True
    make_editor(username="ed", password=PASSWORD)

    response = sign_in(client, "/next/", username="ed")

    assert response["Location"] == "/admin/account/second-factor/set-up/?next=/next/"
    assert "_auth_user_id" not in client.session


def test_an_author_who_is_no_staff_signs_in_and_comments_under_the_byline(client):
    author = make_author(name="Ida Strand", user=make_user(username="ida", password=PASSWORD))
    article = make_article(authors=[author])
    sign_in(client, username="ida")

    send_signed_in(client, article)

    assert Comment.objects.get().name == "Ida Strand"


# --- How it is shown ---


@pytest.mark.parametrize("is_offered", [True, False])
def test_the_box_to_remember_is_offered_if_the_owner_wants_it(client, is_offered):
    set_discussion(offers_to_remember=is_offered)

    assert ('id="remember"' in page_of(client, make_article())) == is_offered


@pytest.mark.parametrize("are_shown", [True, False])
def test_avatars_are_shown_if_the_owner_wants_them(client, are_shown):
    set_discussion(shows_avatars=are_shown)

    assert ('class="avatar' in page_of(client, make_comment().article)) == are_shown


def test_without_threads_comments_stand_in_the_order_of_their_time(client):
    set_discussion(has_threads=False, levels=10)
    article = make_article()
    first = make_comment(article=article, name="First", created_at=NOON - timedelta(hours=4))
    make_comment(article=article, name="Second", created_at=NOON - timedelta(hours=3))
    reply_to(first, name="Third", created_at=NOON - timedelta(hours=2))

    page = page_of(client, article)

    assert names_on(page) == ["First", "Second", "Third"]
    assert '<details class="replies"' not in page
    assert f'in reply to <a href="#comment-{first.pk}"><bdi>First</bdi></a>' in " ".join(page.split())
    assert names_on(page_of(client, article, "?order=newest")) == ["Third", "Second", "First"]


def test_without_threads_a_reply_still_knows_what_it_answers(client):
    set_discussion(has_threads=False, holds_first_comments=False)
    first = make_comment()

    send(client, first.article, parent=first.pk)

    assert Comment.objects.latest("pk").parent == first


def chain(length: int) -> Article:
    """A conversation in which each comment answers the one before it."""
    comment = make_comment(name="Level 1")
    for number in range(2, length + 1):
        comment = reply_to(comment, name=f"Level {number}")
    return comment.article


@pytest.mark.parametrize("levels", [2, 5, 10])
def test_answers_stand_on_as_many_levels_as_the_owner_wants(client, levels):
    set_discussion(levels=levels)

    page = page_of(client, chain(12))

    assert page.count('<details class="replies"') == levels - 1
    assert names_on(page) == [f"Level {number}" for number in range(1, 13)]
    # What stands deeper says whom it answers.
    assert page.count('class="comment-answers"') == 12 - levels


def test_a_page_has_as_many_comments_as_the_owner_wants(client):
    set_discussion(per_page=5)
    article = make_article()
    for number in range(11):
        make_comment(article=article, name=f"N{number}", created_at=NOON - timedelta(hours=20 - number))

    pages = [names_on(page_of(client, article, query)) for query in ("", "?page=2", "?page=3")]

    assert [len(page) for page in pages] == [5, 5, 1]


def test_the_last_page_is_shown_first_if_the_owner_wants_it(client):
    set_discussion(per_page=5, first_shown="last")
    article = make_article()
    comments = [make_comment(article=article, name=f"N{number}") for number in range(7)]

    assert names_on(page_of(client, article)) == ["N5", "N6"]
    assert names_on(page_of(client, article, "?page=1")) == ["N0", "N1", "N2", "N3", "N4"]
    addresses = [client.get(c.get_absolute_url())["Location"] for c in (comments[0], comments[6])]
    story = article.get_absolute_url()
    assert addresses == [f"{story}?page=1#comment-{comments[0].pk}", f"{story}#comment-{comments[6].pk}"]


@pytest.mark.parametrize("has_comment", [True, False])
def test_a_conversation_of_one_page_or_none_has_its_first_page_last(client, has_comment):
    set_discussion(first_shown="last")
    article = make_article()
    if has_comment:
        make_comment(article=article, name="Only")

    assert names_on(page_of(client, article)) == ["Only"] * has_comment


# --- Flood, edits, addresses ---


def test_without_a_pause_one_person_posts_at_once_again_and_edits_too(client):
    set_discussion(flood_seconds=0, holds_first_comments=False)
    article = make_article()

    codes = [send(client, article, body=f"Number {number}").status_code for number in range(3)]

    assert codes == [303] * 3
    comment = Comment.objects.latest("pk")
    posting.edit(comment, "Another text")
    assert posting.edit(comment, "And another").body == "And another"


def test_without_minutes_to_edit_nobody_edits_or_deletes_and_nobody_is_offered_it(client):
    set_discussion(edit_minutes=0, holds_first_comments=False)
    send(client, make_article())
    comment = Comment.objects.get()

    for change in (lambda: posting.edit(comment, "Other"), lambda: posting.withdraw(comment)):
        with pytest.raises(posting.Refused) as caught:
            change()
        assert caught.value.refusal.status == 403
    page = text_of(client.get("/comments/mine/"))
    assert ("Well said." in page, "/edit/" in page, "/delete/" in page) == (True, False, False)


def sent_from(address: str, **fields) -> Submission:
    defaults = {"article": fields.pop("article", None) or make_article(), **ADA, "ip_address": address}
    return Submission(Comment(**{**defaults, **fields}))


@pytest.mark.parametrize(
    ("address", "kept"),
    [("192.0.2.7", "192.0.2.0"), ("2001:db8:1:2:3::7", "2001:db8:1::"), (None, None)],
)
def test_only_the_network_of_an_address_is_kept_if_the_owner_wants_it(address, kept):
    set_discussion(shortens_addresses=True)

    posting.post(sent_from(address))

    assert Comment.objects.get().ip_address == kept


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8:1:2:3::7"])
def test_a_double_click_is_one_comment_where_addresses_are_shortened(address):
    set_discussion(shortens_addresses=True)
    article = make_article()

    first, second = (
        posting.post(sent_from(address, article=article)),
        posting.post(sent_from(address, article=article)),
    )

    assert (first, Comment.objects.count()) == (second, 1)


def test_a_double_click_is_one_comment_when_shortening_begins_in_between():
    article = make_article()
    first = posting.post(sent_from("192.0.2.7", article=article))
    set_discussion(shortens_addresses=True)

    assert posting.post(sent_from("192.0.2.7", article=article)) == first


@pytest.mark.parametrize(
    ("shortens", "address", "is_refused"),
    [
        (True, "192.0.2.7", True),
        # What is counted tells two of one network apart, though the addresses are kept in part.
        (True, "192.0.2.8", False),
        (True, "192.0.3.7", False),
        (False, "192.0.2.7", True),
        (False, "192.0.2.8", False),
    ],
)
def test_one_address_waits_between_two_comments_where_addresses_are_shortened(shortens, address, is_refused):
    set_discussion(shortens_addresses=shortens)
    posting.post(sent_from("192.0.2.7"))

    other = sent_from(address, name="Bo", email="bo@example.com")

    assert (moderation.refuse(other) is not None) == is_refused


# --- Once more, all of it at the next request ---


def test_every_setting_is_read_with_each_request_and_in_one_query(client, django_assert_num_queries):
    article = make_comment().article
    before = page_of(client, article)

    set_discussion(shows_avatars=False, order="newest", is_open=False)

    after = page_of(client, article)
    assert [('class="avatar' in page, 'name="body"' in page) for page in (before, after)] == [
        (True, True),
        (False, False),
    ]
    with django_assert_num_queries(1):
        DiscussionSettings.load().takes_comments_on(article)


# --- What is said before someone writes ---

FIRST = "We read everyone’s first comment before it appears."
EVERY = "We read every comment on this story before it appears."


def said_before_writing(client, article=None) -> str:
    page = page_of(client, article or make_article())
    return page[page.index('class="before-posting"') : page.index('class="form-submit"')]


def test_before_writing_people_are_told_the_rules_what_is_kept_and_what_happens_next(client):
    said = said_before_writing(client)

    assert "<p>Be kind, stay on the subject, and argue with what was said, not with who said it.</p>" in said
    assert "We never publish it.</p>" in said
    assert FIRST in said
    assert (
        "You can edit or delete your comment for 15\xa0minutes, unless someone replies, "
        'under <a href="/comments/mine/">My comments</a>.'
    ) in said


@pytest.mark.parametrize(
    ("chosen", "own", "said"),
    [
        ({"holds_first_comments": True}, FOLLOWS, [FIRST]),
        ({"holds_first_comments": False}, FOLLOWS, []),
        ({"holds_first_comments": True}, HELD, [EVERY]),
        ({"holds_everything": True, "holds_first_comments": False}, FOLLOWS, [EVERY]),
    ],
)
def test_readers_are_told_that_comments_wait_where_they_do(client, chosen, own, said):
    set_discussion(**chosen)
    text = said_before_writing(client, make_article(discussion=own))

    assert [sentence for sentence in (FIRST, EVERY) if sentence in text] == said


def test_the_time_to_edit_is_promised_only_where_there_is_one(client):
    set_discussion(edit_minutes=0)
    none = said_before_writing(client)
    set_discussion(edit_minutes=120)
    two_hours = said_before_writing(client)

    assert "edit or delete" not in none
    assert 'under <a href="/comments/mine/">My comments</a>.' in none
    assert "for 2\xa0hours, unless someone replies" in two_hours


def test_texts_that_the_owner_empties_are_not_there(client):
    set_discussion(house_rules="", privacy_note="")
    said = said_before_writing(client)

    assert ("Be kind" in said, "never publish" in said, "<details>" in said) == (False, False, False)


def test_the_owners_texts_are_formatted_as_comments_are_and_run_nothing(client):
    set_discussion(
        house_rules="Be *kind*. <script>alert(1)</script>",
        privacy_note="See [our policy](https://news.example/privacy/).",
    )
    said = said_before_writing(client)

    assert "<em>kind</em>" in said
    assert "<script" not in said
    assert '<a href="https://news.example/privacy/"' in said


@pytest.mark.parametrize(("length", "is_behind_a_line"), [(300, False), (301, True)])
def test_long_house_rules_are_shown_when_they_are_asked_for(client, length, is_behind_a_line):
    set_discussion(house_rules="x" * length)
    said = said_before_writing(client)

    assert ("<summary>House rules</summary>" in said) == is_behind_a_line
    assert "x" * length in said
