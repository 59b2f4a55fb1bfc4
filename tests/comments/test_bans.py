import pytest
from django.urls import reverse

from comments import bans
from comments.models import Comment, Standing
from tests.factories import make_comment, make_user
from tests.givens import NOON

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
        with django_assert_num_queries(3):
            bans.doubts("email", "@reader.example", None)


def test_visitors_without_an_address_are_told_apart_by_where_they_wrote_from():
    for number in (1, 2, 2):
        make_comment(name="Anonymous", email="", ip_address=f"192.0.2.{number}", website="https://x.example")
    for number in range(2):
        make_comment(name="Anonymous", email="", ip_address=None, website="https://x.example")
        make_comment(user=(reader := make_user()), name="Rita", email="", website="https://x.example")
        make_comment(user=reader, name="Rita", email=f"{number}@x.example", website="https://x.example")

    assert bans.doubts("website", "x.example", None) == [of_others(9, 6)]


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
        ({"kind": "address"}, of_others(2, 2)),
    ],
)
def test_a_doubtful_ban_from_the_queue_is_asked_about_once_more(client, editor, typed, doubt):
    comments = [make_comment(name="Guest", ip_address="192.0.2.7") for _number in range(2)]

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


NOBODY_IS_KNOWN = "Nothing is left of this comment to know its author by, so nobody can be banned for it."


@pytest.mark.parametrize(
    "fields",
    [
        # Whoever leaves the name empty is called so.
        {"name": "Anonymous"},
        {"name": "ANONYMOUS "},
        {"name": "Ada", "website": "https://ada.example", "erased_at": NOON},
    ],
)
def test_nobody_is_banned_for_a_comment_with_nothing_to_know_its_author_by(client, editor, fields):
    comment = make_comment(**{"email": "", "ip_address": None, "status": "held", **fields})

    asked = client.get(reverse("admin:comments_comment_ban", args=[comment.pk]))
    sent = [ban(client, comment, kind=kind, mark_as_spam="on") for kind in ("name", "website", "")]

    assert [NOBODY_IS_KNOWN in response.content.decode() for response in (asked, *sent)] == [True] * 4
    assert ['<button type="submit" class="button default">Ban' in r.content.decode() for r in sent] == [
        False
    ] * 3
    assert (asked.status_code, [response.status_code for response in sent]) == (200, [422] * 3)
    assert (Standing.objects.count(), Comment.objects.get().status) == (0, "held")


def test_the_name_of_whoever_leaves_it_empty_is_offered_by_no_ban(client, editor):
    nameless = make_comment(name="Anonymous", email="ada@reader.example", ip_address="192.0.2.7")

    page = client.get(reverse("admin:comments_comment_ban", args=[nameless.pk]))

    choices = page.context["form"].fields["kind"].choices
    assert choices == [
        ("email", "Email address: ada@reader.example"),
        ("address", "IP address: 192.0.2.7"),
    ]
