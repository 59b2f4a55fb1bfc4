from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address

import pytest
import time_machine
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.admin import site
from django.test import Client

from staff import attempts
from tests.factories import make_article, make_editor
from tests.givens import NOON
from tests.staff.conftest import PASSWORD, is_signed_in, sign_in

HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


def guess(times: int = settings.AXES_FAILURE_LIMIT, username: str = "ada", **request):
    """Type a wrong password again and again, and return the last answer."""
    request.setdefault("REMOTE_ADDR", HERE)
    for number in range(times):
        response = sign_in(Client(), username, f"guess {number}", **request)
    return response


def test_a_wrong_password_is_refused_and_may_be_corrected(client, ada):
    assert sign_in(client, password="wrong").status_code == 422
    assert sign_in(client).status_code == 302


def test_after_five_wrong_passwords_the_right_one_is_refused_too(client, ada):
    guess()

    response = sign_in(client, REMOTE_ADDR=HERE)

    assert response.status_code == 429
    assert not is_signed_in(client)


@pytest.mark.parametrize("page", ["/admin/login/", "/sign-in/"])
def test_a_next_page_is_an_address_and_never_the_name_of_a_view(client, ada, page):
    response = sign_in(client, address=f"{page}?next=foo")

    assert (response["Location"], is_signed_in(client)) == ("foo", True)


def test_four_wrong_passwords_lock_nobody_out(client, ada):
    guess(4)

    assert sign_in(client, REMOTE_ADDR=HERE).status_code == 302


def test_who_is_locked_out_reads_how_long_to_wait_and_keeps_the_name(client, ada):
    with time_machine.travel(NOON, tick=False) as clock:
        guess()
        clock.shift(timedelta(minutes=3))
        response = sign_in(client, REMOTE_ADDR=HERE, address="/admin/login/?next=/admin/mail/mail/")

    text = response.content.decode()
    assert "Too many wrong passwords from here. Try again in 12 minutes." in text
    assert 'name="username" value="ada"' in text
    assert 'name="next" value="/admin/mail/mail/"' in text
    assert response["Retry-After"] == str(12 * 60)
    assert PASSWORD not in text
    assert "no-store" in response["Cache-Control"]


def test_nobody_can_lock_the_editor_out_from_elsewhere(client, ada):
    guess(20, REMOTE_ADDR=ELSEWHERE)

    assert sign_in(client, REMOTE_ADDR=HERE).status_code == 302


def test_another_name_may_still_sign_in_from_the_same_address(client, ada):
    guess()
    make_editor(username="bo", password=PASSWORD)

    assert sign_in(client, "bo", REMOTE_ADDR=HERE).status_code == 302


def test_another_browsers_name_is_no_way_around(client, ada):
    for number in range(5):
        guess(1, headers={"User-Agent": f"Browser {number}"})

    assert sign_in(client, REMOTE_ADDR=HERE).status_code == 429


def test_another_address_of_the_same_ipv6_network_is_no_way_around(client, ada):
    for number in range(5):
        guess(1, REMOTE_ADDR=f"2001:db8::{number}")

    assert sign_in(client, REMOTE_ADDR="2001:db8::ffff").status_code == 429
    assert sign_in(client, REMOTE_ADDR="2001:db8:0:1::").status_code == 302


def test_a_made_up_address_is_no_way_around(client, ada, settings):
    settings.TRUSTED_PROXIES = ["10.0.0.1"]
    for number in range(5):
        guess(1, REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": f"1.2.3.{number}, {HERE}"})

    behind_the_proxy = {"REMOTE_ADDR": "10.0.0.1", "headers": {"X-Forwarded-For": HERE}}
    assert sign_in(client, **behind_the_proxy).status_code == 429
    behind_the_proxy["headers"] = {"X-Forwarded-For": ELSEWHERE}
    assert sign_in(client, **behind_the_proxy).status_code == 302


def test_one_address_cannot_try_name_after_name(client, ada, monkeypatch):
    monkeypatch.setattr(attempts, "FAILURES", replace(attempts.FAILURES, attempts=6))
    for number in range(3):
        assert sign_in(client, REMOTE_ADDR=HERE).status_code == 302
        guess(2, f"name{number}")

    response = sign_in(client, REMOTE_ADDR=HERE)

    assert response.status_code == 429
    assert "Try again in 15 minutes." in response.content.decode()
    assert sign_in(client, REMOTE_ADDR=ELSEWHERE).status_code == 302


@pytest.mark.parametrize(("bits", "failures"), [(64, 2), (56, 8), (48, 32)])
def test_a_line_of_ipv6_cannot_try_name_after_name_from_one_network_after_the_other(
    client, ada, monkeypatch, bits, failures
):
    monkeypatch.setattr(attempts, "FAILURES", replace(attempts.FAILURES, attempts=2))
    line, step = int(IPv6Address("2001:db8:77::")), {64: 1, 56: 1 << 64, 48: 1 << 72}[bits]
    for number in range(failures):
        guess(1, f"name{number}", REMOTE_ADDR=str(IPv6Address(line + number * step)))

    inside = str(IPv6Address(line + failures * step))
    assert sign_in(client, REMOTE_ADDR=inside).status_code == 429
    assert sign_in(client, REMOTE_ADDR="2001:db8:78::1").status_code == 302


def test_names_without_an_account_are_answered_like_those_with_one(ada):
    assert [guess(5, name).status_code for name in ["ada", "nobody"]] == [429, 429]


def test_after_fifteen_minutes_the_right_password_lets_in(client, ada):
    with time_machine.travel(NOON, tick=False) as clock:
        guess()
        clock.shift(timedelta(minutes=14, seconds=59))
        assert sign_in(client, REMOTE_ADDR=HERE).status_code == 429
        clock.shift(timedelta(seconds=2))
        assert sign_in(client, REMOTE_ADDR=HERE).status_code == 302


def test_trying_again_meanwhile_makes_nobody_wait_longer(client, ada):
    with time_machine.travel(NOON, tick=False) as clock:
        guess()
        clock.shift(timedelta(minutes=10))
        guess()
        clock.shift(timedelta(minutes=5, seconds=1))
        assert sign_in(client, REMOTE_ADDR=HERE).status_code == 302


def test_signing_in_forgets_the_wrong_passwords_before(client, ada):
    guess(4)
    sign_in(client, REMOTE_ADDR=HERE)

    assert AccessAttempt.objects.count() == 0
    assert guess(4).status_code == 422


def test_no_typed_password_is_kept(ada):
    guess()

    kept = AccessAttempt.objects.values().get()

    assert "guess" not in str(kept)


def test_who_signed_in_from_where_is_kept_with_the_session_alone(client, ada):
    sign_in(client, REMOTE_ADDR=HERE)

    assert AccessLog.objects.count() == 0
    assert [model for model in site._registry if model._meta.app_label == "axes"] == []


def test_attempts_that_count_no_more_are_over(ada):
    with time_machine.travel(NOON, tick=False) as clock:
        guess(1)
        clock.shift(timedelta(minutes=14))
        guess(1, REMOTE_ADDR=ELSEWHERE)
        clock.shift(timedelta(minutes=1, seconds=1))

        assert [attempt.ip_address for attempt in attempts.over()] == [HERE]


def test_the_form_for_comments_leads_through_signing_in_and_back(client, ada):
    address = f"{make_article().get_absolute_url()}reply/signed-in/?to=5"
    login = client.get(address)["Location"]

    response = sign_in(client, address=login)

    assert response["Location"] == address


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_signing_in_leads_to_no_other_site(client, ada, elsewhere):
    response = client.post("/admin/login/", {"username": "ada", "password": PASSWORD, "next": elsewhere})

    assert response["Location"] == "/admin/"


def test_signing_in_needs_the_pages_token(ada):
    client = Client(enforce_csrf_checks=True)

    assert sign_in(client).status_code == 403
    assert not is_signed_in(client)


# --- Who is signed in is asked for the password too ---


@pytest.fixture
def unlocked(ada):
    """The browser that Ada left open."""
    client = Client(REMOTE_ADDR=HERE)
    client.force_login(ada)
    return client


def change_password(client: Client, old: str, new: str = "battery staple"):
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post("/admin/password_change/", form)


def test_who_guesses_the_old_password_at_an_unlocked_machine_has_to_wait(unlocked, ada):
    # From now on, since a session ends some day.
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        answers = [change_password(unlocked, f"guess {number}") for number in range(5)]
        response = change_password(unlocked, PASSWORD)
        ada.refresh_from_db()
        kept = ada.check_password(PASSWORD)
        clock.shift(timedelta(minutes=15, seconds=1))
        later = change_password(unlocked, PASSWORD)

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 429]
    assert "Your old password was entered incorrectly." in answers[3].content.decode()
    assert response.status_code == 429
    assert "Too many wrong passwords from here. Try again in 15 minutes." in response.content.decode()
    assert response["Retry-After"] == str(15 * 60)
    assert kept
    assert later["Location"] == "/admin/password_change/done/"
    ada.refresh_from_db()
    assert ada.check_password("battery staple")
    assert unlocked.get("/admin/").status_code == 200


def test_the_right_old_password_forgets_the_wrong_ones_before(unlocked, ada):
    for number in range(4):
        change_password(unlocked, f"guess {number}")
    assert change_password(unlocked, PASSWORD, new="short").status_code == 422

    assert AccessAttempt.objects.count() == 0
    assert [change_password(unlocked, f"guess {number}").status_code for number in range(4)] == [422] * 4


def test_the_right_password_leaves_the_wrong_ones_of_others_and_from_elsewhere(unlocked, ada):
    guess(1, "bo")
    guess(1, REMOTE_ADDR=ELSEWHERE)
    guess(1)
    change_password(unlocked, PASSWORD)

    left = AccessAttempt.objects.order_by("username").values_list("username", "ip_address")
    assert list(left) == [("ada", ELSEWHERE), ("bo", HERE)]


def test_wrong_old_passwords_count_with_those_at_sign_in(unlocked, ada):
    guess(3)

    assert [change_password(unlocked, "wrong").status_code for _ in range(2)] == [422, 429]
