import re
from datetime import timedelta

import pytest

from comments import posting, privacy, queue, reports, yours
from comments.models import Change, Comment, Report
from tests.factories import make_article, make_comment, make_editor, make_report, reply_to, set_discussion
from tests.givens import NOON, SAME_ORIGIN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def text_of(response) -> str:
    return response.content.decode()


def report(client, comment, address="192.0.2.1", headers=SAME_ORIGIN, **fields):
    data = {"reason": "spam", **fields}
    return client.post(f"/comments/{comment.pk}/report/", data, headers=headers, REMOTE_ADDR=address)


def report_from(client, comment, *last_numbers: int) -> None:
    for number in last_numbers:
        assert report(client, comment, f"192.0.2.{number}").status_code == 303


def state(comment) -> tuple:
    comment.refresh_from_db()
    return comment.status, comment.held_because


# --- One report ---


def test_every_comment_leads_to_the_form_that_reports_it(client):
    comment = make_comment(name="Ada", body="*Buy* now.")
    story = text_of(client.get(comment.article.get_absolute_url()))
    link = re.search(r'<a class="comment-report" href="([^"]+)"[^>]* aria-label="([^"]+)">Report</a>', story)

    page = text_of(client.get(link[1]))

    assert link[2] == "Report the comment by Ada"
    assert "<h1>Report a comment</h1>" in page
    assert "<em>Buy</em> now." in page
    assert re.findall(r'<option value="([^"]*)"', page) == ["", "spam", "abuse", "personal-data", "other"]
    assert '<meta name="robots" content="noindex">' in page


def test_a_comment_of_a_closed_conversation_can_be_reported(client):
    comment = make_comment(article=make_article(discussion="closed"))

    assert 'class="comment-report"' in text_of(client.get(comment.article.get_absolute_url()))
    assert report(client, comment).status_code == 303


def test_a_report_is_kept_thanked_for_and_removes_nothing(client):
    comment = make_comment()

    response = report(client, comment, reason="abuse", text="  It insults Bo.  ")

    kept = Report.objects.get()
    assert (response.status_code, response["Location"]) == (
        303,
        f"{comment.article.get_absolute_url()}reported/?comment={comment.pk}",
    )
    assert "<h1>Thank you for your report</h1>" in text_of(client.get(response["Location"]))
    assert (kept.comment, kept.reason, kept.text, kept.created_at) == (
        comment,
        "abuse",
        "It insults Bo.",
        NOON,
    )
    assert state(comment) == ("approved", "")


def test_the_address_of_who_reports_is_kept_nowhere(client, settings):
    report(client, make_comment(), "192.0.2.77")
    first = Report.objects.get()
    settings.SECRET_KEY = "another key"
    report(client, make_comment(), "192.0.2.77")
    second = Report.objects.exclude(pk=first.pk).get()

    assert "192.0.2.77" not in str(Report.objects.values())
    assert (len(first.sender), len(second.sender), first.sender == second.sender) == (64, 64, False)


# --- Many reports ---


def test_reports_from_three_addresses_hold_a_comment_in_the_readers_name(client):
    comment = make_comment()

    report_from(client, comment, 1, 2)
    after_two = state(comment)
    report_from(client, comment, 3)

    change = Change.objects.get()
    assert (after_two, state(comment)) == (("approved", ""), ("held", "reported"))
    assert (change.comment, change.from_status, change.to_status) == (comment, "approved", "held")
    assert (change.by, change.who) == (None, "readers, by their reports")
    assert comment.body not in text_of(client.get(comment.article.get_absolute_url()))


def test_who_wrote_a_reported_comment_is_told_in_neutral_words(client):
    comment = make_comment()
    report_from(client, comment, 1, 2, 3)

    page = text_of(client.get(yours.address(comment)))

    assert "A moderator will read your comment" in page
    assert "Readers have asked us to look at this comment again before it appears." in page


def test_the_answers_to_a_reported_comment_stay(client):
    comment = make_comment()
    answer = reply_to(comment)
    report_from(client, comment, 1, 2, 3)

    page = text_of(client.get(comment.article.get_absolute_url()))

    assert ("This comment has been removed." in page, answer.body in page) == (True, True)


def test_reporting_twice_from_one_address_counts_once_and_is_answered_alike(client):
    comment = make_comment()

    answers = [report(client, comment, reason=reason) for reason in ("spam", "abuse", "spam")]

    assert len({(answer.status_code, answer["Location"]) for answer in answers}) == 1
    assert (state(comment), Report.objects.count()) == (("approved", ""), 1)


def test_the_addresses_of_one_ipv6_network_count_once(client):
    comment = make_comment()

    for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::", "2001:db8:0:1::1"):
        report(client, comment, address)

    assert (state(comment), Report.objects.count()) == (("approved", ""), 2)


def test_all_networks_of_one_ipv6_line_are_one_voice_and_each_is_heard(client):
    comment = make_comment()

    for number in range(4):
        report(client, comment, f"2001:db8:99:{number}::1")
    from_one_line = state(comment)
    for number in (1, 2):
        report(client, comment, f"2001:db8:{number}:1::1")

    assert (from_one_line, state(comment)) == (("approved", ""), ("held", "reported"))
    assert (comment.open_reports, Report.objects.count()) == (6, 6)


def test_reports_of_different_comments_do_not_add_up(client):
    comments = [make_comment() for _ in range(3)]
    for number, comment in enumerate(comments):
        report_from(client, comment, number)

    assert [state(comment) for comment in comments] == [("approved", "")] * 3


def test_after_a_moderators_approval_reports_count_afresh(client, clock):
    comment = make_comment()
    report_from(client, comment, 1, 2, 3)
    clock.shift(timedelta(minutes=1))
    comment.approve(by=make_editor())
    clock.shift(timedelta(minutes=1))

    report_from(client, comment, 1, 2)
    after_two = state(comment)[0]
    report_from(client, comment, 4)

    assert (after_two, state(comment)) == ("approved", ("held", "reported"))
    assert list(Change.objects.order_by("pk").values_list("to_status", flat=True)) == [
        "held",
        "approved",
        "held",
    ]


def test_an_edit_by_the_commenter_answers_no_report(client, clock):
    comment = make_comment(created_at=NOON)
    make_comment(name=comment.name, email=comment.email)
    report_from(client, comment, 1, 2)
    clock.shift(timedelta(minutes=1))
    edited = client.post(f"{yours.address(comment)}edit/", {"body": "Not me."}, headers=SAME_ORIGIN)
    clock.shift(timedelta(minutes=1))

    report_from(client, comment, 3)

    assert (edited.status_code, state(comment)) == (302, ("held", "reported"))


def test_an_edit_does_not_hide_that_readers_reported_the_comment(client, clock):
    comment = make_comment(created_at=NOON)
    report_from(client, comment, 1, 2, 3)

    client.post(f"{yours.address(comment)}edit/", {"body": "Not me."}, headers=SAME_ORIGIN)

    assert (state(comment), Comment.objects.get(pk=comment.pk).body) == (("held", "reported"), "Not me.")


def test_the_owner_sets_how_many_reports_hold_a_comment(client):
    set_discussion(reports_that_hold=1)
    comment = make_comment()

    report_from(client, comment, 1)

    assert state(comment) == ("held", "reported")


# --- What is not taken ---


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_not_public_cannot_be_reported(client, method):
    hidden = [make_comment(status=status).pk for status in ("held", "spam", "trash", "withdrawn")]
    hidden.append(make_comment(article=make_article(status="draft")).pk)
    hidden.append(make_comment(article=make_article(published_at=NOON + timedelta(hours=1))).pk)
    urls = [f"/comments/{pk}/report/" for pk in (*hidden, 999_999, 10**30)]

    responses = [getattr(client, method)(url, {"reason": "spam"}, headers=SAME_ORIGIN) for url in urls]

    assert [response.status_code for response in responses] == [404] * 8
    assert len({response.content for response in responses}) == 1
    assert Report.objects.count() == 0


def test_who_reports_what_is_gone_meanwhile_gets_the_text_back(client):
    comment = make_comment(status="trash", body="Secret")

    response = client.post(
        f"/comments/{comment.pk}/report/", {"reason": "other", "text": "This hurts."}, headers=SAME_ORIGIN
    )

    assert (response.status_code, Report.objects.count()) == (404, 0)
    assert "readonly>This hurts.</textarea>" in text_of(response)
    assert "Secret" not in text_of(response)


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"reason": ""}, "reason", "Please choose a reason."),
        ({"reason": "boredom"}, "reason", "Please choose a reason."),
        ({"reason": "other"}, "text", "Please say what is wrong with the comment."),
        ({"reason": "other", "text": " \u200b "}, "text", "Please say what is wrong with the comment."),
        ({"reason": "other", "text": "\u200d\ufe0f"}, "text", "Please say what is wrong with the comment."),
        ({"text": "x" * 1001}, "text", "Ensure this value has at most 1000 characters (it has 1001)."),
        ({"text": "a\x00b"}, "text", "Null characters are not allowed."),
    ],
)
def test_a_bad_report_is_explained_at_its_field_and_its_text_is_kept(client, fields, field, message):
    response = report(client, make_comment(), **fields)

    page = text_of(response)
    assert (response.status_code, Report.objects.count()) == (422, 0)
    assert re.findall(r'<ul class="errorlist" id="(\w+)"><li>([^<]+)</li>', page) == [
        (f"id_{field}_error", message)
    ]
    assert f'<li><a href="#id_{field}">' in page
    assert response.context["form"]["text"].value() == fields.get("text")


def test_an_empty_report_is_explained(client):
    comment = make_comment()

    response = client.post(f"/comments/{comment.pk}/report/", headers=SAME_ORIGIN)

    assert (response.status_code, "Please choose a reason." in text_of(response)) == (422, True)


def test_a_thousand_characters_are_taken_with_their_line_ends(client):
    report(client, make_comment(), reason="other", text="a\r\n" * 499 + "bc")

    assert len(Report.objects.get().text) == 1000


@pytest.mark.parametrize(
    "headers", [{}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}]
)
def test_a_report_from_another_site_is_refused_with_its_text_kept(client, headers):
    response = report(client, make_comment(), headers=headers, text="It insults Bo.")

    assert (response.status_code, Report.objects.count()) == (403, 0)
    assert "press the button again" in text_of(response)
    assert "It insults Bo.</textarea>" in text_of(response)


def test_one_address_reports_ten_comments_an_hour_and_keeps_its_text(client, clock):
    article = make_article()
    comments = [make_comment(article=article) for _ in range(11)]
    for comment in comments[:10]:
        clock.shift(timedelta(minutes=1))
        report_from(client, comment, 1)

    refused = report(client, comments[10], text="It insults Bo.")
    again = report(client, comments[0])
    other = report(client, comments[10], "192.0.2.2")
    clock.shift(timedelta(seconds=51 * 60 - 1))
    too_early = report(client, comments[10])
    clock.shift(timedelta(seconds=1))
    in_time = report(client, comments[10])

    assert (refused.status_code, refused["Retry-After"]) == (429, "3060")
    assert (
        "You have reported many comments. Please wait 51 minutes and send it again. Your text is safe below."
        in text_of(refused)
    )
    assert "It insults Bo.</textarea>" in text_of(refused)
    assert [r.status_code for r in (again, other, too_early, in_time)] == [303, 303, 429, 303]


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_a_report_is_shown_or_sent_and_nothing_else(client, method):
    assert getattr(client, method)(f"/comments/{make_comment().pk}/report/").status_code == 405


def test_nobody_keeps_the_page_of_a_report(client):
    response = client.get(f"/comments/{make_comment().pk}/report/")

    assert ("no-store" in response["Cache-Control"], response["X-Robots-Tag"]) == (True, "noindex")


@pytest.mark.parametrize("status", ["draft", "scheduled", "unknown"])
def test_nobody_is_thanked_for_a_story_that_is_not_there(client, status):
    if status == "unknown":
        address = "/2026/11/unknown/"
    else:
        future = {"published_at": NOON + timedelta(hours=1)}
        hidden = make_article(**({"status": "draft"} if status == "draft" else future))
        address = hidden.get_absolute_url()

    assert client.get(f"{address}reported/").status_code == 404


# --- What moderators see ---


def test_moderators_see_how_many_reported_a_comment_and_why(client):
    comment = make_comment(status="held", held_because="reported")
    for reason, text in (("spam", ""), ("other", "It is <b>rude</b>.")):
        make_report(comment=comment, reason=reason, text=text)
    make_comment(status="held")
    client.force_login(make_editor())

    for url in ("/admin/comments/comment/", f"/admin/comments/comment/{comment.pk}/change/"):
        page = text_of(client.get(url))
        assert page.count('class="queue-reports"') == 1
        assert "2 reports" in page
        assert "<li>Spam or advertising</li>" in page
        assert '<li>Something else: <q dir="auto">It is &lt;b&gt;rude&lt;/b&gt;.</q></li>' in page
        assert "Reported by readers" in page


def test_a_row_of_the_queue_shows_the_newest_reports_and_the_page_of_the_comment_all(client, monkeypatch):
    monkeypatch.setattr(queue, "REPORTS", 2)
    comment = make_comment(status="held")
    for text in ("First.", "Second.", "Third."):
        make_report(comment=comment, reason="other", text=text)
    client.force_login(make_editor())

    row = text_of(client.get("/admin/comments/comment/"))
    whole = text_of(client.get(f"/admin/comments/comment/{comment.pk}/change/"))

    assert re.findall(r"First\.|Second\.|Third\.", row) == ["Third.", "Second."]
    assert re.findall(r"First\.|Second\.|Third\.", whole) == ["First.", "Second.", "Third."]
    assert ("2 reports or more" in row, "3 reports" in whole) == (True, True)


def open_reports() -> list[tuple[str, int]]:
    return list(Comment.objects.reported().order_by("pk").values_list("status", "open_reports"))


@pytest.mark.parametrize(
    "remove",
    [posting.withdraw, lambda comment: privacy.erase(comment.email, keep_texts=False)],
    ids=["deleted", "erased"],
)
@pytest.mark.parametrize("reports", [1, 3])
def test_what_its_author_deletes_or_has_erased_waits_for_no_answer_to_its_reports(client, remove, reports):
    comment = make_comment(created_at=NOON)
    report_from(client, comment, *range(1, reports + 1))

    remove(comment)

    assert (state(comment)[0], open_reports()) == ("withdrawn", [])


def test_a_comment_whose_text_stays_without_its_author_keeps_its_reports(client):
    comment = make_comment()
    report_from(client, comment, 1, 2)

    privacy.erase(comment.email, keep_texts=True)

    assert open_reports() == [("approved", 2)]


@pytest.mark.parametrize(
    ("word_list", "status"), [("words_that_trash", "trash"), ("words_that_hold", "held")]
)
def test_an_edit_that_the_rules_throw_away_takes_its_reports_along(client, word_list, status):
    """Nobody could answer them: it is in the trash already."""
    comment = make_comment(created_at=NOON)
    report_from(client, comment, 1, 2)
    set_discussion(**{word_list: "soap"})

    posting.edit(comment, "Buy soap.")

    assert state(comment)[0] == status
    assert open_reports() == ([("held", 2)] if status == "held" else [])


# --- Queries ---


@pytest.mark.parametrize("items", [1, 3])
def test_a_report_takes_the_same_queries_however_many_there_were(client, django_assert_num_queries, items):
    comment = make_comment()
    for _ in range(items):
        make_report(comment=comment, created_at=NOON - timedelta(days=1))
    comment.hold(by=make_editor())
    comment.approve(by=make_editor())

    with django_assert_num_queries(15):
        report(client, comment)


def test_a_comment_that_went_to_the_trash_meanwhile_is_not_held_by_a_report(client):
    comment = make_comment()
    report_from(client, comment, 1, 2)
    seen_before = Comment.objects.get(pk=comment.pk)
    comment.trash(by=make_editor())

    reports.file(Report(reason="spam"), seen_before, "192.0.2.3")

    assert (state(comment)[0], open_reports(), Report.objects.count()) == ("trash", [], 2)


def test_a_report_on_a_comment_that_is_held_meanwhile_is_kept_for_its_moderator(client):
    comment = make_comment()
    seen_before = Comment.objects.get(pk=comment.pk)
    comment.hold(by=make_editor())

    reports.file(Report(reason="spam"), seen_before, "192.0.2.1")

    assert (state(comment)[0], open_reports()) == ("held", [("held", 1)])


# --- The way back ---


def thanks(client, comment, asked) -> str:
    return text_of(client.get(f"{comment.article.get_absolute_url()}reported/?comment={asked}"))


def test_a_report_leads_back_to_the_comment(client):
    comment = make_comment()

    page = thanks(client, comment, comment.pk)

    assert f'<a href="/comments/{comment.pk}/">Back to the conversation</a>' in page
    assert f'data-reported="{comment.pk}"' in page


def test_a_report_leads_back_to_the_conversation_where_the_comment_is_held_by_now_or_elsewhere(client):
    comment, elsewhere = make_comment(status="held"), make_comment()

    for asked in (comment.pk, elsewhere.pk, 0, "", "x", "²", "9" * 18, "9" * 30):
        page = thanks(client, comment, asked)

        assert f'<a href="{comment.article.get_absolute_url()}#comments">Back to the conversation</a>' in page
        assert "data-reported" not in page
