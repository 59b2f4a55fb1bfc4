"""Times in the admin at the two hours of a year that clocks show twice or not at all."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone
from lxml.html import document_fromstring

from articles.models import Article
from comments.models import Standing
from tests.factories import make_article, make_editor, make_user

pytestmark = pytest.mark.django_db

# On this night clocks in Berlin show 2:30 twice.
FIRST = datetime(2025, 10, 26, 0, 30, 15, tzinfo=UTC)
SECOND = datetime(2025, 10, 26, 1, 30, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def berlin(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    with timezone.override("Europe/Berlin"):
        yield


@pytest.fixture(autouse=True)
def editor(client):
    editor = make_editor()
    client.force_login(editor)
    return editor


def save(client, url, **changes):
    """Send a page of the admin as a browser does that has changed these fields of it."""
    page = document_fromstring(client.get(url).content.decode())
    form = next(form for form in page.forms if "_save" in form.fields)
    response = client.post(url, dict(form.form_values()) | changes)
    return response.context["adminform"].form.errors if response.context else {}


@pytest.mark.parametrize("moment", [FIRST, SECOND])
@pytest.mark.parametrize("name", ["published_at", "updated_at"])
def test_a_story_of_the_hour_that_comes_twice_is_saved_and_keeps_its_moment(client, moment, name):
    article = make_article(**{name: moment})

    errors = save(client, f"/admin/articles/article/{article.pk}/change/", title="A spelling mended")

    assert errors == {}
    assert Article.objects.values_list("title", name).get() == ("A spelling mended", moment)


@pytest.mark.parametrize(
    ("day", "clock", "moment"),
    [
        ("2025-10-26", "02:30:00", datetime(2025, 10, 26, 0, 30, tzinfo=UTC)),
        ("2025-03-30", "02:30:00", datetime(2025, 3, 30, 1, 30, tzinfo=UTC)),
        ("2025-10-26", "03:30:00", datetime(2025, 10, 26, 2, 30, tzinfo=UTC)),
        ("1900-01-01", "00:00:00", datetime(1899, 12, 31, 23, 0, tzinfo=UTC)),
        ("2999-12-31", "23:59:59", datetime(2999, 12, 31, 22, 59, 59, tzinfo=UTC)),
    ],
)
def test_every_time_that_is_typed_is_a_moment_and_has_an_address(client, day, clock, moment):
    article = make_article(slug="then")

    errors = save(
        client,
        f"/admin/articles/article/{article.pk}/change/",
        published_at_0=day,
        published_at_1=clock,
        updated_at_0=day,
        updated_at_1=clock,
    )

    article.refresh_from_db()
    assert errors == {}
    assert (article.published_at, article.updated_at) == (moment, moment)
    assert article.address == f"{day[:4]}/{day[5:7]}/then"


@pytest.mark.parametrize("day", ["1899-12-31", "3000-01-01"])
def test_a_year_beyond_is_refused_for_what_it_is(client, day):
    url = f"/admin/articles/article/{make_article().pk}/change/"

    assert save(client, url, published_at_0=day, published_at_1="12:00:00") == {
        "published_at": ["Enter a year from 1900 to 2999."]
    }


@pytest.mark.parametrize(("day", "clock"), [("", "12:00:00"), ("2025-10-26", ""), ("2025-13-01", "12:00")])
def test_half_a_time_is_still_refused(client, day, clock):
    url = f"/admin/articles/article/{make_article().pk}/change/"

    assert list(save(client, url, published_at_0=day, published_at_1=clock)) == ["published_at"]


@pytest.mark.parametrize("moment", [FIRST, SECOND])
def test_a_ban_that_ended_in_that_hour_is_saved_and_keeps_its_moment(client, moment):
    ban = Standing.objects.create(standing="banned", kind="name", value="troll", ends_at=moment)

    errors = save(client, f"/admin/comments/standing/{ban.pk}/change/", note="Again")

    assert errors == {}
    assert Standing.objects.values_list("note", "ends_at").get() == ("Again", moment)


def test_a_ban_may_end_with_the_last_minute_of_all(client):
    ban = Standing.objects.create(standing="banned", kind="name", value="troll")

    errors = save(
        client, f"/admin/comments/standing/{ban.pk}/change/", ends_at_0="2999-12-31", ends_at_1="23:59:00"
    )

    assert errors == {}
    assert Standing.objects.get().ends_at == datetime(2999, 12, 31, 22, 59, tzinfo=UTC)


def test_an_account_that_was_made_in_that_hour_is_saved(client):
    user = make_user(date_joined=SECOND, last_login=SECOND)

    errors = save(client, f"/admin/auth/user/{user.pk}/change/", first_name="Ada")

    user.refresh_from_db()
    assert errors == {}
    assert (user.first_name, user.date_joined, user.last_login) == ("Ada", SECOND, SECOND)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue"])
def test_a_day_at_the_end_of_all_calendars_is_no_fault_of_the_server(client, day, zone):
    user = make_user()
    with timezone.override(zone):
        errors = save(
            client, f"/admin/auth/user/{user.pk}/change/", date_joined_0=day, date_joined_1="12:00:00"
        )

    assert set(errors) <= {"date_joined"}
