"""Who finds a browser open changes no rights with it: the password is asked for once more."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.factories import make_user
from tests.givens import NOON
from tests.staff.conftest import PASSWORD, code_of, give_code, sign_in

ASKED = "/admin/account/password/"


@pytest.fixture(autouse=True)
def clock(db):
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def left_open(ada, clock) -> Client:
    """A browser that Ada has signed in with an hour ago."""
    client = Client()
    sign_in(client)
    clock.shift(timedelta(hours=1))
    return client


def give(client: Client, password: str = PASSWORD, page: str = "/admin/auth/user/"):
    return client.post(f"{ASKED}?next={page}", {"password": password})


PAGES = [
    "/admin/auth/user/add/",
    "/admin/auth/user/{user}/change/",
    "/admin/auth/user/{user}/password/",
    "/admin/auth/user/{user}/delete/",
    "/admin/auth/group/add/",
    "/admin/auth/group/{group}/change/",
    "/admin/auth/group/{group}/delete/",
    "/admin/staff/secondfactor/{factor}/delete/",
]


@pytest.fixture(params=PAGES)
def page(request, phone_of_other) -> str:
    numbers = {"user": make_user().pk, "group": Group.objects.first().pk, "factor": phone_of_other.pk}
    return request.param.format(**numbers)


@pytest.fixture
def phone_of_other(db):
    return TOTPDevice.objects.create(user=make_user(username="bo"), name="bo")


def test_what_changes_who_may_do_what_asks_for_the_password_and_leads_back(left_open, page):
    assert left_open.get(page)["Location"] == f"{ASKED}?next={page}"

    assert give(left_open, page=page)["Location"] == page
    assert left_open.get(page).status_code == 200


def test_what_is_sent_without_it_changes_nothing(left_open, page):
    before = [list(model.objects.order_by("pk").values()) for model in (User, Group)]

    response = left_open.post(page, {"post": "yes", "name": "New", "username": "new"})

    assert response["Location"] == f"{ASKED}?next={page}"
    assert [list(model.objects.order_by("pk").values()) for model in (User, Group)] == before


@pytest.mark.parametrize("action", ["delete_selected", "make_inactive"])
def test_neither_do_actions_of_a_list_or_the_button(left_open, action):
    bo = make_user(username="bo")

    left_open.post("/admin/auth/user/", {"action": action, "_selected_action": bo.pk, "post": "yes"})
    response = left_open.post(f"/admin/auth/user/{bo.pk}/make-inactive/")

    assert response["Location"] == f"{ASKED}?next=/admin/auth/user/{bo.pk}/delete/"
    bo.refresh_from_db()
    assert bo.is_active


def test_who_has_just_signed_in_is_not_asked(ada, page):
    client = Client()
    sign_in(client)

    assert client.get(page).status_code == 200


def test_a_code_after_the_password_counts_as_signing_in(phone, client):
    sign_in(client)
    give_code(client, code_of(phone))

    assert client.get("/admin/auth/user/add/").status_code == 200


def test_what_was_begun_can_be_sent_for_an_hour(left_open, clock):
    bo = make_user(username="bo")
    give(left_open)
    clock.shift(timedelta(minutes=50))

    assert left_open.get(f"/admin/auth/user/{bo.pk}/change/").status_code == 302
    left_open.post(f"/admin/auth/user/{bo.pk}/make-inactive/")

    bo.refresh_from_db()
    assert not bo.is_active


def test_a_wrong_password_leads_nowhere_and_counts_as_at_sign_in(left_open):
    statuses = [give(left_open, f"guess {number}").status_code for number in range(6)]

    assert statuses == [422, 422, 422, 422, 429, 429]
    assert left_open.get("/admin/auth/user/add/").status_code == 302


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_it_leads_to_no_other_site(left_open, elsewhere):
    assert give(left_open, page=elsewhere)["Location"] == "/admin/"


@pytest.mark.parametrize(
    "page", ["/admin/auth/user/", "/admin/comments/comment/", "/admin/articles/section/add/"]
)
def test_what_changes_no_rights_asks_for_nothing(left_open, page):
    assert left_open.get(page).status_code == 200


def test_it_is_for_those_who_are_signed_in_and_needs_the_pages_token(ada):
    client = Client(enforce_csrf_checks=True)
    assert client.get(ASKED)["Location"] == f"/admin/login/?next={ASKED}"
    client.force_login(ada)

    assert give(client).status_code == 403
