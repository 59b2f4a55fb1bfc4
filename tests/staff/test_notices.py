"""What the owner of an account is mailed of, and how often at most."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from mail.models import Mail
from staff import notices, second_factor
from staff.models import Notified, Place
from tests.factories import make_editor, make_user
from tests.givens import NOON
from tests.staff.conftest import PASSWORD, code_of, give_code, sign_in

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HOME = {"REMOTE_ADDR": "192.0.2.7", "headers": {"User-Agent": FIREFOX}}
FACTOR = "/admin/account/second-factor/"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def at_home(ada) -> Client:
    """Ada's browser, which she has signed in with before."""
    client = Client(**HOME)
    sign_in(client)
    return client


@pytest.fixture
def chief(db) -> Client:
    client = Client(REMOTE_ADDR="192.0.2.99")
    client.force_login(make_editor(username="chief"))
    return client


def mailed() -> list[tuple[str, str]]:
    return list(Mail.objects.order_by("pk").values_list("recipient", "subject"))


def guess(times: int, username: str = "ada", **request) -> None:
    for number in range(times):
        sign_in(Client(**HOME), username, f"guess {number}", **request)


class TestPlaces:
    def test_the_first_sign_in_of_an_account_is_no_news(self, at_home):
        assert mailed() == []

    def test_a_place_that_is_known_is_none_either(self, at_home, clock):
        clock.shift(timedelta(days=20))
        sign_in(Client(**{**HOME, "REMOTE_ADDR": "192.0.2.200"}))

        assert mailed() == []

    @pytest.mark.parametrize(
        "elsewhere",
        [
            {"REMOTE_ADDR": "203.0.113.7"},
            {"REMOTE_ADDR": "2001:db8::1"},
            {"headers": {"User-Agent": FIREFOX.replace("Linux", "Windows")}},
            {"headers": {"User-Agent": ""}},
        ],
        ids=str,
    )
    def test_another_network_or_browser_is_mailed_once(self, at_home, ada, elsewhere):
        for _again in range(2):
            sign_in(Client(**{**HOME, **elsewhere}))

        assert mailed() == [(ada.email, "A new sign-in to your account: Newsite")]

    def test_a_new_version_of_the_browser_is_the_same_place(self, at_home):
        sign_in(Client(**{**HOME, "headers": {"User-Agent": FIREFOX.replace("140", "141")}}))

        assert mailed() == []

    def test_the_mail_says_when_with_which_browser_and_roughly_from_where(self, at_home):
        sign_in(Client(REMOTE_ADDR="203.0.113.7", headers={"User-Agent": FIREFOX}))

        mail = Mail.objects.get()
        for text in [mail.text, mail.html]:
            assert "Firefox on Linux" in text
            assert "203.0.113.0/24" in text
            assert "203.0.113.7" not in text
            assert "23 November 2026, 12:00 UTC" in text
            assert "https://news.example/admin/account/" in text
            assert "If this was you, there is nothing to do." in text

    def test_a_second_factor_has_to_be_right_first(self, ada, phone):
        ada.last_login = NOON
        ada.save()
        client = Client(**HOME)
        sign_in(client)
        assert mailed() == []
        give_code(client, code_of(phone))

        assert [subject for _to, subject in mailed()] == ["A new sign-in to your account: Newsite"]

    def test_no_address_is_kept_of_a_place_and_none_for_ever(self, at_home, clock):
        kept = str(list(Place.objects.values()))
        clock.shift(timedelta(days=366))
        call_command("housekeeping")

        assert "192.0.2" not in kept
        assert Place.objects.count() == 0


class TestGuessing:
    def test_the_owner_hears_when_there_were_five_wrong_passwords(self, ada):
        guess(4)
        assert mailed() == []
        guess(3)

        assert mailed() == [(ada.email, "Wrong passwords for your account: Newsite")]

    def test_at_most_every_six_hours(self, ada, clock):
        for _hour in range(13):
            guess(5)
            clock.shift(timedelta(hours=1))

        assert len(mailed()) == 3

    def test_nobody_is_mailed_of_a_name_without_an_account(self, ada):
        guess(6, "nobody")

        assert mailed() == []

    def test_the_owner_hears_of_five_wrong_codes_by_somebody_with_the_password(self, ada, phone, clock):
        client = Client(**HOME)
        sign_in(client)
        for _guess in range(7):
            give_code(client, "000000")
            clock.shift(timedelta(minutes=5))
            sign_in(client)

        assert mailed() == [(ada.email, "Wrong codes for your account: Newsite")]

    def test_a_code_that_came_too_soon_is_not_a_wrong_one(self, phone):
        client = Client(**HOME)
        sign_in(client)
        for _guess in range(9):
            give_code(client, "000000")

        assert mailed() == []


class TestChanges:
    def test_setting_up_a_second_factor_is_told(self, at_home, ada):
        at_home.post(FACTOR, {"password": PASSWORD, "set_up": ""})
        give_code(at_home, code_of(TOTPDevice.objects.get()), address=f"{FACTOR}set-up/")

        assert mailed() == [(ada.email, "A second factor was set up: Newsite")]

    @pytest.mark.parametrize(
        ("what", "subject"), [("remove", "The second factor was removed"), ("codes", "New recovery codes")]
    )
    def test_removing_it_and_new_recovery_codes_are_told(self, at_home, ada, phone, what, subject):
        at_home.post(FACTOR, {"password": PASSWORD, what: ""})

        assert mailed() == [(ada.email, f"{subject}: Newsite")]

    def test_a_wrong_password_changes_nothing_and_tells_nothing(self, at_home, phone):
        at_home.post(FACTOR, {"password": "wrong", "remove": ""})

        assert mailed() == []

    def test_a_recovery_code_that_is_used_is_told(self, at_home, ada, phone):
        codes = second_factor.new_recovery_codes(ada)
        client = Client(**HOME)
        sign_in(client)
        give_code(client, codes[0])

        assert mailed() == [(ada.email, "A recovery code was used: Newsite")]

    def test_a_new_password_is_told(self, at_home, ada):
        new = {"new_password1": "battery staple", "new_password2": "battery staple"}
        at_home.post("/admin/password_change/", {"old_password": "wrong", **new})
        assert mailed() == []
        at_home.post("/admin/password_change/", {"old_password": PASSWORD, **new})

        assert mailed() == [(ada.email, "Your password was changed: Newsite")]

    def test_an_administrator_is_named_who_changes_the_password_of_another(self, chief, ada):
        new = {"password1": "battery staple", "password2": "battery staple", "usable_password": "true"}
        chief.post(f"/admin/auth/user/{ada.pk}/password/", {**new, "password2": "other"})
        assert mailed() == []
        chief.post(f"/admin/auth/user/{ada.pk}/password/", new)

        assert mailed() == [(ada.email, "Your password was changed: Newsite")]
        assert "Done by: chief" in Mail.objects.get().text

    def test_another_address_is_told_to_the_old_one(self, chief, ada):
        old = ada.email
        page = chief.get(f"/admin/auth/user/{ada.pk}/change/").context["adminform"].form
        form = {name: value for name, value in page.initial.items() if value is not None}
        form |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
        chief.post(f"/admin/auth/user/{ada.pk}/change/", {**form, "first_name": "Ada"})
        assert mailed() == []
        chief.post(f"/admin/auth/user/{ada.pk}/change/", {**form, "email": "new@example.com"})

        ada.refresh_from_db()
        assert ada.email == "new@example.com"
        assert mailed() == [(old, "Your email address was changed: Newsite")]

    @pytest.mark.parametrize("many", [False, True])
    def test_an_administrator_is_named_who_removes_a_second_factor(self, chief, ada, phone, many):
        address = "/admin/staff/secondfactor/"
        if many:
            form = {"action": "delete_selected", "_selected_action": phone.pk, "post": "yes"}
            chief.post(address, form)
        else:
            chief.post(f"{address}{phone.pk}/delete/", {"post": "yes"})

        assert mailed() == [(ada.email, "The second factor was removed: Newsite")]
        assert "Done by: chief" in Mail.objects.get().text

    def test_so_is_the_command_on_the_server(self, ada, phone, capsys):
        call_command("remove_second_factor", "ada")

        assert mailed() == [(ada.email, "The second factor was removed: Newsite")]
        assert "Browser: A command on the server" in Mail.objects.get().text


class TestWhoAndHowOften:
    def test_an_account_without_an_address_gets_no_mail(self, ada):
        type(ada).objects.update(email="")
        guess(5)

        assert (mailed(), Notified.objects.count()) == ([], 0)

    def test_neither_does_an_inactive_one(self, ada):
        type(ada).objects.update(is_active=False)
        guess(5)

        assert mailed() == []

    def test_a_reader_with_an_account_is_not_led_to_the_admin(self, db):
        make_user(username="reader", email="reader@example.com")
        guess(5, "reader", address="/sign-in/")

        mail = Mail.objects.get()
        assert mail.recipient == "reader@example.com"
        assert "/admin/" not in mail.text + mail.html
        assert "tell the newsroom" in mail.text

    def test_of_a_kind_there_are_three_mails_a_day(self, at_home, phone, clock):
        for _change in range(5):
            at_home.post(FACTOR, {"password": PASSWORD, "codes": ""})
        assert len(mailed()) == 3
        clock.shift(timedelta(days=1, seconds=1))
        at_home.post(FACTOR, {"password": PASSWORD, "codes": ""})

        assert len(mailed()) == 4

    def test_what_was_told_is_forgotten_when_it_counts_no_more(self, ada, clock):
        notices.tell(ada, notices.Kind.CODES_MADE)
        clock.shift(timedelta(hours=23))
        call_command("housekeeping")
        assert Notified.objects.count() == 1
        clock.shift(timedelta(hours=2))
        call_command("housekeeping")

        assert Notified.objects.count() == 0

    def test_every_kind_has_its_sentence_and_a_mail(self, ada):
        for kind in notices.Kind:
            notices.tell(ada, kind)

        texts = [mail.text for mail in Mail.objects.order_by("pk")]
        assert len(texts) == len(notices.Kind)
        assert all(
            str(notices.SENTENCES[kind]) in text for kind, text in zip(notices.Kind, texts, strict=True)
        )
