import json
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import EmailField, GenericIPAddressField, QuerySet
from django.test.utils import CaptureQueriesContext

from comments import access, decisions, moderation, moderator_mails, notifications, posting, yours
from comments.models import AccessLink, Change, Comment, Report, Standing
from comments.moderation import Submission
from comments.privacy import erase, export_of
from comments.staff_notices import StaffNotice
from comments.subscriptions import Subscriber, Subscription
from mail.models import Mail
from tests.factories import make_article, make_comment, make_editor, reply_to
from tests.givens import NOON, announced

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

ADA = "ada@example.com"
STATUSES = ["held", "approved", "spam", "trash", "withdrawn"]


def exported(email: str = ADA) -> dict:
    return json.loads("".join(export_of(email)))


def of_ada(**fields) -> Comment:
    """A comment with all that tells who wrote it."""
    defaults = {
        "name": "Ada",
        "email": ADA,
        "website": "https://ada.example/",
        "ip_address": "198.51.100.7",
        "user_agent": "Lynx",
    }
    return make_comment(**{**defaults, **fields})


def of_others() -> list[Comment]:
    """What does not belong to ada@example.com, however near it comes."""
    article = make_article()
    return [
        make_comment(article=article, name="Ada", email="bo@example.com", ip_address="198.51.100.7"),
        make_comment(article=article, name="Ada", email="ada@example.com.org"),
        make_comment(article=article, name="Ada", email="xada@example.com"),
        make_comment(article=article, name="Ada", email=""),
        make_comment(article=article, name="Ada", email=ADA, user=make_editor(email=ADA)),
    ]


def rows(comments: list[Comment]) -> list[dict]:
    return list(Comment.objects.filter(pk__in=[c.pk for c in comments]).order_by("pk").values())


SPELLINGS = [
    (ADA, "ADA@example.com\u200b"),
    ("ada@example.com\u2060", ADA),
    ("x@münchen.example", "x@xn--mnchen-3ya.example"),
    ("x@xn--mnchen-3ya.example", "x@München.example"),
]


def of_one_with(email: str) -> Comment:
    """A comment, and all else that is kept of whoever wrote it."""
    comment = of_ada(email=email, status="held")
    notifications.subscribe(comment, "answers")
    Subscriber.objects.get().confirm()
    comment.approve(by=make_editor())
    announced(reply_to(comment, email="bo@example.com"))
    access.ask(email, None)
    Standing.objects.create(standing="trusted", kind="person", value=f"Ada <{email}>")
    return comment


@pytest.mark.parametrize(("email", "other"), SPELLINGS)
def test_every_spelling_of_an_address_exports_all_that_is_held(email, other):
    of_one_with(email)

    export = exported(other)

    numbers = {key: len(rows) for key, rows in export.items() if isinstance(rows, list)}
    assert numbers == {
        "comments": 1,
        "confirmations": 1,
        "subscriptions": 1,
        "notices": 2,
        "mails": 3,
        "links": 1,
        "standings": 1,
    }
    assert export == exported(email)


@pytest.mark.parametrize(("email", "other"), SPELLINGS)
def test_every_spelling_of_an_address_erases_all_that_is_held(email, other):
    of_one_with(email)

    erase(other, keep_texts=True)

    lists = [rows for rows in exported(email).values() if isinstance(rows, list)]
    assert lists == [[]] * 7
    assert Comment.objects.earliest("pk").name == "Anonymous"


# --- Export ---


def test_an_export_holds_everything_that_is_held_of_a_comment():
    article = make_article(title="Über Brücken", slug="bridges")
    parent = make_comment(article=article, name="Bo", body="Bo's words.", email="bo@example.com")
    comment = of_ada(
        parent=parent,
        created_at=NOON - timedelta(minutes=5),
        body="First *words*.",
        status="held",
        held_because="first-comment",
    )
    comment.approve(by=make_editor(username="moderator"))
    posting.edit(comment, "Better wörds.")

    assert exported() == {
        "site": "Newsite",
        "email": "ada@example.com",
        "exported_at": "2026-11-23T12:00:00+00:00",
        "comments": [
            {
                "id": comment.pk,
                "url": f"https://news.example/comments/{comment.pk}/",
                "story": {"title": "Über Brücken", "url": "https://news.example/2026/11/bridges/"},
                "in_reply_to": f"https://news.example/comments/{parent.pk}/",
                "name": "Ada",
                "email": "ada@example.com",
                "website": "https://ada.example/",
                "text": "Better wörds.",
                "status": "held",
                "held_because": "first-comment",
                "posted_at": "2026-11-23T11:55:00+00:00",
                "edited_at": "2026-11-23T12:00:00+00:00",
                "ip_address": "198.51.100.7",
                "user_agent": "Lynx",
                "akismet_says_spam": None,
                "rules": [{"rule": "first-comment", "verdict": "held", "detail": ""}],
                "history": [
                    {
                        "at": "2026-11-23T12:00:00+00:00",
                        "from": "held",
                        "to": "approved",
                        "text_before": None,
                    },
                    {
                        "at": "2026-11-23T12:00:00+00:00",
                        "from": "approved",
                        "to": "held",
                        "text_before": "First *words*.",
                    },
                ],
            }
        ],
        "confirmations": [],
        "subscriptions": [],
        "notices": [],
        "mails": [],
        "links": [],
        "standings": [],
    }


def test_no_field_of_a_comment_is_forgotten_in_the_export():
    of_ada()
    told_by_another_name = {
        "article": "story",
        "parent": "in_reply_to",
        "body": "text",
        "created_at": "posted_at",
    }
    # The HTML is made of the text, the spelling of the name and the path of the parents; reports
    # are their readers'; neither an account nor the time of an erasure is ever there.
    nothing_of_its_own = {"body_html", "spelling", "path", "open_reports", "user", "erased_at"}

    fields = {field.name for field in Comment._meta.get_fields() if field.concrete} - nothing_of_its_own

    told = set(exported()["comments"][0]) - {"url", "history", "rules"}
    assert {told_by_another_name.get(field, field) for field in fields} == told


def test_an_export_holds_comments_in_every_state_oldest_first():
    comments = [of_ada(status=status) for status in STATUSES]

    assert [(row["id"], row["status"]) for row in exported()["comments"]] == [
        (comment.pk, comment.status) for comment in comments
    ]


def test_an_export_holds_nothing_of_anybody_else():
    bo = make_comment(name="Bo", email="bo@example.com", body="Bo's words.", ip_address="192.0.2.1")
    mine = of_ada(parent=bo, article=bo.article, status="held")
    reply_to(mine, name="Cleo", email="cleo@example.com", body="Cleo's words.")
    mine.approve(by=make_editor(username="moderator", first_name="Alice"))
    of_others()

    text = "".join(export_of(ADA))

    assert [row["id"] for row in json.loads(text)["comments"]] == [mine.pk]
    for foreign in ("Bo", "bo@", "192.0.2.1", "Cleo", "cleo@", "moderator", "Alice"):
        assert foreign not in text


def test_a_text_comes_through_the_export_as_it_is():
    text = '“Quotes” " and \\ and\nlines\r\u2028\u0085\x0c\tof 日本 \U0001f600'
    of_ada(body=text)

    assert exported()["comments"][0]["text"] == text


def test_an_address_is_the_same_in_capitals():
    comment = of_ada(email="Ada@Example.COM")

    assert [row["id"] for row in exported("ADA@example.com")["comments"]] == [comment.pk]
    assert erase("aDa@example.com", keep_texts=True) == (1, 0)


def test_an_unknown_address_has_an_empty_export():
    of_others()

    assert exported("nobody@example.com")["comments"] == []
    assert exported("")["comments"] == []


@pytest.mark.parametrize("items", [1, 3])
def test_an_export_takes_the_same_queries_however_long(django_assert_num_queries, items):
    for _ in range(items):
        of_ada().hold(by=make_editor())

    with django_assert_num_queries(13):
        exported()


def test_an_export_is_written_piece_by_piece(monkeypatch):
    monkeypatch.setattr("comments.privacy.CHUNK", 2)
    article = make_article()
    comments = [of_ada(article=article) for _ in range(5)]

    with CaptureQueriesContext(connection) as queries:
        pieces = export_of(ADA)
        while '"id"' not in next(pieces):
            pass
        at_the_first_comment = len(queries)
        rest = "".join(pieces)

    assert rest.count('"id"') == len(comments) - 1
    # One query for all comments, one for the history and the rules of each chunk, ten for what else there is.
    assert (at_the_first_comment, len(queries)) == (4, 17)


# --- Erasing ---


@pytest.mark.parametrize("status", STATUSES)
def test_who_wrote_is_erased_in_every_state_and_the_text_kept(status):
    comment = of_ada(status=status, body="Well *said*.", held_because="links")

    assert erase(ADA, keep_texts=True) == (1, 0)

    comment.refresh_from_db()
    assert (comment.name, comment.email, comment.website) == ("Anonymous", "", "")
    assert (comment.ip_address, comment.user_agent, comment.erased_at) == (None, "", NOON)
    assert (comment.body, comment.body_html) == ("Well *said*.", "<p>Well <em>said</em>.</p>")
    assert (comment.status, comment.held_because) == (status, "links")


@pytest.mark.parametrize("status", STATUSES)
def test_the_text_is_removed_in_every_state_where_the_person_wants_so(status):
    comment = of_ada(status=status, body="Well said.")

    assert erase(ADA, keep_texts=False) == (1, 0)

    comment.refresh_from_db()
    assert (comment.name, comment.body, comment.body_html) == ("Anonymous", "", "")
    assert comment.status == "withdrawn"
    assert list(comment.changes.values_list("from_status", "to_status", "by")) == [
        (status, "withdrawn", None)
    ]


@pytest.mark.parametrize("keep_texts", [True, False])
def test_what_a_comment_said_before_is_erased(keep_texts):
    comment = of_ada(created_at=NOON, body="I am Ada of Main Street.")
    posting.edit(comment, "I am from here.")

    erase(ADA, keep_texts=keep_texts)

    assert "Main Street" not in str([*Comment.objects.values(), *Change.objects.values()])
    assert ("I am from here." in str(list(Comment.objects.values()))) == keep_texts


@pytest.mark.parametrize("written", [ADA, "Ada@Example.com"])
@pytest.mark.parametrize("replaced", ["bo@example.com", ""])
def test_what_was_written_with_an_address_that_a_moderator_has_replaced_is_theirs(written, replaced):
    editor = make_editor()
    comment = of_ada(body="Before.", name="Adda")
    decisions.edit(comment, editor, name="Ada")
    decisions.edit(comment, editor, email=replaced, body="After.")
    decisions.edit(comment, editor, name="Bo", website="")
    of_others()[0].trash(by=editor)

    (theirs,) = exported(written)["comments"]
    assert (theirs["id"], theirs["history"][1]["text_before"]) == (comment.pk, "Before.")
    assert erase(written, keep_texts=False) == (1, 0)

    comment.refresh_from_db()
    assert (comment.name, comment.email, comment.ip_address) == ("Anonymous", "", None)
    assert (comment.user_agent, comment.body) == ("", "")
    said = Change.objects.filter(comment=comment).values_list("body_before", "before", "email_before")
    assert set(map(str, said)) == {"('', {}, None)"}


def test_an_address_that_only_a_moderator_has_typed_leads_to_no_comment_once_it_is_replaced():
    editor = make_editor()
    comment = of_ada(email="bo@example.com")
    decisions.edit(comment, editor, email=ADA)
    decisions.edit(comment, editor, email="cleo@example.com")

    assert exported()["comments"] == []
    assert [row["id"] for row in exported("bo@example.com")["comments"]] == [comment.pk]
    assert [row["id"] for row in exported("cleo@example.com")["comments"]] == [comment.pk]
    assert erase(ADA, keep_texts=True) == (0, 0)
    assert ADA not in str([*Comment.objects.values(), *Change.objects.values()])


def test_who_had_their_address_replaced_gets_the_link_to_what_they_wrote():
    comment = of_ada()
    decisions.edit(comment, make_editor(), email="")

    access.ask(ADA, None)

    assert [mail.recipient for mail in Mail.objects.all()] == [ADA]


def test_mails_that_name_the_address_are_erased_whomever_they_went_to():
    fields = {"subject": "News", "text": "x", "state": "sent"}
    for number, said in enumerate([ADA.upper(), "bo@example.com"]):
        for field in ("subject", "text", "html", "last_error"):
            Mail.objects.create(
                **{
                    **fields,
                    "recipient": "mo@newsroom.example",
                    "message_id": f"{number} {field}",
                    field: said,
                }
            )

    erase(ADA, keep_texts=True)

    assert {mail.message_id[0] for mail in Mail.objects.all()} == {"1"}


@pytest.mark.parametrize("undoes", [True, False])
def test_nothing_brings_an_erased_address_back(undoes):
    editor = make_editor()
    comment = of_ada(email="bo@example.com")
    corrected = decisions.edit(comment, editor, email=ADA).decision
    if undoes:
        decisions.undo(corrected, editor)
        erase(ADA, keep_texts=True)
        said = Change.objects.order_by("pk").values_list("before", flat=True)
        assert list(said) == [{"email": "bo@example.com"}, {}]
    else:
        erase("bo@example.com", keep_texts=True)
        decisions.undo(corrected, editor)
        assert "bo@example.com" not in str([*Comment.objects.values(), *Change.objects.values()])


def test_links_and_mails_to_the_address_are_erased_and_no_others():
    for email in (ADA, "bo@example.com"):
        AccessLink.objects.create(email=email, digest=email)
        Mail.objects.queue(
            recipient=email, subject="Hello", template="comments/mail/access", context={"address": "/"}
        )
    assert (len(exported()["links"]), len(exported()["mails"])) == (1, 1)

    erase(ADA, keep_texts=True)

    assert list(AccessLink.objects.values_list("email", flat=True)) == ["bo@example.com"]
    assert list(Mail.objects.values_list("recipient", flat=True)) == ["bo@example.com"]


def test_mails_to_the_address_are_found_however_an_account_writes_it():
    """Mails to the staff go to the address of the account, which may have capitals."""
    editor = make_editor()
    type(editor).objects.filter(pk=editor.pk).update(email="Ada@Example.com")
    StaffNotice.objects.create(comment=make_comment(status="held"), kind="held")
    moderator_mails.send_due()
    assert Mail.objects.get().recipient == "Ada@Example.com"
    assert len(exported()["mails"]) == 1

    erase(ADA, keep_texts=True)

    assert Mail.objects.count() == 0


def subscribed(email: str, **fields) -> Comment:
    """A comment whose author wants to be told of answers, and has confirmed so."""
    comment = of_ada(email=email, **fields)
    notifications.subscribe(comment, "answers")
    announced(comment)
    Subscriber.objects.get(email=email).confirm()
    return comment


def test_what_someone_is_told_of_is_exported():
    comment = subscribed(ADA)
    answer = reply_to(comment, name="Bo", body="Bo's words.")
    announced(answer)
    subscribed("bo@example.com")

    data = exported()

    noon = "2026-11-23T12:00:00+00:00"
    url, story = f"https://news.example/comments/{comment.pk}/", comment.article.get_absolute_url()
    assert data["confirmations"] == [{"asked_at": noon, "confirmed_at": noon, "stopped_at": None}]
    assert data["subscriptions"] == [
        {"comment": url, "story": f"https://news.example{story}", "scope": "answers", "rhythm": "at-once"}
    ]
    told = {"comment": f"https://news.example/comments/{answer.pk}/", "kind": "answer", "told_at": noon}
    assert data["notices"] == [told]
    assert len(data["mails"]) == 2
    assert "Bo's words." not in json.dumps(data)


@pytest.mark.parametrize("keep_texts", [True, False])
def test_who_is_erased_is_told_of_nothing_any_more_and_others_are(keep_texts):
    subscribed(ADA)
    bo = subscribed("bo@example.com")

    erase(ADA, keep_texts=keep_texts)

    assert list(Subscriber.objects.values_list("email", flat=True)) == ["bo@example.com"]
    assert list(Subscription.objects.values_list("comment", flat=True)) == [bo.pk]
    assert {mail.recipient for mail in Mail.objects.all()} == {"bo@example.com"}


@pytest.mark.parametrize("state", Mail.State.values)
@pytest.mark.parametrize("keep_texts", [True, False])
def test_mails_to_others_that_tell_of_the_person_are_erased(keep_texts, state):
    bo = subscribed("bo@example.com")
    answers = [
        reply_to(bo, name="Ada", email=ADA, body="I am Ada."),
        reply_to(bo, name="Cleo", email="cleo@example.com", body="I am Cleo."),
    ]
    announced(*answers)
    Mail.objects.update(state=state)

    erase(ADA, keep_texts=keep_texts)

    told = [mail.text for mail in Mail.objects.filter(notices__isnull=False)]
    assert (len(told), "I am Cleo." in told[0], "I am Ada." in told[0]) == (1, True, False)


def test_no_table_with_addresses_is_forgotten():
    """Whoever adds a field here has thought of `export_of()` and `erase()`."""
    fields = [
        f"{model.__name__}.{field.name}"
        for app in ("articles", "comments", "mail")
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.fields
        if isinstance(field, EmailField | GenericIPAddressField)
    ]

    assert sorted(fields) == [
        "AccessLink.email",
        "Comment.email",
        "Comment.ip_address",
        "Mail.recipient",
        "Subscriber.email",
    ]


def test_what_readers_told_moderators_of_the_person_is_erased():
    for comment, text in ((of_ada(), "This is Ada of Main Street."), (of_others()[0], "This is Bo.")):
        Report.objects.create(comment=comment, reason="other", text=text, sender="x")

    erase(ADA, keep_texts=True)

    assert list(Report.objects.values_list("reason", "text")) == [("other", ""), ("other", "This is Bo.")]


@pytest.mark.parametrize("keep_texts", [True, False])
def test_nothing_of_anybody_else_is_erased(keep_texts):
    mine = of_ada()
    others = [*of_others(), reply_to(mine, name="Bo")]
    others[0].hold(by=make_editor())
    QuerySet.update(Change.objects.all(), body_before="Bo's words.")
    before, history = rows(others), list(Change.objects.values())

    assert erase(ADA, keep_texts=keep_texts) == (1, 0)

    assert rows(others) == before
    assert list(Change.objects.exclude(comment=mine).values()) == history


def test_an_empty_address_erases_nothing():
    others = of_others()
    before = rows(others)

    assert erase("", keep_texts=False) == (0, 0)

    assert rows(others) == before


@pytest.mark.parametrize("keep_texts", [True, False])
def test_erasing_twice_is_harmless(clock, keep_texts):
    comment = of_ada()
    erase(ADA, keep_texts=keep_texts)
    before = (rows([comment]), list(Change.objects.values()))
    clock.shift(timedelta(minutes=1))

    assert erase(ADA, keep_texts=False) == (0, 0)

    assert (rows([comment]), list(Change.objects.values())) == before


def test_answers_stay_in_their_place(client):
    mine = of_ada(body="Mine, gone.")
    reply_to(reply_to(mine, body="An answer."), body="An answer to it.")
    story = mine.article.get_absolute_url()

    erase(ADA, keep_texts=False)

    page = client.get(story).content.decode()
    assert "Mine, gone." not in page
    places = [
        page.index(part) for part in ("This comment has been removed.", "An answer.", "An answer to it.")
    ]
    assert places == sorted(places)


def test_a_kept_text_is_shown_without_its_writer(client):
    mine = of_ada(body="Mine, kept.")

    erase(ADA, keep_texts=True)

    page = client.get(mine.article.get_absolute_url()).content.decode()
    assert "Mine, kept." in page
    assert "<bdi>Anonymous</bdi>" in page
    assert "Ada" not in page
    assert "ada.example" not in page


@pytest.mark.parametrize(
    "newcomer", [{"name": "Ada", "email": ADA}, {"name": "Anonymous", "email": ""}], ids=["same", "anonymous"]
)
def test_trust_goes_with_the_person(newcomer):
    comment = of_ada()
    erase(ADA, keep_texts=True)

    new = Comment(article=comment.article, body="Me again.", **newcomer)

    assert moderation.decide(Submission(new))[:2] == ("held", "first-comment")


def test_the_private_pages_of_an_erased_comment_are_closed(client):
    comment = of_ada(created_at=NOON, body="Mine, kept.")
    address = yours.address(comment)
    client.cookies[f"yours-{comment.pk}"] = yours.signing.dumps(comment.pk, salt=yours.COOKIE_SALT)

    erase(ADA, keep_texts=True)

    same_origin = {"sec-fetch-site": "same-origin"}
    answers = [
        client.get(address),
        client.post(f"{address}edit/", {"body": "Mine again."}, headers=same_origin),
        client.post(f"{address}delete/", headers=same_origin),
    ]
    assert [answer.status_code for answer in answers] == [410, 410, 410]
    assert "Mine, kept." not in client.get("/comments/mine/").content.decode()
    comment.refresh_from_db()
    assert (comment.body, comment.status) == ("Mine, kept.", "approved")


def test_a_moderator_does_not_bring_a_removed_text_back():
    comment = of_ada()
    erase(ADA, keep_texts=False)

    assert comment.approve(by=make_editor()).changed == 0
    assert comment.restore(by=make_editor()).changed == 0


def test_staff_who_erase_are_named_in_the_history():
    editor = make_editor()
    of_ada()

    erase(ADA, keep_texts=False, by=editor)

    assert Change.objects.get().by == editor


def test_what_fails_in_the_middle_erases_nothing(monkeypatch):
    comment = of_ada()
    before = rows([comment])
    monkeypatch.setattr("comments.privacy.timezone.now", lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        erase(ADA, keep_texts=False)

    assert (rows([comment]), Change.objects.count()) == (before, 0)


def test_a_thousand_comments_are_erased_in_few_queries():
    article = make_article()
    Comment.objects.bulk_create(
        Comment(article=article, name="Ada", email=ADA, body="x", body_html="<p>x</p>", path=f"{n:010d}")
        for n in range(1000)
    )

    with CaptureQueriesContext(connection) as queries:
        assert erase(ADA, keep_texts=False) == (1000, 0)

    assert len(queries) <= 49
    assert Comment.objects.filter(name="Anonymous", body="", status="withdrawn").count() == 1000
    assert Change.objects.count() == 1000


@pytest.mark.parametrize("items", [1, 3])
def test_erasing_takes_the_same_queries_however_many(django_assert_num_queries, items):
    for _ in range(items):
        of_ada()

    with django_assert_num_queries(39):  # one of them opens, one ends the transaction
        erase(ADA, keep_texts=False)
