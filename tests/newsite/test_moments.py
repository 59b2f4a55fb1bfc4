from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from newsite.templatetags.moments import lasting, moment, remaining, with_zone
from tests.givens import NOON


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("UTC", "23 November 2026, 12:00 UTC"),
        ("Europe/Paris", "23 November 2026, 13:00 CET"),
        ("Asia/Kolkata", "23 November 2026, 17:30 IST"),
        # Most zones have no name of their own.
        ("America/Sao_Paulo", "23 November 2026, 09:00 UTC−03:00"),
        ("Asia/Kathmandu", "23 November 2026, 17:45 UTC+05:45"),
    ],
)
def test_a_moment_names_the_zone_that_it_is_told_in(zone, words):
    with timezone.override(zone):
        assert with_zone(NOON) == words


def test_a_moment_says_which_side_of_the_doubled_hour_it_is_on():
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    with timezone.override("Europe/Paris"):
        assert [with_zone(at) for at in (first, first + timedelta(hours=1))] == [
            "25 October 2026, 02:30 CEST",
            "25 October 2026, 02:30 CET",
        ]


def test_a_moment_is_an_element_that_scripts_can_read():
    with timezone.override("Europe/Paris"):
        assert moment(NOON) == (
            '<time class="moment" datetime="2026-11-23T13:00:00+01:00">23 November 2026, 13:00 CET</time>'
        )


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(minutes=14, seconds=30), "14\xa0minutes"),
        (timedelta(days=2, hours=3), "2\xa0days, 3\xa0hours"),
    ],
)
def test_what_remains_is_told_in_words(left, words):
    with time_machine.travel(NOON, tick=False):
        element = remaining(NOON + left)

    assert element == f'<time class="remaining" datetime="{(NOON + left).isoformat()}">{words}</time>'


@pytest.mark.parametrize(
    ("length", "words"), [(timedelta(minutes=15), "15\xa0minutes"), (timedelta(days=7), "1\xa0week")]
)
def test_how_long_something_lasts_is_told_in_words(length, words):
    assert lasting(length) == words
