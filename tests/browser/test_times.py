"""Moments in the reader's own zone and words."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F
from django.utils import timezone
from playwright.sync_api import Page, expect

from articles.models import Article
from comments import yours
from tests.browser.links import follow
from tests.factories import make_article, make_comment

NOW = datetime(2026, 11, 29, 21, 30, tzinfo=UTC)
DELHI = {"timezone_id": "Asia/Kolkata", "locale": "en-IN"}


def times_on(page: Page) -> list[str]:
    return page.locator(".comment-time").all_inner_texts()


def open_at_now(watch, address: str, **options) -> Page:
    page = watch.new_visitor(**options)
    page.clock.install(time=NOW)
    page.clock.pause_at(NOW + timedelta(seconds=10))
    page.goto(address)
    return page


def story_with_comments(*ages: timedelta):
    article = make_article(published_at=NOW - timedelta(days=30))
    for age in ages:
        make_comment(article=article, created_at=NOW - age)
    return article.get_absolute_url()


AGES = [timedelta(minutes=m) for m in (-3, 0, 1, 59, 60, 24 * 60 - 1, 24 * 60, 7 * 24 * 60 - 1, 8 * 24 * 60)]


def test_without_javascript_times_name_the_sites_zone(watch, settings):
    settings.TIME_ZONE = "Europe/Paris"
    page = watch.new_visitor(java_script_enabled=False, **DELHI)
    page.goto(story_with_comments(timedelta(0)))

    assert times_on(page) == ["29 November 2026, 22:30 CET"]
    expect(page.locator(".times")).to_contain_text("30 October 2026, 22:30 CET")


def test_times_are_told_as_the_reader_would_tell_them(watch):
    page = open_at_now(watch, story_with_comments(*reversed(AGES)), **DELHI)

    assert times_on(page) == [
        "22 November 2026",
        "6 days ago",
        "1 day ago",
        "23 hours ago",
        "1 hour ago",
        "59 minutes ago",
        "1 minute ago",
        "now",
        "now",
    ]
    expect(page.locator(".times .moment")).to_have_text("31 October 2026")


@pytest.mark.parametrize(
    ("site", "reader", "told"),
    [
        ("de", "de-CH", ["21. November 2026", "vor 3 Minuten"]),
        ("ar", "ar-EG", ["٢١ نوفمبر ٢٠٢٦", "قبل ٣ دقائق"]),
        # Someone whose own language is another reads the page in the page's.
        ("fr", "en-GB", ["21 novembre 2026", "il y a 3 minutes"]),
        ("en", "en-GB", ["21 November 2026", "3 minutes ago"]),
        ("en", "en-US", ["November 21, 2026", "3 minutes ago"]),
    ],
)
def test_times_are_told_in_the_language_of_the_page(watch, settings, site, reader, told):
    settings.LANGUAGE_CODE = site
    address = story_with_comments(timedelta(days=8), timedelta(minutes=3))

    page = open_at_now(watch, address, locale=reader)

    assert times_on(page) == told


def test_times_keep_up_with_the_clock(watch):
    page = open_at_now(watch, story_with_comments(timedelta(minutes=2)))
    assert times_on(page) == ["2 minutes ago"]

    page.clock.run_for(60_000)

    assert times_on(page) == ["3 minutes ago"]


def test_the_full_time_is_within_reach_of_mouse_keyboard_and_finger(watch):
    address = story_with_comments(timedelta(minutes=2))
    Article.objects.update(updated_at=F("published_at"))
    page = open_at_now(watch, address, **DELHI)
    shown = "time => getComputedStyle(time, '::after').content"
    of_comment = page.locator(".comment-time .moment")
    of_story = page.locator(".times .moment").last
    expect(of_comment).to_have_attribute("title", "30 November 2026 at 2:58 am")
    assert of_comment.evaluate(shown) == "none"

    page.locator(".comment-time").focus()
    assert of_comment.evaluate(shown) == '"30 November 2026 at 2:58 am"'
    of_story.click()
    assert of_story.evaluate(shown) == '"31 October 2026 at 3:00 am"'
    assert of_comment.evaluate(shown) == "none"


def test_the_time_to_edit_counts_down_and_takes_its_links_along(watch):
    comment = make_comment(created_at=timezone.now())
    page = watch.new_visitor()
    page.clock.install(time=timezone.now())
    page.goto(yours.address(comment))
    expect(page.locator(".while-it-works")).to_contain_text(
        "for another 14 minutes, or until someone replies"
    )

    page.clock.fast_forward("10:00")
    expect(page.locator(".remaining")).to_have_text("4 minutes")
    page.clock.fast_forward("05:00")

    expect(page.get_by_role("link", name="Edit")).to_have_count(0)
    follow(page.get_by_role("link", name="See it in the conversation"))
