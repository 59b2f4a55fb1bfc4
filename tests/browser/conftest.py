"""Chromium on the running site, and a watch over what no page of ours may do."""

import os
import re
import shutil

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from comments.discussion import DiscussionSettings
from tests.browser.packages import missing_packages

# Playwright keeps an event loop running in this thread. Django would then refuse its database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

TIMEOUT = 60_000  # milliseconds; reached only by a test that fails
FLAGS = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    # What a page asks for elsewhere is seen by the watch, and never leaves this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
]
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP violation: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
});
"""


class Watch:
    """Opens pages as new visitors, and takes down their errors, dialogs and foreign requests.

    What is to meet requests on their way (`page.route`) has to be there before a page loads: one
    that has loaded may send its next request past it.
    """

    def __init__(self, browser, site: str):
        self.browser = browser
        self.site = site
        self.contexts: list[BrowserContext] = []
        self.seen: list[str] = []
        self.expected: list[str] = []

    def new_visitor(self, **options) -> Page:
        """Open an empty page in a browser profile of its own."""
        context = self.browser.new_context(
            **{"base_url": self.site, "locale": "en-GB", "timezone_id": "UTC", **options}
        )
        self.contexts.append(context)
        context.set_default_timeout(TIMEOUT)
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.seen.append(f"page error: {error.error}"))
        context.on("dialog", self._dialog)
        context.on("request", self._request)
        return context.new_page()

    def new_editor(self, user: User, **options) -> Page:
        """Open an empty page for someone who has signed in."""
        client = Client()
        client.force_login(user)
        page = self.new_visitor(**options)
        session = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": self.site}])
        return page

    def expect(self, fault: str) -> None:
        """Let every fault pass that the pattern is found in, and insist on one at least."""
        self.expected.append(fault)

    def expect_status(self, status: int) -> None:
        """Let a page answer with an error status, which Chromium notes in its console."""
        self.expect(rf"Failed to load resource: the server responded with a status of {status}")

    def close(self) -> None:
        for context in self.contexts:
            context.close()

    @property
    def unexpected(self) -> list[str]:
        return [fault for fault in self.seen if not any(re.search(known, fault) for known in self.expected)]

    @property
    def missing(self) -> list[str]:
        return [known for known in self.expected if not any(re.search(known, fault) for fault in self.seen)]

    def _console(self, message):
        if message.type == "error":
            self.seen.append(f"console: {message.text}")

    def _dialog(self, dialog):
        self.seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request):
        if not request.url.startswith((f"{self.site}/", "data:", "blob:")):
            self.seen.append(f"request to elsewhere: {request.url}")


@pytest.fixture(scope="session")
def browser():
    if missing := missing_packages():
        reason = f"a browser needs more packages (on Debian: apt install {' '.join(missing)})"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=TIMEOUT)
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*FLAGS, *sandbox]
        )
        yield browser
        browser.close()


@pytest.fixture
def watch(browser, live_server):
    # Playwright types in no time, as robots do.
    DiscussionSettings.objects.update_or_create(pk=1, defaults={"seconds_to_write": 0})
    watch = Watch(browser, live_server.url)
    yield watch
    watch.close()
    assert watch.unexpected == []
    assert watch.missing == []


@pytest.fixture
def page(watch) -> Page:
    """An empty page of a visitor whom nobody knows."""
    return watch.new_visitor()
