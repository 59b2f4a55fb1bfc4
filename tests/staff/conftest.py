import pytest
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

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


@pytest.fixture
def phone(ada) -> TOTPDevice:
    """The second factor of Ada, which she has set up."""
    return TOTPDevice.objects.create(user=ada, name="ada")


def code_of(device: TOTPDevice, steps: int = 0) -> str:
    """Return what the app shows now, or so many half minutes later."""
    return f"{totp(device.bin_key, drift=steps):06}"


def give_code(client: Client, code: str, **request):
    return client.post(request.pop("address", "/admin/login/code/"), {"code": code}, **request)
