"""The links in the mails to moderators: each works once, for one person, and on a button only."""

import re
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError, Thread

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from comments import decisions, moderator_mails, posting, privacy
from comments.models import Change, Comment, Decision
from comments.moderation import Submission
from comments.moderator_texts import DECIDE_SALT, STOP_SALT, Link
from comments.staff_notices import MailChoice, StaffNotice
from mail.models import Mail
from tests.factories import (
    make_article,
    make_author,
    make_comment,
    make_editor,
    make_report,
    make_staff,
    make_user,
    reply_to,
    set_discussion,
)
from tests.givens import SAME_ORIGIN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

WORDS = {"approve": "Approve", "mark_as_spam": "Spam", "trash": "Trash"}
STATUSES = {"approve": "approved", "mark_as_spam": "spam", "trash": "trash"}


@pytest.fixture
def mo():
    return make_staff("Moderator", username="mo", email="mo@newsroom.example")


def post(*own: Comment, **fields) -> Comment:
    """Post as Ada does, whose first comment is held, in a browser that knows comments of its own."""
    defaults = {"name": "Ada", "email": "ada@mailbox.example", "body": "Well *said*."}
    article = fields.pop("article", None) or make_article(title="Rain")
    comment = Comment(**{**defaults, "article": article, **fields})
    return posting.post(Submission(comment, own={one.pk for one in own}))


def link(kind="approve", recipient="mo@newsroom.example") -> str:
    """Return where a link in the newest mail to somebody leads, as a path."""
    moderator_mails.send_due()
    mail = Mail.objects.filter(recipient=recipient).latest("pk")
    return re.search(rf"^{WORDS[kind]}: https://news\.example(/comments/moderate/\S+)", mail.text, re.M)[1]


def stop_link(recipient="mo@newsroom.example") -> str:
    moderator_mails.send_due()
    mail = Mail.objects.filter(recipient=recipient).latest("pk")
    return re.fullmatch(r"<https://news\.example(/\S+)>", mail.headers["List-Unsubscribe"])[1]


def path_of(token: str) -> str:
    return f"/comments/moderate/{token}/"


def press(client, path: str, **data):
    """Open the page, as whoever decides does, and press its button."""
    page = client.get(path)
    seen = re.search(r'name="seen" value="(\d+)"', page.content.decode())
    return client.post(path, {"seen": seen[1] if seen else "", **data}, headers=SAME_ORIGIN)


def words_of(response) -> str:
    """Return what somebody reads on a page, in one line."""
    main = response.content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main.partition(">")[2]).split())


def status_of(comment: Comment) -> str:
    return Comment.objects.get(pk=comment.pk).status


# --- Deciding ---


@pytest.mark.parametrize("kind", WORDS)
def test_a_link_decides_with_one_button_and_without_signing_in(client, mo, kind):
    comment = post()

    response = press(client, link(kind))

    assert (response.status_code, status_of(comment)) == (200, STATUSES[kind])
    change = Change.objects.latest("pk")
    assert (change.by, change.note, change.from_status, change.to_status) == (
        mo,
        "by a link in a mail",
        "held",
        STATUSES[kind],
    )
    assert (change.decision.by, change.decision.kind, change.decision.count) == (mo, kind, 1)
    assert "_auth_user_id" not in client.session


def test_the_page_shows_the_whole_comment_its_story_what_held_it_and_one_button(client, mo):
    set_discussion(words_that_hold="soap")
    parent = make_comment(name="Cleo", body="Is it *clean*?", article=make_article(title="Rain"))
    post(article=parent.article, parent=parent, body="With *soap*.\n\n" + "Long. " * 500 + "End.")

    page = client.get(link())

    words = words_of(page)
    assert words.startswith("Rain Approve this comment In reply to Cleo: Is it *clean*? Ada 23 November 2026")
    assert "With soap ." in words
    assert "Long. End." in words
    assert "Why it is held Has a word that holds it: soap First comment under this name" in words
    html = page.content.decode()
    assert re.findall(r"<button[^>]*>([^<]*)<", html.partition("<main")[2]) == ["Approve this comment"]
    assert "ada@mailbox.example" not in html


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("approve", "Done The comment is public now."),
        ("mark_as_spam", "Done The comment is marked as spam."),
        ("trash", "Done The comment is in the trash."),
    ],
)
def test_the_answer_says_what_was_done_and_leads_on(client, mo, kind, words):
    comment = post()

    response = press(client, link(kind))

    assert words_of(response).startswith(words)
    html = response.content.decode()
    assert 'href="/admin/comments/comment/"' in html
    assert (f'href="/comments/{comment.pk}/"' in html) == (kind == "approve")


def test_a_decision_by_a_link_can_be_undone_like_any_other(client, mo):
    comment = post()
    press(client, link())

    decisions.undo(Decision.objects.get(), mo)

    assert status_of(comment) == "held"


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("kind", WORDS)
def test_opening_a_link_changes_nothing(client, mo, method, kind):
    comment = post()
    path = link(kind)
    before = (Change.objects.count(), Decision.objects.count(), StaffNotice.objects.count())

    response = getattr(client, method)(path)

    assert response.status_code == 200
    assert status_of(comment) == "held"
    assert (Change.objects.count(), Decision.objects.count(), StaffNotice.objects.count()) == before
    assert press(client, path).status_code == 200


def test_other_methods_are_refused(client, mo):
    post()
    path = link()

    assert [client.put(path).status_code, client.delete(path).status_code] == [405, 405]


def test_a_form_on_another_site_decides_nothing(client, mo):
    comment = post()

    response = client.post(link(), headers={"sec-fetch-site": "cross-site"})

    assert (response.status_code, status_of(comment)) == (403, "held")
    assert "press the button again" in words_of(response)


def test_the_pages_are_kept_by_nobody_and_found_by_no_search_engine(client, mo):
    post()
    path, stop = link(), stop_link()

    for response in (client.get(path), client.get(stop), press(client, path), client.get(path)):
        assert "no-store" in response["Cache-Control"]
        assert response["X-Robots-Tag"] == "noindex"
        assert response["Referrer-Policy"] == "same-origin"


def test_a_link_against_a_public_comment_works_too(client, mo):
    set_discussion(comment_mails="at-once")
    known = make_comment(name="Ada", email="ada@mailbox.example")
    comment = post(known, body="And more.")
    assert comment.status == "approved"

    page = client.get(link("trash"))
    response = press(client, link("trash"))

    assert "Why it is held" not in words_of(page)
    assert (response.status_code, status_of(comment)) == (200, "trash")


def test_a_reported_comment_shows_what_readers_say(client, mo):
    comment = make_comment()
    make_report(comment=comment, reason="abuse", text="He is wrong.")
    comment.hold_as_reported()

    words = words_of(client.get(link()))

    assert "Why it is held Reported by readers Insults, threats or hatred: He is wrong." in words


# --- Once, and not after somebody else ---


@pytest.mark.parametrize("again", WORDS)
def test_a_link_works_once_and_so_do_the_others_of_its_mail(client, mo, again):
    comment = post()
    path, other = link("approve"), link(again)
    press(client, path)

    response = press(client, other)

    assert (response.status_code, status_of(comment)) == (410, "approved")
    assert words_of(response).startswith("There is nothing left to decide Approved by mo, a moment ago")
    assert Decision.objects.count() == 1


def test_what_somebody_else_has_decided_is_told_with_who_and_when(client, mo, clock):
    comment = post()
    path = link("approve")
    comment.mark_as_spam(by=make_editor(username="eve"))
    clock.shift(timedelta(minutes=5))

    response = press(client, path)

    assert (response.status_code, status_of(comment)) == (410, "spam")
    assert "Marked as spam by eve, 5 minutes ago" in words_of(response)


def test_a_decision_between_the_page_and_the_button_stands(client, mo):
    comment = post()
    path = link("approve")
    seen = re.search(r'name="seen" value="(\d+)"', client.get(path).content.decode())[1]
    comment.trash(by=make_editor(username="eve"))

    response = client.post(path, {"seen": seen}, headers=SAME_ORIGIN)

    assert (response.status_code, status_of(comment)) == (410, "trash")
    assert "Moved to the trash by eve, a moment ago" in words_of(response)


def test_of_two_moderators_with_the_page_open_the_first_to_press_decides(client, mo):
    una = make_staff("Moderator", username="una", email="una@newsroom.example")
    comment = post()
    paths = [link("approve"), link("trash", una.email)]
    pages = [client.get(path).content.decode() for path in paths]
    seen = [re.search(r'name="seen" value="(\d+)"', page)[1] for page in pages]

    answers = [
        client.post(path, {"seen": one}, headers=SAME_ORIGIN) for path, one in zip(paths, seen, strict=True)
    ]

    assert [answer.status_code for answer in answers] == [200, 410]
    assert (status_of(comment), Decision.objects.count()) == ("approved", 1)


def test_a_link_that_was_used_stays_used_when_its_decision_is_undone(client, mo):
    comment = post()
    path = link("approve")
    press(client, path)
    decisions.undo(Decision.objects.get(), make_editor(username="eve"))

    response = press(client, path, seen=10**9)

    assert (response.status_code, status_of(comment)) == (410, "held")
    assert words_of(response).startswith(
        "This comment waits again Undone by eve, a moment ago "
        "This link was for one decision, and that was taken. Decide in the queue, please."
    )


def test_what_somebody_has_held_again_is_not_called_decided(client, mo):
    comment = post()
    path, eve = link("approve"), make_editor(username="eve")
    comment.approve(by=eve)
    comment.hold(by=eve)

    response = client.get(path)

    assert words_of(response).startswith("This comment waits again Held by eve, a moment ago")


def test_what_has_changed_since_the_mail_is_shown_and_the_link_still_works(client, mo):
    comment = post()
    path = link()
    posting.edit(comment, "Other words.")

    page = client.get(path)

    assert "The text has changed since the email was written." in words_of(page)
    assert "Other words." in words_of(page)
    assert press(client, path).status_code == 200
    assert status_of(comment) == "approved"


def test_a_moderators_edit_is_no_decision(client, mo):
    comment = post()
    path = link()
    decisions.edit(comment, make_editor(), body="Without the insult.")

    assert "Without the insult." in words_of(client.get(path))
    assert press(client, path).status_code == 200


def test_what_changes_between_the_page_and_the_button_is_shown_first(client, mo):
    comment = post()
    path = link()
    seen = re.search(r'name="seen" value="(\d+)"', client.get(path).content.decode())[1]
    posting.edit(comment, "Other words.")

    response = client.post(path, {"seen": seen}, headers=SAME_ORIGIN)

    assert (response.status_code, status_of(comment)) == (409, "held")
    assert "The comment has changed since this page was opened." in words_of(response)
    assert "Other words." in words_of(response)


@contextmanager
def after_reading(do, *, times: int = 1):
    """Do something right after the page has read its comment, for the last of so many times."""
    reads = []

    def wrapper(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if re.search('FROM "comments_comment" INNER JOIN "articles_article" .* LEFT OUTER JOIN', sql):
            reads.append(sql)
            if len(reads) == times:
                do()
        return result

    with connection.execute_wrapper(wrapper):
        yield
    assert len(reads) >= times


def test_what_changes_while_the_page_is_made_is_shown_before_it_is_decided_on(client, mo):
    comment = post()
    path = link()

    with after_reading(lambda: posting.edit(comment, "Vile words.")):
        page = client.get(path)
    seen = re.search(r'name="seen" value="(\d+)"', page.content.decode())[1]
    response = client.post(path, {"seen": seen}, headers=SAME_ORIGIN)

    assert ("Well said" in words_of(page), "Vile words." in words_of(page)) == (True, False)
    assert (response.status_code, status_of(comment)) == (409, "held")
    assert "Vile words." in words_of(response)


def test_what_changes_while_the_page_is_shown_again_is_shown_once_more(client, mo, clock):
    set_discussion(flood_seconds=0)
    comment = post()
    path = link()
    client.get(path)
    posting.edit(comment, "Other words.")

    with after_reading(lambda: posting.edit(comment, "Vile words."), times=2):
        page = client.post(path, {"seen": 0}, headers=SAME_ORIGIN)
    seen = re.search(r'name="seen" value="(\d+)"', page.content.decode())[1]
    response = client.post(path, {"seen": seen}, headers=SAME_ORIGIN)

    assert [page.status_code, response.status_code, status_of(comment)] == [409, 409, "held"]
    assert ("Other words." in words_of(page), "Vile words." in words_of(response)) == (True, True)


@pytest.mark.parametrize("gone", [lambda comment: comment.delete(), posting.withdraw])
def test_what_is_deleted_while_the_button_is_pressed_is_told(client, mo, gone):
    comment = post()
    path = link()

    with after_reading(lambda: gone(Comment.objects.get(pk=comment.pk))):
        response = client.post(path, {"seen": 0}, headers=SAME_ORIGIN)

    assert (response.status_code, "The comment is deleted" in words_of(response)) == (410, True)
    assert "Well" not in words_of(response)


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 400, "٣"])
def test_what_is_no_number_counts_as_what_the_mail_showed(client, mo, seen):
    comment = post()

    response = client.post(link(), {"seen": seen}, headers=SAME_ORIGIN)

    assert (response.status_code, status_of(comment)) == (200, "approved")


def test_an_edit_that_a_rule_takes_for_spam_needs_no_second_decision(client, mo):
    comment = post()
    path = link("trash")
    set_discussion(words_that_trash="soap")
    posting.edit(comment, "Buy soap.")

    response = press(client, path)

    assert (response.status_code, "It is in the trash already." in words_of(response)) == (410, True)


@pytest.mark.parametrize(
    "change",
    [
        posting.withdraw,
        lambda comment: comment.delete(),
        lambda comment: comment.article.delete(),
        lambda comment: privacy.erase("ada@mailbox.example", keep_texts=False),
    ],
    ids=["withdrawn", "deleted", "story deleted", "erased"],
)
def test_of_what_is_deleted_nothing_is_left_to_decide(client, mo, change):
    comment = post()
    path = link()
    change(comment)

    response = press(client, path)

    assert (response.status_code, "The comment is deleted" in words_of(response)) == (410, True)
    assert "Well" not in words_of(response)


# --- Whose link it is, and for what ---


def tampered(token: str) -> list[str]:
    payload, time, signature = token.split(":")
    other = "A" if payload[-1] != "A" else "B"
    return [
        f"{payload[:-1]}{other}:{time}:{signature}",
        f"{payload}:{time[:-1]}x:{signature}",
        f"{payload}:{time}:{signature[:-2]}",
        payload,
        "x",
        f"{token}x",
    ]


def test_a_link_that_was_changed_is_refused(client, mo):
    comment = post()
    token = link().split("/")[-2]

    for changed in tampered(token):
        response = press(client, path_of(changed))
        assert (response.status_code, "This link is incomplete" in words_of(response)) == (403, True)
    assert status_of(comment) == "held"


@pytest.mark.parametrize(
    "what",
    [
        [1],
        "x",
        None,
        [1, "approve", 1, 1],
        [1, "erase", 1, 1, "key"],
        [1, "approve", "1", 1, "key"],
        [1, "approve", 1, 1, "key", "more"],
        {"a": 1},
    ],
)
def test_a_link_of_another_shape_is_refused(client, what):
    response = client.get(path_of(signing.dumps(what, salt=DECIDE_SALT)))

    assert response.status_code == 403


def test_a_token_for_something_else_is_refused(client, mo):
    post()
    stop = stop_link().split("/")[-2]

    assert client.get(path_of(stop)).status_code == 403
    decide = link().split("/")[-2]
    assert client.get(f"/comments/moderate/mails/{decide}/").status_code == 403


def test_a_link_decides_on_its_own_comment_and_in_its_own_way_only(client, mo):
    other = post(body="Another.", name="Bo", email="bo@mailbox.example")
    comment = post()

    press(client, link("mark_as_spam"))

    assert (status_of(comment), status_of(other)) == ("spam", "held")


def test_what_a_link_does_is_recorded_for_whom_it_was_sent_to_whoever_is_signed_in(client, mo):
    make_staff("Moderator", username="una", email="una@newsroom.example")
    post()
    client.force_login(make_editor(username="eve"))

    press(client, link("approve", "una@newsroom.example"))

    assert Change.objects.latest("pk").by.username == "una"


def test_a_link_works_for_seven_days(client, mo, clock):
    comment = post()
    path = link()
    clock.shift(timedelta(days=7))
    assert client.get(path).status_code == 200
    clock.shift(timedelta(seconds=1))

    response = press(client, path)

    assert (response.status_code, status_of(comment)) == (410, "held")
    assert "This link has expired" in words_of(response)


@pytest.mark.parametrize(
    "change",
    [
        lambda mo: mo.groups.clear(),
        lambda mo: type(mo).objects.filter(pk=mo.pk).update(is_active=False),
        lambda mo: mo.delete(),
    ],
    ids=["no right", "not active", "deleted"],
)
def test_who_may_no_longer_decide_is_told_so_and_shown_nothing(client, mo, change):
    comment = post()
    path = link()
    change(mo)

    response = press(client, path)

    assert (response.status_code, status_of(comment)) == (403, "held")
    assert "You may not decide on this comment" in words_of(response)
    assert "Well" not in words_of(response)


@pytest.mark.parametrize(
    "change",
    [lambda mo: setattr(mo, "email", "new@newsroom.example"), lambda mo: mo.set_password("another one")],
    ids=["address", "password"],
)
def test_a_link_ends_with_the_address_and_the_password_of_its_account(client, mo, change):
    comment = post()
    path, stop = link(), stop_link()
    change(mo)
    mo.save()

    response = press(client, path)

    assert (response.status_code, status_of(comment)) == (403, "held")
    assert "The email address or the password of the account has changed" in words_of(response)
    assert "Well" not in words_of(response)
    assert client.post(stop).status_code == 200


def test_who_has_to_have_a_second_factor_decides_once_it_is_set_up(client, mo, settings):
    settings.REQUIRE_SECOND_FACTOR = True
    comment = post()
    path = link()

    response = press(client, path)

    assert (response.status_code, status_of(comment)) == (403, "held")
    assert "Set up a second factor first" in words_of(response)
    TOTPDevice.objects.create(user=mo, name="phone", confirmed=True)
    assert (press(client, path).status_code, status_of(comment)) == (200, "approved")


def test_an_author_decides_below_own_stories_as_long_as_they_are_own(client):
    ida = make_staff("Author", username="ida", email="ida@newsroom.example")
    article = make_article(authors=[make_author(user=ida)])
    comment = post(article=article)
    path = link("approve", ida.email)
    assert client.get(path).status_code == 200
    article.bylines.all().delete()

    assert (press(client, path).status_code, status_of(comment)) == (403, "held")


def test_a_link_that_this_site_signed_gives_nobody_a_right(client):
    author = make_user()
    comment = make_comment(status="held")

    response = press(client, path_of(Link.to(author, comment.pk, "approve", 0).token))

    assert (response.status_code, status_of(comment)) == (403, "held")


@pytest.mark.parametrize("items", [1, 3])
def test_the_page_takes_the_same_queries_however_much_is_around(client, mo, django_assert_num_queries, items):
    comment = make_comment()
    comment.hold_as_reported()
    path = link()
    for number in range(items):
        make_staff("Moderator")
        reply_to(comment)
        make_report(comment=comment)
        decisions.edit(comment, mo, body=f"Words {number}.")

    with django_assert_num_queries(10):
        assert client.get(path).status_code == 200


# --- No more mails ---


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_the_link_that_ends_the_mails_ends_nothing(client, mo, method):
    post()

    response = getattr(client, method)(stop_link())

    assert response.status_code == 200
    assert MailChoice.objects.count() == 0


def test_one_click_ends_the_mails_to_a_moderator_and_nobody_elses(client, mo):
    make_staff("Moderator", email="una@newsroom.example")
    post()
    path = stop_link()
    assert "You get emails about: Comments that you moderate" in words_of(client.get(path))

    response = client.post(path, {"List-Unsubscribe": "One-Click"})

    assert response.status_code == 200
    assert "You won’t get any more emails about: Comments that you moderate" in words_of(response)
    Mail.objects.all().delete()
    post(name="Bo", email="bo@mailbox.example", body="And more.")
    moderator_mails.send_due()
    assert [mail.recipient for mail in Mail.objects.all()] == ["una@newsroom.example"]


def test_what_has_not_left_is_not_sent_to_who_wants_no_more(client, mo):
    post()
    path = stop_link()
    assert Mail.objects.count() == 1

    client.post(path)
    moderator_mails.send_due()

    assert (Mail.objects.count(), StaffNotice.objects.count()) == (0, 0)


def test_an_author_who_wants_no_mails_goes_on_moderating(client):
    ida = make_staff("Author", username="ida", email="ida@newsroom.example")
    known = make_comment(name="Ada", email="ada@mailbox.example")
    article = make_article(authors=[make_author(user=ida)])
    post(known, article=article)

    response = client.post(stop_link(ida.email))

    assert "t get any more emails about: New comments on your own stories" in words_of(response)
    post(article=article, name="Bo", email="bo@mailbox.example")
    moderator_mails.send_due()
    assert [mail.subject[:8] for mail in Mail.objects.all()] == ["Held: Bo"]


@pytest.mark.parametrize("is_staff", [True, False])
def test_only_who_may_open_the_page_of_all_mails_is_led_to_it(client, is_staff):
    ida = make_user(email="ida@newsroom.example", is_staff=is_staff)
    comment = make_comment(article=make_article(authors=[make_author(user=ida)]))
    StaffNotice.objects.create(comment=comment, kind="public")

    response = client.post(stop_link(ida.email))

    assert ("Choose which emails you get" in words_of(response)) == is_staff


def test_the_link_that_ends_the_mails_never_expires(client, mo, clock):
    post()
    path = stop_link()
    clock.shift(timedelta(days=1000))

    assert client.post(path).status_code == 200
    assert MailChoice.objects.get().moderation is False


@pytest.mark.parametrize("what", [[1], [1, []], [1, ["password"]], [1, "moderation"], "x", None])
def test_such_a_link_of_another_shape_is_refused(client, what):
    token = signing.dumps(what, salt=STOP_SALT)

    assert client.post(f"/comments/moderate/mails/{token}/").status_code == 403


def test_such_a_link_that_was_changed_is_refused(client, mo):
    post()
    for changed in tampered(stop_link().split("/")[-2]):
        assert client.post(f"/comments/moderate/mails/{changed}/").status_code == 403
    assert MailChoice.objects.count() == 0


def test_a_daily_mail_ends_with_a_link_for_all_that_it_tells(client, clock):
    set_discussion(held_mails="daily", author_mails="daily")
    ida = make_staff("Author", username="ida", email="ida@newsroom.example")
    article = make_article(authors=[make_author(user=ida)])
    post(article=article)
    known = make_comment(name="Bo", email="bo@mailbox.example")
    clock.shift(timedelta(minutes=1))
    post(known, article=article, name="Bo", email="bo@mailbox.example")
    moderator_mails.send_due()
    clock.shift(timedelta(days=1))

    response = client.post(stop_link(ida.email))

    assert (
        "t get any more emails about: Comments that you moderate New comments on your own stories"
        in words_of(response)
    )
    choice = MailChoice.objects.get()
    assert (choice.user, choice.moderation, choice.own_stories) == (ida, False, False)


# --- The page in the admin ---

CHOICE = "/admin/comments/mailchoice/"


def test_a_moderator_chooses_in_the_admin_which_mails_to_get(client, mo):
    client.force_login(mo)
    assert f'href="{CHOICE}"' in client.get("/admin/").content.decode()
    page = client.get(CHOICE, follow=True)
    assert 'name="moderation"' in page.content.decode()
    assert MailChoice.objects.count() == 0

    client.post(page.request["PATH_INFO"], {"own_stories": "on"})

    choice = MailChoice.objects.get()
    assert (choice.user, choice.moderation, choice.own_stories) == (mo, False, True)
    page = client.get(CHOICE, follow=True)
    client.post(page.request["PATH_INFO"], {"moderation": "on", "own_stories": "on"})
    assert MailChoice.objects.get().moderation is True


NO_ADDRESS = "Your account has no email address, so no mail reaches you."


@pytest.mark.parametrize(
    ("role", "email", "told"),
    [
        ("Administrator", "", [NO_ADDRESS, "Set an address"]),
        ("Moderator", "", [NO_ADDRESS, "Ask an administrator to set one."]),
        ("Administrator", "ada@newsroom.example", []),
    ],
)
def test_whoever_has_no_address_is_told_beside_the_boxes_that_no_mail_comes(client, role, email, told):
    is_owner = role == "Administrator"
    user = make_editor(email=email) if is_owner else make_staff(role, email=email)
    client.force_login(user)

    page = client.get(CHOICE, follow=True)

    sentences = [NO_ADDRESS, "Set an address", "Ask an administrator to set one."]
    assert [words for words in sentences if words in words_of(page)] == told
    if "Set an address" in told:
        address = f"/admin/auth/user/{user.pk}/change/"
        assert f'<a href="{address}">Set an address</a>' in page.content.decode()
        assert 'name="email"' in client.get(address).content.decode()


def test_the_choice_of_mails_is_one_page_with_one_button(client):
    editor = make_editor()
    client.force_login(editor)

    pages = [client.get(CHOICE, follow=True)]
    for _ in range(2):
        address = pages[-1].request["PATH_INFO"]
        pages.append(client.post(address, {"own_stories": "on", "_addanother": "1"}, follow=True))

    main = [page.content.decode().partition("<main")[2].partition("</main>")[0] for page in pages]
    assert [re.findall(r'<input type="submit"[^>]* value="([^"]+)"', part) for part in main] == [["Save"]] * 3
    assert [re.findall("<title>(.*?) [|·]", page.content.decode()) for page in pages] == [["Mails to me"]] * 3
    assert ["Delete" in part or "History" in part for part in main] == [False] * 3
    told = [[str(message) for message in page.context["messages"]] for page in pages]
    assert told == [[], ["Your choice is saved."], ["Your choice is saved."]]
    choice = MailChoice.objects.get()
    assert (choice.user, choice.moderation, choice.own_stories) == (editor, False, True)
    assert client.post(f"{CHOICE}{choice.pk}/delete/", {"post": "yes"}).status_code == 403
    assert f'href="{CHOICE}add/"' not in client.get("/admin/").content.decode()


def test_two_windows_make_one_choice(client, mo):
    client.force_login(mo)
    for data in ({"moderation": "on"}, {"own_stories": "on"}):
        client.post(f"{CHOICE}add/", data)

    choice = MailChoice.objects.get()
    assert (choice.moderation, choice.own_stories) == (False, True)


@pytest.mark.django_db(transaction=True)
def test_two_windows_at_the_same_moment_make_one_choice():
    """Both have found no row, and are about to write one."""
    user = make_user(is_staff=True, is_superuser=True)
    together, codes = Barrier(2), []

    def save_at_once(execute, sql, *args):
        if sql.startswith("INSERT") and "comments_mailchoice" in sql:
            with suppress(BrokenBarrierError):  # SQLite lets one transaction write at a time
                together.wait(5)
        return execute(sql, *args)

    def save() -> None:
        browser = Client()
        browser.force_login(user)
        try:
            with connection.execute_wrapper(save_at_once):
                codes.append(browser.post(f"{CHOICE}add/", {"moderation": "on"}).status_code)
        finally:
            connection.close()

    threads = [Thread(target=save) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert codes == [302, 302]
    choice = MailChoice.objects.get()
    assert (choice.user, choice.moderation, choice.own_stories) == (user, True, False)


def test_nobody_chooses_for_somebody_else(client, mo):
    others = MailChoice.objects.create(user=make_staff("Moderator"))
    client.force_login(make_editor())

    response = client.post(f"{CHOICE}{others.pk}/change/", {}, follow=True)

    others.refresh_from_db()
    assert (others.moderation, others.own_stories) == (True, True)
    assert response.redirect_chain[0][1] == 302
    assert client.post(f"{CHOICE}{others.pk}/delete/", {"post": "yes"}).status_code in {302, 403}
    assert MailChoice.objects.filter(pk=others.pk).exists()


def test_staff_who_are_told_of_nothing_have_no_such_page(client):
    client.force_login(make_user(is_staff=True))

    assert client.get(CHOICE).status_code == 403
    assert client.get(f"{CHOICE}add/").status_code == 403
