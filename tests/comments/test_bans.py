import pytest
from django.urls import reverse

from comments import bans
from comments.models import Standing
from tests.factories import make_comment, make_user

pytestmark = pytest.mark.django_db


def of_others(comments: int, people: int) -> str:
    return f"Of the last 1000 approved comments, {comments} would have been spam, by {people} people."


def ban(client, comment, **typed):
    url = reverse("admin:comments_comment_ban", args=[comment.pk])
    return client.post(
        url, {"kind": "email", "value": "", "days": "7", "note": "", **typed}, REMOTE_ADDR="198.51.100.7"
    )


def test_only_the_newest_comments_are_looked_at(monkeypatch):
    make_comment(email="1@reader.example")
    make_comment(email="2@reader.example")

    assert bans.doubts("email", "@reader.example", None) == [of_others(2, 2)]
    monkeypatch.setattr(bans, "LOOKED_AT", 1)
    assert bans.doubts("email", "@reader.example", None) == []


def test_doubts_cost_the_same_whatever_the_number_of_comments(django_assert_num_queries):
    for number in (1, 2):
        for _number in range(number):
            make_comment(user=make_user())
        with django_assert_num_queries(2):
            bans.doubts("email", "@reader.example", None)


# --- From the queue ---


@pytest.mark.parametrize(
    ("address", "banned"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("192.0.2.0", "192.0.2.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("2001:db8:1::", "2001:db8:1::/48"),
    ],
)
def test_a_ban_by_the_address_of_a_comment_hits_who_wrote_it_though_it_was_shortened(
    client, editor, address, banned
):
    comment = make_comment(ip_address=address, status="held")

    assert ban(client, comment, kind="address").status_code == 302
    assert Standing.objects.get().value == banned


@pytest.mark.parametrize(
    ("typed", "doubt"),
    [
        ({"kind": "email", "value": "@gmail.com"}, "Everybody may have an address of this provider."),
        (
            {"kind": "address", "value": "198.51.0.0/16"},
            "Your own address, 198.51.100.7, is in this network.",
        ),
        ({"kind": "name"}, of_others(2, 2)),
    ],
)
def test_a_doubtful_ban_from_the_queue_is_asked_about_once_more(client, editor, typed, doubt):
    comments = [make_comment(name="Anonymous", ip_address="192.0.2.7") for _number in range(2)]

    response = ban(client, comments[0], note="Third time", **typed)

    page = response.content.decode()
    assert (response.status_code, Standing.objects.count()) == (422, 0)
    assert (doubt in page, 'type="checkbox" name="sure"' in page, "Third time" in page) == (True, True, True)
    assert ban(client, comments[0], sure="on", **typed).status_code == 302
    assert Standing.objects.count() == 1


def test_a_ban_that_hits_one_person_shows_no_box(client, editor):
    comment = make_comment(status="held")
    page = client.get(reverse("admin:comments_comment_ban", args=[comment.pk])).content.decode()

    assert "Ban them all the same" not in page
    assert ban(client, comment).status_code == 302
