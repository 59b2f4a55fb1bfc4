"""Staff set up a second factor, sign in with it, and end a session: with keys, on a narrow screen."""

import re

import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Page, expect

from tests.browser.links import follow
from tests.browser.test_accessibility import SCHEMES, violations
from tests.factories import make_editor
from tests.staff.conftest import PASSWORD, code_of

NARROW = {"viewport": {"width": 320, "height": 640}}
# What is ours on a page of the admin: links in Django's own parts are less than 24 pixels high.
OURS = "#content"


@pytest.fixture
def ada(live_server):
    return make_editor(username="ada", password=PASSWORD)


def press_enter(page: Page) -> None:
    with page.expect_navigation():
        page.keyboard.press("Enter")


def type_password(page: Page) -> None:
    page.goto("/admin/")
    expect(page.get_by_label("Username:")).to_be_focused()
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    press_enter(page)


def type_code(page: Page, code: str) -> None:
    expect(page.get_by_label("Code")).to_be_focused()
    page.keyboard.type(code)
    press_enter(page)


def open_set_up(page: Page) -> TOTPDevice:
    page.goto("/admin/account/second-factor/")
    page.get_by_label("Your password").fill(PASSWORD)
    press_enter(page)
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    return TOTPDevice.objects.get(confirmed=False)


def is_narrow(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_from_setting_up_to_ending_another_session(watch, ada):
    page = watch.new_visitor(**NARROW)
    type_password(page)
    follow(page.get_by_role("link", name="Account", exact=True))
    follow(page.get_by_role("link", name="Set up a second factor"))
    device = open_set_up(page)
    picture = page.get_by_role("img", name="QR code with the secret below")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    type_code(page, code_of(device))
    codes = page.locator(".account-codes code").all_text_contents()
    assert len(codes) == 10
    follow(page.get_by_role("link", name="I have kept them: go on"))
    expect(page.get_by_text("You have 10 recovery codes left.")).to_be_visible()

    follow(page.get_by_role("button", name="Log out"))
    type_password(page)
    type_code(page, code_of(device, steps=1))
    expect(page.get_by_role("link", name="Account", exact=True)).to_be_visible()

    other = watch.new_visitor(**NARROW)
    type_password(other)
    type_code(other, codes[0])
    expect(other.get_by_text("You have 9 recovery codes left.")).to_be_visible()
    other.goto("/admin/account/")
    follow(other.get_by_role("button", name=re.compile("^End the session of Chrom")))
    expect(other.get_by_text("The session is ended.")).to_be_visible()

    page.reload()
    expect(page.get_by_label("Password:")).to_be_visible()
    other.reload()
    expect(other.get_by_role("heading", name="Your account")).to_be_visible()


def test_who_is_locked_out_finds_the_name_in_the_form(watch, ada):
    page = watch.new_visitor(**NARROW)
    watch.expect_status(422)
    watch.expect_status(429)
    page.goto("/admin/")
    for _ in range(6):
        page.get_by_label("Username:").fill("ada")
        page.get_by_label("Password:").fill("wrong")
        press_enter(page)

    expect(page.get_by_text("Try again in 15 minutes.")).to_be_visible()
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.get_by_label("Username:")).to_have_value("ada")
    assert is_narrow(page)


@SCHEMES
def test_the_pages_of_signing_in_have_no_wcag_violations_and_fit_320_pixels(watch, ada, scheme):
    page = watch.new_visitor(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce", **NARROW)
    faults = {}

    def look(name: str) -> None:
        if found := violations(page, OURS) + ([] if is_narrow(page) else ["wider than 320 px"]):
            faults[name] = found

    type_password(page)
    page.goto("/admin/account/")
    look("account without a second factor")
    page.goto("/admin/account/second-factor/")
    look("second factor, off")
    watch.expect_status(422)
    page.get_by_label("Your password").fill("wrong")
    press_enter(page)
    expect(page.get_by_text("This is not your password.")).to_be_visible()
    look("wrong password")
    device = open_set_up(page)
    look("set-up")
    type_code(page, code_of(device))
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    look("recovery codes")
    page.goto("/admin/account/second-factor/")
    look("second factor, on")

    other = watch.new_visitor()
    type_password(other)
    type_code(other, code_of(device, steps=1))
    page.goto("/admin/account/")
    look("account with two sessions")
    follow(page.get_by_role("button", name="Log out"))
    type_password(page)
    expect(page.get_by_label("Code")).to_be_focused()
    look("code")
    type_code(page, "000000")
    expect(page.get_by_text("This code is not right")).to_be_visible()
    look("wrong code")

    assert faults == {}
