"""Links and buttons that lead to another page."""

from playwright.sync_api import Locator, Response


def follow(locator: Locator) -> Response:
    """Click, and return the answer once the page that this leads to has loaded, its scripts included.

    Who does not wait may look at the page that is about to go, or write into it.
    """
    with locator.page.expect_navigation() as navigation:
        locator.click()
    return navigation.value
