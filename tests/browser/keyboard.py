"""Ways through a page without a mouse."""

from playwright.sync_api import Page


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")


def tab_to(page: Page, element: str) -> list[str]:
    """Press Tab until this element has the focus, and return all that had it on the way."""
    passed: list[str] = []
    while not passed or passed[-1] != element:
        assert len(passed) < 60, f"{element} cannot be reached: {passed}"
        page.keyboard.press("Tab")
        passed.append(focused(page))
        # The skip link shows itself as it takes the focus, so what is on the way may move.
        assert page.evaluate("document.activeElement.checkVisibility({opacityProperty: true})"), passed
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", f"no sign of the focus on {passed[-1]}"
    return passed
