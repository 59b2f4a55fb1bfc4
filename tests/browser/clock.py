"""The time that a page believes in."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page


def stop_the_clock(page: Page) -> None:
    """Let time go by for a page only where the test says so, however slow the machine is."""
    now = datetime.now(UTC)
    page.clock.install(time=now)
    page.clock.pause_at(now + timedelta(hours=1))
