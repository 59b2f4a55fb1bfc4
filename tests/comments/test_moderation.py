from datetime import timedelta
from itertools import combinations, count

import pytest
import time_machine
from django.db.models import ProtectedError

from comments import posting
from comments.models import Comment, Firing, Rule, Standing
from comments.moderation import EARLIER_READ, RULES, Refusal, Ruling, Submission, Verdict, decide, refuse
from tests.factories import (
    make_article,
    make_author,
    make_comment,
    make_editor,
    make_report,
    make_staff,
    make_user,
    set_discussion,
)
from tests.givens import NOON

pytestmark = pytest.mark.django_db

SHOWN = ("approved", "")


def held(because: str) -> tuple[str, str]:
    return ("held", because)


def submission(*, trap="", seconds=None, answers=None, **fields) -> Submission:
    """A comment of Ada's, from where the factory's comments come from."""
    defaults = {"name": "Ada", "email": "ada@example.com", "body": "Well said.", "ip_address": "127.0.0.1"}
    if "article" not in fields:
        fields["article"] = make_article()
    comment = Comment(**{**defaults, **fields})
    return Submission(comment, trap=trap, seconds=seconds, answers=answers or {})


def verdict(**sent) -> tuple[str, str]:
    """What is decided on a comment of Ada's, and by which rule."""
    ruling = decide(submission(**sent))
    return (ruling.status, ruling.because)


def test_the_first_comment_of_a_person_is_held():
    assert verdict() == held("first-comment")


def test_a_person_with_an_approved_comment_is_shown_at_once():
    make_comment(name="Ada", email="ada@example.com")

    assert verdict() == SHOWN
    assert verdict(email="Ada@Example.COM") == SHOWN


@pytest.mark.parametrize("status", ["held", "spam", "trash"])
def test_a_comment_that_is_not_approved_earns_no_trust(status):
    make_comment(name="Ada", email="ada@example.com", status=status)

    assert verdict() == held("first-comment")


@pytest.mark.parametrize(
    "other", [{"name": "Adá"}, {"name": "Аda"}, {"name": "Ada B."}, {"email": "ada@example.org"}]
)
def test_trust_needs_the_same_name_and_the_same_address(other):
    make_comment(name="Ada", email="ada@example.com")

    assert verdict(**other) == held("first-comment")


SPELLINGS = [
    ("Zoë O'Brien", "Zoë O’Brien"),
    ("Zoë O’Brien", "zoe\u0308 o\u02bcbrien"),
    ("Zoe\u0308", "Zoë"),
    ("Jean-Luc", "jean\u2011luc"),
    ("Ada Byron", "ＡＤＡ\u3000Byron"),
    ("Işıl", "IŞIL"),
    ("İnci", "inci"),
]


@pytest.mark.parametrize(("name", "other"), SPELLINGS)
def test_every_spelling_of_a_name_is_the_same_person(name, other):
    make_comment(name=name, email="ada@example.com")

    assert verdict(name=other) == SHOWN


@pytest.mark.parametrize(("name", "other"), SPELLINGS)
def test_every_spelling_of_a_name_is_trusted(name, other):
    make_comment(name=name, email="ada@example.com")
    set_discussion(links_that_hold=1)
    Standing.objects.create(standing="trusted", kind="person", value=f"{name} <ada@example.com>")

    assert verdict(name=other, body="https://a.example") == SHOWN


MAILBOXES = [
    ("ada@example.com", "Ada@Example.COM\u200b"),
    ("x@münchen.example", "x@xn--mnchen-3ya.example"),
    ("x@xn--mnchen-3ya.example", "x@MÜNCHEN.example"),
    ("ada@example.com", "ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ"),
]


@pytest.mark.parametrize(("email", "other"), MAILBOXES)
def test_every_spelling_of_an_address_is_the_same_person(email, other):
    make_comment(name="Ada", email=email)

    assert verdict(email=other) == SHOWN


@pytest.mark.parametrize(("email", "other"), MAILBOXES)
def test_every_spelling_of_an_address_is_banned_and_its_domain(email, other):
    address = Standing.normal("email", email)
    domain = Standing.normal("email", f"@{email.partition('@')[2]}")

    for value in (address, domain):
        Standing.objects.all().delete()
        ban("email", value)
        assert verdict(email=other) == ("spam", "banned")


@pytest.mark.parametrize(("name", "other"), SPELLINGS)
def test_the_same_words_under_another_spelling_are_a_duplicate(name, other):
    comment = make_comment(name=name, body="Hello", ip_address="192.0.2.1")
    again = submission(article=comment.article, name=other, body="Hello", ip_address="192.0.2.1")

    assert refuse(again).status == 409


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("https://a.example", SHOWN),
        ("https://a.example www.b.example", held("links")),
        ("[a](https://a.example) <a href='https://b.example'>b</a>", held("links")),
        ("one@example.com two@example.com", SHOWN),
        ("`https://a.example` `https://b.example`", SHOWN),
        ("three " + "https://a.example " * 3, held("links")),
        ("看https://a.example/x。看https://b.example/y", held("links")),
        ("see https://www.instagram.com/_ann_smith_/", SHOWN),
    ],
)
def test_two_links_hold_even_a_known_person(body, expected):
    make_comment(name="Ada", email="ada@example.com")

    assert verdict(body=body) == expected


@pytest.mark.parametrize(
    "typed",
    [
        {"name": "boss"},
        {"name": "The Boss"},
        {"name": "the boss"},
        {"name": "The Byline"},
    ],
)
def test_a_visitor_never_inherits_the_trust_of_a_registered_user(typed):
    boss = make_user(username="boss", email="boss@newsroom.example", first_name="The", last_name="Boss")
    make_author(name="The Byline", user=boss)
    person = {"name": "Ada", "email": "ada@example.com", **typed}
    make_comment(user=boss, **person)
    make_comment(**person)

    assert verdict(**person) == held("registered")


def test_an_account_with_a_first_name_only_is_known_by_it():
    make_user(username="boss", first_name="Alice")

    assert verdict(name="Alice") == held("registered")


def test_an_account_that_has_commented_cannot_be_deleted_and_leave_its_trust_behind():
    account = make_user()
    make_comment(user=account)

    with pytest.raises(ProtectedError):
        account.delete()


def test_a_comment_made_by_an_account_earns_no_trust_for_visitors():
    make_comment(name="Ada", email="ada@example.com", user=make_user())

    assert verdict() == held("first-comment")


def test_an_account_without_an_address_is_nobodys():
    make_user(email="")

    assert verdict(email="") == held("first-comment")


def test_who_fills_in_the_hidden_field_is_a_robot_even_under_a_known_name():
    make_comment(name="Ada", email="ada@example.com")

    assert verdict(trap="x") == ("spam", "trap")


@pytest.mark.parametrize(
    ("seconds", "enough", "status"),
    [
        (None, 3, "spam"),
        (2.9, 3, "spam"),
        (3, 3, "held"),
        (600, 3, "held"),
        (9, 10, "spam"),
        (10, 10, "held"),
        # Where the owner asks for no time, a person takes some all the same.
        (2.9, 0, "spam"),
        (3, 0, "held"),
    ],
)
def test_who_took_a_persons_time_may_have_a_browser_that_fills_in_everything(seconds, enough, status):
    set_discussion(seconds_to_write=enough)

    assert verdict(trap="x", seconds=seconds) == (status, "trap")


@pytest.mark.parametrize(
    "suspicion",
    [
        {"body": "A dragon."},
        {"answers": {Rule.AKISMET: Verdict("spam")}},
        {"answers": {Rule.WEBHOOK: Verdict("held", "Sounds rude")}},
    ],
    ids=["word", "akismet", "webhook"],
)
def test_who_took_time_over_what_is_suspect_besides_is_a_robot(suspicion):
    set_discussion(words_that_trash="dragon")

    assert verdict(trap="x", seconds=600, **suspicion) == ("spam", "trap")


def test_a_signed_in_moderator_is_shown_at_once():
    assert verdict(user=make_editor(), body="https://a.example https://b.example") == SHOWN


def test_an_account_without_the_right_to_moderate_is_treated_like_anyone():
    assert verdict(user=make_user()) == held("first-comment")


# --- Each rule, and each pair of them ---

# What each rule says of the comment below. The upper one of two that fire decides.
SAID = {
    Rule.AT_HOME: Verdict("approved"),
    Rule.BANNED: Verdict("spam", "ada"),
    Rule.REFUSED: Verdict("spam", "192.0.2.0/24"),
    Rule.TRAP: Verdict("spam"),
    Rule.TRASH_WORDS: Verdict("trash", "Dragon"),
    Rule.TRUSTED: Verdict("approved", "Ada <ada@example.com>"),
    Rule.ALLOWED: Verdict("approved", "192.0.2.0/24"),
    Rule.AKISMET: Verdict("spam"),
    Rule.WEBHOOK: Verdict("held", "Sounds rude"),
    Rule.EVERYTHING: Verdict("held"),
    Rule.REPORTED: Verdict("held", "3"),
    Rule.REGISTERED: Verdict("held"),
    Rule.WORDS: Verdict("held", "unicorn*"),
    Rule.LINKS: Verdict("held", "2"),
    Rule.TOO_FAST: Verdict("held", "1.5"),
    Rule.FIRST_COMMENT: Verdict("held"),
}
SWITCHES = {
    Rule.REFUSED: {"refused_addresses": "198.51.100.7\n192.0.2.0/24"},
    Rule.TRASH_WORDS: {"words_that_trash": "goblin\nDragon"},
    Rule.ALLOWED: {"allowed_addresses": "bo@example.com\n192.0.2.0/24"},
    Rule.EVERYTHING: {"holds_everything": True},
    Rule.REPORTED: {"reports_that_hold": 3},
    Rule.WORDS: {"words_that_hold": "unicorn*"},
    Rule.LINKS: {"links_that_hold": 2},
    Rule.TOO_FAST: {"seconds_to_write": 3},
    Rule.FIRST_COMMENT: {"holds_first_comments": True},
}
# Someone whose name is another's is neither trusted nor allowed for it, nor is who proves nothing trusted.
EXCLUSIVE = [
    (Rule.TRUSTED, Rule.REGISTERED),
    (Rule.ALLOWED, Rule.REGISTERED),
    (Rule.TRUSTED, Rule.FIRST_COMMENT),
]


def a_comment_that_fires(*rules: Rule) -> Submission:
    """A comment with a bit of everything, on a site where these rules alone have a reason to fire."""
    off = {"reports_that_hold": 0, "links_that_hold": 0, "seconds_to_write": 0, "holds_first_comments": False}
    set_discussion(**off)
    for rule in rules:
        set_discussion(**SWITCHES.get(rule, {}))
    user = make_user(is_staff=True, email="") if Rule.AT_HOME in rules else None
    comment = make_comment(
        name="Ada",
        email="ada@example.com",
        ip_address="192.0.2.1",
        body="Dragons? A dragon and unicorns: https://a.example https://b.example",
        status="held",
        user=user,
    )
    for _number in range(3):
        make_report(comment=comment)
    if Rule.BANNED in rules:
        Standing.objects.create(standing="banned", kind="name", value="ada")
    if Rule.TRUSTED in rules:
        kind, value = ("account", user.username) if user else ("person", "Ada <ada@example.com>")
        Standing.objects.create(standing="trusted", kind=kind, value=value)
    if Rule.REGISTERED in rules:
        make_user(username="ADA")
    if Rule.TRUSTED in rules and not (user or Rule.FIRST_COMMENT in rules):
        make_comment(name="Ada", email="ada@example.com", ip_address="192.0.2.1")
    return Submission(
        comment,
        trap="x" if Rule.TRAP in rules else "",
        seconds=1.5,
        answers={rule: SAID[rule] for rule in (Rule.AKISMET, Rule.WEBHOOK) if rule in rules},
    )


def ruling_of(*rules: Rule, user=None) -> Ruling:
    """What is decided where these rules fire, the first of them first."""
    fired = [(rule, SAID[rule]) for rule in rules]
    if user and Rule.TRUSTED in rules:
        fired = [
            (rule, said._replace(detail=user.username) if rule == Rule.TRUSTED else said)
            for rule, said in fired
        ]
    status = fired[0][1].status
    return Ruling(status, Rule.NOTHING if status == "approved" else rules[0], fired)


def test_where_no_rule_has_a_reason_none_fires():
    assert decide(a_comment_that_fires()) == Ruling("approved", Rule.NOTHING, [])


def test_the_rules_are_asked_in_this_order_and_each_says_what_it_does():
    assert list(RULES) == list(SAID)
    assert [rule.__name__ for rule in RULES.values() if not rule.__doc__] == []


@pytest.mark.parametrize("rule", SAID)
def test_each_rule_fires_where_it_has_a_reason(rule):
    assert decide(a_comment_that_fires(rule)) == ruling_of(rule)


@pytest.mark.parametrize(
    ("upper", "lower"), [pair for pair in combinations(SAID, 2) if pair not in EXCLUSIVE]
)
def test_of_two_rules_the_upper_one_decides_and_both_are_told(upper, lower):
    sent = a_comment_that_fires(upper, lower)

    assert decide(sent) == ruling_of(upper, lower, user=sent.comment.user)


@pytest.mark.parametrize(("kindness", "registered"), EXCLUSIVE)
def test_nobody_is_trusted_or_allowed_for_what_is_anothers(kindness, registered):
    assert decide(a_comment_that_fires(kindness, registered)) == ruling_of(registered)


def test_all_that_fired_is_stored_in_order_and_again_after_an_edit():
    set_discussion(words_that_hold="unicorn", words_that_trash="dragon", flood_seconds=0)
    sent = submission(body="A unicorn with https://a.example https://b.example", seconds=1)

    comment = posting.post(sent)

    stored = [("words", "held", "unicorn", True), ("links", "held", "2", False)]
    stored += [("too-fast", "held", "1", False), ("first-comment", "held", "", False)]
    assert list(comment.firings.values_list("rule", "verdict", "detail", "has_decided")) == stored
    assert (comment.status, comment.held_because) == held("words")

    comment = posting.edit(comment, "A dragon.")

    stored = [("trash-words", "trash", "dragon", True), ("first-comment", "held", "", False)]
    assert list(comment.firings.values_list("rule", "verdict", "detail", "has_decided")) == stored


def test_what_approves_is_stored_like_what_holds(ada):
    set_discussion(links_that_hold=1)
    Standing.objects.create(standing="trusted", kind="person", value="Ada <ada@example.com>")

    comment = posting.post(submission(body="https://a.example"))

    stored = [("trusted", "approved", "Ada <ada@example.com>", True), ("links", "held", "1", False)]
    assert list(comment.firings.values_list("rule", "verdict", "detail", "has_decided")) == stored
    assert (comment.status, comment.held_because) == SHOWN


def test_a_detail_is_stored_as_far_as_it_fits():
    comment = posting.post(submission(answers={Rule.WEBHOOK: Verdict(Comment.Status.HELD, "x" * 500)}))

    assert comment.firings.get(rule="webhook").detail == "x" * 200


@pytest.mark.parametrize(
    ("rule", "detail", "words"),
    [
        ("at-home", "", "Written by the story’s author or by staff"),
        ("banned", "192.0.2.0/24", "Banned: 192.0.2.0/24"),
        ("refused", "@example.com", "From a refused address: @example.com"),
        ("trap", "", "Filled in a field that people do not see"),
        ("trash-words", "dragon", "Has a word that moves it to the trash: dragon"),
        ("trusted", "Ada <a@example.com>", "Written by someone whom a moderator trusts: Ada <a@example.com>"),
        ("allowed", "@example.com", "From an allowed address: @example.com"),
        ("akismet", "", "Akismet takes it for spam"),
        ("webhook", "Sounds rude", "The moderation service objects: Sounds rude"),
        ("everything", "", "Every comment is held here"),
        ("reported", "3", "Reported by readers: 3"),
        ("registered", "", "A visitor used the name of a registered user"),
        ("words", "unicorn*", "Has a word that holds it: unicorn*"),
        ("links", "1", "Links: 1 link"),
        ("links", "2", "Links: 2 links"),
        ("links", "", "Links"),
        ("too-fast", "1.7298", "Written faster than anyone types: 1.7 seconds"),
        ("first-comment", "", "First comment under this name and email address"),
    ],
)
def test_moderators_read_what_a_rule_found(rule, detail, words):
    assert str(Firing(rule=rule, detail=detail)) == words


# --- The setting of each rule, on and off, and at its edge ---


@pytest.fixture
def ada():
    """Ada has an approved comment: nothing holds her but what a test is about."""
    return make_comment(name="Ada", email="ada@example.com")


@pytest.mark.parametrize(
    ("limit", "expected"), [(0, SHOWN), (1, held("links")), (2, held("links")), (3, SHOWN)]
)
def test_so_many_links_hold_as_the_owner_says(ada, limit, expected):
    set_discussion(links_that_hold=limit)

    assert verdict(body="https://a.example https://b.example") == expected


@pytest.mark.parametrize(
    ("limit", "seconds", "expected"),
    [(3, 2.9, held("too-fast")), (3, 3, SHOWN), (3, None, SHOWN), (3, 0, held("too-fast")), (0, 0, SHOWN)],
)
def test_who_is_quicker_than_the_owner_says_is_held(ada, limit, seconds, expected):
    set_discussion(seconds_to_write=limit)

    assert verdict(seconds=seconds) == expected


@pytest.mark.parametrize(
    ("limit", "reports", "expected"),
    [(3, 3, held("reported")), (3, 2, SHOWN), (0, 3, SHOWN), (1, 1, held("reported"))],
)
def test_so_many_reports_hold_as_the_owner_says(ada, limit, reports, expected):
    set_discussion(reports_that_hold=limit)
    for _number in range(reports):
        make_report(comment=ada)
    Comment.objects.filter(pk=ada.pk).update(name="Bo")  # who is known by another comment
    make_comment(name="Ada", email="ada@example.com")
    ada.name = "Ada"

    ruling = decide(Submission(ada))

    assert (ruling.status, ruling.because) == expected


def test_two_reports_of_one_sender_count_as_one(ada):
    set_discussion(reports_that_hold=2, holds_first_comments=False)
    make_report(comment=ada, sender="a" * 64)
    make_report(comment=ada, sender="a" * 64)

    assert decide(Submission(ada)).fired == []


def test_every_comment_is_held_on_the_site_or_on_one_story(ada):
    assert verdict(article=make_article(discussion="hold")) == held("everything")
    assert verdict(article=make_article()) == SHOWN

    set_discussion(holds_everything=True)

    assert verdict(article=make_article()) == held("everything")


def test_first_comments_are_shown_where_the_owner_does_not_hold_them():
    set_discussion(holds_first_comments=False)

    assert verdict() == SHOWN


@pytest.mark.parametrize("place", ["body", "name", "email", "website", "ip_address", "user_agent"])
@pytest.mark.parametrize(
    ("setting", "expected"),
    [("words_that_hold", held("words")), ("words_that_trash", ("trash", "trash-words"))],
)
def test_words_are_looked_for_in_all_that_was_sent(ada, place, setting, expected):
    sent = {
        "body": "A dragon.",
        "name": "The Dragon",
        "email": "dragon@example.com",
        "website": "https://dragon.example",
        "ip_address": "192.0.2.66",
        "user_agent": "Dragon/2.0",
    }
    set_discussion(holds_first_comments=False, **{setting: "192.0.2.66\ndragon"})

    assert verdict(**{place: sent[place]}) == expected
    assert verdict(body="Dragonfly", website="https://dragonfly.example", ip_address="192.0.2.67") == SHOWN


@pytest.mark.parametrize(
    "body",
    [
        "dra**gon**",
        "看https://www.example.com/it's/d%72agon/",
        "d&#114;agon",
        "dra<b></b>gon",
        "dr\u200bagon",
        "[look](https://d&#114;agon.example/)",
        "[look](https://d%72agon.example/)",
        "<a href='https://x.example/?q=d&#114;agon'>look</a>",
    ],
)
def test_no_markup_hides_a_word(ada, body):
    set_discussion(words_that_hold="dragon")

    assert verdict(body=body) == held("words")


@pytest.mark.parametrize("word", ["strong", "href", "nofollow"])
def test_our_own_markup_is_no_word_of_the_commenter(ada, word):
    set_discussion(words_that_hold=word)

    assert verdict(body="**Look**: https://a.example") == SHOWN


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("refused_addresses", ("spam", "refused")), ("allowed_addresses", SHOWN)],
)
@pytest.mark.parametrize(
    "entry", ["ada@example.com", "@example.com", "192.0.2.7", "192.0.0.0/16", "::ffff:192.0.2.7"]
)
def test_addresses_are_refused_and_allowed_in_every_form(setting, expected, entry):
    set_discussion(**{setting: entry}, links_that_hold=1)
    for address in ("192.0.2.7", "::ffff:192.0.2.7"):
        make_comment(name="Ada", email="ada@example.com", ip_address=address)

    assert verdict(ip_address="192.0.2.7", body="https://a.example") == expected
    assert verdict(ip_address="::ffff:192.0.2.7", body="https://a.example") == expected
    assert verdict(ip_address="198.51.100.1", email="ada@example.org") == held("first-comment")
    assert verdict(ip_address=None, email="") == held("first-comment")


# --- Bans and trust ---


def ban(kind: str, value: str, **fields) -> Standing:
    standing = Standing(standing="banned", kind=kind, value=value, **fields)
    standing.full_clean()
    standing.save()
    return standing


BANNED = ("spam", "banned")


@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        ("email", "Ada@Example.com", {}),
        ("email", "@example.com", {}),
        ("address", "192.0.2.0/24", {}),
        ("address", "192.0.2.7", {"ip_address": "::ffff:192.0.2.7"}),
        ("address", "2001:db8::/64", {"ip_address": "2001:db8::5:7"}),
        ("name", "ADA", {"name": "\uff21da"}),
        ("name", "Ada", {"name": "A\u200bda"}),
        ("person", "Ada <ada@example.com>", {}),
        ("website", "https://www.shop.example/x", {"website": "http://shop.example./"}),
        ("website", "shop.example", {"website": "https://cheap.SHOP.example:8080/?x"}),
        ("website", "bücher.example", {"website": "https://xn--bcher-kva.example/"}),
    ],
)
def test_who_is_banned_is_spam_in_every_spelling(ada, kind, value, sent):
    ban(kind, value)

    assert verdict(**{"ip_address": "192.0.2.7", **sent}) == BANNED


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "bo@example.com"),
        ("email", "@mail.example.com"),
        ("address", "192.0.3.0/24"),
        ("address", "2001:db8::/64"),
        ("name", "Ad"),
        ("person", "Ada <bo@example.com>"),
        ("website", "pop.example"),
        ("website", "cheap.shop.example"),
    ],
)
def test_a_ban_of_somebody_else_is_nothing_to_her(ada, kind, value):
    ban(kind, value)

    assert verdict(website="https://shop.example") == SHOWN


def test_an_account_is_banned_under_every_name():
    account = make_user(username="troll")
    make_comment(user=account)
    ban("account", "troll")

    assert verdict(user=account, name="Someone Nice") == BANNED
    assert verdict(user=make_user(username="elf")) == held("first-comment")


def test_no_standing_is_anybody_who_leaves_everything_empty():
    for standing in ("banned", "trusted"):
        for kind in Standing.Kind:
            Standing.objects.create(standing=standing, kind=kind, value="")
    Standing.objects.create(standing="trusted", kind="person", value="Anonymous <>")

    assert verdict(name="Anonymous", email="", ip_address=None) == held("first-comment")


def test_a_ban_lasts_until_its_end_and_no_longer(ada):
    with time_machine.travel(NOON, tick=False) as clock:
        ban("name", "Ada", ends_at=NOON + timedelta(days=1))

        assert verdict() == BANNED
        clock.shift(timedelta(days=1, microseconds=-1))
        assert verdict() == BANNED
        clock.shift(timedelta(microseconds=1))
        assert verdict() == SHOWN


def test_trust_lasts_until_its_end_and_no_longer(ada):
    set_discussion(links_that_hold=1)
    with time_machine.travel(NOON, tick=False):
        person = {"standing": "trusted", "kind": "person"}
        trust = Standing.objects.create(
            **person, value="Ada <ada@example.com>", ends_at=NOON + timedelta(seconds=1)
        )

        assert verdict(body="https://a.example") == SHOWN
        Standing.objects.filter(pk=trust.pk).update(ends_at=NOON)
        assert verdict(body="https://a.example") == held("links")


@pytest.mark.parametrize(
    "other", [{"name": "Adá"}, {"email": "ada@example.org"}, {"name": "Ada <ada@example.com>", "email": ""}]
)
def test_trust_is_in_one_name_and_one_address_together(other):
    Standing.objects.create(standing="trusted", kind="person", value="Ada <ada@example.com>")

    assert verdict(**other) == held("first-comment")


def test_who_types_the_name_and_the_address_of_a_trusted_account_is_held():
    account = make_user(username="ada", email="ada@example.com")
    for kind, value in (("account", "ada"), ("person", "Ada <ada@example.com>")):
        Standing.objects.create(standing="trusted", kind=kind, value=value)

    assert verdict() == held("registered")
    assert verdict(user=account) == SHOWN


def test_a_ban_is_looked_up_with_the_whole_address_of_the_request_where_a_part_is_kept():
    make_comment(name="Ada", email="ada@example.com", ip_address="192.0.2.0")
    set_discussion(shortens_addresses=True, flood_seconds=0)
    ban("address", "192.0.2.7")

    banned = posting.post(submission(name="Ada", ip_address="192.0.2.7"))
    neighbour = posting.post(submission(name="Ada", ip_address="192.0.2.8"))

    assert (banned.status, banned.ip_address) == ("spam", "192.0.2.0")
    assert (neighbour.status, neighbour.ip_address) == ("approved", "192.0.2.0")
    assert posting.edit(neighbour, "Better said.", ip_address="192.0.2.8").status == "approved"
    assert posting.edit(neighbour, "Buy this.", ip_address="192.0.2.7").status == "spam"
    assert Comment.objects.get(pk=neighbour.pk).ip_address == "192.0.2.0"


def test_a_ban_on_the_first_address_of_a_network_is_not_on_all_whose_address_was_shortened():
    make_comment(name="Ada", email="ada@example.com", ip_address="192.0.2.0")
    set_discussion(shortens_addresses=True)
    comment = posting.post(submission(ip_address="192.0.2.8"))
    ban("address", "192.0.2.0")

    assert posting.edit(comment, "Better said.", ip_address="192.0.2.8").status == "approved"


# --- Who is known, and who is registered ---


def test_an_edited_comment_is_no_proof_of_itself(ada):
    assert decide(Submission(ada)).because == "first-comment"


@pytest.mark.parametrize("holds_first_comments", [True, False])
def test_the_address_of_an_account_makes_no_difference_to_a_visitor(holds_first_comments):
    set_discussion(holds_first_comments=holds_first_comments)
    make_user(email="kay@newsroom.example")

    assert verdict(email="kay@newsroom.example") == verdict(email="jay@newsroom.example")


@pytest.mark.parametrize(
    "typed",
    [
        "ÉMILE ZOLA",
        "Emile Zola",
        "émile  zola",
        "Émilе Zоla",
        "Émi1e Zo1a",
        "\u202eÉmile Zola",
        "Ｅｍｉｌｅ Ｚｏｌａ",
    ],
)
@pytest.mark.parametrize("newsroom", ["staff", "author"])
def test_no_visitor_has_a_name_that_looks_like_one_of_the_newsroom(typed, newsroom):
    if newsroom == "staff":
        make_user(is_staff=True, first_name="Émile", last_name="Zola")
    else:
        make_author(name="Émile Zola", user=make_user())
    make_comment(name=typed, email="ada@example.com")

    assert verdict(name=typed) == held("registered")


@pytest.mark.parametrize("typed", ["Özgür Şen", "özgür şen", "ÖZGÜR ŞEN", "Özgür şen"])
@pytest.mark.parametrize("account", [{"username": "Özgür Şen"}, {"first_name": "Özgür", "last_name": "Şen"}])
def test_the_name_of_a_readers_account_is_known_in_the_usual_spellings(account, typed):
    make_user(**account)
    make_comment(name=typed, email="ada@example.com")

    assert verdict(name=typed) == held("registered")


def test_names_of_the_newsroom_are_read_in_one_query(django_assert_num_queries):
    for _number in range(2):
        for number in range(3):
            make_user(is_staff=True, first_name=f"Reporter {number}")
        sent = submission()
        with django_assert_num_queries(2):
            assert sent.is_registered is False


def test_nobody_inherits_the_trust_of_who_was_approved_without_an_address():
    make_comment(name="Anonymous", email="")

    assert verdict(name="Anonymous", email="") == held("first-comment")


# --- Refusals ---


def refusal(article=None, **fields) -> Refusal | None:
    """What is said to Ada when she sends a comment."""
    defaults = {"name": "Ada", "email": "ada@example.com", "body": "Well said.", "ip_address": "192.0.2.1"}
    comment = Comment(article=article or make_article(), **{**defaults, **fields})
    return refuse(Submission(comment))


# What Ada has said before.
BEFORE = {"name": "Ada", "email": "ada@example.com", "body": "Well said.", "ip_address": "192.0.2.1"}
DUPLICATE = Refusal(409, "You have already posted this comment here. It was not posted twice.")


def too_quick(seconds: int) -> Refusal:
    words = "1 second" if seconds == 1 else f"{seconds} seconds"
    return Refusal(429, f"Please wait {words} and post again. Your text is safe below.", seconds)


def test_a_comment_is_taken_where_nothing_speaks_against_it():
    assert refusal() is None


def test_a_closed_conversation_takes_none():
    assert refusal(make_article(discussion="closed")).status == 403


@pytest.mark.parametrize("status", ["approved", "held", "spam"])
def test_nobody_says_the_same_twice(status):
    said = make_comment(**BEFORE, status=status)

    assert refusal(said.article) == DUPLICATE
    assert refusal(said.article, email="Ada@example.com") == DUPLICATE


@pytest.mark.parametrize("email", ["ada@example.com", "bo@example.com", ""])
def test_whose_address_is_typed_tells_nothing_of_who_has_said_the_same(email):
    """Or whoever guesses would learn from the answer which address stands behind a public comment."""
    said = make_comment(**BEFORE)

    assert refusal(said.article, email=email) == DUPLICATE
    assert refusal(said.article, email=email, ip_address="192.0.2.2") is None
    assert refusal(said.article, email=email, ip_address=None) is None


@pytest.mark.parametrize("other", [{"name": "Bo"}, {"body": "Well said!"}, {"article": None}])
def test_what_differs_in_anything_is_not_the_same(other):
    said = make_comment(**BEFORE)

    assert refusal(**{"article": said.article, **other}) is None


def test_the_same_answer_to_another_comment_is_not_the_same():
    said = make_comment(**BEFORE)

    assert refusal(said.article, parent=make_comment(article=said.article)) is None


def test_what_a_moderator_put_into_the_trash_may_be_said_again():
    said = make_comment(**BEFORE, status="trash")

    assert refusal(said.article) is None


def posted(address: str | None = "192.0.2.1", **fields) -> Comment:
    """Somebody posts a comment."""
    fields = {"name": "Bo", "email": "bo@example.com", **fields}
    return posting.post(submission(ip_address=address, body=f"Comment {next(numbers)}.", **fields))


numbers = count(1)


@pytest.mark.parametrize(
    ("address", "after", "expected"),
    [
        ("192.0.2.1", 0, too_quick(15)),
        ("192.0.2.1", 14.5, too_quick(1)),
        ("192.0.2.1", 15, None),
        ("192.0.2.2", 5, None),
        ("2001:db8:0:1::7", 5, None),
    ],
)
def test_an_address_waits_fifteen_seconds(address, after, expected):
    with time_machine.travel(NOON, tick=False) as clock:
        posted(address)
        clock.shift(timedelta(seconds=after))

        assert refusal() == expected


def test_nobody_waits_for_who_typed_the_same_address_elsewhere():
    """The wait would tell who has just written that it was this person."""
    with time_machine.travel(NOON, tick=False):
        posted("192.0.2.2", name="Ada", email="ada@example.com")

        assert refusal(email="ada@example.com") is None


def test_one_network_of_ipv6_is_one_sender():
    with time_machine.travel(NOON, tick=False):
        posted("2001:db8:0:1::7")

        assert refusal(ip_address="2001:db8:0:1:ffff::1") == too_quick(15)
        assert refusal(ip_address="2001:db8:0:2::7") is None


@pytest.mark.parametrize(("network_of", "taken"), [("2001:db8:77:{:x}::1", 4), ("2001:db8:77:{:x}00::1", 16)])
def test_a_line_of_ipv6_posts_no_more_than_a_few_people_do(network_of, taken):
    with time_machine.travel(NOON, tick=False):
        for number in range(taken):
            posted(network_of.format(number))

        assert refusal(ip_address=network_of.format(taken)) == too_quick(15)
        assert refusal(ip_address="2001:db8:78::1") is None


def test_what_was_refused_makes_nobody_wait():
    with time_machine.travel(NOON, tick=False):
        with pytest.raises(posting.Refused):
            posted(article=make_article(discussion="closed"))

        assert refusal() is None


def test_a_moderator_need_not_wait():
    editor = make_editor()
    posted(user=editor)

    assert refusal(user=editor, email=editor.email) is None


def test_an_account_waits_wherever_it_is_signed_in_and_makes_nobody_else_wait():
    account = make_user()
    with time_machine.travel(NOON, tick=False):
        posted("192.0.2.1", user=account, email="ada@example.com")

        assert refusal(user=account, ip_address="192.0.2.2") == too_quick(15)
        assert refusal(email="ada@example.com", ip_address="192.0.2.1") is None


@pytest.mark.parametrize("shortens", [True, False])
def test_visitors_without_an_address_do_not_wait_for_each_other(shortens):
    set_discussion(shortens_addresses=shortens)
    with time_machine.travel(NOON, tick=False):
        posted(None)

        assert refusal(ip_address=None) is None


def test_where_addresses_are_shortened_each_waits_for_itself_alone():
    set_discussion(shortens_addresses=True)
    with time_machine.travel(NOON, tick=False):
        posted("192.0.2.7")

        assert refusal(ip_address="192.0.2.7") == too_quick(15)
        assert refusal(ip_address="192.0.2.8") is None


@pytest.mark.parametrize(("shortens", "expected"), [(True, DUPLICATE), (False, None)])
def test_a_shortened_address_is_anybodys_only_where_addresses_are_shortened(shortens, expected):
    set_discussion(shortens_addresses=shortens)
    said = make_comment(**{**BEFORE, "ip_address": "192.0.2.0"})

    assert refusal(said.article, ip_address="192.0.2.7") == expected


# --- Without a name and an address ---

ANONYMOUS = {"name": "Anonymous", "email": ""}


def test_one_anonymous_reader_makes_no_other_wait():
    with time_machine.travel(NOON, tick=False):
        posted("192.0.2.1", **ANONYMOUS)

        assert refusal(ip_address="192.0.2.2", **ANONYMOUS) is None
        assert refusal(ip_address=None, **ANONYMOUS) is None
        assert refusal(ip_address="192.0.2.1", **ANONYMOUS) == too_quick(15)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", DUPLICATE),
        ("192.0.2.2", None),
        (None, None),
        ("2001:db8:0:1::7", None),
    ],
)
def test_two_anonymous_readers_may_say_the_same(address, expected):
    said = make_comment(body="Thanks!", ip_address="192.0.2.1", **ANONYMOUS)

    assert refusal(said.article, body="Thanks!", ip_address=address, **ANONYMOUS) == expected


def test_an_anonymous_reader_says_the_same_once_from_one_network():
    said = make_comment(body="Thanks!", ip_address="2001:db8:0:1::7", **ANONYMOUS)
    sent = {"body": "Thanks!", **ANONYMOUS}

    assert refusal(said.article, ip_address="2001:db8:0:1:ffff::1", **sent) == DUPLICATE
    assert refusal(said.article, ip_address="2001:db8:0:2::7", **sent) is None


def test_an_account_without_an_address_says_the_same_once_from_everywhere():
    account = make_user(email="")
    sent = {"body": "Thanks!", "name": "Ada", "email": ""}
    said = make_comment(user=account, ip_address="192.0.2.1", **sent)

    assert refusal(said.article, user=account, ip_address="192.0.2.2", **sent) == DUPLICATE
    assert refusal(said.article, user=make_user(email=""), ip_address="192.0.2.1", **sent) is None


# --- Who moderates below their own stories only ---


def make_own_moderator(*roles):
    user = make_staff(*roles)
    return user, make_author(user=user)


@pytest.mark.parametrize(("roles", "expected"), [(["Author"], None), ([], too_quick(15))])
def test_who_decides_below_their_own_stories_need_not_wait_there(roles, expected):
    with time_machine.travel(NOON, tick=False):
        user, author = make_own_moderator(*roles)
        own = make_article(authors=[author])
        posted(article=make_article(), user=user)

        assert refusal(own, user=user) == expected
        assert refusal(make_article(), user=user) == too_quick(15)


@pytest.mark.parametrize(("roles", "expected"), [(["Author"], None), ([], 403)])
def test_who_decides_below_their_own_stories_answers_where_the_conversation_is_closed(roles, expected):
    user, author = make_own_moderator(*roles)
    own, foreign = make_article(authors=[author], discussion="closed"), make_article(discussion="closed")
    draft = make_article(authors=[author], discussion="closed", status="draft")

    said = [refusal(article, user=user) for article in (own, foreign, draft)]

    assert [one and one.status for one in said] == [expected, 403, 403]


# --- A name and an address that anybody can type ---


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("192.0.2.7", "192.0.2.7", SHOWN),
        # A phone gets another address of its provider's now and then.
        ("192.0.2.7", "192.0.2.99", SHOWN),
        ("192.0.2.0", "192.0.2.7", SHOWN),
        ("2001:db8:1:2::7", "2001:db8:1:3::7", SHOWN),
        ("192.0.2.7", "198.51.100.7", held("first-comment")),
        ("2001:db8:1:2::7", "2001:db8:2:2::7", held("first-comment")),
        ("192.0.2.7", None, held("first-comment")),
        # Where it came from is forgotten.
        (None, "198.51.100.7", held("first-comment")),
        (None, None, held("first-comment")),
    ],
)
def test_who_types_a_known_name_and_address_elsewhere_waits_like_a_stranger(before, now, expected):
    make_comment(**{**BEFORE, "ip_address": before})

    assert verdict(ip_address=now) == expected


def test_of_several_comments_that_are_known_one_from_here_is_enough():
    make_comment(**{**BEFORE, "ip_address": "198.51.100.7"})
    make_comment(**{**BEFORE, "ip_address": None})
    make_comment(**BEFORE)

    assert verdict(ip_address="192.0.2.9") == SHOWN
    assert verdict(ip_address="203.0.113.9") == held("first-comment")


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({}, {}, SHOWN),
        ({}, {"name": "ADA", "email": "Ada@Example.com"}, SHOWN),
        ({"ip_address": None}, {}, SHOWN),
        ({"status": "held"}, {}, held("first-comment")),
        ({"status": "trash"}, {}, held("first-comment")),
        ({}, {"name": "Bo"}, held("first-comment")),
        ({}, {"email": "bo@example.com"}, held("first-comment")),
    ],
)
def test_who_has_an_approved_comment_of_the_same_browser_is_known_in_every_network(before, now, expected):
    comment = make_comment(**{**BEFORE, **before})
    sent = submission(ip_address="198.51.100.7", **now)
    sent.own = [comment.pk]

    ruling = decide(sent)

    assert (ruling.status, ruling.because) == expected


def test_the_browser_counts_where_many_comments_of_other_networks_are_newer():
    comment = make_comment(**BEFORE, created_at=NOON)
    for _number in range(EARLIER_READ):
        make_comment(**{**BEFORE, "ip_address": "203.0.113.9"}, article=comment.article)
    sent = submission(ip_address="198.51.100.7")
    sent.own = [comment.pk]

    assert sent.is_known is True


def test_moderators_read_that_it_may_be_somebody_else():
    make_comment(**BEFORE)

    comment = posting.post(submission(ip_address="198.51.100.7"))
    firing = comment.firings.get(rule="first-comment")

    assert firing.found == "a known name and email address, and no sign that it is the same person"


@pytest.mark.parametrize("kindness", ["trusted", "allowed"])
def test_nobody_is_trusted_or_allowed_for_an_address_that_is_typed_elsewhere(kindness):
    make_comment(**BEFORE)
    if kindness == "trusted":
        Standing.objects.create(standing="trusted", kind="person", value="Ada <ada@example.com>")
    else:
        set_discussion(allowed_addresses="ada@example.com")

    assert verdict(ip_address="198.51.100.7") == held("first-comment")
    assert verdict(ip_address="192.0.2.1") == SHOWN


def test_an_allowed_network_needs_no_more():
    make_comment(**BEFORE)
    set_discussion(allowed_addresses="198.51.100.0/24")

    assert verdict(ip_address="198.51.100.7") == SHOWN


def test_it_takes_one_query_to_know_somebody_however_much_they_wrote(django_assert_num_queries):
    for _number in range(2):
        make_comment(**BEFORE)
        sent = submission(ip_address="198.51.100.7")
        with django_assert_num_queries(1):
            assert (sent.is_known, sent.is_perhaps_somebody_else) == (False, True)


def test_a_browser_with_comments_takes_one_query_more_however_many_they_are(django_assert_num_queries):
    own = []
    for number in range(2):
        own += [make_comment(name=f"Bo {number}").pk, make_comment(name=f"Bo {number}").pk]
        sent = submission(ip_address="198.51.100.7")
        sent.own = own
        with django_assert_num_queries(2):
            assert (sent.is_known, sent.is_perhaps_somebody_else) == (False, False)
