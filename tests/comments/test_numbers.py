"""The conversation in numbers: that they are right, and whose they are."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from comments import decisions, numbers, posting
from comments.models import Change, Comment, Decision, Firing
from comments.moderation import Submission
from tests.comments.test_queue import plans_of
from tests.factories import make_article, make_comment, make_editor, make_user, set_discussion
from tests.givens import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

NUMBERS = "/admin/comments/comment/numbers/"
DAY = timedelta(days=1)


def page_of(client, **query) -> str:
    response = client.get(NUMBERS, query)
    assert response.status_code == 200
    return response.content.decode()


def tables_on(page: str) -> list[list[list[str]]]:
    """Return the text of every table, row by row, without its heading."""
    return [
        [
            [
                unescape(" ".join(re.sub(r"<[^>]*>", "", cell).split()))
                for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
            ]
            for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)[1:]
        ]
        for table in re.findall(r"<table>.*?</table>", page, re.DOTALL)
    ]


def posted(**fields) -> Comment:
    """A comment that someone posts now."""
    set_discussion(flood_seconds=0)
    number = Comment.objects.count()
    defaults = {"name": "Ada", "email": "ada@example.com", "body": f"Word {number}."}
    if "article" not in fields:
        fields["article"] = make_article()
    return posting.post(Submission(Comment(**{**defaults, **fields})))


def decide(comment: Comment, kind: str, by) -> None:
    decisions.decide(Comment.objects.filter(pk=comment.pk), kind, by)


# --- Comments per day ---


def test_each_day_is_counted_by_state_and_days_with_nothing_are_there(client, editor):
    article = make_article()
    for ago, status, count in (
        (0, "approved", 2),
        (0, "spam", 1),
        (2, "held", 1),
        (29, "trash", 1),
        (30, "held", 1),
    ):
        for _ in range(count):
            make_comment(article=article, status=status, created_at=NOON - ago * DAY)

    days = tables_on(page_of(client))[0]

    assert len(days) == 30
    assert days[0] == ["23 November 2026", "0", "2", "1", "0", "0", "3"]
    assert days[1] == ["22 November 2026", "0", "0", "0", "0", "0", "0"]
    assert days[2] == ["21 November 2026", "1", "0", "0", "0", "0", "1"]
    assert days[29] == ["25 October 2026", "0", "0", "0", "1", "0", "1"]
    assert sum(int(row[-1]) for row in days) == 5


@pytest.mark.parametrize(
    ("query", "days"), [("90", 90), ("365", 365), ("30", 30), ("", 30), ("31", 30), ("x", 30)]
)
def test_the_reader_chooses_the_period(client, editor, query, days):
    page = page_of(client, days=query)

    assert len(tables_on(page)[0]) == days
    assert re.findall(r'\?days=(\d+)" aria-current="page"', page) == [str(days)]


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-22T22:59:59+00:00", date(2026, 11, 22)),
        ("2026-11-22T23:00:00+00:00", date(2026, 11, 23)),
        # The night in which the clocks are set back: this day has 25 hours.
        ("2026-10-24T22:00:00+00:00", date(2026, 10, 25)),
        ("2026-10-25T22:59:59+00:00", date(2026, 10, 25)),
        ("2026-10-25T23:00:00+00:00", date(2026, 10, 26)),
    ],
)
def test_days_begin_at_midnight_where_the_site_is(settings, moment, day):
    settings.TIME_ZONE = "Europe/Berlin"
    make_comment(created_at=datetime.fromisoformat(moment))
    days = [date(2026, 10, 25) + DAY * number for number in range(30)]

    approved = numbers.charts_of(make_editor(), days)[1]

    assert [when for when, count in zip(days, approved.counts, strict=True) if count] == [day]


def test_the_last_day_is_today_where_the_site_is(client, editor, settings, clock):
    settings.TIME_ZONE = "Europe/Berlin"
    clock.move_to(datetime(2026, 11, 23, 23, 30, tzinfo=UTC))
    make_comment(created_at=datetime(2026, 11, 24, 0, 10, tzinfo=ZoneInfo("Europe/Berlin")))

    assert tables_on(page_of(client))[0][0] == ["24 November 2026", "0", "1", "0", "0", "0", "1"]


def test_a_chart_has_a_bar_for_each_day_with_comments():
    days = [date(2026, 11, day) for day in range(1, 5)]
    chart = numbers.Chart("Held", [0, 4, 1, 4], days)

    assert chart.bars == "M11 100v-100.0h8V100zM21 100v-25.0h8V100zM31 100v-100.0h8V100z"
    assert (chart.total, chart.most, chart.busiest, chart.width) == (9, 4, days[1], 40)


def test_a_chart_says_in_words_what_it_shows(client, editor):
    article = make_article()
    for ago in (1, 1, 4):
        make_comment(article=article, created_at=NOON - ago * DAY)

    page = " ".join(page_of(client).split())

    assert page.count('<svg role="img"') == 5
    assert "<strong>Approved</strong> 3, on one day at most 2 (22 November 2026)" in page
    assert "<strong>Spam</strong> None" in page
    label = "Approved: a bar for each day from 25 October 2026 to 23 November 2026. The table below has the numbers."
    assert f'aria-label="{label}"' in page


# --- How long comments wait ---


def test_half_of_the_held_comments_waited_no_longer_than_the_median(client, editor, clock):
    comments = [posted(name=name) for name in ("Ada", "Bo", "Cleo", "Dan")]
    for minutes, comment in zip((1, 10, 30, 100), comments, strict=True):
        clock.move_to(NOON + timedelta(minutes=minutes))
        decide(comment, "approve", editor)

    page = page_of(client)

    assert "4 comments were held on arrival" in page
    assert "waited no longer than 20\xa0minutes" in page


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([5], "5 seconds"),
        ([1, 2, 600], "2 seconds"),
        ([60, 120], "1\xa0minute"),
        ([3_600 * 26], "1\xa0day, 2\xa0hours"),
        ([1], "1 second"),
    ],
)
def test_the_median_is_told_in_words(editor, clock, times, expected):
    comments = [posted(name=f"Ada {number}") for number in range(len(times))]
    for seconds, comment in zip(times, comments, strict=True):
        clock.move_to(NOON + timedelta(seconds=seconds))
        decide(comment, "trash", editor)

    assert numbers.time_to_decide(editor, date(2026, 11, 1)) == {"count": len(times), "median": expected}


def test_only_the_first_decision_of_a_person_on_what_was_held_on_arrival_counts(editor, clock):
    held, at_once, untouched = posted(), make_comment(), posted(name="Untouched")
    clock.shift(timedelta(seconds=10))
    decisions.edit(held, editor, body="Better.")  # decides nothing
    clock.shift(timedelta(seconds=10))
    decide(held, "approve", editor)
    clock.shift(DAY)
    decide(held, "hold", editor)
    decide(held, "mark_as_spam", editor)
    # Held by readers, later: it did not wait from its arrival.
    at_once.hold_as_reported()
    clock.shift(DAY)
    decide(at_once, "approve", editor)
    posting.withdraw(Comment.objects.get(pk=posted(name="Own", article=untouched.article).pk))

    assert numbers.time_to_decide(editor, date(2026, 11, 1)) == {"count": 1, "median": "20 seconds"}


def test_nothing_decided_has_no_median(client, editor):
    posted()

    assert "In these days nobody decided on a comment that was held on arrival." in page_of(client)


# --- Rules, stories, people ---


def test_rules_are_listed_by_how_often_they_fired_with_what_became_of_that(client, editor):
    article = make_article()
    for number, status in enumerate(["approved", "approved", "spam"]):
        comment = make_comment(article=article, status=status)
        Firing.objects.create(comment=comment, rule="links", verdict="held", has_decided=number == 0)
    Firing.objects.create(comment=comment, rule="words", verdict="held", has_decided=True)
    old = make_comment(article=article, created_at=NOON - 40 * DAY)
    Firing.objects.create(comment=old, rule="too-fast", verdict="held", has_decided=True)

    page = page_of(client)

    assert tables_on(page)[1] == [
        ["Links", "3", "", "1", "2"],
        ["Has a word that holds it", "1", "", "1", "0"],
    ]
    assert re.findall(r'<rect width="([\d.]+)"', page)[:2] == ["100", "33"]
    assert 'href="/admin/comments/comment/?status=all&amp;rule=links"' in page


def test_a_rule_of_an_earlier_version_is_listed_by_its_short_name(client, editor):
    Firing.objects.create(comment=make_comment(), rule="old-rule", verdict="held")

    page = page_of(client)

    assert tables_on(page)[1] == [["old-rule", "1", "", "0", "1"]]
    assert "rule=old-rule" not in page


def test_stories_and_people_with_most_held_comments_are_listed(client, editor):
    busy, quiet = make_article(title="The <b>bridge</b>"), make_article(title="The gauge")
    first = posted(article=busy)
    for number in range(2):
        posted(article=busy, name=f"Ada {number}")
    posted(article=quiet, name="Bo", email="bo@example.com")
    decide(first, "mark_as_spam", editor)
    account = make_user(username="carla", first_name="Carla")
    for email in ("carla@example.com", "carla@newsroom.example"):
        posted(article=quiet, name="Carla", email=email, user=account)
    make_comment(article=quiet, email="never-held@example.com")
    make_comment(article=quiet, email="")  # nobody to know again

    page = page_of(client)

    assert tables_on(page)[2] == [["The <b>bridge</b>", "3", "", "0", "1"], ["The gauge", "3", "", "0", "0"]]
    assert tables_on(page)[3] == [
        ["Ada 1 (ada@example.com)", "3", "", "0", "1"],
        ["Carla (carla)", "2", "", "0", "0"],
        ["Bo (bo@example.com)", "1", "", "0", "0"],
    ]
    assert f"?status=all&amp;story={busy.pk}" in page
    assert "?status=all&amp;email=bo%40example.com" in page


def test_a_comment_that_is_held_again_counts_once_and_what_a_moderator_holds_does_not(client, editor):
    comment, other = posted(), make_comment(email="other@example.com")
    decide(comment, "approve", editor)
    Comment.objects.get(pk=comment.pk).hold_as_reported()
    decide(other, "hold", editor)

    assert [(line.label, line.known_by, line.count) for line in numbers.people(date(2026, 11, 1))] == [
        ("Ada", "ada@example.com", 1)
    ]


def test_a_name_in_another_direction_leaves_the_address_beside_it_readable(client, editor):
    posted(name="דנה כהן")

    page = client.get(NUMBERS).content.decode()

    assert "<bdi>דנה כהן</bdi> (<bdi>ada@example.com</bdi>)" in page


def test_whoever_was_erased_is_in_no_list(client, editor):
    comment = posted()
    Comment.objects.filter(pk=comment.pk).update(name="Anonymous", email="")

    assert numbers.people(date(2026, 11, 1)) == []


def test_the_lists_end_after_ten(editor, monkeypatch):
    monkeypatch.setattr(numbers, "LISTED", 2)
    for number in range(3):
        posted(email=f"reader{number}@example.com")

    since = date(2026, 11, 1)
    assert (len(numbers.people(since)), len(numbers.stories(editor, since))) == (2, 2)


def test_a_site_without_comments_has_its_numbers_too(client, editor):
    page = page_of(client)

    assert page.count("None in these days.") == 3
    assert [len(table) for table in tables_on(page)] == [30]


# --- Whose numbers they are ---


def test_authors_see_the_numbers_of_their_own_stories_and_no_people(client, author, clock):
    own, other = make_article(title="Mine", authors=[author]), make_article(title="Another’s")
    editor = make_editor()
    set_discussion(holds_everything=True)
    for article in (own, other, other):
        comment = posted(article=article, email="secret@example.com", name="Sven")
        comment.firings.all().delete()
        comment.firings.create(rule="links" if article == own else "words", verdict="held")
        clock.shift(timedelta(seconds=10 if article == own else 1000))
        decide(comment, "approve", editor)

    page = page_of(client)

    days, rules, stories = tables_on(page)
    assert days[0] == ["23 November 2026", "0", "1", "0", "0", "0", "1"]
    assert [row[0] for row in rules] == ["Links"]
    assert stories == [["Mine", "1", "", "1", "0"]]
    assert "It waited 10 seconds." in page
    assert ("secret@example.com" in page, "Sven" in page, "Another" in page, "People" in page) == (False,) * 4


def test_who_moderates_nothing_sees_no_numbers(client):
    client.force_login(make_user(is_staff=True))
    assert client.get(NUMBERS).status_code == 403

    client.logout()
    assert client.get(NUMBERS).status_code == 302


def test_nothing_is_written_by_looking(client, editor):
    assert client.post(NUMBERS).status_code == 405


@pytest.mark.parametrize("items", [1, 3])
@pytest.mark.parametrize("who", ["editor", "author"])
def test_the_numbers_take_the_same_queries_however_many(
    client, request, django_assert_num_queries, items, who
):
    user = request.getfixturevalue(who)
    article = make_article(authors=[user] if who == "author" else [])
    for number in range(items):
        comment = posted(article=article, email=f"reader{number}@example.com")
        Decision.objects.create(by=make_editor(), kind="approve").add(
            [Change(comment=comment, from_status="held", to_status="approved")]
        )

    # Rights; days; count and median; rules, stories, people.
    with django_assert_num_queries(9 if who == "editor" else 11):
        page_of(client)


# --- How they are read ---


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's query plan")
@pytest.mark.parametrize("who", ["editor", "author"])
def test_no_more_is_read_than_the_period_has(request, who):
    user = request.getfixturevalue(who)
    person = user if who == "editor" else user.user
    article = make_article(authors=[] if who == "editor" else [user])
    Comment.objects.bulk_create(
        Comment(article=article, path=f"{n:010d}", name="Ada", created_at=NOON - n * DAY) for n in range(200)
    )
    Change.objects.bulk_create(
        Change(comment=comment, from_status="held", to_status="approved", at=comment.created_at)
        for comment in Comment.objects.all()
    )
    since = NOON.date() - 29 * DAY

    days = plans_of(lambda: numbers.charts_of(person, [since]))
    decided = plans_of(lambda: numbers.time_to_decide(person, since))
    stories = plans_of(lambda: numbers.stories(person, since))

    assert ["created_at>?" in plan.partition("\n")[0] for sql, plan in days if "truncdate" in sql] == [True]
    period = "SEARCH comments_change USING INDEX change_recent (at>?)"
    changes = [plan for sql, plan in decided + stories if "comments_change" in sql]
    assert [plan.partition("\n")[0] for plan in changes] == [period] * 3


def test_the_queue_and_the_front_page_of_the_admin_lead_to_the_numbers(client, editor):
    for address in ("/admin/", "/admin/comments/comment/"):
        assert f'href="{NUMBERS}"' in client.get(address).content.decode()
