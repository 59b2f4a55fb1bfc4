import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth import get_user
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from staff import second_factor
from staff.models import RecoveryCodes
from staff.sessions import Session
from tests.factories import make_article, make_comment, make_editor, make_user
from tests.givens import NOON
from tests.staff.conftest import PASSWORD, code_of, give_code, is_signed_in, sign_in

SECOND_FACTOR = "/admin/account/second-factor/"
SET_UP = "/admin/account/second-factor/set-up/"
WRONG = "This code is not right, or was used before."


@pytest.fixture
def signed_in(ada):
    client = Client()
    client.force_login(ada)
    return client


def change(client: Client, what: str, password: str = PASSWORD, **request):
    return client.post(SECOND_FACTOR, {"password": password, what: ""}, **request)


def being_set_up(username: str = "ada") -> TOTPDevice:
    return TOTPDevice.objects.get(user__username=username, confirmed=False)


def codes_on(response) -> list[str]:
    return re.findall(r"<code>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</code>", response.content.decode())


class TestSettingUp:
    def test_a_code_turns_it_on_and_ten_recovery_codes_are_shown(self, signed_in, ada):
        assert change(signed_in, "set_up")["Location"] == SET_UP
        assert not second_factor.has_one(ada)

        response = give_code(signed_in, code_of(being_set_up()), address=SET_UP)

        assert second_factor.has_one(ada)
        assert len(set(codes_on(response))) == 10
        assert "no-store" in response["Cache-Control"]
        assert is_signed_in(signed_in)

    def test_a_wrong_code_turns_nothing_on_and_shows_the_same_secret(self, signed_in, ada):
        change(signed_in, "set_up")
        secret = second_factor.secret_of(being_set_up())

        response = give_code(signed_in, "000000", address=SET_UP)

        assert response.status_code == 422
        assert WRONG in response.content.decode()
        assert secret in response.content.decode()
        assert not second_factor.has_one(ada)
        assert StaticDevice.objects.count() == 0

    def test_the_secret_is_shown_as_text_as_a_link_and_as_a_picture(self, signed_in):
        change(signed_in, "set_up")
        device = being_set_up()

        text = signed_in.get(SET_UP).content.decode()
        picture = signed_in.get(f"{SET_UP}code.svg")

        assert second_factor.secret_of(device) in text
        assert "otpauth://totp/Newsite%3Aada?secret=" in text
        assert picture["Content-Type"] == "image/svg+xml"
        assert b"<svg" in picture.content
        assert b"style" not in picture.content
        assert "no-store" in picture["Cache-Control"]

    def test_the_page_shows_nothing_before_the_password_was_given(self, signed_in):
        assert change(signed_in, "set_up", password="wrong").status_code == 422

        assert signed_in.get(SET_UP)["Location"] == "/admin/account/"
        assert signed_in.get(f"{SET_UP}code.svg").status_code == 404
        assert TOTPDevice.objects.count() == 0

    def test_another_session_of_the_account_does_not_see_the_secret(self, signed_in, ada):
        change(signed_in, "set_up")
        other = Client()
        other.force_login(ada)

        assert other.get(SET_UP).status_code == 302
        assert other.get(f"{SET_UP}code.svg").status_code == 404

    def test_each_start_has_a_secret_of_its_own(self, signed_in):
        change(signed_in, "set_up")
        first = being_set_up().key
        change(signed_in, "set_up")

        assert being_set_up().key != first

    def test_it_ends_the_other_sessions_which_have_given_no_code(self, signed_in, ada):
        other = Client()
        other.force_login(ada)
        change(signed_in, "set_up")

        give_code(signed_in, code_of(being_set_up()), address=SET_UP)

        assert [is_signed_in(client) for client in [signed_in, other]] == [True, False]

    def test_the_code_that_turned_it_on_does_not_sign_in(self, signed_in, client):
        change(signed_in, "set_up")
        code = code_of(being_set_up())
        give_code(signed_in, code, address=SET_UP)

        sign_in(client)

        assert give_code(client, code).status_code == 422

    def test_the_address_without_an_account_leads_to_signing_in(self, client, db):
        assert client.get(SET_UP)["Location"] == "/admin/account/"
        assert client.get(f"{SET_UP}code.svg").status_code == 404

    def test_wrong_codes_are_slowed_down_here_too(self, signed_in):
        change(signed_in, "set_up")
        give_code(signed_in, "000000", address=SET_UP)

        assert give_code(signed_in, "000000", address=SET_UP).status_code == 429

    @pytest.mark.parametrize("address", [SECOND_FACTOR, SET_UP])
    def test_it_needs_the_pages_token(self, ada, address):
        client = Client(enforce_csrf_checks=True)
        client.force_login(ada)

        assert client.post(address, {"password": PASSWORD, "code": "000000"}).status_code == 403


class TestSigningIn:
    def test_without_a_second_factor_the_password_is_enough(self, client, ada):
        assert sign_in(client)["Location"] == "/admin/"
        assert is_signed_in(client)

    def test_the_password_alone_signs_nobody_in_on_any_page(self, client, phone):
        response = sign_in(client)

        assert response["Location"] == "/admin/login/code/?next=/admin/"
        assert not is_signed_in(client)
        address = f"{make_article().get_absolute_url()}reply/signed-in/"
        assert client.get(address)["Location"] == f"/sign-in/?next={address}"
        assert client.get("/admin/account/").status_code == 302
        assert Session.objects.filter(user__isnull=False).count() == 0

    def test_the_password_and_the_code_do(self, client, phone):
        sign_in(client)

        response = give_code(client, code_of(phone))

        assert response["Location"] == "/admin/"
        assert is_signed_in(client)

    def test_a_code_is_read_as_people_type_it(self, client, phone):
        sign_in(client)
        code = code_of(phone)

        assert give_code(client, f" {code[:3]} {code[3:]} ").status_code == 302

    def test_a_wrong_code_does_not(self, client, phone):
        sign_in(client)

        response = give_code(client, "000000")

        assert response.status_code == 422
        assert WRONG in response.content.decode()
        assert not is_signed_in(client)

    @pytest.mark.parametrize("code", ["", "abcdef", "12345", "x" * 33, "12345\0"])
    def test_what_is_no_code_at_all_does_not(self, client, phone, code):
        sign_in(client)

        assert give_code(client, code).status_code == 422
        assert not is_signed_in(client)

    def test_a_code_works_once(self, client, phone):
        code = code_of(phone)
        sign_in(client)
        give_code(client, code)
        other = Client()
        sign_in(other)

        assert give_code(other, code).status_code == 422
        assert not is_signed_in(other)

    @pytest.mark.django_db(transaction=True)
    def test_a_code_that_is_sent_twice_at_the_same_moment_works_once(self, ada, phone):
        code = code_of(phone)
        both = threading.Barrier(2)

        def works(_number) -> bool:
            both.wait()
            try:
                second_factor.use_code(ada, code)
            except ValidationError:
                return False
            finally:
                connection.close()
            return True

        with ThreadPoolExecutor(2) as threads:
            assert sorted(threads.map(works, range(2))) == [False, True]

    def test_another_accounts_code_does_not_sign_in(self, client, phone):
        other = TOTPDevice.objects.create(user=make_editor(), name="other")
        sign_in(client)

        assert give_code(client, code_of(other)).status_code == 422

    def test_wrong_codes_make_even_the_right_one_wait_longer_and_longer(self, client, phone):
        with time_machine.travel(NOON, tick=False) as clock:
            sign_in(client)
            for failure, seconds in enumerate([1, 2, 4, 8]):
                assert give_code(client, f"00000{failure}").status_code == 422
                response = give_code(client, code_of(phone))
                unit = "second" if seconds == 1 else "seconds"
                assert f"Try again in {seconds} {unit}." in response.content.decode()
                assert response.status_code == 429
                clock.shift(timedelta(seconds=seconds, milliseconds=1))

            assert give_code(client, code_of(phone)).status_code == 302

    @pytest.mark.parametrize("code", ["000000", "aaaa-aaaa-aaaa-aaaa"])
    def test_however_many_are_wrong_the_right_one_lets_in_after_an_hour(self, client, ada, phone, code):
        right = second_factor.new_recovery_codes(ada)[0]
        with time_machine.travel(NOON, tick=False) as clock:
            for _guess in range(40):
                sign_in(client)
                assert give_code(client, code).status_code == 422
                clock.shift(timedelta(hours=1))
            sign_in(client)

            assert give_code(client, code_of(phone) if code == "000000" else right).status_code == 302

    def test_wrong_codes_that_were_counted_before_the_upgrade_wait_an_hour_at_most(self, client, phone):
        with time_machine.travel(NOON, tick=False) as clock:
            long_ago = {"throttling_failure_count": 5000, "throttling_failure_timestamp": NOON}
            TOTPDevice.objects.update(**long_ago)
            clock.shift(timedelta(minutes=30))
            sign_in(client)
            assert give_code(client, code_of(phone)).status_code == 429
            clock.shift(timedelta(minutes=30))
            sign_in(client)

            assert give_code(client, code_of(phone)).status_code == 302

    def test_wrong_codes_count_whichever_browser_sends_them(self, client, phone):
        sign_in(client)
        give_code(client, "000000")
        other = Client()
        sign_in(other)

        assert give_code(other, code_of(phone)).status_code == 429

    def test_a_code_without_the_password_does_not_sign_in(self, client, phone):
        response = give_code(client, code_of(phone))

        assert response["Location"] == "/admin/login/?next=/admin/"
        assert not is_signed_in(client)

    def test_after_ten_minutes_the_password_has_to_be_given_again(self, client, phone):
        with time_machine.travel(NOON, tick=False) as clock:
            sign_in(client)
            clock.shift(timedelta(minutes=10, seconds=1))
            response = give_code(client, code_of(phone), address="/admin/login/code/?next=/admin/mail/mail/")

        assert response["Location"] == "/admin/login/?next=/admin/mail/mail/"

    @pytest.mark.parametrize("fields", [{"is_active": False}, {"password": "another"}])
    def test_an_account_that_was_changed_meanwhile_is_not_signed_in(self, client, ada, phone, fields):
        sign_in(client)
        type(ada).objects.filter(pk=ada.pk).update(**fields)

        give_code(client, code_of(phone))

        assert not is_signed_in(client)

    def test_who_has_left_the_staff_signs_in_with_a_code_where_readers_do(self, client, ada, phone):
        type(ada).objects.filter(pk=ada.pk).update(is_staff=False)

        step = sign_in(client, address="/sign-in/?next=/comments/mine/")["Location"]
        refused = give_code(client, "000000", address=step)
        nobody_yet = get_user(client)
        phone.refresh_from_db()
        phone.throttle_reset()
        response = give_code(client, code_of(phone), address=step)

        assert refused.status_code == 422
        assert nobody_yet.is_anonymous
        assert response["Location"] == "/comments/mine/"
        assert get_user(client) == ada
        assert not is_signed_in(client)
        assert sign_in(Client()).status_code == 422

    def test_who_gave_the_password_where_readers_do_gives_it_there_again(self, client, ada, phone):
        type(ada).objects.filter(pk=ada.pk).update(is_staff=False)
        with time_machine.travel(NOON, tick=False) as clock:
            step = sign_in(client, address="/sign-in/?next=/comments/mine/")["Location"]
            page = client.get(step).content.decode()
            clock.shift(timedelta(minutes=10, seconds=1))
            response = give_code(client, code_of(phone), address=step)

        assert '<a href="/sign-in/">Log in under another name</a>' in page
        assert response["Location"] == "/sign-in/?next=/comments/mine/"

    @pytest.mark.parametrize("address", ["/admin/login/code/?next=foo", "/admin/login/code/?next=admin"])
    def test_a_next_page_is_an_address_and_never_the_name_of_a_view(self, client, ada, phone, address):
        sign_in(client)

        response = give_code(client, code_of(phone), address=address)

        assert (response.status_code, is_signed_in(client)) == (302, True)

    def test_a_new_password_leaves_the_second_factor(self, client, ada, phone):
        ada.set_password("battery staple")
        ada.save()

        response = sign_in(client, password="battery staple")

        assert response["Location"] == "/admin/login/code/?next=/admin/"

    def test_the_session_has_another_key_after_each_step(self, client, phone):
        client.get("/admin/login/")
        sign_in(client)
        waiting = client.cookies["sessionid"].value
        give_code(client, code_of(phone))

        assert client.cookies["sessionid"].value != waiting
        assert not Session.objects.filter(session_key=waiting).exists()

    def test_the_form_for_comments_leads_through_both_steps_and_back(self, client, phone):
        story = make_article()
        comment = make_comment(article=story)
        address = f"{story.get_absolute_url()}reply/signed-in/?to={comment.pk}"

        step = sign_in(client, address=client.get(address)["Location"])["Location"]
        response = give_code(client, code_of(phone), address=step)

        assert response["Location"] == address
        assert client.get(address).status_code == 200

    @pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
    def test_the_second_step_leads_to_no_other_site(self, client, phone, elsewhere):
        sign_in(client)

        response = give_code(client, code_of(phone), address=f"/admin/login/code/?next={elsewhere}")

        assert response["Location"] == "/admin/"

    def test_it_needs_the_pages_token(self, phone):
        client = Client(enforce_csrf_checks=True)

        assert give_code(client, "000000").status_code == 403

    def test_nobody_may_keep_the_page(self, client, phone):
        sign_in(client)

        assert "no-store" in client.get("/admin/login/code/")["Cache-Control"]

    @pytest.mark.parametrize("write", [" {}", "{0[0]}{0[1]}{0[2]} {0[3]}{0[4]}{0[5]}\u200b"])
    @pytest.mark.parametrize("digits", ["0123456789", "０１２３４５６７８９"])
    def test_six_digits_are_taken_as_people_write_them(self, client, phone, write, digits):
        sign_in(client)
        code = code_of(phone).translate(str.maketrans("0123456789", digits))

        give_code(client, write.format(code))

        assert is_signed_in(client)


class TestRecoveryCodes:
    def test_one_signs_in_and_vanishes(self, client, ada, phone):
        codes = second_factor.new_recovery_codes(ada)
        sign_in(client)

        response = give_code(client, codes[3].upper(), follow=True)

        assert "You have 9 recovery codes left." in response.content.decode()
        assert is_signed_in(client)
        other = Client()
        sign_in(other)
        assert give_code(other, codes[3]).status_code == 422

    def test_the_database_knows_none_of_them(self, ada, phone):
        codes = {code.replace("-", "") for code in second_factor.new_recovery_codes(ada)}

        kept = set(StaticToken.objects.values_list("token", flat=True))

        assert (len(codes), len(kept), codes & kept) == (10, 10, set())
        assert {len(code) for code in codes} == {16}

    def test_what_the_database_knows_lets_nobody_in(self, client, ada, phone):
        second_factor.new_recovery_codes(ada)
        kept = StaticToken.objects.first().token
        sign_in(client)

        assert give_code(client, kept).status_code == 422

    def test_another_site_or_account_has_another_hash_of_the_same_code(self, ada, settings):
        bo = make_user(username="bo")
        codes = RecoveryCodes(user=ada)
        here = [codes.hash_of("abcd"), RecoveryCodes(user=bo).hash_of("abcd")]
        settings.SECRET_KEY = "another"

        assert len({*here, codes.hash_of("abcd")}) == 3

    def test_one_of_before_the_upgrade_still_signs_in(self, client, ada, phone):
        device = StaticDevice.objects.create(user=ada, name="ada")
        old = ["abcd2345", "efgh6723"]
        StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in old)

        for _again in range(2):  # an upgrade that was broken off begins once more
            import_module("staff.migrations.0005_hashed_recovery_codes").hash_codes(apps, None)

        assert not StaticToken.objects.filter(token__in=old).exists()
        sign_in(client)
        assert give_code(client, "abcd-2345").status_code == 302
        assert second_factor.recovery_codes_left(ada) == 1

    def test_guessing_them_is_slowed_down(self, client, ada, phone):
        codes = second_factor.new_recovery_codes(ada)
        sign_in(client)
        give_code(client, "aaaa-aaaa")

        assert give_code(client, codes[0]).status_code == 429

    @pytest.mark.parametrize(
        "between",
        ["", "-", " ", "\u2013", "\u2011", "\u00a0", "\u200b-", "\u00ad", " \u2014 "],
        ids=ascii,
    )
    def test_a_code_is_taken_with_whatever_stands_between_its_signs(self, client, ada, phone, between):
        code = second_factor.new_recovery_codes(ada)[3]
        sign_in(client)

        give_code(client, f" {code.replace('-', between)}\u200b")

        assert is_signed_in(client)

    def test_new_ones_take_the_place_of_the_old(self, signed_in, client, ada, phone):
        old = second_factor.new_recovery_codes(ada)

        new = codes_on(change(signed_in, "codes"))

        assert len(new) == 10
        sign_in(client)
        assert give_code(client, old[0]).status_code == 422
        StaticDevice.objects.update(throttling_failure_count=0)
        assert give_code(client, new[0]).status_code == 302

    def test_new_ones_need_the_password(self, signed_in, ada, phone):
        second_factor.new_recovery_codes(ada)

        assert codes_on(change(signed_in, "codes", password="wrong")) == []
        assert second_factor.recovery_codes_left(ada) == 10

    def test_there_are_none_without_a_second_factor(self, signed_in):
        change(signed_in, "codes")

        assert StaticDevice.objects.count() == 0

    def test_the_account_page_says_how_many_are_left(self, signed_in, ada, phone):
        codes = second_factor.new_recovery_codes(ada)
        second_factor.use_code(ada, codes[0].replace("-", ""))

        assert "You have 9 recovery codes left." in signed_in.get("/admin/account/").content.decode()


class TestChanging:
    def test_the_password_removes_it_with_all_codes(self, signed_in, client, ada, phone):
        second_factor.new_recovery_codes(ada)

        change(signed_in, "remove")

        assert not second_factor.has_one(ada)
        assert StaticDevice.objects.count() == 0
        assert sign_in(client)["Location"] == "/admin/"

    def test_a_wrong_password_removes_nothing(self, signed_in, ada, phone):
        response = change(signed_in, "remove", password="wrong")

        assert "This is not your password." in response.content.decode()
        assert re.search('<input type="password" [^>]*autofocus', response.content.decode())
        assert second_factor.has_one(ada)

    def test_guessing_the_password_here_is_stopped_as_it_is_at_sign_in(self, signed_in, ada, phone):
        for _ in range(5):
            change(signed_in, "remove", password="wrong")

        response = change(signed_in, "remove")

        assert response.status_code == 429
        assert "Too many wrong passwords from here." in response.content.decode()
        assert second_factor.has_one(ada)

    def test_the_old_device_works_until_another_is_confirmed(self, signed_in, ada, phone):
        change(signed_in, "set_up")
        assert second_factor.has_one(ada)

        give_code(signed_in, code_of(being_set_up()), address=SET_UP)

        assert [device.pk == phone.pk for device in TOTPDevice.objects.filter(user=ada)] == [False]

    def test_signing_in_does_not_lead_around_the_old_device(self, client, ada, phone):
        sign_in(client)
        session = client.session
        device = TOTPDevice.objects.create(user=ada, name="ada", confirmed=False)
        session[second_factor.SET_UP] = device.pk
        session.save()

        assert client.get(SET_UP).status_code == 302
        assert give_code(client, code_of(device), address=SET_UP)["Location"] == "/admin/account/"
        assert not is_signed_in(client)


class TestRequiring:
    @pytest.fixture(autouse=True)
    def required(self, settings):
        settings.REQUIRE_SECOND_FACTOR = True

    def test_signing_in_leads_to_setting_it_up_and_then_to_where_one_wanted_to(self, client, ada):
        step = sign_in(client, address="/admin/login/?next=/admin/mail/mail/")["Location"]
        assert step == f"{SET_UP}?next=/admin/mail/mail/"
        assert "This site wants a second factor" in client.get(step).content.decode()
        assert client.get(f"{SET_UP}code.svg").status_code == 200

        response = give_code(client, code_of(being_set_up()), address=step)

        assert len(codes_on(response)) == 10
        assert 'href="/admin/mail/mail/"' in response.content.decode()
        assert is_signed_in(client)

    @pytest.mark.parametrize("address", ["/admin/", "/admin/account/", SECOND_FACTOR, "/admin/mail/mail/"])
    def test_until_then_no_other_page_is_open(self, client, ada, address):
        sign_in(client)

        assert client.get(address)["Location"] == f"/admin/login/?next={address}"

    def test_until_then_nobody_comments_under_the_account(self, client, ada):
        sign_in(client)
        address = f"{make_article().get_absolute_url()}reply/signed-in/"

        assert client.get(address)["Location"] == f"/sign-in/?next={address}"

    def test_a_wrong_code_signs_nobody_in(self, client, ada):
        sign_in(client)

        assert give_code(client, "000000", address=SET_UP).status_code == 422
        assert not is_signed_in(client)

    def test_who_was_signed_in_before_it_was_required_is_so_no_more(self, signed_in):
        assert not is_signed_in(signed_in)

    def test_such_a_session_does_not_come_back_when_the_second_factor_is_there(self, signed_in, client, ada):
        sign_in(client)
        give_code(client, code_of(being_set_up()), address=SET_UP)

        assert [is_signed_in(each) for each in [client, signed_in]] == [True, False]

    def test_who_has_one_signs_in_as_ever(self, client, phone):
        sign_in(client)
        give_code(client, code_of(phone))

        assert is_signed_in(client)

    def test_who_removes_it_has_to_set_it_up_again(self, signed_in, phone):
        change(signed_in, "remove")

        assert not is_signed_in(signed_in)
        assert sign_in(signed_in)["Location"].startswith(SET_UP)

    def test_it_is_not_asked_of_those_who_are_not_on_the_staff(self, client, db):
        reader = make_user()
        client.force_login(reader)

        assert not second_factor.is_missing(reader)
        assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"


class TestHelping:
    LIST = "/admin/staff/secondfactor/"

    @pytest.fixture
    def chief(self, db):
        client = Client()
        client.force_login(make_editor())
        return client

    def test_an_administrator_removes_the_second_factor_of_another(self, chief, client, ada, phone):
        second_factor.new_recovery_codes(ada)

        chief.post(f"{self.LIST}{phone.pk}/delete/", {"post": "yes"})

        assert StaticDevice.objects.count() == 0
        assert sign_in(client)["Location"] == "/admin/"

    def test_an_administrator_removes_several_at_once(self, chief, ada, phone):
        second_factor.new_recovery_codes(ada)

        chief.post(self.LIST, {"action": "delete_selected", "_selected_action": phone.pk, "post": "yes"})

        assert (TOTPDevice.objects.count(), StaticDevice.objects.count()) == (0, 0)

    def test_the_list_shows_who_has_one_and_no_secret(self, chief, ada, phone):
        unfinished = TOTPDevice.objects.create(
            user=make_editor(username="unready"), name="b", confirmed=False
        )

        for address in [self.LIST, f"{self.LIST}{phone.pk}/change/"]:
            text = chief.get(address).content.decode()
            assert "ada" in text
            assert phone.key not in text
            assert unfinished.user.username not in text

    @pytest.mark.parametrize("address", ["add/", "{}/config/", "{}/qrcode/"])
    def test_nothing_else_can_be_done_to_it(self, chief, phone, address):
        assert chief.get(f"{self.LIST}{address.format(phone.pk)}").status_code in {302, 403}

    @pytest.mark.parametrize("address", ["otp_totp/totpdevice/", "otp_static/staticdevice/"])
    def test_the_pages_that_show_secrets_are_not_there(self, chief, address):
        assert chief.get(f"/admin/{address}").status_code == 404

    def test_who_has_no_right_to_removes_none(self, ada, phone):
        client = Client()
        client.force_login(make_user(is_staff=True))

        response = client.post(f"{self.LIST}{phone.pk}/delete/", {"post": "yes"})

        assert response.status_code == 403
        assert second_factor.has_one(ada)

    def test_the_list_costs_the_same_for_one_and_for_three(self, chief, phone):
        def queries() -> int:
            with CaptureQueriesContext(connection) as found:
                chief.get(self.LIST)
                return len(found)

        for_one = queries()
        for _ in range(2):
            TOTPDevice.objects.create(user=make_editor(), name="other")

        assert queries() == for_one

    def test_a_command_helps_the_last_administrator(self, client, phone, capsys):
        call_command("remove_second_factor", "ada")

        assert capsys.readouterr().out == "“ada” has no second factor any more.\n"
        assert sign_in(client)["Location"] == "/admin/"

    def test_after_a_loss_a_command_removes_all_second_factors(self, client, phone, capsys):
        TOTPDevice.objects.create(user=make_editor(username="bob"), name="other")

        call_command("remove_second_factor", "--all")

        said = ["“ada” has no second factor any more.", "“bob” has no second factor any more."]
        assert capsys.readouterr().out.splitlines() == said
        assert TOTPDevice.objects.count() == 0

    @pytest.mark.parametrize(
        ("name", "message"),
        [("nobody", "There is no account “nobody”."), ("ada", "“ada” has no second factor.")],
    )
    def test_the_command_says_what_it_cannot_do(self, ada, name, message):
        with pytest.raises(CommandError, match=message):
            call_command("remove_second_factor", name)
