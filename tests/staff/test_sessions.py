from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from staff import browsers
from staff.sessions import Session
from tests.factories import make_article, make_editor
from tests.givens import NOON
from tests.staff.conftest import PASSWORD, is_signed_in, sign_in

ACCOUNT = "/admin/account/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def here(ada):
    client = Client(headers={"User-Agent": FIREFOX}, REMOTE_ADDR="192.0.2.1")
    sign_in(client)
    return client


@pytest.fixture
def elsewhere(ada):
    client = Client(REMOTE_ADDR="192.0.2.2")
    sign_in(client)
    return client


def end(client: Client, session: Session):
    return client.post("/admin/account/sessions/end/", {"session": session.public_id})


def session_of(client: Client) -> Session:
    return Session.objects.get(session_key=client.cookies["sessionid"].value)


def test_the_account_page_lists_the_sessions_of_the_account_this_one_first(here, elsewhere):
    response = here.get(ACCOUNT)

    rows = [
        (row["session"].address, row["browser"], row["is_current"]) for row in response.context["sessions"]
    ]
    assert rows == [
        ("192.0.2.1", "Firefox on Linux", True),
        ("192.0.2.2", "An unknown browser", False),
    ]


def test_the_account_page_names_no_session_key(here, elsewhere):
    text = here.get(ACCOUNT).content.decode()

    assert session_of(here).session_key not in text
    assert session_of(elsewhere).session_key not in text


def test_the_account_page_shows_no_session_of_another_account(here):
    other = make_editor()
    client = Client()
    client.force_login(other)

    shown = [row["session"].user for row in client.get(ACCOUNT).context["sessions"]]

    assert shown == [other]


def test_the_account_page_is_for_those_who_are_signed_in(client, db):
    response = client.get(ACCOUNT)

    assert (response.status_code, response["Location"]) == (302, f"/admin/login/?next={ACCOUNT}")


def test_every_page_of_the_admin_leads_to_the_account_page(here):
    pages = ["/admin/", "/admin/password_change/", "/admin/password_change/done/"]
    link = f'<a href="{ACCOUNT}">Account</a>'
    assert [here.get(page).content.decode().count(link) for page in pages] == [1, 1, 1]


def test_an_ended_session_is_out_at_its_very_next_request(here, elsewhere):
    assert is_signed_in(elsewhere)

    response = end(here, session_of(elsewhere))

    assert response["Location"] == ACCOUNT
    assert not is_signed_in(elsewhere)
    assert is_signed_in(here)


def test_an_ended_session_cannot_comment_under_the_account(here, elsewhere):
    address = f"{make_article().get_absolute_url()}reply/signed-in/"
    assert elsewhere.get(address).status_code == 200

    end(here, session_of(elsewhere))

    assert elsewhere.get(address).status_code == 302


def test_another_accounts_session_cannot_be_ended(here):
    stranger = Client()
    stranger.force_login(make_editor())

    response = end(stranger, session_of(here))

    assert response["Location"] == ACCOUNT
    assert is_signed_in(here)


@pytest.mark.parametrize("public_id", ["", "x", "\x00", "é" * 300])
def test_a_session_that_nobody_has_is_not_there_to_end(here, public_id):
    response = here.post("/admin/account/sessions/end/", {"session": public_id}, follow=True)

    assert ("is ended" in response.content.decode(), is_signed_in(here)) == (False, True)


def test_all_other_sessions_are_ended_at_once_and_nobody_elses(here, elsewhere):
    stranger = Client()
    stranger.force_login(make_editor())

    response = here.post("/admin/account/sessions/end-others/", follow=True)

    assert "1 other session is ended." in response.content.decode()
    assert [is_signed_in(client) for client in [here, elsewhere, stranger]] == [True, False, True]


@pytest.mark.parametrize("address", ["sessions/end/", "sessions/end-others/"])
def test_no_session_is_ended_by_a_link(here, elsewhere, address):
    assert here.get(f"{ACCOUNT}{address}").status_code == 405
    assert is_signed_in(elsewhere)


@pytest.mark.parametrize("address", ["sessions/end/", "sessions/end-others/"])
def test_no_session_is_ended_without_the_pages_token(ada, elsewhere, address):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)

    response = client.post(f"{ACCOUNT}{address}", {"session": session_of(elsewhere).public_id})

    assert response.status_code == 403
    assert is_signed_in(elsewhere)


def test_signing_out_forgets_the_session(here):
    here.post("/admin/logout/")

    assert Session.objects.filter(user__isnull=False).count() == 0


def test_a_new_password_ends_the_other_sessions_and_the_list_shows_so(here, elsewhere):
    form = {"old_password": PASSWORD, "new_password1": "battery staple", "new_password2": "battery staple"}
    here.post("/admin/password_change/", form)

    assert [row["is_current"] for row in here.get(ACCOUNT).context["sessions"]] == [True]
    assert [is_signed_in(client) for client in [here, elsewhere]] == [True, False]


def test_a_new_password_leaves_the_time_of_signing_in(ada):
    client = Client()
    with time_machine.travel(NOON, tick=False):
        sign_in(client)
    with time_machine.travel(NOON + timedelta(hours=1)):
        form = {
            "old_password": PASSWORD,
            "new_password1": "battery staple",
            "new_password2": "battery staple",
        }
        client.post("/admin/password_change/", form)

    assert session_of(client).started_at == NOON


def writes_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
        return sum(query["sql"].startswith("UPDATE") for query in queries)


def test_a_session_is_noted_once_in_five_minutes(ada):
    client = Client()
    with time_machine.travel(NOON, tick=False) as clock:
        sign_in(client)
        clock.shift(timedelta(minutes=4))
        early = writes_of(client, ACCOUNT)
        clock.shift(timedelta(minutes=2))
        due = writes_of(client, ACCOUNT)
        again = writes_of(client, ACCOUNT)

    assert (early, due, again) == (0, 1, 0)
    session = session_of(client)
    assert (session.started_at, session.seen_at) == (NOON, NOON + timedelta(minutes=6))


def test_the_address_of_a_session_is_believed_from_named_proxies_alone(ada, settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    client = Client()
    sign_in(client, REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": "1.2.3.4, 192.0.2.9"})

    assert session_of(client).address == "192.0.2.9"


def test_reading_makes_and_notes_no_session(here):
    before = session_of(here).seen_at
    story = make_article()

    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
        response = here.get(story.get_absolute_url())

    assert "Cookie" not in response.get("Vary", "")
    assert session_of(here).seen_at == before
    assert Client().get("/").cookies == {}


def test_the_list_of_sessions_costs_the_same_for_one_and_for_many(here):
    def queries() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as found:
            rows = here.get(ACCOUNT).context["sessions"]
            return len(rows), len(found)

    one = queries()
    for _ in range(2):
        sign_in(Client())

    assert (one[0], queries()) == (1, (3, one[1]))


def test_expired_sessions_are_neither_shown_nor_kept(here, elsewhere):
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=settings.SESSION_COOKIE_AGE + 60)):
        assert not is_signed_in(elsewhere)
        call_command("clearsessions")
        assert Session.objects.count() == 0


def test_who_is_not_seen_for_a_week_is_signed_out(here):
    with time_machine.travel(NOON, tick=False) as clock:
        client = Client()
        sign_in(client)
        clock.shift(timedelta(days=6, hours=23))
        assert is_signed_in(client)
        clock.shift(timedelta(days=6, hours=23))
        assert is_signed_in(client)
        clock.shift(timedelta(days=7, seconds=1))
        assert not is_signed_in(client)


def test_who_is_there_every_day_signs_in_anew_after_thirty_days(ada):
    with time_machine.travel(NOON, tick=False) as clock:
        client = Client()
        sign_in(client)
        days = 0
        while is_signed_in(client):
            clock.shift(timedelta(days=1))
            days += 1
        assert days == 30


def test_a_new_password_makes_no_session_longer(ada):
    with time_machine.travel(NOON, tick=False) as clock:
        client = Client()
        sign_in(client)
        for _week in range(4):
            clock.shift(timedelta(days=6))
            client.get(ACCOUNT)
        form = {
            "old_password": PASSWORD,
            "new_password1": "battery staple",
            "new_password2": "battery staple",
        }
        client.post("/admin/password_change/", form)
        assert is_signed_in(client)
        clock.shift(timedelta(days=6, seconds=1))
        assert not is_signed_in(client)


def test_a_browser_keeps_the_cookie_as_long_as_the_session_lasts(ada):
    with time_machine.travel(NOON, tick=False) as clock:
        client = Client()
        first = sign_in(client).cookies["sessionid"]["max-age"]
        for _day in range(28):
            clock.shift(timedelta(days=1))
            last = client.get(ACCOUNT).cookies["sessionid"]["max-age"]

    assert (first, last) == (7 * 24 * 60 * 60, 2 * 24 * 60 * 60)


def test_a_deleted_account_takes_its_sessions_along(here, ada):
    ada.delete()

    assert Session.objects.count() == 0
    assert not is_signed_in(here)


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/141.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("Firefox/1", "Firefox"),
        ("curl/8.14.1", "An unknown browser"),
        ("", "An unknown browser"),
    ],
)
def test_a_browser_is_named_in_words(user_agent, words):
    assert browsers.in_words(user_agent) == words
