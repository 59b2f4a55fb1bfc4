import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from comments import decisions
from comments.models import Standing
from tests.factories import make_author, make_comment, make_editor, make_user
from tests.givens import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

LIST = reverse("admin:comments_standing_changelist")
ADD = reverse("admin:comments_standing_add")


@pytest.fixture
def moderator(client):
    """Someone signed in who may ban and trust people, and nothing else."""
    user = make_user(username="mo", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__endswith="_standing"))
    client.force_login(user)
    return user


def make_standing(**fields) -> Standing:
    return Standing.objects.create(**{"standing": "banned", "kind": "name", "value": "troll", **fields})


def add(client, **typed):
    defaults = {"standing": "banned", "kind": "email", "value": "spam@example.com"}
    return client.post(
        ADD, {"ends_at_0": "", "ends_at_1": "", "note": "", **defaults, **typed}, REMOTE_ADDR="192.0.2.7"
    )


def errors(response) -> dict[str, list[str]]:
    return dict(response.context["adminform"].form.errors) if response.status_code == 200 else {}


def listed(client, **query) -> list[str]:
    return [standing.value for standing in client.get(LIST, query).context["cl"].result_list]


# --- Adding ---


def test_the_form_shows_how_a_name_and_an_address_are_written_together(client, moderator):
    hint = "Name and email address together are written like “Ada &lt;ada@example.com&gt;”."
    banned = make_standing()

    assert hint in client.get(ADD).content.decode()
    assert hint in client.get(reverse("admin:comments_standing_change", args=[banned.pk])).content.decode()


@pytest.mark.parametrize(
    ("kind", "typed", "stored"),
    [
        ("email", " Spam@Example.com ", "spam@example.com"),
        ("email", "@Spam.Example", "@spam.example"),
        ("address", "198.51.100.7", "198.51.100.7/32"),
        ("address", "198.51.100.9/24", "198.51.100.0/24"),
        ("address", "2001:DB8::/32", "2001:db8::/32"),
        ("address", "::ffff:198.51.100.7", "198.51.100.7/32"),
        ("name", "The  TROLL", "the troll"),
        ("website", "https://www.shop.example/buy?x", "shop.example"),
        ("website", "bücher.example", "xn--bcher-kva.example"),
        ("person", "Bo <Bo@Example.com>", "Bo <bo@example.com>"),
        ("account", "troll", "troll"),
    ],
)
def test_a_ban_is_stored_as_comments_are_looked_up_with_who_made_it_and_why(
    client, moderator, kind, typed, stored
):
    make_user(username="troll")

    response = add(
        client, kind=kind, value=typed, note="Three warnings", ends_at_0="2026-12-01", ends_at_1="08:00"
    )

    assert (errors(response), response.status_code) == ({}, 302)
    standing = Standing.objects.get()
    assert (standing.standing, standing.kind, standing.value) == ("banned", kind, stored)
    assert (standing.by, standing.note) == (moderator, "Three warnings")
    assert standing.ends_at == datetime(2026, 12, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(("kind", "value"), [("person", "Bo <bo@example.com>"), ("account", "elf")])
def test_a_person_or_an_account_is_trusted(client, moderator, kind, value):
    make_user(username="elf")

    assert add(client, standing="trusted", kind=kind, value=value).status_code == 302
    assert Standing.objects.values_list("standing", "kind", "value").get() == ("trusted", kind, value)


A_NETWORK = "Enter an IP address like 192.0.2.7, or a network like 192.0.2.0/24."
AN_EMAIL = "Enter an email address like name@example.com, or @example.com for a whole domain."
TOO_LARGE = "A good part of all readers is in this network. Name one of /8 or smaller, in IPv6 /16."


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [
        ("email", "spam", AN_EMAIL),
        ("email", "192.0.2.0/24", AN_EMAIL),
        ("email", "@", AN_EMAIL),
        ("address", "spam@example.com", A_NETWORK),
        ("address", "192.0.2.300", A_NETWORK),
        ("address", "0.0.0.0/0", TOO_LARGE),
        ("address", "128.0.0.0/7", TOO_LARGE),
        ("address", "::/0", TOO_LARGE),
        ("address", "2000::/15", TOO_LARGE),
        ("address", "::ffff:0:0/96", TOO_LARGE),
        ("website", "shop", "Enter a website like https://example.com."),
        ("website", "https://com/", "Enter a website like https://example.com."),
        ("name", "\u200b\u2060", "Enter a name that readers can see."),
        ("person", "bo@example.com", "Write both like “Ada <ada@example.com>”."),
        ("person", "Bo <@example.com>", "Write both like “Ada <ada@example.com>”."),
        ("account", "nobody", "There is no account with this username."),
        ("email", "", "This field is required."),
    ],
)
def test_what_is_wrong_with_a_value_is_said_next_to_it_and_nothing_typed_is_lost(
    client, moderator, kind, value, error
):
    response = add(client, kind=kind, value=value, note="Three warnings")

    assert errors(response) == {"value": [error]}
    assert response.context["adminform"].form["note"].value() == "Three warnings"
    assert (response.context["adminform"].form["value"].value(), Standing.objects.count()) == (value, 0)


def test_a_name_alone_is_never_trusted(client, moderator):
    error = "Trust a name and an email address together, or an account: others can be typed."

    assert errors(add(client, standing="trusted", kind="name", value="Bo")) == {"kind": [error]}


def test_a_ban_that_is_over_before_it_begins_is_refused(client, moderator):
    error = "Name a time that is yet to come, or leave it empty."

    assert errors(add(client, ends_at_0="2026-11-23", ends_at_1="12:00:00")) == {"ends_at": [error]}


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_ban_that_ends_beyond_what_databases_count_is_refused(client, moderator, zone):
    with timezone.override(zone):
        response = add(client, kind="name", value="troll", ends_at_0="9999-12-31", ends_at_1="23:59:59")

    assert errors(response) == {"ends_at": ["Enter a year up to 2999."]}
    assert Standing.objects.count() == 0


def test_who_has_a_name_that_grows_when_it_is_compared_can_be_banned_and_is_found(client, moderator):
    """NFKC makes eighteen letters of this one."""
    response = add(client, kind="name", value="\ufdfa" * 100)

    assert response.status_code == 302
    comment = make_comment(name="\ufdfa" * 100, email="")
    assert [standing.kind for standing in Standing.objects.of(comment)] == ["name"]


def test_what_is_on_the_list_already_is_not_added_again(client, moderator):
    make_standing(kind="email", value="spam@example.com", by=moderator)
    make_standing(kind="email", value="old@example.com", ends_at=NOON)
    error = "This is on the list already, since 23 November 2026, by mo."

    assert errors(add(client, value="Spam@example.com")) == {"value": [error]}
    assert errors(add(client, value="old@example.com")) == {}
    assert Standing.objects.count() == 3


# --- Asking twice ---

MEANT = "If you mean it, tick “Ban them all the same”."


def of_others(comments: int, people: int) -> str:
    return f"Of the last 1000 approved comments, {comments} would have been spam, by {people} people."


def has_box(response) -> bool:
    return 'type="checkbox" name="sure"' in response.content.decode()


@pytest.mark.parametrize(
    ("kind", "value", "doubt"),
    [
        ("email", "@gmail.com", "Everybody may have an address of this provider."),
        ("address", "192.0.0.0/16", "Your own address, 192.0.2.7, is in this network."),
        ("address", "192.0.2.7", "Your own address, 192.0.2.7, is in this network."),
        ("email", "Anna@newsroom.example", "Someone with an account on this site has this name or address."),
        ("email", "@newsroom.example", "Someone with an account on this site has this name or address."),
        ("name", "Anna Stern", "Someone with an account on this site has this name or address."),
        ("name", "Аnnа Stern", "Someone with an account on this site has this name or address."),
        ("name", "The Byline", "Someone with an account on this site has this name or address."),
        (
            "person",
            "Bo <anna@newsroom.example>",
            "Someone with an account on this site has this name or address.",
        ),
        ("account", "anna", "Someone with an account on this site has this name or address."),
        ("account", "author", "Someone with an account on this site has this name or address."),
    ],
)
def test_a_ban_that_could_hit_others_or_oneself_is_asked_about_once_more(
    client, moderator, kind, value, doubt
):
    make_user(
        username="anna", email="anna@newsroom.example", first_name="Anna", last_name="Stern", is_staff=True
    )
    make_author(name="The Byline", user=make_user(username="author"))

    response = add(client, kind=kind, value=value)

    assert errors(response) == {"value": [doubt, MEANT]}
    assert (has_box(response), Standing.objects.count()) == (True, 0)
    assert add(client, kind=kind, value=value, sure="on").status_code == 302
    assert Standing.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "@reader.example"),
        ("address", "198.51.100.0/24"),
        ("name", "Anonymous"),
        ("website", "blog.example"),
    ],
)
def test_a_ban_that_would_have_hit_approved_comments_of_several_people_says_of_how_many(
    client, moderator, kind, value
):
    common = {"website": "https://my.blog.example", "name": "Anonymous"}
    for number in (1, 2, 2):
        make_comment(email=f"{number}@reader.example", ip_address=f"198.51.100.{number}", **common)
    make_comment(status="spam", email="3@reader.example", ip_address="198.51.100.3", **common)

    response = add(client, kind=kind, value=value)

    assert errors(response) == {"value": [of_others(3, 2), MEANT]}
    assert has_box(response)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "ada@reader.example"),
        ("email", "@reader.example"),
        ("address", "198.51.100.1"),
        ("name", "Ada"),
        ("person", "Ada <ada@reader.example>"),
        ("account", "reader"),
    ],
)
def test_a_ban_that_hits_one_person_is_not_asked_about(client, moderator, kind, value):
    make_user(username="reader")
    for _number in range(2):
        make_comment(name="Ada", email="ada@reader.example", ip_address="198.51.100.1")

    assert add(client, kind=kind, value=value).status_code == 302


def test_the_box_is_not_there_before_it_is_needed(client, moderator):
    page = client.get(ADD).content.decode()

    assert ('type="checkbox" name="sure"' in page, 'type="hidden" name="sure"' in page) == (False, True)


def test_the_box_stays_ticked_where_something_else_is_wrong(client, moderator):
    response = add(client, value="@gmail.com", sure="on", ends_at_0="2026-11-01", ends_at_1="12:00")

    assert list(errors(response)) == ["ends_at"]
    assert re.search(r'type="checkbox" name="sure"[^>]* checked', response.content.decode())


def test_trust_is_not_asked_about(client, moderator):
    make_comment(name="Ada", email="ada@gmail.com")

    assert add(client, standing="trusted", kind="person", value="Ada <ada@gmail.com>").status_code == 302


# --- Changing and deleting ---


def change(client, standing, **typed):
    url = reverse("admin:comments_standing_change", args=[standing.pk])
    data = {
        "standing": standing.standing,
        "kind": standing.kind,
        "value": standing.value,
        "note": standing.note,
    }
    return client.post(url, {"ends_at_0": "", "ends_at_1": "", **data, **typed})


def test_a_ban_is_ended_without_being_asked_about_again(client, moderator, clock):
    standing = make_standing(kind="email", value="@gmail.com", by=(editor := make_editor()))

    assert change(client, standing, ends_at_0="2026-11-23", ends_at_1="11:59").status_code == 302
    standing.refresh_from_db()
    assert (standing.ends_at, standing.by) == (NOON - timedelta(minutes=1), editor)


def test_another_value_is_asked_about(client, moderator):
    assert list(
        errors(change(client, make_standing(kind="email", value="a@b.example"), value="@gmail.com"))
    ) == ["value"]


@pytest.mark.parametrize(
    ("typed", "after"), [({"note": "My own reason"}, [("My own reason", None)]), ({}, [])]
)
def test_undoing_a_ban_leaves_what_a_colleague_has_made_of_it_since(client, moderator, typed, after):
    decision = decisions.ban(make_editor(), kind="email", value="spam@example.com", ends_at=None, note="")
    standing = Standing.objects.get()

    assert change(client, standing, **typed).status_code == 302
    undoing = decisions.undo(decision, decision.by)

    assert list(Standing.objects.values_list("note", "decision")) == after
    assert undoing.count == 1 - len(after)


def test_who_undoes_a_ban_that_a_colleague_has_changed_since_is_told_so(client, moderator):
    editor = make_editor()
    decision = decisions.ban(editor, kind="email", value="spam@example.com", ends_at=None, note="")
    change(client, Standing.objects.get(), note="My own reason")
    client.force_login(editor)

    response = client.post(reverse("admin:comments_undo", args=[decision.pk]), follow=True)

    told = str(list(response.context["messages"])[-1])
    assert told == "Nothing was undone: the ban or trust was changed or deleted since."


def test_a_ban_is_deleted(client, moderator):
    standing = make_standing()

    client.post(reverse("admin:comments_standing_delete", args=[standing.pk]), {"post": "yes"})

    assert Standing.objects.count() == 0


# --- The list ---


def test_the_list_is_searched_and_filtered(client, moderator):
    make_standing(value="troll", note="Three warnings", ends_at=NOON + timedelta(days=1))
    make_standing(value="ogre", ends_at=NOON, by=moderator)
    make_standing(standing="trusted", kind="person", value="Ada <ada@example.com>")

    assert listed(client) == ["Ada <ada@example.com>", "ogre", "troll"]
    assert listed(client, standing="banned") == listed(client, standing__exact="banned") == ["ogre", "troll"]
    assert listed(client, kind__exact="person") == ["Ada <ada@example.com>"]
    assert listed(client, in_force="yes") == ["Ada <ada@example.com>", "troll"]
    assert listed(client, in_force="no") == ["ogre"]
    assert listed(client, q="warnings") == ["troll"]
    assert listed(client, q="ada@") == ["Ada <ada@example.com>"]
    assert listed(client, q="mo") == ["ogre"]


def test_the_list_says_what_is_in_force(client, moderator):
    make_standing(value="troll")
    make_standing(value="ogre", ends_at=NOON)

    page = client.get(LIST).content.decode()

    shown = re.findall(r'class="field-who"><a [^>]*>(\w+)</a>.*?icon-(yes|no)', page, re.DOTALL)
    assert shown == [("ogre", "no"), ("troll", "yes")]


def test_the_list_says_in_few_words_what_is_banned_until_when(client, moderator):
    make_standing(value="a@example.com", kind="email", ends_at=NOON + timedelta(days=1))
    make_standing(value="Ada <a@example.com>", kind="person", standing="trusted")

    page = client.get(LIST).content.decode()

    cells = {
        name: re.findall(rf'<td class="field-{name}[^"]*">([^<]*)</td>', page) for name in ("what", "until")
    }
    assert cells == {"what": ["Name and email", "Email"], "until": ["for good", "24 November 2026"]}
    assert "<h1>Banned and trusted people</h1>" in page


@pytest.mark.parametrize("may", [True, False])
def test_the_list_leads_those_who_may_to_all_that_is_held_about_an_address(client, moderator, may):
    if may:
        moderator.user_permissions.add(Permission.objects.get(codename="change_comment"))
    page = client.get(LIST).content.decode()

    address = reverse("admin:comments_comment_by_address")
    assert re.findall(r'<a href="([^"]+)">Export or erase by address</a>', page) == [address] * may
    assert client.get(address).status_code == (200 if may else 403)


def test_the_lists_query_count_does_not_grow(client, moderator, django_assert_num_queries):
    for added in (1, 2):
        for number in range(added):
            make_standing(value=f"troll {added} {number}", by=make_user())
        with django_assert_num_queries(7):
            client.get(LIST)


@pytest.mark.parametrize("allowed", ["view", "add", "change", "delete"])
def test_each_action_needs_its_own_permission(client, allowed):
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename=f"{allowed}_standing"))
    client.force_login(user)
    standing = make_standing()

    assert (add(client).status_code == 302) == (allowed == "add")
    assert (change(client, standing, note="Changed").status_code == 302) == (allowed == "change")
    deleted = client.post(reverse("admin:comments_standing_delete", args=[standing.pk]), {"post": "yes"})
    assert (deleted.status_code == 302) == (allowed == "delete")
    facts = (Standing.objects.filter(kind="email").count(), Standing.objects.filter(note="Changed").count())
    assert facts == (int(allowed == "add"), int(allowed == "change"))
    assert Standing.objects.filter(pk=standing.pk).exists() == (allowed != "delete")
