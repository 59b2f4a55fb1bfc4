import json
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from comments.models import Change, Comment
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
    assert re.findall(r"<tr><td>(\w+)</td><td>(\d+)</td></tr>", page) == [("Held", "1"), ("Spam", "2")]
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
