"""Links and buttons that lead to another page."""

from playwright.sync_api import Locator, Page, Response


def follow(locator: Locator) -> Response:
    """Click, and return the answer once the page that this leads to has loaded, its scripts included.

    Who does not wait may look at the page that is about to go, or write into it.
    """
    with locator.page.expect_navigation() as navigation:
        locator.click()
    return navigation.value


def stay(page: Page) -> None:
    """Fail if the page is about to go: by the time that the site has answered it, it would be gone."""
    page.evaluate("fetch(location).then(response => response.text())")
