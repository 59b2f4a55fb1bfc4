import pytest

from mail.models import Mail
from tests.factories import make_editor

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor_client(client):
    client.force_login(make_editor())
    return client


def test_the_admin_shows_why_a_mail_was_given_up(editor_client, queue):
    queue(recipient="waits@example.com")
    given_up = queue(recipient="nobody@example.com")
    Mail.objects.filter(pk=given_up.pk).update(state="given-up", last_error="550 No such user")

    page = editor_client.get("/admin/mail/mail/?state__exact=given-up").content.decode()

    assert "nobody@example.com" in page
    assert "550 No such user" in page
    assert "waits@example.com" not in page


def test_a_mail_can_be_read_and_not_changed(editor_client, queue):
    mail = queue()

    page = editor_client.get(f"/admin/mail/mail/{mail.pk}/change/").content.decode()
    editor_client.post(f"/admin/mail/mail/{mail.pk}/change/", {"recipient": "other@example.com"})

    mail.refresh_from_db()
    assert "Good news." in page
    assert 'name="_save"' not in page
    assert mail.recipient == "ada@example.com"
    assert editor_client.get("/admin/mail/mail/add/").status_code == 403


def test_a_mail_that_was_given_up_is_sent_again(editor_client, queue):
    mail = queue()
    Mail.objects.filter(pk=mail.pk).update(state="given-up", attempts=5)

    response = editor_client.post(
        "/admin/mail/mail/", {"action": "send_again", "_selected_action": [mail.pk]}, follow=True
    )

    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == ("waiting", 0)
    assert "1 mail is sent again now." in response.content.decode()


# --- Links that decide for whoever has them ---

LINK = "https://news.example/comments/moderate/abc:123/"


@pytest.fixture
def waiting(queue):
    return queue(context={"words": f"Approve: {LINK}"}, headers={"List-Unsubscribe": f"<{LINK}>"})


def page_of(client, mail: Mail) -> str:
    return client.get(f"/admin/mail/mail/{mail.pk}/change/").content.decode()


@pytest.mark.parametrize("state", Mail.State.values)
def test_where_mail_leaves_nobody_reads_the_links_of_others(editor_client, waiting, state):
    Mail.objects.filter(pk=waiting.pk).update(state=state)

    page = page_of(editor_client, waiting)

    assert "Approve: https://news.example/comments/moderate/…" in page
    assert "abc:123" not in page


def test_where_no_mail_leaves_the_links_stand_in_the_admin(editor_client, waiting, settings):
    settings.EMAIL_URL_IS_SET = False

    assert LINK in page_of(editor_client, waiting)


@pytest.mark.parametrize("field", ["text", "html", "headers", "message_id", "about"])
def test_no_filter_of_an_address_guesses_at_a_text(editor_client, waiting, field):
    assert editor_client.get(f"/admin/mail/mail/?{field}__contains=abc").status_code == 400


def test_the_search_finds_no_link(editor_client, waiting):
    found = editor_client.get("/admin/mail/mail/?q=abc:123").context["cl"].result_list

    assert list(found) == []
