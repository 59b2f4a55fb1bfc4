"""Who leaves: what becomes of the account, and what is still known of what was done with it."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import ProtectedError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags
from django_otp.plugins.otp_totp.models import TOTPDevice

from articles.models import Article
from comments.models import Change
from staff import second_factor
from staff.sessions import Session
from tests.factories import (
    make_article,
    make_author,
    make_comment,
    make_editor,
    make_section,
    make_staff,
    make_user,
)
from tests.staff.conftest import PASSWORD, is_signed_in, sign_in

pytestmark = pytest.mark.django_db

ACCOUNTS = "/admin/auth/user/"
LOG = "/admin/admin/logentry/"


@pytest.fixture
def chief(db) -> Client:
    client = Client()
    client.force_login(make_editor(username="chief"))
    return client


@pytest.fixture
def mod(db):
    """Somebody with a byline who has changed a section and decided on a comment, and is signed in."""
    mod = make_editor(username="mod", password=PASSWORD)
    client = Client(headers={"User-Agent": "Firefox/140 Linux"})
    sign_in(client, "mod")
    section = make_section(name="Sport", slug="sport")
    client.post(
        f"/admin/articles/section/{section.pk}/change/",
        {"name": "Sports", "slug": "sport", "position": section.position},
    )
    make_comment(status="held").approve(by=mod)
    make_article(title="By Mo", authors=[make_author(name="Mo", user=mod)])
    TOTPDevice.objects.create(user=mod, name="mod")
    second_factor.new_recovery_codes(mod)
    mod.client = client
    return mod


def delete(client: Client, account: User):
    return client.post(f"{ACCOUNTS}{account.pk}/delete/", {"post": "yes"})


def delete_many(client: Client, *accounts: User, **more):
    form = {"action": "delete_selected", "_selected_action": [account.pk for account in accounts], **more}
    return client.post(ACCOUNTS, form)


def text_of(response) -> str:
    return " ".join(strip_tags(response.content.decode()).split())


def log(client: Client, search: str = "") -> list[tuple[str, str]]:
    """Return who did what, as the page of the log lists it."""
    found = client.get(LOG, {"q": search}).context["cl"].result_list
    return [(entry.user.get_username(), str(entry)) for entry in found]


class TestTheLog:
    def test_it_outlives_the_account_with_the_user_name_of_the_time(self, chief, mod):
        pk = mod.pk
        delete(chief, mod)

        assert not User.objects.filter(username="mod").exists()
        assert log(chief, "Sports") == [(f"mod (deleted account {pk})", "Changed “Sports” — Changed Name.")]
        assert [entry for entry in log(chief) if entry[0] == "chief"] == [("chief", "Deleted “mod.”")]

    def test_it_outlives_accounts_that_are_deleted_at_once(self, chief, mod):
        other = make_editor(username="other")

        delete_many(chief, mod, other, post="yes")

        assert not User.objects.filter(username__in=["mod", "other"]).exists()
        assert len(log(chief, "Sports")) == 1

    def test_the_history_of_what_was_changed_still_says_by_whom(self, chief, mod):
        section = LogEntry.objects.get(user=mod).object_id
        delete(chief, mod)

        page = text_of(chief.get(f"/admin/articles/section/{section}/history/"))

        assert f"mod (deleted account {mod.pk})" in page

    def test_what_signs_the_log_can_do_nothing_and_is_no_account(self, chief, mod, client):
        delete(chief, mod)
        signature = User.objects.get(signature__isnull=False)

        assert (signature.is_active, signature.is_staff, signature.email) == (False, False, "")
        assert not signature.has_usable_password()
        assert [user.get_username() for user in chief.get(ACCOUNTS).context["cl"].result_list] == ["chief"]
        assert chief.get(f"{ACCOUNTS}{signature.pk}/change/").status_code == 302
        assert User.username_validator.regex.search(signature.username) is None
        with pytest.raises(ProtectedError):
            signature.delete()

    def test_who_did_nothing_leaves_no_signature(self, chief):
        delete(chief, make_user(username="quiet"))

        assert User.objects.filter(signature__isnull=False).count() == 0

    def test_the_next_account_of_the_name_has_a_log_of_its_own(self, chief, mod):
        delete(chief, mod)
        heir = make_editor(username="mod")

        assert LogEntry.objects.filter(user=heir).count() == 0
        delete(chief, heir)
        assert len(log(chief, "Sports")) == 1

    def test_nobody_changes_or_deletes_an_entry(self, chief, mod):
        entry = LogEntry.objects.get(user=mod)

        statuses = [
            chief.post(f"{LOG}{entry.pk}/change/", {"object_repr": "x"}).status_code,
            chief.post(f"{LOG}{entry.pk}/delete/", {"post": "yes"}).status_code,
            chief.get(f"{LOG}add/").status_code,
        ]
        chief.post(LOG, {"action": "delete_selected", "_selected_action": entry.pk, "post": "yes"})

        assert statuses == [403, 403, 403]
        assert LogEntry.objects.get(pk=entry.pk).object_repr == "Sports"

    def test_it_is_for_those_who_may_see_it(self):
        client = Client()
        client.force_login(make_staff("Editor"))

        assert client.get(LOG).status_code == 403

    def test_the_list_costs_the_same_for_one_and_for_three(self, chief, mod):
        def queries() -> int:
            with CaptureQueriesContext(connection) as found:
                chief.get(LOG)
            return len(found)

        for_one = queries()
        for user in [make_editor(), make_editor()]:
            LogEntry.objects.log_actions(user.pk, [make_section()], 1)

        assert queries() == for_one


class TestLeaving:
    def test_the_page_says_in_a_few_lines_what_goes_and_what_stays(self, chief, mod):
        response = chief.get(f"{ACCOUNTS}{mod.pk}/delete/")

        page = response.content.decode()
        goes = re.findall(r"<li>([\w ]+: \d+)</li>", page)
        assert goes == ["Second factors: 1", "Recovery codes: 1", "Sessions: 1", "Places to sign in from: 1"]
        assert "The log of what was done in the admin, with the user name." in page
        assert page.index("Make inactive instead") < page.index("Delete the account")

    def test_what_the_page_says_stays_does(self, chief, mod):
        delete(chief, mod)

        (story,) = Article.objects.filter(title="By Mo")
        assert [(author.name, author.user) for author in story.authors.all()] == [("Mo", None)]
        assert [change.by_name for change in Change.objects.filter(to_status="approved")] == ["mod"]
        assert Session.objects.filter(user__username="mod").count() == 0
        assert not is_signed_in(mod.client)

    @pytest.mark.parametrize("many", [False, True])
    def test_neither_page_shows_what_lets_somebody_in(self, chief, mod, many):
        session = Session.objects.get(user=mod)
        device = TOTPDevice.objects.get(user=mod)
        response = delete_many(chief, mod) if many else chief.get(f"{ACCOUNTS}{mod.pk}/delete/")

        page = response.content.decode()
        assert response.status_code == 200
        assert session.session_key not in page
        assert session.public_id not in page
        assert device.key not in page

    def test_an_account_is_made_inactive_instead(self, chief, mod):
        response = chief.post(f"{ACCOUNTS}{mod.pk}/make-inactive/", follow=True)

        mod.refresh_from_db()
        assert mod.is_active is False
        assert "1 account is inactive now, and signed out everywhere." in text_of(response)
        assert not is_signed_in(mod.client)
        assert Session.objects.filter(user=mod).count() == 0
        assert log(chief, "mod") == [
            ("chief", "Changed “mod” — Made inactive."),
            ("mod", "Changed “Sports” — Changed Name."),
        ]

    def test_several_are_made_inactive_at_once_but_never_oneself(self, chief, mod):
        everyone = [user.pk for user in User.objects.all()]

        response = chief.post(
            ACCOUNTS, {"action": "make_inactive", "_selected_action": everyone}, follow=True
        )

        assert [user.username for user in User.objects.filter(is_active=True)] == ["chief"]
        assert "Your own account stays active." in text_of(response)

    def test_an_account_that_is_inactive_or_ones_own_is_only_deleted(self, chief, mod):
        User.objects.filter(pk=mod.pk).update(is_active=False)

        for account in User.objects.all():
            assert "Make inactive instead" not in text_of(chief.get(f"{ACCOUNTS}{account.pk}/delete/"))

    def test_an_account_that_has_commented_is_made_inactive_alone(self, chief):
        reader = make_user(username="reader")
        make_comment(user=reader, name="", email="")

        page = chief.get(f"{ACCOUNTS}{reader.pk}/delete/").content.decode()
        delete(chief, reader)
        delete_many(chief, reader, post="yes")

        assert "“reader” cannot be deleted, because this needs the account:" in page
        assert "<li>comments: 1</li>" in page
        assert "Make inactive instead" in page
        assert "Delete the account" not in page
        assert User.objects.filter(pk=reader.pk).exists()

    def test_no_link_makes_an_account_inactive(self, chief, mod):
        assert chief.get(f"{ACCOUNTS}{mod.pk}/make-inactive/").status_code == 405

    def test_it_needs_the_right_and_the_pages_token(self, mod):
        editor, strict = Client(), Client(enforce_csrf_checks=True)
        editor.force_login(make_staff("Editor"))
        strict.force_login(make_editor())

        statuses = [
            client.post(f"{ACCOUNTS}{mod.pk}/make-inactive/").status_code for client in [editor, strict]
        ]

        mod.refresh_from_db()
        assert (statuses, mod.is_active) == ([403, 403], True)

    @pytest.mark.parametrize(("number", "status"), [("999999", 404), ("9" * 30, 200)])
    def test_nobody_who_is_not_there_is_made_inactive(self, chief, number, status):
        response = chief.post(f"{ACCOUNTS}{number}/make-inactive/", follow=True)

        assert response.status_code == status
        assert "signed out everywhere" not in text_of(response)
