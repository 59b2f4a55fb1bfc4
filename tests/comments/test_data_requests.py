import json
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from comments import moderation
from comments.models import Change, Comment, Standing
from comments.privacy import erase
from comments.subscriptions import Subscriber
from mail.models import Mail
from tests.factories import make_comment, make_user

pytestmark = pytest.mark.django_db

ADA = "ada@example.com"
SECTIONS = ("everything", "export", "erase")


def address(comment: Comment, section: str) -> str:
    return f"/admin/comments/comment/{comment.pk}/{section}/"


def of_ada(**fields) -> Comment:
    return make_comment(**{"name": "Ada", "email": ADA, **fields})


def text_of(response) -> str:
    return response.content.decode()


def shown(page: str) -> list[tuple[str, str]]:
    return re.findall(r"<tr><td>([^<]+)</td><td>(\d+)</td></tr>", page)


def log() -> list[tuple]:
    return list(LogEntry.objects.values_list("user__username", "object_id", "object_repr", "change_message"))


def test_a_comment_leads_to_everything_from_its_address(client, editor):
    comment = of_ada(status="held")
    of_ada(status="spam")
    of_ada(status="spam")
    make_comment(email="bo@example.com", status="trash")
    make_comment(email=ADA, user=editor, status="approved")

    details = text_of(client.get(f"/admin/comments/comment/{comment.pk}/change/"))
    page = text_of(client.get(address(comment, "everything")))

    assert f'<a href="{address(comment, "everything")}">Everything from this address</a>' in details
    assert shown(page) == [("Comments: Held", "1"), ("Comments: Spam", "2")]
    assert "Everything from ada@example.com" in page


def test_staff_export_for_a_person_and_the_log_tells_of_it(client, editor):
    comment, other = of_ada(), of_ada(status="spam")
    make_comment(email="bo@example.com")

    response = client.post(address(comment, "export"))

    assert response["Content-Disposition"] == 'attachment; filename="comments.json"'
    exported = json.loads(response.getvalue())
    assert [row["id"] for row in exported["comments"]] == [comment.pk, other.pk]
    message = "Exported everything from the address of this comment."
    assert log() == [("alice", str(comment.pk), f"Comment {comment.pk}", message)]


@pytest.mark.parametrize(("texts", "body"), [("keep", "Well said."), ("remove", "")])
def test_staff_erase_for_a_person_and_the_log_tells_of_it(client, editor, texts, body):
    comment = of_ada(body="Well said.")
    of_ada(body="Well said.", status="spam")
    bo = make_comment(name="Bo", email="bo@example.com")

    response = client.post(address(comment, "erase"), {"texts": texts, "sure": "on"}, follow=True)

    assert response.redirect_chain == [(f"/admin/comments/comment/{comment.pk}/change/", 302)]
    assert "Erased who wrote 2 comments." in text_of(response)
    assert "Everything from this address" not in text_of(response)
    assert "When everything that told who wrote it was removed." in text_of(response)
    erased = Comment.objects.exclude(pk=bo.pk).values_list("name", "email", "body")
    assert list(erased) == [("Anonymous", "", body)] * 2
    assert Comment.objects.get(pk=bo.pk).name == "Bo"
    assert {change.by for change in Change.objects.all()} == {editor}
    message = "Erased who wrote 2 comments."
    assert log() == [("alice", str(comment.pk), f"Comment {comment.pk}", message)]


def test_without_a_choice_nothing_is_erased(client, editor):
    comment = of_ada()

    response = client.post(address(comment, "erase"))

    assert (response.status_code, Comment.objects.get().name, log()) == (422, "Ada", [])
    assert "Please choose what should happen to the text." in text_of(response)


def test_without_a_second_yes_nothing_is_erased_and_the_choice_is_kept(client, editor):
    comment = of_ada()

    response = client.post(address(comment, "erase"), {"texts": "remove"})

    assert (response.status_code, Comment.objects.get().name, log()) == (422, "Ada", [])
    assert "Tick this box to erase for good." in text_of(response)
    assert re.search('value="remove"[^>]* checked', text_of(response))


def test_the_page_erases_and_exports_nothing_by_itself(client, editor):
    comment = of_ada()

    client.get(address(comment, "everything"))
    answers = [client.get(address(comment, section)).status_code for section in ("export", "erase")]

    assert (answers, Comment.objects.get().name, log()) == ([405, 405], "Ada", [])


@pytest.mark.parametrize("section", SECTIONS)
def test_what_has_no_address_or_an_account_leads_nowhere(client, editor, section):
    comments = [
        make_comment(email=""),
        make_comment(email="alice@newsroom.example", user=editor),
    ]
    send = client.get if section == "everything" else client.post

    for comment in comments:
        assert send(address(comment, section), {"texts": "keep", "sure": "on"}).status_code == 404
        details = text_of(client.get(f"/admin/comments/comment/{comment.pk}/change/"))
        assert "Everything from this address" not in details
    assert send("/admin/comments/comment/0/" + section + "/").status_code == 404
    assert Comment.objects.filter(erased_at=None).count() == 2


@pytest.mark.parametrize(
    ("permissions", "allowed"),
    [
        ([], set()),
        (["view_comment"], set()),
        (["delete_comment"], set()),
        (["view_comment", "change_comment"], {"everything", "export"}),
        (["view_comment", "change_comment", "delete_comment"], {"everything", "export", "erase"}),
    ],
)
def test_who_may_see_may_not_erase(client, permissions, allowed):
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    comment = of_ada()

    page = client.get(address(comment, "everything"))
    answers = {
        "everything": page.status_code,
        "export": client.post(address(comment, "export")).status_code,
        "erase": client.post(address(comment, "erase"), {"texts": "keep", "sure": "on"}).status_code,
    }

    assert answers == {
        section: (302 if section == "erase" else 200) if section in allowed else 403 for section in SECTIONS
    }
    assert (Comment.objects.get().name == "Anonymous") == ("erase" in allowed)
    assert ("id_texts" in text_of(page)) == ("erase" in allowed)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_visitor_is_asked_to_sign_in(client, section):
    comment = of_ada()
    send = client.get if section == "everything" else client.post

    response = send(address(comment, section), {"texts": "keep"})

    assert (response.status_code, response["Location"].split("?")[0]) == (302, "/admin/login/")
    assert Comment.objects.get().name == "Ada"


@pytest.mark.parametrize("section", ["export", "erase"])
def test_another_site_makes_staff_do_nothing(editor, section):
    comment = of_ada()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(editor)

    response = strict.post(address(comment, section), {"texts": "keep", "sure": "on"})

    assert (response.status_code, Comment.objects.get().name, log()) == (403, "Ada", [])


# --- By address ---

BY_ADDRESS = "/admin/comments/comment/address/"


def test_the_front_page_and_the_queue_lead_to_a_page_for_addresses(client, editor):
    for page in ("/admin/", "/admin/comments/comment/"):
        assert f'<a href="{BY_ADDRESS}">Export or erase by address</a>' in text_of(client.get(page))
    assert shown(text_of(client.get(BY_ADDRESS))) == []


def test_what_is_held_about_several_addresses_is_shown_and_exported(client, editor):
    of_ada(status="held")
    make_comment(email="ada@example.net", status="spam")
    asked = {"addresses": f"ADA@example.com\n\n ada@example.net \nnobody@example.com\n{ADA}"}

    page = text_of(client.post(BY_ADDRESS, asked))
    export = json.loads(client.post(f"{BY_ADDRESS}export/", asked).getvalue())

    assert shown(page) == [("Comments: Held", "1"), ("Comments: Spam", "1")]
    assert page.count("Nothing is held about this address.") == 1
    assert [(one["email"], len(one["comments"])) for one in export] == [
        (ADA, 1),
        ("ada@example.net", 1),
        ("nobody@example.com", 0),
    ]
    assert log() == [("alice", None, "Comments", "Exported everything from an address.")]


def test_whoever_has_nothing_left_but_a_mail_a_subscription_and_a_ban_is_found_and_erased(client, editor):
    Subscriber.objects.create(email=ADA)
    Mail.objects.queue(recipient=ADA, subject="x", template="comments/mail/confirm")
    Standing.objects.create(standing="banned", kind="email", value=ADA, note="Ada, the pest")
    asked = {"addresses": ADA}
    held = [("Confirmations", "1"), ("Mails", "1"), ("Bans and trust", "1")]
    assert shown(text_of(client.post(BY_ADDRESS, asked))) == held

    refused = client.post(f"{BY_ADDRESS}erase/", {**asked, "texts": "keep"})
    assert (refused.status_code, Subscriber.objects.count()) == (422, 1)
    done = client.post(f"{BY_ADDRESS}erase/", {**asked, "texts": "keep", "sure": "on"}, follow=True)

    assert "Erased who wrote 0 comments. 1 ban stays, and names nobody any more." in text_of(done)
    assert (Subscriber.objects.count(), Mail.objects.count()) == (0, 0)
    assert list(Standing.objects.values_list("value", "note")) == [("", "")]
    again = posted(make_comment(email=ADA))
    assert again == Comment.Status.SPAM


def test_a_hidden_ban_is_shown_without_a_person_and_can_be_ended(client, editor):
    ban = Standing.objects.create(standing="banned", kind="email", value=ADA)
    erase(ADA, keep_texts=True)

    listed = text_of(client.get("/admin/comments/standing/"))
    changed = client.post(
        f"/admin/comments/standing/{ban.pk}/change/",
        {"note": "Old", "ends_at_0": "2026-11-01", "ends_at_1": "12:00"},
    )

    assert "someone who was erased" in listed
    assert changed.status_code == 302
    ban.refresh_from_db()
    assert (ban.value, ban.note, ban.is_hidden) == ("", "Old", True)
    assert posted(make_comment(email=ADA)) != Comment.Status.SPAM


def test_staff_may_lift_the_bans_of_whoever_they_erase(client, editor):
    Standing.objects.create(standing="banned", kind="email", value=ADA)

    client.post(f"{BY_ADDRESS}erase/", {"addresses": ADA, "texts": "keep", "sure": "on", "lift_bans": "on"})

    assert Standing.objects.count() == 0


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "Enter an email address."),
        ("Ada", "Not an email address: Ada"),
        (f"{ADA}\n@example.com", "Not an email address: @example.com"),
        (f"{ADA}\n192.0.2.7", "Not an email address: 192.0.2.7"),
        ("\n".join(f"{number}@example.com" for number in range(51)), "Enter 50 addresses at most."),
    ],
)
@pytest.mark.parametrize("page", ["", "export/", "erase/"])
def test_what_is_no_address_is_said_at_the_field(client, editor, typed, told, page):
    of_ada()

    response = client.post(f"{BY_ADDRESS}{page}", {"addresses": typed, "texts": "keep", "sure": "on"})

    assert (response.status_code, told in text_of(response)) == (422, True)
    assert (Comment.objects.get().name, log()) == ("Ada", [])


@pytest.mark.parametrize(
    ("permissions", "answers"),
    [
        ([], (403, 403, 403)),
        (["view_comment", "delete_comment"], (403, 403, 403)),
        (["change_comment"], (200, 200, 403)),
        (["change_comment", "delete_comment"], (200, 200, 302)),
    ],
)
def test_who_may_not_erase_a_comment_may_not_erase_by_address(client, permissions, answers):
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    of_ada()
    sent = {"addresses": ADA, "texts": "keep", "sure": "on"}

    given = [client.post(f"{BY_ADDRESS}{page}", sent).status_code for page in ("", "export/", "erase/")]

    assert tuple(given) == answers
    assert (Comment.objects.get().name == "Ada") == (answers[2] == 403)


def test_a_comment_that_is_deleted_leaves_its_number_in_the_log_and_no_name(client, editor):
    comment = of_ada()

    client.post(f"/admin/comments/comment/{comment.pk}/delete/", {"post": "yes"})

    assert (Comment.objects.count(), log()) == (0, [("alice", str(comment.pk), f"Comment {comment.pk}", "")])


def posted(comment: Comment) -> str:
    """Return what would become of a comment if it arrived now."""
    return moderation.decide(moderation.Submission(comment)).status
