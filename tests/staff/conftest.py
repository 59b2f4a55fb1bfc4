import pytest
from django.test import Client

from tests.factories import make_editor

PASSWORD = "correct horse"


@pytest.fixture
def ada(db):
    return make_editor(username="ada", password=PASSWORD)


def sign_in(client: Client, username: str = "ada", password: str = PASSWORD, **request):
    """Send the sign-in form of the admin, as a browser does."""
    address = request.pop("address", "/admin/login/")
    return client.post(address, {"username": username, "password": password}, **request)


def is_signed_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200
