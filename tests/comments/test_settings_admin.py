import re
import time
from datetime import timedelta
from html import unescape
from threading import Barrier, Thread

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.forms import model_to_dict
from django.test import Client
from django.utils.html import strip_tags

from comments.backtest import DECIDING
from comments.discussion import LIST_LENGTH, DiscussionSettings
from comments.settings_admin import DiscussionSettingsAdmin
from tests.factories import make_article, make_comment, make_editor, make_user, set_discussion
from tests.givens import NOON

pytestmark = pytest.mark.django_db

LIST = "/admin/comments/discussionsettings/"
PAGE = f"{LIST}1/change/"
TRY = f"{LIST}try/"
SAVED = "The settings are saved, and apply from now on."
STALE = "Someone else has changed the settings since you opened them, and nothing here is saved yet."


@pytest.fixture
def owner(client):
    owner = make_editor(username="olga")
    client.force_login(owner)
    return owner


def text_of(response) -> str:
    return response.content.decode()


def words_of(response) -> str:
    """What a reader sees of a page, in one line."""
    return " ".join(unescape(strip_tags(text_of(response))).split())


def opened(client) -> dict:
    """The values of the form as a browser has them when the page was opened."""
    return client.get(PAGE).context["adminform"].form.initial


def typed(values: dict, **changes) -> dict:
    """What the browser sends of them: of the boxes only those that are ticked."""
    return {
        name: value
        for name, value in {**values, **changes}.items()
        if value is not False and value is not None
    }


def save(client, **changes):
    return client.post(PAGE, typed(opened(client), **changes))


def values() -> dict:
    return model_to_dict(DiscussionSettings.load())


def error_of(response, name: str) -> str:
    """What the list of errors above a field says."""
    row = re.search(rf'<div class="form-row[^"]*field-{name}".*?(?=<label)', text_of(response), re.DOTALL)[0]
    return " ".join(unescape(strip_tags(row)).split())


# --- One row ---


def test_the_list_leads_straight_to_the_one_row_and_there_is_no_other(client, owner):
    response = client.get(LIST)

    assert (response.status_code, response["Location"]) == (302, PAGE)
    assert client.get(PAGE).status_code == 200
    assert [client.get(f"{LIST}{page}/").status_code for page in ("add", "1/delete")] == [403, 403]
    assert client.post(f"{LIST}1/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{LIST}2/change/").status_code == 302
    assert list(DiscussionSettings.objects.values_list("pk", flat=True)) == [1]


def test_the_page_is_there_before_the_row_is(client, owner):
    DiscussionSettings.objects.all().delete()

    assert client.get(PAGE).status_code == 200
    assert list(DiscussionSettings.objects.values_list("pk", flat=True)) == [1]


def test_every_setting_is_on_the_page_and_explained(client, owner):
    page = client.get(PAGE)
    fields = page.context["adminform"].form.fields
    shown = {name for _title, options in DiscussionSettingsAdmin.fieldsets for name in options["fields"]}

    assert shown == {field.name for field in DiscussionSettings._meta.fields} - {"id"}
    assert [name for name, field in fields.items() if not field.help_text] == ["edition"]


def test_only_who_may_change_the_settings_saves_or_tries_them(client):
    """Others with a right to look see them, and the rest of the staff does not."""
    reader, stranger = make_user(is_staff=True), make_user(is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_discussionsettings"))
    before, asked = values(), typed(values(), per_page=7)
    seen = {}

    for name, user in (("reader", reader), ("stranger", stranger)):
        client.force_login(user)
        seen[name] = (
            client.get(LIST).status_code,
            client.get(PAGE).status_code,
            client.post(PAGE, asked).status_code,
            client.post(TRY, asked).status_code,
        )

    assert seen == {"reader": (302, 200, 403, 403), "stranger": (403, 403, 403, 403)}
    assert values() == before
    client.force_login(reader)
    assert "Try it on the past" not in [*re.findall(r'value="([^"]+)"', text_of(client.get(PAGE)))]


def test_visitors_are_asked_to_sign_in(client):
    assert [client.get(page)["Location"] for page in (PAGE, TRY)] == [
        f"/admin/login/?next={PAGE}",
        f"/admin/login/?next={TRY}",
    ]


# --- Saving ---


def test_a_change_is_saved_told_and_logged_with_what_it_was(client, owner):
    response = save(
        client,
        is_open=False,
        per_page=20,
        order="newest",
        words_that_hold="bingo\r\n  casino \r\n",
        refused_addresses="@spam.example",
    )

    settings = DiscussionSettings.load()
    assert (response.status_code, response["Location"]) == (302, PAGE)
    assert (settings.is_open, settings.per_page, settings.order) == (False, 20, "newest")
    assert settings.words_that_hold == "bingo\n  casino"
    assert SAVED in words_of(client.get(PAGE))
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (owner, "1")
    assert entry.get_change_message() == (
        "Changed Take comments: on → off, Comments per page: 50 → 20, Order: Oldest first → Newest first, "
        "Words that hold a comment: +bingo, +casino and Refused addresses: +@spam.example."
    )


def test_the_log_names_some_lines_of_a_long_list_and_counts_the_rest(client, owner):
    set_discussion(words_that_trash="old\nkept")

    save(client, words_that_trash="kept\n" + "\n".join(f"w{number}" for number in range(20)))

    added = ", ".join(f"+w{number}" for number in range(10))
    message = f"Changed Words that move a comment to the trash: {added}, … 11."
    assert LogEntry.objects.get().get_change_message() == message


def test_the_longest_list_is_compared_line_by_line_in_no_time(client, owner):
    """While the settings are saved they are locked."""
    lines = [f"{number:04}" for number in range(LIST_LENGTH // 5)]
    set_discussion(words_that_hold="\n".join(lines[1:]))
    began = time.process_time()

    save(client, words_that_hold="\n".join(lines))

    assert time.process_time() - began < 2
    assert LogEntry.objects.get().get_change_message() == "Changed Words that hold a comment: +0000."


def test_what_is_saved_unchanged_stays_as_it_is(client, owner):
    set_discussion(words_that_hold="one\ntwo", links_that_hold=7, accounts_only=True)
    before = values()

    save(client)

    assert values() == before
    assert LogEntry.objects.get().get_change_message() == "No fields changed."


def test_lines_in_another_order_are_told_of_in_the_log(client, owner):
    set_discussion(words_that_hold="one\ntwo")

    save(client, words_that_hold="two\none")

    message = "Changed Words that hold a comment: the same lines, written differently."
    assert LogEntry.objects.get().get_change_message() == message


def test_a_saved_setting_is_in_force_at_the_next_request_with_one_query(
    client, owner, django_assert_num_queries
):
    article = make_article()
    assert "Comments on this story are closed." not in text_of(client.get(article.get_absolute_url()))

    save(client, is_open=False)

    assert "Comments on this story are closed." in text_of(client.get(article.get_absolute_url()))
    with django_assert_num_queries(1):
        DiscussionSettings.load()


# --- What cannot be saved ---


RANGES = {
    "closes_after_days": (1, 3650),
    "levels": (2, 10),
    "per_page": (5, 200),
    "links_that_hold": (0, 100),
    "seconds_to_write": (0, 600),
    "flood_seconds": (0, 3600),
    "reports_that_hold": (0, 1000),
    "edit_minutes": (0, 10080),
    "spam_days": (0, 3650),
    "trash_days": (0, 3650),
    "address_days": (0, 3650),
}


@pytest.mark.parametrize("address", [PAGE, TRY])
def test_numbers_out_of_range_are_explained_at_their_fields_and_stay_typed(client, owner, address):
    initial = opened(client)
    for number, (wrong, shown) in enumerate(
        [
            ("-1", "-1"),
            ("99999999999999999999", "99999999999999999999"),
            ("", ""),
            ("six", "six"),
            ("1.5", "1.5"),
        ]
    ):
        response = client.post(address, typed(initial, **dict.fromkeys(RANGES, wrong)))

        assert response.status_code == 422, number
        assert {name: error_of(response, name) for name in RANGES} == {
            name: f"Enter a number from {least} to {most}." for name, (least, most) in RANGES.items()
        }
        inputs = re.findall(r'<input type="number"[^>]*>', text_of(response))
        assert [re.findall(r'value="([^"]*)"', one) for one in inputs] == [[shown] if shown else []] * 11


def test_the_ends_of_each_range_are_taken(client, owner):
    for end in (0, 1):
        ends = {name: both[end] for name, both in RANGES.items()}

        assert save(client, **ends).status_code == 302
        assert {name: values()[name] for name in RANGES} == ends


def test_the_browser_is_told_the_range(client, owner):
    page = text_of(client.get(PAGE))

    for name, (least, most) in RANGES.items():
        field = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)[0]
        assert f'min="{least}"' in field
        assert f'max="{most}"' in field


@pytest.mark.parametrize(
    ("field", "lines", "error"),
    [
        (
            "allowed_addresses",
            "ada@example.com\nbogus\n192.0.2.300",
            "Neither an email address, nor “@domain”, nor an IP address or network: bogus, 192.0.2.300",
        ),
        (
            "refused_addresses",
            "nobody@",
            "Neither an email address, nor “@domain”, nor an IP address or network: nobody@",
        ),
        (
            "words_that_hold",
            "casino\n**",
            "A line of stars alone would find every comment. Write a word beside them, or remove it.",
        ),
        (
            "words_that_trash",
            "*",
            "A line of stars alone would find every comment. Write a word beside them, or remove it.",
        ),
        (
            "words_that_trash",
            "x" * (LIST_LENGTH + 1),
            "Ensure this value has at most 50000 characters (it has 50001).",
        ),
    ],
)
def test_a_wrong_line_is_named_at_its_field_and_nothing_typed_is_lost(client, owner, field, lines, error):
    before = values()

    for address in (PAGE, TRY):
        response = client.post(address, typed(opened(client), per_page=20, **{field: lines}))

        assert (response.status_code, error_of(response, field)) == (422, error)
        assert f"{lines}</textarea>" in text_of(response)
        assert 'value="20"' in text_of(response)
    assert (values(), LogEntry.objects.count()) == (before, 0)


def test_a_list_may_be_as_long_as_its_limit_in_any_browser(client, owner):
    """Browsers send a line end as two characters, and count it as one."""
    lines = ["x" * 99] * (LIST_LENGTH // 100)

    assert save(client, words_that_hold="\r\n".join(lines)).status_code == 302
    assert values()["words_that_hold"] == "\n".join(lines)


def test_what_is_no_choice_is_refused(client, owner):
    response = save(client, order="random")

    assert (response.status_code, values()["order"]) == (422, "oldest")


def test_what_is_wrong_is_listed_above_with_links_and_the_list_takes_the_focus(client, owner):
    response = save(client, per_page=0, words_that_hold="***")

    summary = re.search(r'<div class="error-summary"([^>]*)>(.*?)</div>', text_of(response), re.DOTALL)
    assert summary[1].split() == ['role="alert"', 'tabindex="-1"', "autofocus"]
    assert re.findall(r'href="#(\w+)">([^<]+)<', summary[2]) == [
        ("id_per_page", "Comments per page"),
        ("id_words_that_hold", "Words that hold a comment"),
    ]
    assert text_of(response).count("autofocus") == 1
    assert "error-summary" not in text_of(client.get(PAGE))


# --- Two at once ---


def test_who_saves_second_is_told_once_and_keeps_what_was_typed(client, owner):
    mine = opened(client)
    save(client, per_page=30)

    refused = client.post(PAGE, typed(mine, per_page=70))

    assert (refused.status_code, values()["per_page"]) == (422, 30)
    assert STALE in words_of(refused)
    assert 'value="70"' in text_of(refused)
    again = refused.context["adminform"].form.data.dict()
    assert client.post(PAGE, again).status_code == 302
    assert values()["per_page"] == 70


def test_a_third_who_saves_meanwhile_is_not_overwritten_either(client, owner):
    mine = opened(client)
    save(client, per_page=30)
    again = client.post(PAGE, typed(mine, per_page=70)).context["adminform"].form.data.dict()
    save(client, per_page=40)

    assert (client.post(PAGE, again).status_code, values()["per_page"]) == (422, 40)


def test_a_script_that_leaves_the_edition_out_may_save(client, owner):
    fields = typed(opened(client), per_page=30, edition=None)
    set_discussion(per_page=60)

    assert (client.post(PAGE, fields).status_code, values()["per_page"]) == (302, 30)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_at_the_same_moment_one_is_told(client, owner):
    fields, together, codes = opened(client), Barrier(2), []

    def save_with(per_page: int):
        browser = Client()
        browser.cookies = client.cookies
        together.wait()
        try:
            codes.append(browser.post(PAGE, typed(fields, per_page=per_page)).status_code)
        finally:
            connection.close()

    threads = [Thread(target=save_with, args=[per_page]) for per_page in (30, 70)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(codes) == [302, 422]


# --- Trying on the past ---


def test_trying_saves_nothing_and_keeps_what_was_typed(client, owner):
    make_comment()
    before = values()

    response = client.post(TRY, typed(opened(client), holds_everything=True, per_page=20))

    assert (response.status_code, values(), LogEntry.objects.count()) == (200, before, 0)
    page = text_of(response)
    box = re.search(r'<input type="checkbox" name="holds_everything"[^>]*>', page)[0]
    assert ("checked" in box, 'value="20"' in page) == (True, True)
    assert f'<form action="{PAGE}" method="post"' in page


def test_what_was_tried_can_be_saved_from_the_result(client, owner):
    tried = client.post(TRY, typed(opened(client), holds_everything=True))

    client.post(PAGE, tried.context["adminform"].form.data.dict())

    assert values()["holds_everything"]


def test_opening_the_address_of_a_trial_leads_to_the_settings(client, owner):
    assert client.get(TRY)["Location"] == PAGE


def test_the_result_stands_above_the_form_and_beside_each_setting_that_decides(client, owner):
    with time_machine.travel(NOON, tick=False):
        spam = make_comment(name="Bo", body="Buy pills", status="held")
        spam.mark_as_spam(by=owner)
        set_discussion(holds_first_comments=False)
        make_comment(name="Ada", body="See https://a.example and https://b.example", created_at=NOON)
        make_comment(name="Cy", created_at=NOON)

    response = client.post(TRY, typed(opened(client), links_that_hold=3, words_that_hold="pills"))

    words = words_of(response)
    assert (
        "Nothing is saved. They were tried on the last 3 comments: 2 that moderators approved or let stand, "
        "and 1 that moderators marked as spam." in words
    )
    assert "Approved, and held 1 0 Marked as spam, and passed 1 0" in words
    alone = (
        "With this setting, of the last 3 comments %d would have been held that moderators approved, "
        "and %d passed that moderators marked as spam."
    )
    helps = {
        name: " ".join(unescape(strip_tags(text)).split())
        for name, text in re.findall(
            r'id="id_(\w+)_helptext">(.*?)</div>\s*</div>', text_of(response), re.DOTALL
        )
    }
    now = "With the settings in force it is 1 held, and 1 passed."
    assert helps["links_that_hold"].endswith(f"{alone % (0, 1)} {now}")
    assert helps["words_that_hold"].endswith(f"{alone % (1, 0)} {now}")
    # What is held is the work of the links: no other setting that is not changed is said to hold it.
    others = DECIDING.keys() - {"links_that_hold", "words_that_hold", "allowed_addresses"}
    none = "Not changed. Of the last 3 comments it holds 0 that moderators approved."
    assert [name for name in others if not helps[name].endswith(none)] == []
    assert helps["allowed_addresses"].endswith(
        "Not changed. Of the last 3 comments it lets 0 pass that moderators marked as spam."
    )


def test_of_a_setting_that_is_not_changed_is_told_what_it_does_itself(client, owner):
    set_discussion(links_that_hold=1, allowed_addresses="192.0.2.9", holds_first_comments=False)
    make_comment(body="See https://a.example")
    make_comment(ip_address="192.0.2.9", status="held").mark_as_spam(by=owner)
    make_comment(status="held").mark_as_spam(by=owner)

    form = client.post(TRY, typed(opened(client))).context["adminform"].form

    told = {name: " ".join(strip_tags(form[name].help_text).split()) for name in DECIDING}
    assert told["links_that_hold"].endswith(
        "Not changed. Of the last 3 comments it holds 1 that moderators approved."
    )
    assert told["allowed_addresses"].endswith(
        "Not changed. Of the last 3 comments it lets 1 pass that moderators marked as spam."
    )


def test_what_holds_can_be_tried_where_it_is_set_and_enter_saves(client, owner):
    page = text_of(client.get(PAGE))

    buttons = re.findall(r'<input type="submit"[^>]* name="(\w+)"', page)
    assert buttons == ["_save", "_try", "_save", "_try"]
    first, last = (match.start() for match in re.finditer('name="_try"', page))
    assert page.index("reports_that_hold") < first < page.index("held_mails") < last


def test_what_the_past_does_not_tell_any_more_is_said_once(client, owner):
    make_comment()
    lists = ["words_that_hold", "words_that_trash", "allowed_addresses", "refused_addresses"]
    tried = dict.fromkeys(lists, "pills@example.com") | {"seconds_to_write": 8, "holds_everything": True}

    page = client.post(TRY, typed(opened(client), **tried))

    about_time = "How long writing took is known only of comments that were held for it."
    about_addresses = "Lines about an IP address or a browser find nothing in comments whose own were erased"
    words, form = words_of(page), page.context["adminform"].form
    assert (words.count(about_time), words.count(about_addresses)) == (1, 1)
    assert [name for name in DECIDING if about_time in form[name].help_text] == ["seconds_to_write"]
    assert words.index(about_addresses) < words.index("Who may comment, and where")


def test_each_setting_that_the_trial_passes_over_stands_elsewhere_than_those_that_hold(client, owner):
    held = next(options for name, options in DiscussionSettingsAdmin.fieldsets if name == "What is held")

    assert set(held["fields"]) == set(DECIDING)


def test_the_comments_are_listed_whole_with_what_decides_and_a_link(client, owner):
    set_discussion(holds_first_comments=False)
    comment = make_comment(name="Ada", body="*Many* links: https://a.example")

    page = client.post(TRY, typed(opened(client), links_that_hold=1))

    item = re.search(r'<ol class="trial-findings">(.*?)</ol>', text_of(page), re.DOTALL)[1]
    assert f'<a href="/admin/comments/comment/{comment.pk}/change/">{comment}</a>' in item
    assert comment.body_html in item
    said = " ".join(unescape(strip_tags(item)).split())
    assert "Changed by these settings Held: Links (1 link)" in said


def test_of_more_than_fifty_comments_the_rest_is_listed_by_their_first_words(client, owner):
    article = make_article()
    for _ in range(50):
        make_comment(article=article)
    oldest = make_comment(article=article, body="x" * 200, created_at=NOON - timedelta(days=90))

    page = client.post(TRY, typed(opened(client), holds_everything=True))

    listed, rest = re.findall(r'<ol class="trial-findings">(.*?)</ol>', text_of(page), re.DOTALL)
    assert (listed.count("<li>"), rest.count("<li>")) == (50, 1)
    assert f"/{oldest.pk}/change/" in rest
    assert "x" * 119 + "…" in rest
    assert "x" * 120 not in rest
    assert "And 1 more." in words_of(page)


def test_hostile_texts_stay_texts(client, owner):
    make_comment(name="<script>alert(1)</script>", body="<img src=x onerror=alert(1)> <b>word</b>")

    page = text_of(client.post(TRY, typed(opened(client), words_that_hold="<b>word</b>\n<i>\nword")))

    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_without_a_comment_there_is_nothing_to_try_on(client, owner):
    response = client.post(TRY, typed(opened(client)))

    assert "There is no comment yet to try the settings on." in words_of(response)
    assert "of the last" not in words_of(response).lower()


def test_a_forged_trial_from_elsewhere_is_refused(client, owner):
    client.handler.enforce_csrf_checks = True

    assert client.post(TRY, typed(values())).status_code == 403


@pytest.mark.parametrize("count", [1, 3])
def test_opening_and_trying_take_as_many_queries_for_many_comments_as_for_one(
    client, owner, django_assert_num_queries, count
):
    for _number in range(count):
        make_comment()
    fields = typed(opened(client), holds_everything=True)

    with django_assert_num_queries(14):
        client.post(TRY, fields)
