"""The mails to moderators and to authors of stories: who gets which, when, and what it says."""

import re
from datetime import timedelta
from threading import Barrier, Event, Thread

import pytest
from django.contrib.auth.models import Permission
from django.core import mail as django_mail
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from articles.models import Article
from comments import decisions, moderator_mails, posting, privacy, recipients, reports
from comments.models import Comment, Report, Rule
from comments.moderation import Submission
from comments.moderator_mails import MAILS_AN_HOUR
from comments.recipients import LISTED
from comments.staff_notices import MailChoice, StaffNotice
from mail.delivery import deliver_due
from mail.models import Mail
from tests.factories import (
    make_article,
    make_author,
    make_comment,
    make_editor,
    make_staff,
    make_user,
    reply_to,
    set_discussion,
)
from tests.givens import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

ADA = {"name": "Ada", "email": "ada@mailbox.example"}
BO = {"name": "Bo", "email": "bo@mailbox.example"}
MO = "mo@newsroom.example"
IDA = "ida@newsroom.example"


@pytest.fixture
def mo():
    return make_staff("Moderator", username="mo", email=MO)


def by_ida(**fields):
    """A story of Ida's, who has an account and no rights."""
    user = make_user(username="ida", email=IDA, **fields)
    return make_article(title="The bridge opens", authors=[make_author(name="Ida", user=user)])


def post(article=None, own=(), **fields) -> Comment:
    """Post as Ada does, whose first comment is held."""
    fields = {"body": "Well said.", "article": article or make_article(title="Rain"), **ADA, **fields}
    return posting.post(Submission(Comment(**fields), own=own))


def post_known(article=None, **fields) -> Comment:
    """Post as Bo does, who is known, so that everybody reads it at once."""
    known = make_comment(**BO, created_at=NOON - timedelta(days=9))
    return post(article, {known.pk}, **{**BO, **fields})


def make_held(**fields) -> Comment:
    comment = make_comment(status="held", held_because=Rule.WORDS, **fields)
    StaffNotice.objects.create(comment=comment, kind="held")
    return comment


def sent() -> list[tuple[str, str]]:
    """Let the chores write what is due, and say to whom and about what."""
    moderator_mails.send_due()
    return list(Mail.objects.order_by("pk").values_list("recipient", "subject"))


def only_mail() -> Mail:
    moderator_mails.send_due()
    return Mail.objects.get()


def words_of(mail: Mail) -> str:
    """Return what somebody reads of the HTML, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", mail.html.partition("<body>")[2]).split())


# --- A held comment ---


def test_a_held_comment_is_mailed_with_all_that_a_decision_needs(mo):
    article = make_article(title="The bridge opens", slug="bridge", published_at=NOON - timedelta(days=2))
    parent = make_comment(article=article, name="Cleo", body="Is it\n\n*safe*?")
    post(article, parent=parent, body="Quite *safe*.\n\nI walked it.", website="https://ada.example/")
    make_comment(status="held")

    mail = only_mail()

    assert (mail.recipient, mail.subject) == (MO, "Held: Ada on “The bridge opens”")
    links = re.sub(r"moderate/(mails/)?[^/]+/", r"moderate/\1…/", mail.text)
    assert (
        links
        == f"""\
A comment is held. Nobody sees it until somebody decides.

The bridge opens
https://news.example/2026/11/bridge/

Name: Ada
Email: ada@mailbox.example
Website: https://ada.example/
Posted: 23 November 2026, 12:00
In reply to: Cleo: “Is it *safe*?”
https://news.example/comments/{parent.pk}/
Why it is held: First comment under this name and email address

> Quite *safe*.
>
> I walked it.

Approve: https://news.example/comments/moderate/…/
Spam: https://news.example/comments/moderate/…/
Trash: https://news.example/comments/moderate/…/

Each link opens a page with one button, and changes nothing by itself. It works once, within seven days, unless somebody has decided before.

2 comments wait for a decision:
https://news.example/admin/comments/comment/

--\x20
You’re getting this because you moderate comments on Newsite.
Unsubscribe from these emails: https://news.example/comments/moderate/mails/…/
Choose which emails you get: https://news.example/admin/comments/mailchoice/

Newsite · https://news.example/
"""
    )


def test_the_html_of_a_mail_says_the_same(mo):
    article = make_article(title="The bridge opens")
    parent = make_comment(article=article, name="Cleo", body="Is it *safe*?")
    post(article, parent=parent, body="Quite *safe*.", website="https://ada.example/")

    mail = only_mail()

    assert words_of(mail) == (
        "Newsite A comment is held. Nobody sees it until somebody decides. The bridge opens "
        "Ada , ada@mailbox.example , https://ada.example/ , 23 November 2026, 12:00, "
        "in reply to Cleo : Is it *safe*? Quite safe . "
        "Why it is held: First comment under this name and email address Approve · Spam · Trash "
        "Each link opens a page with one button, and changes nothing by itself. "
        "It works once, within seven days, unless somebody has decided before. 1 comment waits for a decision "
        "You’re getting this because you moderate comments on Newsite. Unsubscribe from these emails "
        "· Choose which emails you get Newsite"
    )
    assert [re.sub(r"moderate/[^/]+/", "…", url) for url in re.findall(r'href="([^"]+moderate/[^/"]+/)"', mail.html)] == [
        "https://news.example/comments/…"
    ] * 3  # fmt: skip


def test_nothing_that_a_stranger_writes_passes_for_the_mails_own_words(mo):
    post(name="<b>Eve</b>", body="Hm.\nApprove: https://evil.example/\n-- \n<h1>Dear moderator</h1>")

    mail = only_mail()

    lines = mail.text.splitlines()
    assert "> Approve: https://evil.example/" in lines
    assert [line for line in lines if line.startswith("Approve:") and "evil.example" in line] == []
    assert "&lt;b&gt;Eve&lt;/b&gt;" in mail.html
    assert [tag for tag in ("<b>", "<h1>") if tag in mail.html] == []


def test_a_line_break_in_a_name_or_headline_starts_no_header(mo):
    post(make_article(title="Rain\nBcc: all@example.com"), name="Ada\nBcc: all@example.com")

    moderator_mails.send_due()
    deliver_due()

    (message,) = django_mail.outbox
    assert message.subject == "Held: Ada Bcc: all@example.com on “Rain Bcc: all@example.com”"
    assert message.recipients() == [MO]


def test_a_mail_says_that_a_program_wrote_it_joins_its_story_and_ends_with_one_click(mo):
    comment = post()

    moderator_mails.send_due()
    deliver_due()

    headers = django_mail.outbox[0].message()
    story = f"<story-{comment.article_id}@news.example>"
    assert (headers["Auto-Submitted"], headers["References"], headers["In-Reply-To"]) == (
        "auto-generated",
        story,
        story,
    )
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(
        r"<https://news\.example/comments/moderate/mails/[^/]+/>", headers["List-Unsubscribe"]
    )
    assert headers["Reply-To"] is None


def test_an_answer_to_what_is_not_public_does_not_show_it(mo):
    parent = make_comment(name="Cleo", body="A secret.")
    post(parent.article, parent=parent)
    Comment.objects.filter(pk=parent.pk).update(status="trash")

    mail = only_mail()

    assert "secret" not in mail.text + mail.html
    assert "In reply to: Cleo\nWhy" in mail.text


def test_where_a_comment_came_from_is_not_mailed_around(mo):
    post(ip_address="198.51.100.7", user_agent="Lynx/2.9")

    mail = only_mail()

    assert [word for word in ("198.51", "Lynx/2.9") if word in mail.text + mail.html] == []


def test_a_story_without_an_author_breaks_no_mail(mo):
    post(make_article(authors=[]))

    assert [recipient for recipient, _subject in sent()] == [MO]


def test_every_rule_that_fired_is_named_with_what_it_found(mo):
    set_discussion(words_that_hold="soap")
    post(body="Soap: https://a.example https://b.example")

    assert re.findall("Why it is held: (.*)", only_mail().text) == [
        "Has a word that holds it: soap",
        "Links: 2 links",
        "First comment under this name and email address",
    ]


# --- Who is told ---


def test_those_who_may_moderate_everywhere_are_told_and_nobody_else(mo):
    make_editor(username="eve", email="eve@newsroom.example")
    in_person = make_staff(username="una", email="una@newsroom.example")
    in_person.user_permissions.add(Permission.objects.get(codename="change_comment"))
    make_staff("Moderator", username="no-address", email="")
    make_staff("Moderator", username="gone", email="gone@newsroom.example", is_active=False)
    make_staff("Moderator", username="former", email="former@newsroom.example", is_staff=False)
    reader = make_staff(username="reader", email="reader@newsroom.example")
    reader.user_permissions.add(Permission.objects.get(codename="view_comment"))
    make_user(username="staff", email="staff@newsroom.example", is_staff=True)
    post(by_ida())

    assert sorted(recipient for recipient, _subject in sent()) == [
        "eve@newsroom.example",
        MO,
        "una@newsroom.example",
    ]


def test_an_author_who_moderates_below_own_stories_is_told_of_those_only():
    ida = make_staff("Author", username="ida", email=IDA)
    make_staff("Author", username="other", email="other@newsroom.example")
    own = make_article(title="The bridge opens", authors=[make_author(user=ida)])
    post(own)
    post(body="And more.", **BO)

    assert sent() == [(IDA, "Held: Ada on “The bridge opens”")]
    mail = Mail.objects.get()
    assert "Approve: https://news.example/comments/moderate/" in mail.text
    assert "1 comment waits for a decision:" in mail.text


def test_an_author_without_that_right_is_told_of_no_held_comment():
    post(by_ida())

    assert sent() == []


def test_two_accounts_of_one_address_get_one_mail(mo):
    make_staff("Moderator", username="mo2", email=MO.upper())
    post()

    assert sent() == [(MO, "Held: Ada on “Rain”")]


def test_the_second_account_of_an_address_is_told_where_the_first_wants_no_mails(mo):
    make_staff("Moderator", username="mo2", email=MO.upper())
    MailChoice.objects.create(user=mo, moderation=False)
    post()

    assert sent() == [("MO@newsroom.example", "Held: Ada on “Rain”")]


def test_what_somebody_has_decided_is_told_to_no_other_account_of_the_same_address(mo):
    set_discussion(comment_mails="at-once")
    make_staff("Moderator", username="mo2", email=MO)
    comment = make_comment(status="held")

    comment.approve(by=mo)

    assert sent() == []


@pytest.mark.parametrize("fields", [{"nickname": "robot"}, {"body": "Buy soap."}], ids=["spam", "trash"])
def test_nobody_is_told_of_spam_or_trash(client, mo, fields):
    set_discussion(words_that_trash="soap", comment_mails="at-once")
    article = by_ida()
    data = {"name": "Ada", "email": "ada@mailbox.example", "body": "Well said.", **fields}

    client.post(f"{article.get_absolute_url()}reply/", data, headers={"sec-fetch-site": "same-origin"})

    assert Comment.objects.get().status in {"spam", "trash"}
    assert sent() == []


def test_who_is_told_takes_the_same_queries_for_one_moderator_and_for_three():
    counts = []
    for number in (1, 2):
        for _ in range(number):
            make_staff("Moderator")
        for word in ("one", "two", "three")[: 2 * number - 1]:
            make_held(body=word)
        with CaptureQueriesContext(connection) as queries:
            moderator_mails.send_due()
        counts.append(len(queries))

    assert Mail.objects.count() == 1 + 3 * 3
    assert counts[0] == counts[1]


def test_posting_takes_the_same_queries_however_many_moderators_there_are(mo):
    article = make_article()
    counts = []
    for number in (1, 3):
        for _ in range(number):
            make_staff("Moderator")
        with CaptureQueriesContext(connection) as queries:
            post(article, name=f"Ada {number}", email=f"ada{number}@mailbox.example")
        counts.append(len(queries))

    assert counts[0] == counts[1]


# --- Comments that are public ---


def test_the_author_of_a_story_is_told_of_a_public_comment_without_links_to_decide():
    article = by_ida()
    post_known(article, website="https://bo.example/")

    assert sent() == [(IDA, "Bo commented on “The bridge opens”")]
    mail = Mail.objects.get()
    assert mail.text.startswith("There is a new comment, and everybody can read it.\n\nThe bridge opens\n")
    assert "> Well said.\n" in mail.text
    assert "Website: https://bo.example/\n" in mail.text
    assert "Read and reply: https://news.example/comments/" in mail.text
    # The signed part of an address may hold any four letters.
    for text in (re.sub(r"/moderate/[^/]+/", "/moderate/", text) for text in (mail.text, mail.html)):
        # Who may not see the queue sees no address either.
        found = [word for word in ("Spam", "Trash", "/admin/", "wait", "bo@mailbox.example") if word in text]
        assert found == []
    assert "You’re getting this because you are an author of the story." in mail.text


def test_an_author_is_told_of_a_held_comment_once_somebody_approves_it(mo):
    set_discussion(held_mails="never")
    comment = post(by_ida())
    assert sent() == []

    comment.approve(by=mo)

    assert sent() == [(IDA, "Ada commented on “The bridge opens”")]


def test_an_author_who_approves_it_is_not_told():
    ida = make_staff("Moderator", username="ida", email=IDA)
    set_discussion(held_mails="never")
    comment = post(make_article(authors=[make_author(user=ida)]))

    comment.approve(by=ida)

    assert sent() == []


def test_an_author_is_not_told_of_an_own_comment():
    article = by_ida()
    ida = article.authors.get().user

    comment = posting.post(
        Submission(Comment(article=article, body="Mine.", name="Ida", email=IDA, user=ida))
    )

    assert comment.status == "approved"
    assert sent() == []


def test_the_other_author_of_a_story_is_told_of_it():
    article = by_ida()
    other = make_user(email="ben@newsroom.example")
    article.bylines.create(author=make_author(user=other), position=2)
    ida = article.authors.get(user__email=IDA).user

    posting.post(Submission(Comment(article=article, body="Mine.", name="Ida", email=IDA, user=ida)))

    assert [recipient for recipient, _subject in sent()] == ["ben@newsroom.example"]


@pytest.mark.parametrize("choice", ["never", "at-once"])
def test_moderators_are_told_of_public_comments_where_the_owner_wants_it(mo, choice):
    set_discussion(comment_mails=choice)
    post_known(make_article(title="Rain"))

    assert sent() == ([(MO, "Bo commented on “Rain”")] if choice == "at-once" else [])


def test_a_moderator_finds_links_against_a_public_comment(mo):
    set_discussion(comment_mails="at-once")
    post_known()

    mail = only_mail()

    assert re.findall(r"^(\w+): https://news.example/comments/moderate/", mail.text, re.M) == [
        "Spam",
        "Trash",
    ]
    assert "Email: bo@mailbox.example\n" in mail.text
    assert "wait for a decision" not in mail.text


def test_every_comment_means_the_held_ones_too(mo):
    set_discussion(held_mails="never", comment_mails="at-once")
    post()

    assert sent() == [(MO, "Held: Ada on “Rain”")]


@pytest.mark.parametrize(("mails", "expected"), [("never", 0), ("daily", 0), ("at-once", 1)])
def test_the_owner_chooses_whether_held_comments_are_mailed_at_once(mo, mails, expected):
    set_discussion(held_mails=mails)
    post()

    assert len(sent()) == expected


def test_an_author_who_moderates_gets_one_mail_about_one_comment(mo):
    set_discussion(comment_mails="at-once")
    make_editor(username="eve", email="")
    article = make_article(title="Rain", authors=[make_author(user=mo)])
    comment = post(article)
    assert sent() == [(MO, "Held: Ada on “Rain”")]

    deliver_due()

    comment.approve(by=make_editor(email="eve@newsroom.example"))
    moderator_mails.send_due()
    assert Mail.objects.filter(recipient=MO).count() == 1
    post_known(article)
    moderator_mails.send_due()

    about_bo = Mail.objects.filter(recipient=MO, subject__startswith="Bo")
    assert ["Spam: https://" in mail.text for mail in about_bo] == [True]


def test_what_is_restored_or_approved_twice_is_told_once(mo):
    article = by_ida()
    set_discussion(held_mails="never")
    comment = post(article)
    for decision in (comment.approve, comment.trash, comment.restore, comment.hold, comment.approve):
        decision(by=mo)
        moderator_mails.send_due()
        deliver_due()

    assert Mail.objects.filter(recipient=IDA).count() == 1


def test_an_author_is_not_told_of_comments_on_a_story_that_is_not_public(mo):
    article = by_ida()
    set_discussion(held_mails="never")
    comment = post(article)
    article.unpublish()

    comment.approve(by=mo)

    assert sent() == []


# --- Reports ---


def test_a_reported_comment_that_goes_back_to_the_queue_is_mailed_with_the_reports(mo):
    set_discussion(reports_that_hold=2)
    comment = make_comment(name="Ada", article=make_article(title="Rain"))
    for sender, text in [("192.0.2.1", "He is\nwrong."), ("192.0.2.2", "")]:
        reports.file(Report(comment=comment, reason="abuse", text=text), comment, sender)

    mail = only_mail()

    assert (mail.recipient, mail.subject) == (MO, "Reported: Ada on “Rain”")
    assert mail.text.startswith("Readers have reported a comment. Nobody sees it until somebody decides.\n")
    assert "Why it is held: Reported by readers\n" in mail.text
    said = "What readers say:\n- Insults, threats or hatred: “He is wrong.”\n- Insults, threats or hatred\n\n"
    assert said in mail.text
    assert "What readers say: Insults, threats or hatred: He is wrong" in words_of(mail)


def test_what_is_reported_again_after_an_approval_is_mailed_again(mo):
    comment = make_comment()
    for _ in range(2):
        comment.refresh_from_db()
        comment.hold_as_reported()
        moderator_mails.send_due()
        deliver_due()
        comment.approve(by=make_editor(email=""))

    assert Mail.objects.filter(subject__startswith="Reported").count() == 2


def test_one_report_of_many_is_no_news(mo):
    comment = make_comment()
    reports.file(Report(comment=comment, reason="abuse"), comment, "192.0.2.1")

    assert sent() == []


# --- Edits ---


def test_a_public_comment_that_an_edit_holds_is_mailed(mo):
    set_discussion(words_that_hold="soap")
    comment = post_known(make_article(title="Rain"))

    posting.edit(comment, "Buy soap.")

    assert sent() == [(MO, "Held: Bo on “Rain”")]
    assert "> Buy soap." in Mail.objects.get().text


def test_a_mail_that_waits_tells_the_edited_text(mo):
    comment = post()
    moderator_mails.send_due()
    assert "> Well said." in Mail.objects.get().text

    posting.edit(comment, "Well put.")

    assert "> Well put." in only_mail().text


def test_an_edit_that_stays_held_is_not_mailed_twice(mo):
    comment = post()
    moderator_mails.send_due()
    deliver_due()

    posting.edit(comment, "Well put.")

    assert len(sent()) == 1


# --- Too many ---


def make_wave(count: int, **fields) -> list[Comment]:
    article = make_article(title="Rain")
    return [make_held(article=article, body=f"Wave {number}.", **fields) for number in range(count)]


def test_as_many_mails_as_an_hour_takes_come_one_by_one(mo):
    make_wave(MAILS_AN_HOUR)

    assert len(sent()) == MAILS_AN_HOUR
    assert {subject[:5] for _recipient, subject in sent()} == {"Held:"}


def test_a_wave_is_one_mail_about_all_of_it(mo):
    make_wave(MAILS_AN_HOUR + 17)

    assert sent() == [(MO, "37 comments wait on Newsite")]
    mail = Mail.objects.get()
    assert mail.text.startswith("37 comments wait for a decision\n")
    assert re.findall(r"> Wave (\d+)\.", mail.text) == [str(number) for number in range(LISTED)]
    assert re.findall(r"And (\d+) more", mail.text) == ["7"]
    assert len(re.findall(r"^Approve: https://", mail.text, re.M)) == LISTED
    assert "And 7 more." in words_of(mail)


def test_what_comes_beyond_the_limit_waits_until_the_hour_is_over(mo, clock):
    make_wave(MAILS_AN_HOUR - 1)
    moderator_mails.send_due()
    clock.shift(timedelta(minutes=30))
    make_wave(1)
    moderator_mails.send_due()
    make_wave(2)
    assert len(sent()) == MAILS_AN_HOUR
    clock.shift(timedelta(minutes=30, seconds=-1))
    assert len(sent()) == MAILS_AN_HOUR
    clock.shift(timedelta(seconds=1))

    assert len(sent()) == MAILS_AN_HOUR + 2


def test_the_limit_is_each_persons_own(mo):
    make_wave(MAILS_AN_HOUR)
    moderator_mails.send_due()
    make_staff("Moderator", email="una@newsroom.example")
    make_wave(1)

    assert [recipient for recipient, _subject in sent()[MAILS_AN_HOUR:]] == ["una@newsroom.example"]


def test_what_was_told_in_one_mail_is_not_told_again(mo, clock):
    make_wave(MAILS_AN_HOUR + 1)
    assert len(sent()) == 1
    clock.shift(timedelta(days=3))

    assert len(sent()) == 1


def test_an_endless_wave_is_not_noted_without_end(mo, monkeypatch):
    monkeypatch.setattr(recipients, "MOST_WAITING", 25)
    make_wave(MAILS_AN_HOUR)
    moderator_mails.send_due()
    make_wave(30)
    moderator_mails.send_due()

    assert StaffNotice.objects.waiting().count() == 25


def test_many_public_comments_come_as_one_mail():
    article = by_ida()
    for number in range(MAILS_AN_HOUR + 15):
        comment = make_comment(article=article, body=f"Wave {number}.")
        StaffNotice.objects.create(comment=comment, kind="public")

    assert sent() == [(IDA, "35 new comments on Newsite")]
    mail = Mail.objects.get()
    assert mail.text.startswith("New public comments\n\n* The bridge opens\n")
    assert len(re.findall("> Wave", mail.text)) == LISTED
    assert "And 5 more." in mail.text
    assert "Trash" not in mail.text


@pytest.mark.parametrize(
    ("gone", "hide"),
    [
        (3, lambda article, comment: article.unpublish()),
        (3, lambda article, comment: article.bylines.all().delete()),
        (1, lambda article, comment: Comment.objects.filter(pk=comment.pk).update(status="trash")),
    ],
    ids=["unpublished", "not the author's any more", "hidden by a script"],
)
def test_of_far_too_many_public_comments_those_are_shown_that_are_still_to_be_told(clock, gone, hide):
    set_discussion(author_mails="daily")
    first = by_ida()
    second = make_article(title="Snow", authors=first.authors.all())
    comments = [make_comment(article=first, body=f"First {number}.") for number in range(3)]
    comments += [make_comment(article=second, body=f"Second {number}.") for number in range(LISTED + 5)]
    StaffNotice.objects.bulk_create(StaffNotice(comment=comment, kind="public") for comment in comments)
    moderator_mails.send_due()
    hide(first, comments[0])
    clock.shift(timedelta(days=1))

    mail = only_mail()

    left = comments[gone:]
    assert mail.subject == f"{len(left)} new comments on Newsite"
    assert re.findall(r"^> (.*)", mail.text, re.M) == [comment.body for comment in left[:LISTED]]
    assert re.findall(r"And (\d+) more", mail.text) == [str(len(left) - LISTED)]


def test_what_fails_for_one_person_keeps_nobody_else_from_being_told(mo, caplog):
    una = make_staff("Moderator", username="una", email="una@newsroom.example")
    # As a later release may have written it.
    StaffNotice.objects.create(user=mo, comment=make_comment(status="held"), kind="unheard", at_once=True)
    StaffNotice.objects.create(user=una, comment=make_comment(status="held"), kind="held", at_once=True)

    assert [recipient for recipient, _subject in sent()] == [una.email]
    assert [record.message for record in caplog.records] == [
        f"The mails to account {mo.pk} could not be written."
    ]


def test_whom_no_mail_may_go_to_this_hour_nothing_is_read_for(mo, django_assert_num_queries):
    make_wave(MAILS_AN_HOUR)
    moderator_mails.send_due()
    make_wave(1)
    moderator_mails.send_due()

    # Whether there are news, who is to be told of something, and how many mails each has got.
    with django_assert_num_queries(3):
        moderator_mails.send_due()


# --- Once a day ---


def test_a_daily_mail_comes_a_day_after_the_first_news_and_not_before(mo, clock):
    set_discussion(held_mails="daily")
    post(make_article(title="Rain"))
    moderator_mails.send_due()
    clock.shift(timedelta(days=1, seconds=-1))
    assert sent() == []
    clock.shift(timedelta(seconds=1))

    assert sent() == [(MO, "1 comment waits on Newsite")]


def test_a_daily_mail_has_everything_that_is_still_held_and_nothing_else(mo, clock):
    set_discussion(held_mails="daily")
    make_comment(status="held", body="From long ago.", created_at=NOON - timedelta(days=40))
    decided = post(body="Decided.")
    post(body="Waits.", **BO)
    moderator_mails.send_due()
    decided.trash(by=make_editor(email=""))
    clock.shift(timedelta(days=1))

    mail = only_mail()

    assert re.findall(r"^> (.*)", mail.text, re.M) == ["From long ago.", "Waits."]
    assert len(re.findall(r"^Approve: https://", mail.text, re.M)) == 2
    assert mail.subject == "2 comments wait on Newsite"


def test_no_daily_mail_comes_without_news(mo, clock):
    set_discussion(held_mails="daily")
    post()
    moderator_mails.send_due()
    clock.shift(timedelta(days=1))
    assert len(sent()) == 1
    clock.shift(timedelta(days=5))

    assert len(sent()) == 1


def test_no_daily_mail_comes_where_all_is_decided(mo, clock):
    set_discussion(held_mails="daily")
    comment = post()
    moderator_mails.send_due()
    comment.approve(by=make_editor(email=""))
    clock.shift(timedelta(days=2))

    assert sent() == []


def test_two_daily_mails_are_a_day_apart(mo, clock):
    set_discussion(held_mails="daily")
    post()
    moderator_mails.send_due()
    clock.shift(timedelta(days=1))
    moderator_mails.send_due()
    post(body="Later.", **BO)
    moderator_mails.send_due()
    clock.shift(timedelta(hours=23))
    assert len(sent()) == 1
    clock.shift(timedelta(hours=1))

    assert len(sent()) == 2


def test_authors_get_theirs_in_one_daily_mail_for_each_story_its_headline(clock):
    set_discussion(author_mails="daily")
    article = by_ida()
    other = make_article(title="Snow", authors=article.authors.all())
    post_known(article)
    clock.shift(timedelta(minutes=1))
    post_known(other, body="Cold.")
    moderator_mails.send_due()
    clock.shift(timedelta(days=1))

    mail = only_mail()

    assert (mail.recipient, mail.subject) == (IDA, "2 new comments on Newsite")
    assert re.findall(r"^\* (.*)", mail.text, re.M) == ["The bridge opens", "Snow"]
    for words in (mail.text, words_of(mail)):
        assert "You’re getting this because you are an author of these stories." in words
    assert re.findall(r"^> (.*)", mail.text, re.M) == ["Well said.", "Cold."]


def test_a_daily_mail_shows_an_author_who_moderates_own_stories_only_what_is_below_them(clock):
    set_discussion(held_mails="daily")
    ida = make_staff("Author", username="ida", email=IDA)
    post(make_article(authors=[make_author(user=ida)]), body="Below Ida.")
    post(body="Below somebody else.", **BO)
    moderator_mails.send_due()
    clock.shift(timedelta(days=1))

    mail = only_mail()

    assert mail.subject == "1 comment waits on Newsite"
    assert re.findall(r"^> (.*)", mail.text, re.M) == ["Below Ida."]


def test_what_a_daily_mail_lists_below_another_own_story_has_its_links_too(clock):
    set_discussion(held_mails="daily")
    ida = make_staff("Author", username="ida", email=IDA)
    author = make_author(user=ida)
    make_comment(article=make_article(authors=[author]), status="held", created_at=NOON - timedelta(days=9))
    post(make_article(authors=[author]))
    moderator_mails.send_due()
    clock.shift(timedelta(days=1))

    assert len(re.findall(r"^Approve: https://", only_mail().text, re.M)) == 2


@pytest.mark.parametrize(
    "hide",
    [
        lambda comment: Comment.objects.filter(pk=comment.pk).update(status="trash"),
        lambda comment: Article.objects.filter(pk=comment.article_id).update(status="draft"),
    ],
    ids=["comment", "story"],
)
def test_what_a_script_has_hidden_is_in_no_daily_mail(clock, hide):
    set_discussion(author_mails="daily")
    comment = post_known(by_ida())
    moderator_mails.send_due()
    hide(comment)
    clock.shift(timedelta(days=1))

    assert sent() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda mo: mo.groups.clear(),
        lambda mo: type(mo).objects.filter(pk=mo.pk).update(is_active=False),
        lambda mo: type(mo).objects.filter(pk=mo.pk).update(email=""),
        lambda mo: MailChoice.objects.create(user=mo, moderation=False),
        lambda mo: set_discussion(held_mails="never"),
    ],
    ids=["no right", "not active", "no address", "not wanted", "never"],
)
def test_who_may_or_wants_to_no_longer_gets_no_daily_mail(mo, clock, change):
    set_discussion(held_mails="daily")
    post()
    moderator_mails.send_due()
    change(mo)
    clock.shift(timedelta(days=1))

    assert sent() == []
    assert StaffNotice.objects.count() == 0


# --- In one transaction with the cause, and taken back ---


def test_a_comment_that_is_rolled_back_tells_nobody(mo):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        post()
        raise ZeroDivisionError

    assert sent() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda comment: comment.approve(by=make_editor(email="")),
        lambda comment: comment.mark_as_spam(by=make_editor(email="")),
        lambda comment: comment.trash(by=make_editor(email="")),
        lambda comment: posting.withdraw(comment),
        lambda comment: comment.delete(),
        lambda comment: Comment.objects.filter(pk=comment.pk).delete(),
        lambda comment: privacy.erase(ADA["email"], keep_texts=False),
        lambda comment: privacy.erase(ADA["email"], keep_texts=True),
    ],
    ids=["approve", "spam", "trash", "withdraw", "delete", "delete many", "erase", "erase, text kept"],
)
@pytest.mark.parametrize("is_written", [True, False])
def test_a_mail_that_has_not_left_is_taken_back_when_there_is_nothing_left_to_decide(mo, change, is_written):
    comment = post()
    if is_written:
        assert len(sent()) == 1

    change(comment)

    assert sent() == []


def test_a_mail_that_has_left_is_not_touched(mo):
    comment = post()
    moderator_mails.send_due()
    deliver_due()

    comment.trash(by=mo)

    assert Mail.objects.get().state == "sent"


def test_the_rest_of_a_mail_about_many_is_written_again_without_what_is_decided(mo):
    (first, *rest) = make_wave(MAILS_AN_HOUR + 5)
    other = make_comment(status="held", body="Listed besides.", created_at=NOON - timedelta(days=1))
    assert sent() == [(MO, "26 comments wait on Newsite")]

    Comment.objects.filter(pk__in=[first.pk, other.pk]).trash(by=make_editor(email=""))

    assert sent() == [(MO, "24 comments wait on Newsite")]
    texts = re.findall(r"^> (.*)", Mail.objects.get().text, re.M)
    assert texts == [comment.body for comment in rest]


def test_what_a_mail_about_many_only_lists_takes_it_back_when_it_is_decided(mo):
    listed = make_comment(status="held", body="From long ago.", created_at=NOON - timedelta(days=40))
    make_wave(MAILS_AN_HOUR + 1)
    moderator_mails.send_due()
    assert "From long ago." in Mail.objects.get().text

    listed.trash(by=mo)

    assert "From long ago." not in only_mail().text


def test_what_a_mail_about_many_only_lists_is_no_news_when_it_is_taken_back(mo, clock):
    make_comment(status="held", body="From long ago.", created_at=NOON - timedelta(days=40))
    (first, *_rest) = make_wave(MAILS_AN_HOUR + 5)
    moderator_mails.send_due()
    first.trash(by=mo)
    assert sent() == [(MO, "25 comments wait on Newsite")]
    clock.shift(timedelta(days=2))

    assert len(sent()) == 1


def test_an_approval_that_is_undone_takes_back_the_mail_to_the_author(mo):
    set_discussion(held_mails="never")
    comment = post(by_ida())
    outcome = comment.approve(by=mo)
    assert len(sent()) == 1

    decisions.undo(outcome.decision, mo)

    assert sent() == []


def test_a_decision_that_is_undone_tells_the_author_what_is_public_again(mo):
    comment = post_known(by_ida())
    outcome = comment.trash(by=mo)
    assert sent() == []

    decisions.undo(outcome.decision, mo)

    assert sent() == [(IDA, "Bo commented on “The bridge opens”")]


# --- Several at once ---


def together(*jobs) -> None:
    """Do several things at the same moment, each in a thread with a connection of its own."""
    barrier = Barrier(len(jobs))

    def run(job):
        barrier.wait()
        try:
            job()
        finally:
            connection.close()

    threads = [Thread(target=run, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_processes_that_write_at_once_write_each_mail_once(mo):
    set_discussion()
    make_wave(3)

    together(moderator_mails.send_due, moderator_mails.send_due)

    assert len(sent()) == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="lets one transaction write at a time")
def test_what_somebody_is_deciding_on_is_neither_waited_for_nor_mailed(mo):
    set_discussion()
    decided, other = make_wave(2)
    decision, written = Event(), Event()

    def decide():
        with transaction.atomic():
            decided.trash(by=make_editor(email=""))
            decision.set()
            assert written.wait(60)

    def write():
        assert decision.wait(60)
        moderator_mails.send_due()
        written.set()

    together(decide, write)

    assert [notice.comment for notice in StaffNotice.objects.exclude(mail=None)] == [other]
    assert len(sent()) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="lets one transaction write at a time")
def test_news_of_what_is_being_decided_on_are_handed_out_afterwards(mo):
    """Decisions lock a comment first, and then want what is noted of it."""
    set_discussion()
    decided, other = make_wave(2)
    locked, written = Event(), Event()
    waited = []

    def decide():
        with transaction.atomic():
            Comment.objects.select_for_update(of=("self",)).get(pk=decided.pk)
            locked.set()
            waited.append(written.wait(60))
            decided.trash(by=make_editor(email=""))

    def write():
        assert locked.wait(60)
        moderator_mails.send_due()
        written.set()

    together(decide, write)

    assert (waited, [notice.comment for notice in StaffNotice.objects.all()]) == ([True], [other])
    assert Mail.objects.count() == 1


# --- Personal data ---


def test_erasing_deletes_the_mails_that_hold_what_someone_wrote(mo):
    post(body="I am Ada.")
    post(body="I am Bo.", **BO)
    moderator_mails.send_due()
    deliver_due()

    privacy.erase(ADA["email"], keep_texts=True)

    texts = [mail.text + mail.html for mail in Mail.objects.all()]
    assert [("I am Bo." in text, "I am Ada." in text) for text in texts] == [(True, False)]


def test_erasing_deletes_mails_that_only_list_it_or_show_what_was_answered(mo):
    listed = make_comment(status="held", **ADA, body="From long ago.", created_at=NOON - timedelta(days=40))
    make_wave(MAILS_AN_HOUR + 1)
    moderator_mails.send_due()
    deliver_due()
    assert "From long ago." in Mail.objects.get().text
    parent = make_comment(**ADA)
    StaffNotice.objects.create(comment=reply_to(parent, status="held"), kind="held")
    moderator_mails.send_due()
    deliver_due()
    assert (Mail.objects.count(), listed.email) == (2, ADA["email"])

    privacy.erase(ADA["email"], keep_texts=True)

    assert Mail.objects.count() == 0


def test_a_mail_that_shows_what_was_answered_is_written_again_where_it_has_not_left(mo):
    parent = make_comment(**ADA, body="I am Ada.")
    post(parent.article, parent=parent, **BO)
    moderator_mails.send_due()
    assert "I am Ada." in Mail.objects.get().text

    privacy.erase(ADA["email"], keep_texts=False)

    mail = only_mail()
    assert ("> Well said." in mail.text, "I am Ada." in mail.text, "In reply to: Anonymous" in mail.text) == (
        True,
        False,
        True,
    )


@pytest.mark.parametrize(
    "delete",
    [lambda comment: comment.delete(), lambda comment: Comment.objects.filter(pk=comment.pk).delete()],
    ids=["one", "many"],
)
def test_deleting_for_good_deletes_the_mails_that_tell_of_it_too(mo, delete):
    listed = make_comment(status="held", body="I am Ada.", created_at=NOON - timedelta(days=40))
    make_wave(MAILS_AN_HOUR + 1)
    moderator_mails.send_due()
    deliver_due()
    assert "I am Ada." in Mail.objects.get().text

    delete(listed)

    assert Mail.objects.count() == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda mo, comment: mo.delete(),
        lambda mo, comment: type(mo).objects.filter(pk=mo.pk).delete(),
        lambda mo, comment: comment.delete(),
        lambda mo, comment: comment.article.delete(),
    ],
    ids=["account", "accounts", "comment", "story"],
)
@pytest.mark.parametrize("has_left", [True, False])
def test_erasing_reaches_mails_whose_recipient_or_comment_is_deleted(mo, change, has_left):
    comment = post(body="I am Ada.")
    post(body="I am Bo.", **BO)
    make_staff("Moderator", email="una@newsroom.example")
    moderator_mails.send_due()
    if has_left:
        deliver_due()
    change(mo, comment)

    privacy.erase(ADA["email"], keep_texts=False)

    texts = [mail.text + mail.html for mail in Mail.objects.all()]
    assert "I am Bo." in "".join(texts)
    assert [text for text in texts if "I am Ada." in text or ADA["email"] in text] == []


def test_who_was_told_is_forgotten_with_the_mails_and_not_before(mo, clock):
    post()
    moderator_mails.send_due()
    clock.shift(timedelta(days=31))
    StaffNotice.objects.forgettable().delete()
    assert StaffNotice.objects.count() == 1
    Mail.objects.all().delete()
    clock.shift(timedelta(days=-2))
    StaffNotice.objects.forgettable().delete()
    assert StaffNotice.objects.count() == 1
    clock.shift(timedelta(days=2))
    StaffNotice.objects.forgettable().delete()

    assert StaffNotice.objects.count() == 0


def test_what_is_deleted_with_its_story_in_the_admin_is_not_mailed_any_more(mo, client):
    comment = post()
    other = make_comment()
    moderator_mails.send_due()
    waiting = Mail.objects.filter(sent_at=None).count()
    client.force_login(make_editor(email=""))

    story = comment.article.pk
    client.post(f"/admin/articles/article/{story}/delete/", {"post": "yes"})

    assert (waiting, Mail.objects.count()) == (1, 0)
    assert list(Comment.objects.all()) == [other]


def test_a_mail_that_has_not_left_tells_what_a_moderator_has_made_of_the_text(mo):
    comment = post(body="My number is 555.")
    moderator_mails.send_due()

    decisions.edit(comment, make_editor(email=""), body="My number is gone.")
    mail = only_mail()

    assert "My number is gone." in mail.text
    assert "is 555" not in mail.text + mail.html
