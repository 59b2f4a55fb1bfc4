import json
import re
from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError, Thread

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from comments import access, mine, notifications, privacy, yours
from comments.models import AccessLink, Comment
from comments.subscriptions import Subscriber, Subscription
from mail.models import Mail
from tests.factories import make_article, make_comment, make_editor, reply_to
from tests.givens import NOON, SAME_ORIGIN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

ADA = "ada@example.com"
MINE = "/comments/mine/"


def text_of(response) -> str:
    return response.content.decode()


def of_ada(**fields) -> Comment:
    return make_comment(**{"name": "Ada", "email": ADA, **fields})


def of_others() -> list[Comment]:
    """What does not belong to ada@example.com, however near it comes."""
    article = make_article(title="Of others")
    return [
        make_comment(article=article, name="Ada", email="bo@example.com", body="Not hers: Bo."),
        make_comment(article=article, name="Ada", email="xada@example.com", body="Not hers: x."),
        make_comment(article=article, name="Ada", email="", body="Not hers: nobody's."),
        make_comment(article=article, email=ADA, user=make_editor(email=ADA), body="Not hers: staff."),
    ]


def ask(client, email=ADA, ip="198.51.100.7", headers=SAME_ORIGIN):
    return client.post(MINE, {"email": email}, headers=headers, REMOTE_ADDR=ip)


def link_in(mail: Mail) -> str:
    """Return the path of the link in a mail."""
    return re.search(r"https://news\.example(/comments/mine/link/\S+)", mail.text)[1]


def link_for(client, email=ADA) -> str:
    ask(client, email)
    return link_in(Mail.objects.get(recipient=email.lower()))


def sign_in(client, email=ADA):
    """Ask for a link, and press the button that it leads to."""
    return client.post(link_for(client, email), headers=SAME_ORIGIN)


def erase(client, texts="keep", headers=SAME_ORIGIN):
    return client.post(f"{MINE}erase/", {"texts": texts}, headers=headers)


def exported(client) -> dict:
    return json.loads(client.get(f"{MINE}export/").getvalue())


# --- Asking for a link ---


def test_who_asks_gets_a_mail_with_a_link(client):
    of_ada()

    response = ask(client)

    mail = Mail.objects.get()
    assert (response.status_code, "we’ve emailed a link" in text_of(response)) == (200, True)
    assert (mail.recipient, mail.subject) == (ADA, "Your link to your comments on Newsite")
    assert "It works once, for 30 minutes:\n\nhttps://news.example/comments/mine/link/" in mail.text
    assert f'href="https://news.example{link_in(mail)}"' in mail.html
    assert client.get(link_in(mail)).status_code == 200


def test_the_answer_to_an_unknown_address_is_the_same(client):
    of_ada()
    of_others()

    known, unknown, staff = (
        ask(client),
        ask(client, "nobody@example.com"),
        ask(client, "newsroom@example.com"),
    )

    assert text_of(known) == text_of(unknown) == text_of(staff)
    assert [response.status_code for response in (known, unknown, staff)] == [200, 200, 200]
    assert known.headers.items() == unknown.headers.items()
    assert list(Mail.objects.values_list("recipient", flat=True)) == [ADA]


def test_an_unknown_address_is_not_kept(client):
    ask(client, "nobody@example.com", ip="198.51.100.7")

    kept = str(list(AccessLink.objects.values()))
    assert ("nobody@example.com" in kept, "198.51.100.7" in kept) == (False, False)


def test_an_unknown_address_takes_the_same_queries_but_for_the_mail(client):
    of_ada()
    counts = []
    for email in (ADA, "nobody@example.com"):
        with CaptureQueriesContext(connection) as queries:
            ask(client, email)
        counts.append(len(queries))

    # The savepoint of the mail, its row, and the end of the savepoint.
    assert counts[0] - counts[1] in (1, 3)


def test_what_staff_wrote_with_an_account_makes_no_address_known(client):
    make_comment(email=ADA, user=make_editor(email=ADA))

    ask(client)

    assert Mail.objects.count() == 0


def test_an_address_may_be_typed_in_capitals(client):
    of_ada()

    ask(client, " Ada@EXAMPLE.com ")

    assert Mail.objects.get().recipient == ADA


def test_an_address_is_shown_with_its_domain_as_its_owner_writes_it(client):
    of_ada(email="x@münchen.example")
    ask(client, "x@MÜNCHEN.example")
    client.post(link_in(Mail.objects.get()), headers=SAME_ORIGIN)

    assert "One comment was posted with x@münchen.example." in text_of(client.get(MINE))
    assert "One comment was posted with x@münchen.example." in text_of(client.get(f"{MINE}erase/"))


def test_an_address_gets_one_link_in_ten_minutes(client, clock):
    of_ada()
    answers = []
    for seconds in (0, 599, 1):
        clock.shift(timedelta(seconds=seconds))
        answers.append((ask(client).status_code, Mail.objects.count()))

    assert answers == [(200, 1), (200, 1), (200, 2)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("known_by", ["a comment", "a question"])
def test_two_requests_at_once_get_one_link(monkeypatch, known_by):
    comment = of_ada()
    if known_by == "a question":
        notifications.subscribe(comment, "answers")
        comment.delete()
        Mail.objects.all().delete()
    looked = Barrier(2, timeout=1)
    real = privacy.is_known

    def look_together(email):
        with suppress(BrokenBarrierError):  # whoever waits for the other is never here with it
            looked.wait()
        return real(email)

    def ask_in_a_thread():
        try:
            access.ask(ADA, None)
        finally:
            connection.close()

    monkeypatch.setattr(privacy, "is_known", look_together)
    threads = [Thread(target=ask_in_a_thread) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (AccessLink.objects.count(), Mail.objects.count()) == (2, 1)


def test_a_link_that_was_used_counts_as_well(client):
    of_ada()
    sign_in(client)

    ask(Client())

    assert Mail.objects.count() == 1


def test_ten_requests_an_hour_come_from_one_place_and_the_eleventh_is_told_to_wait(client, clock):
    of_ada()
    for number in range(10):
        assert ask(client, f"reader{number}@example.org").status_code == 200
        clock.shift(timedelta(minutes=1))

    refused = ask(client)
    elsewhere = ask(client, ip="203.0.113.5")

    assert (refused.status_code, refused["Retry-After"]) == (429, "3000")
    assert "Please try again in 50 minutes." in text_of(refused)
    assert f'value="{ADA}"' in text_of(refused)
    assert (elsewhere.status_code, Mail.objects.count()) == (200, 1)
    clock.shift(timedelta(minutes=50))
    assert ask(client, "last@example.org").status_code == 200


def test_one_ipv6_network_is_one_place(client):
    answers = [ask(client, "reader@example.org", ip=f"2001:db8::{n}").status_code for n in range(11)]

    assert (answers[-2:], ask(client, ip="2001:db8:0:1::1").status_code) == ([200, 429], 200)


def test_where_nobody_has_an_address_nobody_is_refused(client):
    answers = [ask(client, f"reader{number}@example.org", ip="").status_code for number in range(12)]

    assert answers == [200] * 12


def test_requests_are_forgotten_after_an_hour(client, clock):
    of_ada()
    ask(client)
    clock.shift(timedelta(hours=1))

    ask(client, "nobody@example.com")

    assert list(AccessLink.objects.values_list("email", flat=True)) == [""]


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@example", "a" * 250 + "@example.com", "ada@exam\x00ple.com"]
)
def test_what_is_no_address_is_explained(client, email):
    response = ask(client, email)

    assert response.status_code == 422
    assert "No link has been sent." in text_of(response)
    assert (AccessLink.objects.count(), Mail.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b'{"email": "ada@example.com"}', "application/json", 422),
        (b"email=" + b"a" * 3_000_000, "application/x-www-form-urlencoded", 413),
        (b"x=1&" * 2000 + b"email=ada@example.com", "application/x-www-form-urlencoded", 400),
        (b"email=%ED%A0%80@example.com", "application/x-www-form-urlencoded", 422),
        (b"no parts", "multipart/form-data; boundary=x", 422),
    ],
    ids=["json", "three megabytes", "two thousand fields", "half a character", "no parts"],
)
def test_what_is_no_form_of_ours_does_nothing(client, body, content_type, status):
    of_ada()

    response = client.post(MINE, body, content_type=content_type, headers=SAME_ORIGIN)

    assert (response.status_code, Mail.objects.count()) == (status, 0)


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "cross-site"}])
def test_another_site_cannot_ask(client, headers):
    of_ada()

    response = ask(client, headers=headers)

    assert (response.status_code, Mail.objects.count()) == (403, 0)
    assert "press the button again" in text_of(response)


def test_a_site_that_sends_no_mail_says_so(client, settings):
    settings.SENDS_MAIL = False

    assert "not set up to send email yet" in text_of(ask(client))


# --- The link ---


def test_opening_the_link_shows_nothing_and_does_not_use_it_up(client):
    of_ada(body="Well said.")
    link = link_for(client)

    pages = [client.get(link), client.head(link), Client().get(link)]

    assert [page.status_code for page in pages] == [200, 200, 200]
    assert "Well said." not in text_of(pages[0])
    assert "mine" not in pages[0].cookies
    assert client.post(link, headers=SAME_ORIGIN).status_code == 303


def test_the_button_opens_what_was_written_with_the_address(client):
    of_ada(body="Well said.")

    response = sign_in(client)

    assert (response.status_code, response["Location"]) == (303, MINE)
    assert "Well said." in text_of(client.get(MINE))


def test_the_cookie_is_for_these_pages_only(client, settings):
    of_ada()

    cookie = sign_in(client).cookies["mine"]

    assert (cookie["path"], cookie["httponly"], cookie["samesite"], cookie["max-age"], cookie["secure"]) == (
        "/comments/",
        True,
        "Lax",
        30 * 60,
        "",
    )
    assert ADA not in cookie.value
    assert set(client.cookies) == {"mine"}


def test_the_cookie_goes_by_https_alone_where_the_site_has_it(client, settings):
    settings.SESSION_COOKIE_SECURE = True
    of_ada()

    assert sign_in(client).cookies["mine"]["secure"] is True


def test_a_link_works_once(client):
    of_ada(body="Well said.")
    link = link_for(client)
    client.post(link, headers=SAME_ORIGIN)

    other = Client()
    again = [other.post(link, headers=SAME_ORIGIN), other.get(link)]

    assert [response.status_code for response in again] == [410, 410]
    assert "It has already been used" in text_of(again[0])
    assert "Well said." not in text_of(other.get(MINE))


def test_a_link_works_for_thirty_minutes(client, clock):
    of_ada()
    link = link_for(client)
    clock.shift(timedelta(minutes=29, seconds=59))
    before = client.get(link)
    clock.shift(timedelta(seconds=1))
    after = [client.get(link), client.post(link, headers=SAME_ORIGIN)]

    assert (before.status_code, [response.status_code for response in after]) == (200, [410, 410])
    assert (AccessLink.objects.get().opened_at, "mine" in client.cookies) == (None, False)


def test_a_link_that_was_not_mailed_opens_nothing(client):
    of_ada()
    link = link_for(client)
    private_page = yours.token(Comment.objects.get())
    digest = AccessLink.objects.get().digest

    for token in (link.split("/")[-2][:-1], "x", private_page, digest, "%00", "é" * 300):
        response = client.post(f"{MINE}link/{token}/", headers=SAME_ORIGIN)
        assert (response.status_code, "mine" in client.cookies) == (410, False)
        assert client.get(f"{MINE}link/{token}/").status_code == 410
    assert AccessLink.objects.get().opened_at is None


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "cross-site"}])
def test_another_site_cannot_press_the_button(client, headers):
    of_ada()
    link = link_for(client)

    response = client.post(link, headers=headers)

    assert (response.status_code, "mine" in client.cookies) == (403, False)
    assert "press the button again" in text_of(response)
    assert client.post(link, headers=SAME_ORIGIN).status_code == 303


def test_an_erased_address_has_no_links(client, clock):
    of_ada()
    link = link_for(client)
    clock.shift(timedelta(minutes=11))
    newer = Client()
    ask(newer)
    newer.post(link_in(Mail.objects.first()), headers=SAME_ORIGIN)

    erase(newer)

    assert client.post(link, headers=SAME_ORIGIN).status_code == 410


# --- The list ---


def test_comments_in_every_state_are_listed_newest_first_and_no_others(client):
    article = make_article(title="The bridge opens")
    for status in ("held", "approved", "spam", "trash", "withdrawn"):
        of_ada(article=article, status=status, body=f"This is {status}.")
    of_others()
    reply_to(of_ada(article=article, body="The last."), name="Bo", body="Not hers: an answer.")
    sign_in(client)

    page = text_of(client.get(MINE))

    assert re.findall(r"<p>(This is \w+|The last)\.</p>", page) == [
        "The last",
        "This is withdrawn",
        "This is trash",
        "This is spam",
        "This is approved",
        "This is held",
    ]
    assert "Not hers" not in page
    assert "6 comments were posted with ada@example.com." in page


def test_the_list_tells_what_became_of_each_comment(client):
    of_ada(body="Removed.").trash(make_editor())
    of_ada(body="Caught by a word.", status="trash")
    of_ada(body="Caught as spam.", status="spam")
    sign_in(client)

    page = text_of(client.get(MINE))

    assert re.findall(r"(?:Thank you\. )?Your comment [^.]+\.", page) == [
        "Thank you. Your comment is awaiting moderation.",
        "Thank you. Your comment is awaiting moderation.",
        "Your comment was removed by a moderator.",
    ]


def test_only_what_may_still_be_changed_leads_to_edit_and_delete(client):
    fresh = of_ada(created_at=NOON)
    reply_to(of_ada(created_at=NOON))
    of_ada(created_at=NOON, status="trash")
    of_ada(created_at=NOON - timedelta(minutes=15))
    sign_in(client)

    page = text_of(client.get(MINE))

    token = yours.token(fresh)
    assert re.findall(r'href="([^"]+)">(?:Edit|Delete)<', page) == [
        f"/comments/yours/{token}/edit/",
        f"/comments/yours/{token}/delete/",
    ]
    assert page.count('<h2><a href="/comments/yours/') == 4


def test_the_list_tells_of_mails_and_ends_them(client):
    comment = of_ada()
    of_ada()
    bo = make_comment(email="bo@example.com")
    sign_in(client)
    before = text_of(client.get(MINE))
    for subscribing in (comment, bo):
        notifications.subscribe(subscribing, "answers", "daily")

    page = text_of(client.get(MINE))

    assert ("Email alerts:" in before, "Unsubscribe" in before) == (False, False)
    assert page.count("Email alerts: Replies to my comment. Once a day, all in one email.") == 1
    assert f'<a href="/comments/yours/{yours.token(comment)}/#mails">Change</a>' in page
    (stop,) = re.findall(r'href="([^"]+)">Unsubscribe this', page)
    client.post(stop)
    assert list(Subscription.objects.values_list("comment", flat=True)) == [bo.pk]
    assert "Unsubscribe" not in text_of(client.get(MINE))


def test_who_is_only_asked_to_confirm_is_known_as_well(client):
    Subscriber.objects.create(email=ADA)

    sign_in(client)

    assert "0 comments were posted with ada@example.com." in text_of(client.get(MINE))
    erase(client)
    assert Subscriber.objects.count() == 0


def test_the_list_has_pages_of_fifty(client):
    article = make_article()
    for number in range(51):
        of_ada(article=article, body=f"Number {number}.")
    sign_in(client)

    pages = [client.get(MINE, {"page": number}) for number in (1, 2)]

    assert [len(re.findall(r"<p>Number \d+\.</p>", text_of(page))) for page in pages] == [50, 1]
    assert "<p>Number 0.</p>" in text_of(pages[1])
    assert [client.get(MINE, {"page": page}).status_code for page in ("3", "0", "x")] == [404, 404, 404]


@pytest.mark.parametrize("items", [1, 3])
def test_the_list_takes_the_same_queries_however_long(client, django_assert_num_queries, items):
    for _ in range(items):
        of_ada(created_at=NOON)
    sign_in(client)

    with django_assert_num_queries(9):
        client.get(MINE)


def test_the_pages_are_kept_by_nobody_and_listed_nowhere(client):
    of_ada()
    link = link_for(client)
    pages = [client.get(MINE), ask(client), client.get(link), client.post(link, headers=SAME_ORIGIN)]
    pages += [client.get(f"{MINE}{page}") for page in ("", "export/", "erase/")]
    pages += [erase(client), client.get(f"{MINE}erase/")]

    for page in pages:
        assert (page["X-Robots-Tag"], "no-store" in page["Cache-Control"]) == ("noindex", True)


def test_no_page_sets_another_cookie(client):
    of_ada()
    sign_in(client)
    for page in ("", "export/", "erase/"):
        client.get(f"{MINE}{page}")
    erase(client)

    assert set(client.cookies) == {"mine"}


@pytest.mark.parametrize("page", ["export/", "erase/"])
def test_without_an_opened_link_there_is_nothing(client, page):
    of_ada()

    response = client.get(f"{MINE}{page}")

    assert response.status_code == 403
    assert ADA not in text_of(response)


def test_a_changed_cookie_opens_nothing(client):
    of_ada()
    sign_in(client)
    link = AccessLink.objects.get()

    for value in ("", "x", str(link.pk), signing.dumps(link.pk, salt=yours.SALT), signing.dumps(link.pk)):
        client.cookies["mine"] = value
        assert ADA not in text_of(client.get(MINE))
        assert client.get(f"{MINE}export/").status_code == 403
        assert erase(client).status_code == 403


def test_a_link_that_nobody_opened_is_no_way_in(client):
    of_ada()
    ask(client)
    client.cookies["mine"] = signing.dumps(AccessLink.objects.get().pk, salt=mine.SALT)

    assert client.get(f"{MINE}export/").status_code == 403


def test_it_closes_after_thirty_minutes(client, clock):
    of_ada()
    clock.shift(timedelta(minutes=1))
    sign_in(client)
    clock.shift(timedelta(minutes=29, seconds=59))
    before = client.get(f"{MINE}erase/")
    clock.shift(timedelta(seconds=1))
    after = [client.get(f"{MINE}erase/"), erase(client), client.get(f"{MINE}export/")]

    assert (before.status_code, [response.status_code for response in after]) == (200, [403, 403, 403])
    assert "Send me the link" in text_of(client.get(MINE))
    assert Comment.objects.get().name == "Ada"


def test_signing_out_ends_it_even_for_who_kept_the_cookie(client):
    of_ada()
    sign_in(client)
    kept = client.cookies["mine"].value

    response = client.post(f"{MINE}sign-out/", headers=SAME_ORIGIN)

    assert (response.status_code, response.cookies["mine"]["max-age"]) == (303, 0)
    client.cookies["mine"] = kept
    assert client.get(f"{MINE}export/").status_code == 403


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "cross-site"}])
def test_another_site_signs_nobody_out(client, headers):
    of_ada()
    sign_in(client)

    assert client.post(f"{MINE}sign-out/", headers=headers).status_code == 403
    assert client.get(f"{MINE}export/").status_code == 200


@pytest.mark.parametrize("page", ["export/", "sign-out/"])
def test_what_takes_one_method_takes_no_other(client, page):
    method = client.get if page == "sign-out/" else client.post

    assert method(f"{MINE}{page}", headers=SAME_ORIGIN).status_code == 405


def test_the_list_of_a_browser_leads_to_the_list_of_an_address(client):
    comment = make_comment(name="Cleo", email="cleo@example.com", body="Posted here.")
    client.cookies[f"yours-{comment.pk}"] = signing.dumps(comment.pk, salt=yours.COOKIE_SALT)

    asked, wrong = client.get(MINE), ask(client, "?")

    for page in map(text_of, (asked, wrong)):
        assert page.count("Written on another device? Get a link by email") == 2
        assert ("Posted here." in page, 'name="email"' in page) == (True, True)


@pytest.mark.parametrize("method", ["get", "head"])
def test_the_old_address_of_a_browsers_list_leads_to_the_one_page(client, method):
    response = getattr(client, method)("/comments/yours/")

    assert (response.status_code, response["Location"]) == (301, MINE)


# --- Export and erase ---


def test_an_export_is_a_file(client):
    comment = of_ada(body="Grüße.")
    of_others()
    sign_in(client)

    response = client.get(f"{MINE}export/")

    assert response["Content-Type"] == "application/json; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="comments.json"'
    data = json.loads(response.getvalue())
    assert [(row["id"], row["text"]) for row in data["comments"]] == [(comment.pk, "Grüße.")]


def test_an_export_tells_of_links_and_mails_to_the_address_alone(client, clock):
    of_ada()
    make_comment(email="bo@example.com")
    ask(Client(), "bo@example.com")
    ask(client)
    clock.shift(timedelta(minutes=1))
    client.post(link_in(Mail.objects.get(recipient=ADA)), headers=SAME_ORIGIN)

    data = exported(client)

    asked, opened = "2026-11-23T12:00:00+00:00", "2026-11-23T12:01:00+00:00"
    assert data["links"] == [{"asked_at": asked, "opened_at": opened}]
    assert data["mails"] == [
        {
            "subject": "Your link to your comments on Newsite",
            "state": "waiting",
            "written_at": asked,
            "sent_at": None,
        }
    ]


@pytest.mark.parametrize(
    ("texts", "words", "body"),
    [
        ("keep", "Your details have been removed from 2 comments. Their text stays.", "Well said."),
        ("remove", "Your details and the text have been removed from 2 comments.", ""),
    ],
)
def test_all_is_erased_with_one_button_and_the_answer_says_how_much(client, texts, words, body):
    comments = [of_ada(body="Well said."), of_ada(body="Well said.", status="spam")]
    others = of_others()
    sign_in(client)
    before = client.get(f"{MINE}erase/")

    response = erase(client, texts)

    assert "2 comments were posted with ada@example.com." in text_of(before)
    assert (response.status_code, words in text_of(response)) == (200, True)
    erased = Comment.objects.filter(pk__in=[comment.pk for comment in comments])
    assert list(erased.values_list("name", "email", "body")) == [("Anonymous", "", body)] * 2
    assert Comment.objects.filter(pk__in=[c.pk for c in others], erased_at=None).count() == len(others)
    assert (Mail.objects.count(), AccessLink.objects.count()) == (0, 0)


def test_erasing_ends_it_in_every_browser(client):
    of_ada()
    sign_in(client)
    other = Client()
    other.cookies["mine"] = client.cookies["mine"].value

    response = erase(client)

    assert response.cookies["mine"]["max-age"] == 0
    assert other.get(f"{MINE}export/").status_code == 403
    assert erase(other).status_code == 403


def test_opening_the_page_erases_nothing(client):
    of_ada()
    sign_in(client)

    client.get(f"{MINE}erase/", {"texts": "remove"})

    assert Comment.objects.get().name == "Ada"


@pytest.mark.parametrize("texts", ["", "all", "KEEP"])
def test_without_a_choice_nothing_is_erased(client, texts):
    of_ada()
    sign_in(client)

    response = erase(client, texts)

    assert (response.status_code, Comment.objects.get().name) == (422, "Ada")
    assert "Nothing has been removed." in text_of(response)
    assert 'href="#id_texts"' in text_of(response)
    assert 'id="id_texts"' in text_of(response)


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "cross-site"}])
def test_another_site_erases_nothing(client, headers):
    of_ada()
    sign_in(client)

    response = erase(client, headers=headers)

    assert (response.status_code, Comment.objects.get().name) == (403, "Ada")
    assert "press the button again" in text_of(response)
