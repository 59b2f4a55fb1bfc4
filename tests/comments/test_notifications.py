import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin import site
from django.core import mail as django_mail
from django.core import signing
from django.db import transaction

from articles.models import Article
from comments import announcements, digests, notifications, posting, yours
from comments.models import Comment
from comments.moderation import Submission
from comments.subscriptions import CONFIRM_SALT, STOP_SALT, Notice, Subscriber, Subscription
from mail.delivery import deliver_due
from mail.models import Mail
from tests.factories import make_article, make_comment, make_editor, reply_to
from tests.givens import NOON, SAME_ORIGIN, announced

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

BO = {"name": "Bo", "email": "bo@example.com"}


def subscribed(scope="answers", rhythm="at-once", *, confirmed=True, **fields) -> Comment:
    """A public comment of Ada's, who wants to be told of answers to it."""
    comment = make_comment(**{"name": "Ada", "email": "ada@example.com", **fields})
    notifications.subscribe(comment, scope, rhythm)
    if confirmed:
        comment.subscription.subscriber.confirm()
    Mail.objects.all().delete()
    return comment


def answer(comment: Comment, **fields) -> Comment:
    """Post an answer as Bo does, who is known, and let the chores tell of it."""
    person = {**BO, **fields}
    known = make_comment(name=person["name"], email=person["email"], created_at=NOON - timedelta(days=9))
    fields = {"body": "Quite so.", "article": comment.article, "parent": comment, **person}
    given = posting.post(Submission(Comment(**fields), own={known.pk}))
    announcements.send_due()
    return given


def mailed() -> list[tuple[str, str]]:
    """Let the chores tell what is to be told, and say to whom and about what."""
    announcements.send_due()
    return list(Mail.objects.order_by("pk").values_list("recipient", "subject"))


def link_in(mail: Mail, page: str) -> str:
    """Return where a link in a mail leads, as a path."""
    return re.search(rf"https://news\.example(/comments/mail/{page}/\S+)", mail.text)[1]


def text_of(response) -> str:
    return response.content.decode()


# --- Asking for mails ---


def approved() -> None:
    """Let a moderator approve what waits, and the chores do what follows."""
    Comment.objects.filter(status="held").approve(by=make_editor())
    announcements.send_due()


def reply(client, article, **fields):
    data = {"name": "Ada", "email": "Ada@Example.com", "body": "Well said.", **fields}
    return client.post(f"{article.get_absolute_url()}reply/", data, headers=SAME_ORIGIN)


def test_leave_a_reply_offers_mails_and_neither_box_is_ticked(client):
    page = text_of(client.get(make_article().get_absolute_url()))

    for box, label in [
        ("tell_answers", "Email me when someone replies"),
        ("tell_all", "Email me all new comments on this story"),
    ]:
        assert f'<input type="checkbox" name="{box}" id="id_{box}">' in page
        assert f'<label for="id_{box}">{label}</label>' in page


@pytest.mark.parametrize(
    ("boxes", "scope"),
    [
        ({"tell_answers": "on"}, "answers"),
        ({"tell_all": "on"}, "story"),
        ({"tell_answers": "on", "tell_all": "on"}, "story"),
    ],
)
def test_a_ticked_box_asks_the_address_to_confirm(client, boxes, scope):
    reply(client, make_article(title="The bridge opens"), **boxes)
    assert mailed() == []

    approved()

    subscription = Subscription.objects.get()
    assert (subscription.scope, subscription.rhythm) == (scope, "at-once")
    assert subscription.subscriber.confirmed_at is None
    assert mailed() == [("ada@example.com", "Please confirm your email alerts")]
    assert "The bridge opens" in Mail.objects.get().text


def test_no_box_no_mail_and_no_row(client):
    reply(client, make_article())

    assert (Mail.objects.count(), Subscriber.objects.count()) == (0, 0)


def test_the_question_carries_nothing_that_a_stranger_wrote(client):
    reply(client, make_article(), name="Buy pills", body="Buy pills.", tell_all="on")
    approved()

    question = Mail.objects.get()
    assert "pills" not in question.subject + question.text + question.html


def test_a_robot_makes_the_site_write_to_nobody(client):
    reply(client, make_article(), nickname="robot", tell_all="on")

    assert Comment.objects.get().status == "spam"
    assert (mailed(), Subscriber.objects.count()) == ([], 0)


def test_a_robot_subscribes_nobody_whose_address_is_confirmed(client):
    comment = subscribed()

    reply(client, comment.article, body="Buy pills.", nickname="robot", tell_all="on")

    assert Subscription.objects.get().comment == comment


def test_a_refused_comment_asks_nobody(client):
    article = make_article()
    reply(client, article)

    assert reply(client, article, body="And more.", tell_all="on").status_code == 429
    assert mailed() == []


def test_one_address_is_asked_once_an_hour_whoever_types_it(client, clock):
    article = make_article()
    for minutes, questions in [(0, 1), (1, 1), (58, 1), (1, 2)]:
        clock.shift(timedelta(minutes=minutes))
        reply(client, article, name=f"Name {clock}", body=f"At {datetime.now(UTC)}", tell_answers="on")
        approved()
        assert len(mailed()) == questions


def test_a_confirmed_address_is_not_asked_again(client):
    subscribed()

    reply(client, make_article(), tell_answers="on")

    assert Subscription.objects.count() == 2
    assert mailed() == []


# --- Confirming ---


def test_an_address_is_confirmed_by_the_button_behind_the_link_and_not_by_the_link(client):
    reply(client, make_article(title="The bridge opens"), tell_answers="on")
    approved()
    link = link_in(Mail.objects.get(), "confirm")

    shown = client.get(link)
    assert Subscriber.objects.get().confirmed_at is None
    done = client.post(link)

    assert Subscriber.objects.get().confirmed_at == NOON
    assert "The bridge opens</a>: Replies to my comment" in text_of(shown)
    assert "Confirm" in text_of(shown)
    assert "Confirmed. You’ll get emails about:" in text_of(done)
    for response in (shown, done):
        assert "ada@example.com" not in text_of(response).lower()
        assert (response["X-Robots-Tag"], "no-store" in response["Cache-Control"]) == ("noindex", True)


def test_a_link_to_confirm_works_for_seven_days(client, clock):
    subscriber = subscribed(confirmed=False).subscription.subscriber
    link = f"/comments/mail/confirm/{subscriber.confirm_token}/"
    clock.shift(timedelta(days=7))
    before = client.get(link).status_code
    clock.shift(timedelta(seconds=1))
    after = client.post(link)

    assert (before, after.status_code) == (200, 410)
    assert "It worked for seven days." in text_of(after)
    assert Subscriber.objects.get().confirmed_at is None


def test_an_address_that_is_not_confirmed_in_time_is_forgotten(clock):
    subscribed(confirmed=False, email="unconfirmed@example.com")
    subscribed(confirmed=True, email="confirmed@example.com")
    subscribed(confirmed=True, email="stopped@example.com").subscription.subscriber.stop(None)
    clock.shift(timedelta(days=7))
    Subscriber.objects.forgettable().delete()
    assert Subscriber.objects.count() == 3

    clock.shift(timedelta(seconds=1))
    Subscriber.objects.forgettable().delete()

    kept = Subscriber.objects.order_by("email").values_list("email", flat=True)
    assert list(kept) == ["confirmed@example.com", "stopped@example.com"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_changed_link_confirms_and_stops_nothing(client, method):
    one = subscribed(confirmed=False).subscription.subscriber
    links = [
        f"/comments/mail/confirm/{one.confirm_token[:-2]}xx/",
        f"/comments/mail/confirm/{one.stop_token()}/",
        f"/comments/mail/confirm/{signing.dumps([one.pk, 'None'], salt=STOP_SALT)}/",
        f"/comments/mail/stop/{one.confirm_token}/",
        f"/comments/mail/stop/{signing.dumps([one.pk, None], salt=CONFIRM_SALT)}/",
        "/comments/mail/stop/x/",
    ]

    for link in links:
        response = getattr(client, method)(link)
        assert response.status_code == 403
        assert "This link is incomplete" in text_of(response)
    assert Subscriber.objects.get().confirmed_at is None
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "payload", [1, "1", None, {}, [], [1], ["1", "2"], [None, "x"], [1, ["x"]], [1, 2.5], [1, "x", None]]
)
@pytest.mark.parametrize(("page", "salt"), [("confirm", CONFIRM_SALT), ("stop", STOP_SALT)])
def test_a_link_that_is_signed_but_not_as_links_are_today_is_not_complete(
    client, method, payload, page, salt
):
    response = getattr(client, method)(f"/comments/mail/{page}/{signing.dumps(payload, salt=salt)}/")

    assert response.status_code == 403
    assert "This link is incomplete" in text_of(response)


def test_a_link_for_an_address_that_was_erased_has_expired(client):
    subscriber = subscribed(confirmed=False).subscription.subscriber
    link = f"/comments/mail/confirm/{subscriber.confirm_token}/"
    subscriber.delete()

    assert client.post(link).status_code == 410


def test_a_link_to_confirm_does_not_undo_that_all_mails_were_stopped(client, clock):
    reply(client, make_article(), tell_answers="on")
    approved()
    link = link_in(Mail.objects.get(), "confirm")
    client.post(link)
    clock.shift(timedelta(hours=1))
    Subscriber.objects.get().stop(None)

    assert client.post(link).status_code == 410
    assert Subscriber.objects.get().confirmed_at is None


def test_an_earlier_question_may_be_answered_after_a_newer_one(client, clock):
    article = make_article()
    for hours in (0, 1):
        clock.shift(timedelta(hours=hours))
        reply(client, article, body=f"At {hours}", tell_answers="on")
        approved()
    older, newer = (link_in(mail, "confirm") for mail in Mail.objects.order_by("pk"))

    assert [client.get(link).status_code for link in (older, newer)] == [200, 200]
    assert (client.post(older).status_code, Subscriber.objects.get().confirmed_at) == (200, datetime.now(UTC))


def test_a_link_of_a_mail_from_before_the_upgrade_still_confirms(client):
    subscriber = subscribed(confirmed=False).subscription.subscriber
    Subscriber.objects.update(confirmation_sent_at=NOON)
    token = signing.dumps([subscriber.pk, str(NOON - timedelta(hours=2))], salt=CONFIRM_SALT)

    assert client.post(f"/comments/mail/confirm/{token}/").status_code == 200
    assert Subscriber.objects.get().confirmed_at == NOON


# --- Who is told ---


def test_an_answer_is_told_with_all_that_it_says_and_where(settings):
    comment = subscribed(article=make_article(title="The bridge opens", slug="bridge"))

    given = answer(comment, body="*Quite* so.\n\nBut <who> pays?")

    told = Mail.objects.get()
    assert mailed() == [("ada@example.com", "Bo replied to your comment on “The bridge opens”")]
    assert "Bo replied to your comment on “The bridge opens”:" in told.text
    assert "> *Quite* so.\n>\n> But <who> pays?" in told.text
    assert f"https://news.example/comments/{given.pk}/" in told.text
    assert "<em>Quite</em> so." in told.html
    assert f'href="https://news.example/comments/{given.pk}/"' in told.html
    assert "bo@example.com" not in told.text + told.html + str(told.headers)


def test_a_reply_is_told_below_what_it_replies_to_in_ones_own_words():
    answer(subscribed(body="Is it\n-- \n<b>open</b>?"))

    told = Mail.objects.get()
    assert "You wrote:\n\n> Is it -- <b>open</b>?\n" in told.text
    assert '<blockquote class="own" dir="auto">Is it -- &lt;b&gt;open&lt;/b&gt;?</blockquote>' in told.html


@pytest.mark.parametrize("state", ["waiting", "sent"])
def test_what_is_deleted_for_good_is_quoted_in_no_mail(state):
    comment = subscribed(body="My secret.")
    other = subscribed("story", article=comment.article, email="otto@example.com")
    answer(comment)
    Mail.objects.update(state=state)
    assert "My secret." in Mail.objects.get(recipient="ada@example.com").text

    comment.delete()

    assert list(Mail.objects.values_list("recipient", flat=True)) == [other.email]


def test_what_is_no_reply_quotes_no_words_of_ones_own():
    answer(make_comment(article=subscribed("story").article))

    told = Mail.objects.get()
    assert ("You wrote" in told.text, "You wrote" in told.html) == (False, False)


def test_nothing_that_a_stranger_writes_passes_for_the_words_of_a_mail(clock):
    text = "Hm.\n-- \nUnsubscribe from all: https://evil.example/\x0bRead and reply:"
    held = subscribed(status="held", body=text)
    comment = subscribed("story", article=make_article(title="The bridge opens"))
    daily = subscribed("story", "daily", article=comment.article, email="otto@example.com")

    held.approve(by=make_editor())
    answer(daily, body=text)
    clock.shift(timedelta(days=1))
    digests.send_digests()

    mails = list(Mail.objects.all())
    assert len(mails) == 3
    for mail in mails:
        lines = mail.text.splitlines()
        assert [line for line in lines if "evil.example" in line and not line.startswith("> ")] == []
        assert (lines.count("-- "), lines.count("--")) == (1, 0)


@pytest.mark.parametrize(("scope", "told"), [("answers", 0), ("story", 1)])
def test_what_is_not_an_answer_is_told_to_those_who_want_all(scope, told):
    comment = subscribed(scope, article=make_article(title="The bridge opens"))

    answer(make_comment(article=comment.article))
    answer(make_comment(), body="On another story.", name="Cleo", email="cleo@example.com")

    assert mailed() == [("ada@example.com", "Bo commented on “The bridge opens”")] * told


def test_nothing_is_told_to_who_did_not_ask():
    answer(make_comment(email="ada@example.com"))

    assert mailed() == []


def test_nothing_is_told_to_an_address_that_has_not_confirmed():
    answer(subscribed("story", confirmed=False))

    assert mailed() == []


def test_whoever_stops_the_mails_of_a_reply_stops_their_own(client):
    ann = subscribed("story", name="Ann", email="ann@example.com")
    bo = subscribed("story", article=ann.article, **BO)
    announced(reply_to(ann, **BO))
    mail = Mail.objects.get(recipient="ann@example.com")

    client.post(link_in(mail, "stop"))

    assert not ann.subscription.subscriber.subscriptions.exists()
    assert bo.subscription.subscriber.subscriptions.exists()


def test_a_subject_is_what_the_headline_says_and_not_its_html():
    headline = "Tom & Jerry: \"quotes\" & 'apos' <b>"
    answer(subscribed(article=make_article(title=headline)))

    assert [subject.count(headline) for _recipient, subject in mailed()] == [1]


@pytest.mark.parametrize("email", ["ADA@example.com\u200b", "ａｄａ@example.com"])
def test_nor_is_anybody_whose_address_is_typed_in_another_spelling(email):
    comment = subscribed("story")

    answer(comment, name="Ada", email=email)

    assert mailed() == []


def test_nobody_is_told_of_what_they_wrote_themselves():
    comment = subscribed("story")

    answer(comment, name="Ada", email="ADA@example.com")

    assert mailed() == []


def test_a_person_who_asked_twice_is_told_once():
    comment = subscribed("story")
    second = subscribed("story", article=comment.article)

    answer(second)

    assert len(mailed()) == 1
    assert mailed()[0][1].startswith("Bo replied to your comment")


def test_nothing_is_told_before_a_moderator_approves_and_then_once():
    comment = subscribed("story")
    held = reply_to(comment, status="held", **BO)
    assert mailed() == []

    held.approve(by=make_editor())
    assert len(mailed()) == 1
    Mail.objects.get().mark_sent()
    held.hold(by=make_editor())
    held.approve(by=make_editor())
    assert len(mailed()) == 1


@pytest.mark.parametrize("decision", ["hold", "mark_as_spam", "trash"])
def test_no_other_decision_tells_anybody(decision):
    comment = subscribed("story")
    other = reply_to(comment, status="held" if decision != "hold" else "spam")

    getattr(other, decision)(by=make_editor())

    assert mailed() == []


def test_nothing_is_told_of_a_story_that_nobody_can_see():
    comment = subscribed("story", article=make_article(status="draft", published_at=None))

    reply_to(comment, status="held").approve(by=make_editor())

    assert mailed() == []


def test_what_a_moderator_answers_in_the_admin_is_told(client):
    comment = subscribed()
    client.force_login(make_editor())

    client.post(f"/admin/comments/comment/{comment.pk}/reply/", {f"{comment.pk}-body": "Thank you."})

    assert len(mailed()) == 1
    assert Mail.objects.get().text.count("Thank you.") == 1


def test_the_author_of_a_held_comment_is_told_that_it_is_public():
    comment = subscribed(status="held", article=make_article(title="The bridge opens"))

    comment.approve(by=make_editor())

    assert mailed() == [("ada@example.com", "Your comment on “The bridge opens” has been published")]
    assert "A moderator has approved your comment" in Mail.objects.get().text


def test_the_author_of_what_was_public_from_the_start_is_not_told_that_it_is_again():
    known = make_comment(name="Ada", email="ada@example.com")
    again = Comment(article=make_article(), name="Ada", email="ada@example.com", body="Well said.")
    comment = posting.post(Submission(again, own={known.pk}))
    notifications.subscribe(comment, "answers")
    comment.subscription.subscriber.confirm()
    Mail.objects.all().delete()
    assert mailed() == []

    for take_away in (comment.trash, comment.mark_as_spam, comment.hold):
        take_away(by=make_editor())
        comment.restore(by=make_editor())
        comment.approve(by=make_editor())

    assert mailed() == []


def test_the_author_of_what_readers_have_reported_is_not_told_that_it_is_public_again():
    comment = subscribed()
    comment.hold_as_reported()

    comment.approve(by=make_editor())

    assert mailed() == []


@pytest.mark.parametrize("days", [1, 100])
def test_an_author_is_told_of_one_approval_only_however_late_the_next_is(clock, days):
    comment = subscribed(status="held")
    comment.approve(by=make_editor())
    assert len(mailed()) == 1
    Mail.objects.get().mark_sent()
    clock.shift(timedelta(days=days))
    Notice.objects.forgettable().delete()

    comment.trash(by=make_editor())
    comment.restore(by=make_editor())

    assert len(mailed()) == 1


def test_who_asks_for_mails_when_the_comment_is_public_is_not_told_that_it_is(clock):
    comment = make_comment(name="Ada", email="ada@example.com", status="held")
    comment.approve(by=make_editor())
    clock.shift(timedelta(hours=1))
    notifications.subscribe(comment, "answers")
    comment.subscription.subscriber.confirm()
    Mail.objects.all().delete()

    comment.trash(by=make_editor())
    comment.restore(by=make_editor())

    assert mailed() == []


def test_an_approval_that_was_taken_back_before_it_was_told_is_told_the_next_time(clock):
    comment = subscribed(status="held")
    comment.approve(by=make_editor())
    comment.hold(by=make_editor())
    clock.shift(timedelta(days=1))

    comment.approve(by=make_editor())

    assert [recipient for recipient, _subject in mailed()] == ["ada@example.com"]


def test_who_did_not_ask_or_has_not_confirmed_is_not_told_of_an_approval():
    subscribed(status="held", confirmed=False).approve(by=make_editor())
    make_comment(status="held").approve(by=make_editor())

    assert mailed() == [("ada@example.com", "Please confirm your email alerts")]


def test_a_rolled_back_comment_tells_nobody():
    comment = subscribed()

    with pytest.raises(RuntimeError), transaction.atomic():
        posting.post(Submission(Comment(article=comment.article, parent=comment, body="Quite so.", **BO)))
        raise RuntimeError

    assert mailed() == []


@pytest.mark.parametrize("rhythm", ["at-once", "daily"])
@pytest.mark.parametrize(
    "state", [{"status": "spam"}, {"status": "trash"}, {"status": "withdrawn"}, {"erased_at": NOON}]
)
def test_a_comment_that_stands_no_more_asks_for_no_mails(clock, state, rhythm):
    comment = subscribed("story", rhythm)
    if rhythm == "daily":
        answer(comment)
    Comment.objects.filter(pk=comment.pk).update(**state)
    if rhythm == "at-once":
        answer(comment)
    clock.shift(timedelta(days=1))

    digests.send_digests()

    assert mailed() == []


# --- What is taken back ---


@pytest.mark.parametrize("way", ["trash", "hold", "withdraw", "hold_as_reported", "delete", "delete many"])
def test_what_is_removed_before_the_mail_has_left_is_not_mailed(way):
    given = answer(subscribed())
    ways = {
        "trash": lambda: given.trash(by=make_editor()),
        "hold": lambda: given.hold(by=make_editor()),
        "withdraw": lambda: posting.withdraw(given),
        "hold_as_reported": given.hold_as_reported,
        "delete": given.delete,
        "delete many": Comment.objects.filter(pk=given.pk).delete,
    }

    ways[way]()

    assert (mailed(), Notice.objects.count()) == ([], 0)


def test_what_is_said_of_a_story_that_goes_before_the_mail_has_left_is_not_mailed(take_off):
    article = make_article()
    answer(subscribed(article=article))
    assert len(mailed()) == 1

    take_off(article)

    assert mailed() == []


def test_a_story_that_is_saved_and_stays_public_takes_no_mail_back(rf):
    article = make_article()
    answer(subscribed(article=article))
    request = rf.post("/")
    request.user = make_editor()

    site._registry[Article].save_model(request, article, None, change=True)

    assert len(mailed()) == 1


@pytest.mark.parametrize(
    "state",
    [{"state": "given-up"}, {"state": "sending", "claimed_until": NOON - timedelta(seconds=1)}],
)
def test_a_mail_that_might_be_tried_again_is_taken_back(state):
    given = answer(subscribed())
    Mail.objects.update(**state)

    given.trash(by=make_editor())

    assert (mailed(), Notice.objects.count()) == ([], 0)


def test_a_mail_that_is_just_being_sent_is_not_taken_back_and_not_written_again():
    given = answer(subscribed())
    Mail.objects.update(state="sending", claimed_until=NOON + timedelta(minutes=1))

    given.hold(by=make_editor())
    given.approve(by=make_editor())

    assert (len(mailed()), Mail.objects.get().state) == (1, "sending")


def test_a_mail_that_is_in_the_outbox_already_is_no_fault():
    given = answer(subscribed())
    Notice.objects.all().delete()

    announced(given)

    assert (len(mailed()), Notice.objects.get().mail) == (1, Mail.objects.get())


def test_what_is_held_after_an_edit_is_not_mailed():
    given = answer(subscribed())

    posting.edit(given, "https://a.example https://b.example")

    assert mailed() == []


def test_what_was_taken_back_and_approved_after_all_is_told():
    given = answer(subscribed())
    given.hold(by=make_editor())

    given.approve(by=make_editor())

    assert len(mailed()) == 1


# --- How mail programs show the mails ---


def test_mails_about_a_story_form_one_thread_in_a_mail_program():
    first = subscribed("story", status="held")
    first.approve(by=make_editor())
    second = answer(first)
    third = answer(second, name="Cleo", email="cleo@example.com", body="No.")

    own, answered, later = Mail.objects.order_by("pk")
    story = f"<story-{first.article_id}@news.example>"
    assert own.headers["In-Reply-To"] == own.headers["References"] == story
    assert answered.headers["In-Reply-To"] == own.message_id
    assert answered.headers["References"] == f"{story} {own.message_id}"
    assert later.headers["In-Reply-To"] == answered.message_id
    assert later.message_id.startswith(f"<comment-{third.pk}.")


def test_two_people_get_the_same_comment_under_ids_that_tell_nothing_of_them():
    article = make_article()
    comment = subscribed("story", article=article, email="mira@example.com")
    subscribed("story", article=article, email="otto@example.com")

    answer(comment)

    ids = set(Mail.objects.values_list("message_id", flat=True))
    assert len(ids) == 2
    assert not any(word in mail_id for mail_id in ids for word in ("mira", "otto"))


def test_a_headline_or_a_name_adds_no_header(settings):
    comment = subscribed(article=make_article(title="News\r\nBcc: all@example.com"))
    answer(comment)

    deliver_due()

    (sent,) = django_mail.outbox
    assert sent.subject == "Bo replied to your comment on “News Bcc: all@example.com”"
    assert sent.message()["Bcc"] is None


# --- No more mails ---


def test_one_click_ends_the_mails_about_a_story_and_no_others(client):
    comment, other = subscribed(), subscribed()
    answer(comment)
    told = Mail.objects.get()
    link = link_in(told, "stop")

    assert told.headers["List-Unsubscribe"] == f"<https://news.example{link}>"
    assert told.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    # As a mail provider sends it: from elsewhere, without a cookie.
    response = client.post(link, {"List-Unsubscribe": "One-Click"}, headers={"sec-fetch-site": "cross-site"})

    assert response.status_code == 200
    answer(comment, body="Once more.", name="Cleo", email="cleo@example.com")
    answer(other, body="Elsewhere.", name="Dan", email="dan@example.com")
    assert [subject.split()[0] for _, subject in mailed()] == ["Dan"]


@pytest.mark.parametrize("way", ["link", "private page"])
def test_what_waits_in_the_outbox_is_taken_back_when_the_mails_are_ended(client, way):
    comment, other = subscribed(), subscribed()
    subscribed("story", article=comment.article, email="eva@example.com")
    answer(comment)
    answer(other, body="Elsewhere.", name="Dan", email="dan@example.com")

    if way == "link":
        client.post(link_in(Mail.objects.filter(recipient="ada@example.com").last(), "stop"))
    else:
        choose(client, comment, "")

    assert sorted(recipient for recipient, _ in mailed()) == ["ada@example.com", "eva@example.com"]
    assert Notice.objects.filter(comment__article=comment.article).count() == 1


def test_a_waiting_daily_mail_loses_the_story_whose_mails_are_ended(client, clock):
    comment, other = subscribed(rhythm="daily"), subscribed(rhythm="daily")
    answer(comment, body="Goes.")
    answer(other, body="Stays.", name="Dan", email="dan@example.com")
    clock.shift(timedelta(days=1))
    digests.send_digests()

    choose(client, comment, "")
    digests.send_digests()

    assert "Stays." in Mail.objects.get().text
    assert "Goes." not in Mail.objects.get().text


@pytest.mark.parametrize(("scope", "kept"), [("answers", 1), ("story", 2)])
def test_what_another_comment_on_the_story_asks_for_is_not_taken_back(client, scope, kept):
    comment = subscribed(scope)
    other = subscribed(article=comment.article)
    answer(comment)
    answer(other, body="Indeed.", name="Dan", email="dan@example.com")

    choose(client, other, "")

    assert len(mailed()) == kept


def test_what_is_no_answer_is_taken_back_when_only_answers_are_wanted_from_now_on(client, clock):
    comment, other = subscribed("story"), subscribed("story")
    answer(comment, body="An answer.")
    for story in (comment.article, other.article):
        answer(make_comment(article=story), body="No answer.", name="Dan", email=f"{story.pk}@example.com")

    choose(client, comment, "answers")

    texts = " ".join(Mail.objects.values_list("text", flat=True))
    assert (len(mailed()), texts.count("An answer."), texts.count("No answer.")) == (2, 1, 1)


def test_what_another_comment_wants_of_a_story_is_not_taken_back_when_one_wants_less(client):
    comment = subscribed("story")
    other = subscribed("story", article=comment.article)
    answer(make_comment(article=comment.article))

    choose(client, comment, "answers")
    assert len(mailed()) == 1
    choose(client, other, "answers")
    assert mailed() == []


def test_opening_the_link_ends_nothing(client):
    answer(subscribed())

    page = client.get(link_in(Mail.objects.get(), "stop"))

    assert "Unsubscribe</button>" in text_of(page)
    assert (page["X-Robots-Tag"], Subscription.objects.count()) == ("noindex", 1)


def test_all_mails_are_ended_with_one_button(client, clock):
    comment, other = subscribed("story"), subscribed("story", rhythm="daily")
    answer(comment)
    answer(other, body="For the daily mail.", name="Cleo", email="cleo@example.com")
    link = re.search(r"from all: https://news\.example(\S+)", Mail.objects.get().text)[1]

    page = client.post(link)

    assert "You’ve been unsubscribed from all comment emails." in text_of(page)
    # What had not left yet is gone too.
    clock.shift(timedelta(days=1))
    digests.send_digests()
    assert (mailed(), Subscription.objects.count()) == ([], 0)
    assert "You’ve been unsubscribed from all comment emails." in text_of(client.get(link))


def test_who_has_ended_all_mails_is_asked_once_a_day_and_gets_nothing_else(client, clock):
    comment = subscribed("story")
    comment.subscription.subscriber.stop(None)
    clock.shift(timedelta(hours=23))
    reply(client, comment.article, body="Again?", tell_all="on")
    answer(comment)
    assert mailed() == []

    clock.shift(timedelta(hours=1))
    reply(client, comment.article, body="And again?", tell_all="on")
    assert mailed() == [("ada@example.com", "Please confirm your email alerts")]


# --- On the private page ---


def choose(client, comment, scope, rhythm="at-once", headers=SAME_ORIGIN):
    data = {"scope": scope, "rhythm": rhythm}
    return client.post(f"{yours.address(comment)}mails/", data, headers=headers)


def test_the_private_page_changes_what_its_author_is_told_of(client):
    comment = subscribed()

    response = choose(client, comment, "story", "daily")

    subscription = Subscription.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"{yours.address(comment)}#mails")
    pages = [text_of(client.get(yours.address(comment)))]
    pages.append(text_of(client.get(yours.address(comment))))
    assert [page.count('role="status"><strong>Saved.</strong>') for page in pages] == [1, 0]
    assert (subscription.scope, subscription.rhythm) == ("story", "daily")
    page = text_of(client.get(yours.address(comment)))
    assert '<option value="story" selected>All new comments on this story</option>' in page
    assert '<option value="daily" selected>Once a day, all in one email</option>' in page


def test_the_private_page_ends_the_mails(client):
    comment = subscribed()

    choose(client, comment, "")

    assert Subscription.objects.count() == 0


def test_mails_asked_for_on_the_private_page_have_to_be_confirmed_too(client):
    comment = make_comment(email="ada@example.com")

    choose(client, comment, "answers")

    assert mailed() == [("ada@example.com", "Please confirm your email alerts")]


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "cross-site"}])
def test_another_site_changes_no_mails(client, headers):
    comment = subscribed()

    response = choose(client, comment, "", headers=headers)

    assert (response.status_code, Subscription.objects.count()) == (403, 1)
    assert "For safety this was not sent." in text_of(response)


@pytest.mark.parametrize(("scope", "rhythm"), [("all", "at-once"), ("story", "hourly"), ("story", "")])
def test_what_is_not_offered_cannot_be_chosen(client, scope, rhythm):
    comment = subscribed()

    assert choose(client, comment, scope, rhythm).status_code == 422
    assert Subscription.objects.get().scope == "answers"


def test_who_types_another_persons_address_changes_nothing_that_person_chose(client):
    comment = subscribed("story")
    strangers = make_comment(article=comment.article, name="Mallory", email="ada@example.com")

    choose(client, strangers, "answers", "daily")
    choose(client, strangers, "")

    subscription = Subscription.objects.get()
    assert (subscription.comment, subscription.scope, subscription.rhythm) == (comment, "story", "at-once")


def test_the_private_page_offers_no_mails_without_an_address(client):
    comment = make_comment(email="")

    assert "Email me about" not in text_of(client.get(yours.address(comment)))
    assert choose(client, comment, "story").status_code == 302
    assert (Subscriber.objects.count(), mailed()) == (0, [])


# --- Once a day ---


def test_a_daily_mail_tells_of_all_since_the_last_in_one(clock):
    comment = subscribed("story", rhythm="daily", article=make_article(title="The bridge opens"))
    first = answer(comment, body="First.")
    clock.shift(timedelta(hours=23, minutes=59))
    second = answer(comment, body="Second.", name="Cleo", email="cleo@example.com")
    digests.send_digests()
    assert mailed() == []

    clock.shift(timedelta(minutes=1))
    digests.send_digests()
    digests.send_digests()

    told = Mail.objects.get()
    assert told.subject == "New comments on Newsite: The bridge opens"
    assert told.text.index("First.") < told.text.index("Second.")
    for told_of in (first, second):
        assert f"https://news.example/comments/{told_of.pk}/" in told.text
        assert f'href="https://news.example/comments/{told_of.pk}/"' in told.html
    assert told.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    answer(comment, body="Third.", name="Dan", email="dan@example.com")
    clock.shift(timedelta(hours=24))
    digests.send_digests()
    assert "Third." in Mail.objects.first().text
    assert "Second." not in Mail.objects.first().text


def test_a_daily_mail_says_which_are_replies_and_how_each_begins(clock):
    comment = subscribed("story", rhythm="daily")
    answer(comment, body="> Is it?\n\nIt was opened on Monday, in the pouring rain. I walked it.")
    answer(
        make_comment(article=comment.article), body="Another thing.", name="Cleo", email="cleo@example.com"
    )
    clock.shift(timedelta(days=1))

    digests.send_digests()

    told = Mail.objects.get()
    assert re.findall("^(?:Bo|Cleo) .*, 12:00:$|^> .*", told.text, re.M) == [
        "Bo replied to your comment, 23 November 2026, 12:00:",
        "> It was opened on Monday, in the pouring rain. …",
        "Cleo commented, 23 November 2026, 12:00:",
        "> Another thing.",
    ]
    assert "</strong> replied to your comment" in told.html
    assert "</strong> commented" in told.html
    assert "I walked it." not in told.text + told.html


def test_a_daily_mail_leaves_out_what_is_no_longer_public(clock):
    comment = subscribed("story", rhythm="daily")
    answer(comment, body="Stays.")
    unseen = answer(comment, body="Goes.", name="Cleo", email="cleo@example.com")
    # As an import or the shell would do it, without telling anybody.
    Comment.objects.filter(pk=unseen.pk).update(status="trash")
    clock.shift(timedelta(days=1))

    digests.send_digests()

    assert "Stays." in Mail.objects.get().text
    assert "Goes." not in Mail.objects.get().text + Mail.objects.get().html


def test_a_daily_mail_that_would_be_empty_is_not_written(clock):
    answer(subscribed("story", rhythm="daily")).trash(by=make_editor())
    clock.shift(timedelta(days=1))

    digests.send_digests()

    assert mailed() == []


def test_what_a_waiting_daily_mail_tells_besides_goes_into_the_next(clock):
    comment = subscribed("story", rhythm="daily")
    answer(comment, body="Stays.")
    gone = answer(comment, body="Goes.", name="Cleo", email="cleo@example.com")
    clock.shift(timedelta(days=1))
    digests.send_digests()

    gone.trash(by=make_editor())
    digests.send_digests()

    assert "Stays." in Mail.objects.get().text
    assert "Goes." not in Mail.objects.get().text


@pytest.mark.parametrize("way", ["link", "private page"])
def test_what_waits_for_the_daily_mail_is_not_mailed_after_the_mails_were_ended(client, clock, way):
    comment = subscribed("story", rhythm="daily")
    answer(comment)
    if way == "link":
        token = comment.subscription.subscriber.stop_token(comment.article)
        client.post(f"/comments/mail/stop/{token}/")
    else:
        choose(client, comment, "")
    clock.shift(timedelta(days=1))

    digests.send_digests()

    assert mailed() == []


def test_each_gets_a_daily_mail_of_their_own(clock):
    article = make_article()
    for number in range(3):
        subscribed("story", rhythm="daily", article=article, email=f"person{number}@example.com")
    answer(make_comment(article=article))
    clock.shift(timedelta(days=1))

    digests.send_digests()

    assert sorted(recipient for recipient, _ in mailed()) == [f"person{n}@example.com" for n in range(3)]


def test_a_daily_mail_goes_to_no_address_that_is_not_confirmed(clock):
    answer(subscribed("story", rhythm="daily"))
    Subscriber.objects.update(confirmed_at=None)
    clock.shift(timedelta(days=1))

    digests.send_digests()

    assert (mailed(), Subscription.objects.count()) == ([], 1)


def test_what_comes_while_a_daily_mail_is_written_waits_for_the_next(clock, monkeypatch):
    comment = subscribed("story", rhythm="daily")
    answer(comment, body="First.")
    clock.shift(timedelta(days=1))
    write = digests.digest

    def write_while_another_answers(*args):
        answer(comment, body="Second.", name="Cleo", email="cleo@example.com")
        return write(*args)

    with monkeypatch.context() as patch:
        patch.setattr(digests, "digest", write_while_another_answers)
        digests.send_digests()
    assert "Second." not in Mail.objects.get().text
    clock.shift(timedelta(days=1))
    digests.send_digests()

    assert "Second." in Mail.objects.first().text
