import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from newsite.bounds import LARGEST_UPLOAD, tell_of_the_old_start
from tests.factories import make_article, make_editor
from tests.givens import SAME_ORIGIN
from tests.manual.documents import written

pytestmark = pytest.mark.django_db

HEADING = "<h1>This request could not be read</h1>"


@pytest.mark.parametrize(
    "codec", ["hex", "rot13", "zlib", "idna", "undefined", "utf-7", "unicode_escape", "utf-16"]
)
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_a_request_cannot_choose_how_it_is_decoded(client, codec, kind):
    response = client.generic(
        "POST",
        f"{make_article().get_absolute_url()}reply/",
        b"--x\r\nContent-Disposition: form-data; name=body\r\n\r\n\\ud800+2AA-\r\n--x--\r\n",
        f"{kind}; charset={codec}",
        headers=SAME_ORIGIN,
    )

    assert (response.status_code, HEADING in response.content.decode()) == (400, True)


def test_the_usual_character_set_may_be_named(client):
    response = client.post("/livez", b"", content_type="application/x-www-form-urlencoded; charset=UTF-8")

    assert response.status_code == 405


@pytest.mark.parametrize(
    "address",
    ["/?page=%00", "/admin/comments/standing/?kind__exact=a%00", "/admin/mail/mail/?state__exact=%00"],
)
def test_no_address_asks_for_a_null_character(client, address):
    """PostgreSQL has no such character, and Django's filters hand over what they get."""
    client.force_login(make_editor())

    response = client.get(address)

    assert (response.status_code, HEADING in response.content.decode()) == (400, True)


def test_a_visitor_uploads_nothing(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    file = SimpleUploadedFile("file.bin", b"x" * 2000)

    response = client.post(f"{make_article().get_absolute_url()}reply/", {"file": file}, headers=SAME_ORIGIN)

    assert (response.status_code, HEADING in response.content.decode()) == (413, True)


def test_an_editor_uploads_pictures(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    client.force_login(make_editor())
    data = {"file": SimpleUploadedFile("file.png", b"x" * 2000), "alternative_text": "A field"}

    response = client.post("/admin/articles/image/add/", data)

    assert (response.status_code, "one of these kinds" in response.content.decode()) == (200, True)


def test_nginx_lets_editors_upload_what_the_site_takes():
    servers = written("/etc/nginx/sites-available/newsite")

    assert f"client_max_body_size {LARGEST_UPLOAD // 2**20}m;" in servers


def test_a_service_with_the_old_command_is_told_of_once(client, caplog):
    tell_of_the_old_start.cache_clear()

    for server in ("Granian", "Granian", "WSGIServer/0.2"):
        client.get("/livez", SERVER_SOFTWARE=server)

    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "Granian was started without `manage.py web`"
    ]
