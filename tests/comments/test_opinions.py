import gzip
import hashlib
import hmac
import json
import logging
import re
import socket
import threading
import time
from threading import BoundedSemaphore, Thread
from urllib.parse import parse_qs

import akismet as akismet_library
import httpx
import pytest
import time_machine
from django.db import connection

from articles.models import Article
from comments import opinions, posting
from comments.models import Comment, Rule, Standing
from comments.moderation import Submission, Verdict
from tests.comments.stand_ins import Service, hangs, http, says, sends
from tests.factories import make_article, make_comment, make_editor, make_user, set_discussion
from tests.givens import NOON

pytestmark = pytest.mark.django_db

SECRET = "a secret that both know"
SAID = {"name": "Ada", "email": "ada@example.com", "body": "Well said.", "ip_address": "192.0.2.1"}


@pytest.fixture
def webhook(services, settings) -> Service:
    service = services()
    settings.MODERATION_WEBHOOK_URL, settings.MODERATION_WEBHOOK_SECRET = service.url, SECRET
    return service


@pytest.fixture(autouse=True)
def known_person():
    """Nothing holds Ada but what a service says."""
    set_discussion(holds_first_comments=False, flood_seconds=0)


def post(**fields) -> Comment:
    sent = {"article": make_article(), **SAID, **fields}
    trap, seconds = sent.pop("trap", ""), sent.pop("seconds", None)
    return posting.post(Submission(Comment(**sent), trap=trap, seconds=seconds))


def state(comment) -> tuple:
    return comment.status, comment.held_because


def fired(comment) -> list:
    return list(comment.firings.values_list("rule", "verdict", "detail"))


SHOWN = ("approved", "")


# --- The owner's own service ---


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [("hold", ("held", "webhook")), ("spam", ("spam", "webhook")), ("discard", ("trash", "webhook"))],
)
def test_a_service_can_hold_a_comment_call_it_spam_and_discard_it(webhook, verdict, expected):
    webhook.answer = says(verdict, reason="Sounds rude", score=0.9)

    comment = post()

    assert (state(comment), fired(comment)) == (expected, [("webhook", expected[0], "Sounds rude")])


def test_a_service_that_has_nothing_to_object_says_nothing(webhook, caplog):
    assert (state(post()), len(webhook.requests), caplog.messages) == (SHOWN, 1, [])


def test_a_service_cannot_approve(webhook):
    set_discussion(holds_everything=True)

    webhook.answer = says("none")
    assert state(post()) == ("held", "everything")
    webhook.answer = says("approve")
    assert state(post()) == ("held", "everything")


def test_the_service_is_told_the_comment_in_these_words(webhook, settings):
    article = make_article(title="Rain")
    parent = make_comment(article=article)

    comment = post(
        article=article,
        parent=parent,
        website="https://ada.example",
        user_agent="Browser",
        body="Schön \U0001f31e",
    )

    line, headers, body = webhook.requests[0]
    assert (line, headers["Content-Type"]) == ("POST / HTTP/1.1", "application/json")
    assert json.loads(body) == {
        "version": 1,
        "site": "https://news.example",
        "story": {
            "id": article.pk,
            "title": "Rain",
            "url": f"https://news.example{article.get_absolute_url()}",
        },
        "comment": {
            "id": None,
            "parent": parent.pk,
            "created_at": comment.created_at.isoformat(),
            "account": None,
            "name": "Ada",
            "email": "ada@example.com",
            "website": "https://ada.example",
            "body": "Schön \U0001f31e",
            "ip_address": "192.0.2.1",
            "user_agent": "Browser",
        },
    }


def test_the_service_is_told_the_account_of_who_is_signed_in(webhook):
    post(user=make_user(username="ada"))

    assert json.loads(webhook.requests[0][2])["comment"]["account"] == "ada"


def test_the_service_can_tell_by_the_signature_who_asks_and_when(webhook):
    began = int(time.time())

    post()

    _line, headers, body = webhook.requests[0]
    signed = headers["Newsite-Timestamp"].encode() + b"." + body
    assert (
        headers["Newsite-Signature"]
        == f"sha256={hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()}"
    )
    assert began <= int(headers["Newsite-Timestamp"]) <= time.time()


@pytest.mark.parametrize(
    ("address", "target"),
    [("moderate?site=news&x=1", "/moderate?site=news&x=1"), ("a b/ä", "/a%20b/%C3%A4")],
)
def test_the_address_of_the_service_may_have_a_path_and_a_query(webhook, settings, address, target):
    settings.MODERATION_WEBHOOK_URL = f"{webhook.url}{address}"

    post()

    assert webhook.requests[0][0] == f"POST {target} HTTP/1.1"


def test_a_reason_is_kept_without_what_no_database_takes(webhook):
    webhook.answer = sends(http(b'{"verdict": "hold", "reason": "a\\u0000b\\ud800c\\n%s"}' % (b"x" * 500)))

    assert fired(post()) == [("webhook", "held", "abc" + "x" * 197)]


# --- No answer ---


BREAKS_OFF = http(b'{"verdict": "spam"}')[:-5]
NO_ANSWERS = {
    "closes": (sends(b""), "RemoteProtocolError"),
    "no HTTP": (sends(b"220 mail.example ESMTP\r\n"), "RemoteProtocolError"),
    "hangs": (hangs, "too late"),
    "drips its body": (
        sends(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", *[b" "] * 900, pause=0.03),
        "too late",
    ),
    "drips its headers": (sends(b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 90, pause=0.15), "too late"),
    "says to go on for ever": (sends(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 3000, pause=0.01), "too late"),
    "breaks off": (sends(BREAKS_OFF), "RemoteProtocolError"),
    "fails": (sends(http(b'{"verdict": "spam"}', "500 Internal Server Error")), "status 500"),
    "refuses": (sends(http(b"", "401 Unauthorized")), "status 401"),
    "accepts only": (sends(http(b'{"verdict": "spam"}', "202 Accepted")), "status 202"),
    "is empty": (sends(http(b"")), "JSONDecodeError"),
    "no JSON": (sends(http(b"<html>spam</html>")), "JSONDecodeError"),
    "no text": (sends(http(b"\xff\xfe\x00")), "UnicodeDecodeError"),
    "a list": (sends(http(b'["spam"]')), "nonsense"),
    "a number": (sends(http(b"1")), "nonsense"),
    "deep": (sends(http(b"[" * 15_000)), "RecursionError"),
    "unknown": (says("maybe"), "nonsense"),
    "no verdict": (sends(http(b"{}")), "nonsense"),
    "a list as verdict": (sends(http(b'{"verdict": ["spam"]}')), "nonsense"),
    "a number as reason": (says("spam", reason=7), "nonsense"),
    "long": (sends(http(b'{"verdict": "spam", "reason": "%s"}' % (b"x" * 16_384))), "too long"),
    "ten megabytes": (
        sends(b"HTTP/1.1 200 OK\r\n\r\n", *[b" " * 100_000] * 100, b'{"verdict": "spam"}'),
        "too long",
    ),
    "a header without end": (sends(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000), "RemoteProtocolError"),
    "headers without end": (
        sends(b"HTTP/1.1 200 OK\r\n", *[b"X: %s\r\n" % (b"x" * 1000)] * 200),
        "RemoteProtocolError",
    ),
    "compressed": (
        sends(http(gzip.compress(b" " * 10_000_000), head="Content-Encoding: gzip\r\n")),
        "compressed",
    ),
}
# What goes on for more than ten seconds.
ENDLESS = ["hangs", "drips its body", "drips its headers", "says to go on for ever"]


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_what_is_no_answer_holds_nothing_back_and_is_logged_without_a_word_of_the_comment(
    webhook, monkeypatch, caplog, name
):
    webhook.answer, reason = NO_ANSWERS[name]
    if name in ENDLESS:
        monkeypatch.setattr(opinions, "SECONDS", 0.3)
    began = time.monotonic()

    comment = post()

    assert time.monotonic() - began < 8
    assert (state(comment), fired(comment)) == (SHOWN, [])
    assert caplog.record_tuples == [
        ("comments.opinions", logging.WARNING, f"No answer about a comment from webhook: {reason}")
    ]


@pytest.mark.parametrize("name", ENDLESS)
def test_nothing_goes_on_listening_to_a_service_that_was_too_late(webhook, monkeypatch, name):
    webhook.answer, _reason = NO_ANSWERS[name]
    monkeypatch.setattr(opinions, "SECONDS", 0.2)

    post()

    assert asking_after(seconds=8) == []


def asking_after(seconds: float) -> list:
    asking = [thread for thread in threading.enumerate() if thread.name == "asks services"]
    for thread in asking:
        thread.join(timeout=seconds)
    return [thread for thread in asking if thread.is_alive()]


@pytest.mark.parametrize("answer", [says("none"), sends(b""), hangs], ids=["answers", "closes", "hangs"])
def test_only_so_many_questions_are_asked_at_once(webhook, monkeypatch, caplog, answer):
    monkeypatch.setattr(opinions, "_room", room := BoundedSemaphore(1))
    if answer is hangs:
        monkeypatch.setattr(opinions, "SECONDS", 2)
    webhook.answer = answer
    room.acquire()

    assert (state(post()), webhook.requests) == (SHOWN, [])
    assert caplog.messages == ["No answer about a comment from webhook: too many are asked already"]

    room.release()
    for number in (1, 2):
        post(body=f"Said {number} times.")
        assert (len(webhook.requests), asking_after(seconds=8)) == (number, [])


def test_a_comment_is_taken_where_the_machine_has_no_thread_left_to_ask_with(webhook, monkeypatch, caplog):
    class NoThread(Thread):
        def start(self):
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(opinions, "_room", BoundedSemaphore(1))
    with monkeypatch.context() as machine:
        machine.setattr(opinions, "Thread", NoThread)
        states = [state(post(body=f"Said {number} times.")) for number in (1, 2)]

    assert (states, webhook.requests) == ([SHOWN, SHOWN], [])
    assert caplog.messages == ["No answer about a comment from webhook: can't start new thread"] * 2
    post(body="Said again.")
    assert len(webhook.requests) == 1


def test_a_redirect_is_not_followed(webhook, services, caplog):
    elsewhere = services()
    elsewhere.answer = says("spam")
    webhook.answer = sends(http(b"", "307 Temporary Redirect", f"Location: {elsewhere.url}\r\n"))

    assert (state(post()), elsewhere.requests) == (SHOWN, [])
    assert caplog.messages == ["No answer about a comment from webhook: status 307"]


@pytest.mark.parametrize(
    ("url", "reasons"),
    [
        ("http://127.0.0.1:{closed}/", {"All connection attempts failed"}),
        ("http://localhost:{closed}/", {"All connection attempts failed"}),
        # The look-up of a name may be slow in failing, and every system has its own words for it.
        ("https://name.invalid/", {"[Errno", "too late"}),
    ],
)
def test_a_service_that_cannot_be_reached_holds_nothing_back(
    webhook, settings, monkeypatch, caplog, url, reasons
):
    if "too late" in reasons:
        monkeypatch.setattr(opinions, "SECONDS", 3)
    # Bound, so that nobody else gets the number, and not listening.
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.MODERATION_WEBHOOK_URL = url.format(closed=closed.getsockname()[1])

        assert state(post()) == SHOWN
    [message] = caplog.messages
    reason = message.removeprefix("No answer about a comment from webhook: ")
    assert [reason.startswith(known) for known in reasons].count(True) == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"], ids=["made by itself", "for another host"])
def test_a_service_whose_certificate_is_not_good_is_told_nothing(
    webhook, settings, monkeypatch, caplog, certificate, host
):
    path, tls = certificate
    webhook.socket = tls.wrap_socket(webhook.socket, server_side=True, do_handshake_on_connect=False)
    settings.MODERATION_WEBHOOK_URL = f"https://{host}:{webhook.server_address[1]}/"
    monkeypatch.setenv("NO_PROXY", "*")
    if host != "localhost":
        monkeypatch.setenv("SSL_CERT_FILE", str(path))

    assert (state(post()), webhook.requests) == (SHOWN, [])
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text


def test_a_service_may_have_a_certificate_that_this_machine_trusts(
    webhook, settings, monkeypatch, certificate
):
    path, tls = certificate
    webhook.socket = tls.wrap_socket(webhook.socket, server_side=True, do_handshake_on_connect=False)
    settings.MODERATION_WEBHOOK_URL = f"https://localhost:{webhook.server_address[1]}/"
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    webhook.answer = says("hold")

    assert state(post()) == ("held", "webhook")


def test_a_line_that_is_closed_before_a_word_is_said_holds_nothing_back(
    services, settings, monkeypatch, caplog
):
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.MODERATION_WEBHOOK_URL = f"https://127.0.0.1:{server.getsockname()[1]}/"
        settings.MODERATION_WEBHOOK_SECRET = SECRET
        monkeypatch.setenv("NO_PROXY", "*")
        Thread(target=lambda: server.accept()[0].close(), daemon=True).start()

        assert state(post()) == SHOWN
    (message,) = caplog.messages
    # How such a line is called differs between versions of OpenSSL.
    assert re.match("No answer about a comment from webhook: .", message)


def test_a_fault_of_which_the_library_says_nothing_is_called_by_its_kind():
    async def fail(client):
        raise httpx.ConnectError("")

    assert opinions._answers({"webhook": fail}) == [opinions.Answer("webhook", fault="ConnectError")]


# --- Proxies ---


def test_a_proxy_of_the_environment_leads_to_akismet_and_reads_nothing(akismet):
    post()

    assert akismet.tunnels == ["CONNECT rest.akismet.com:443 HTTP/1.1"]
    assert [line for line, _headers, _body in akismet.requests] == ["POST /1.1/comment-check HTTP/1.1"]


@pytest.mark.parametrize("variable", ["http_proxy", "all_proxy"])
def test_what_is_plain_http_goes_through_no_proxy(webhook, services, monkeypatch, variable):
    proxy = services()
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, proxy.url)

    post()

    assert (len(webhook.requests), proxy.requests) == (1, [])


def test_a_proxy_that_refuses_holds_nothing_back(webhook, services, settings, monkeypatch, caplog):
    proxy = services()
    monkeypatch.setenv("https_proxy", proxy.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    settings.MODERATION_WEBHOOK_URL = "https://moderation.example/"

    assert (state(post()), proxy.tunnels) == (SHOWN, ["CONNECT moderation.example:443 HTTP/1.1"])
    assert caplog.messages == ["No answer about a comment from webhook: ProxyError"]


def test_a_proxy_of_an_unknown_kind_holds_nothing_back(webhook, monkeypatch, caplog):
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1")

    assert state(post()) == SHOWN
    assert caplog.messages == ["No answer about a comment from webhook: ImportError"]


# --- Akismet ---


@pytest.mark.parametrize(
    ("answer", "expected"), [(b"true", ("spam", "akismet")), (b"false", SHOWN)], ids=["spam", "ham"]
)
def test_akismet_says_what_is_spam(akismet, caplog, answer, expected):
    akismet.answer = sends(http(answer))

    assert (state(post()), caplog.messages) == (expected, [])


def test_what_akismet_would_throw_away_goes_into_the_trash(akismet):
    akismet.answer = sends(http(b"true", head="X-akismet-pro-tip: discard\r\n"))

    assert (state(comment := post()), fired(comment)) == (("trash", "akismet"), [("akismet", "trash", "")])


def test_akismet_is_told_the_comment_in_its_own_words(akismet):
    article = make_article()
    comment = post(article=article, website="https://ada.example", user_agent="Browser", body="Schön & gut")

    line, headers, body = akismet.requests[0]
    assert line == "POST /1.1/comment-check HTTP/1.1"
    assert (headers["Host"], headers["User-Agent"]) == ("rest.akismet.com", akismet_library.USER_AGENT)
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert {name: value for name, [value] in parse_qs(body.decode()).items()} == {
        "api_key": "key-of-the-owner",
        "blog": "https://news.example",
        "blog_charset": "UTF-8",
        "blog_lang": "en",
        "user_ip": "192.0.2.1",
        "user_agent": "Browser",
        "permalink": f"https://news.example{article.get_absolute_url()}",
        "comment_type": "comment",
        "comment_author": "Ada",
        "comment_author_email": "ada@example.com",
        "comment_author_url": "https://ada.example",
        "comment_content": "Schön & gut",
        "comment_date_gmt": comment.created_at.isoformat(),
    }


def test_akismet_is_told_of_answers_and_edits_as_such(akismet):
    comment = post(parent=(parent := make_comment()), article=parent.article)
    posting.edit(comment, "Better said.", ip_address="192.0.2.1")

    told = [parse_qs(body.decode()) for _line, _headers, body in akismet.requests]
    assert [(one["comment_type"], one.get("recheck_reason")) for one in told] == [
        (["reply"], None),
        (["reply"], ["edit"]),
    ]


AKISMET_NEVER_SAYS = {
    "invalid": (http(b"invalid"), "the key is not valid"),
    "nothing": (http(b""), "ProtocolError"),
    "the comment": (http(b"Well said. True"), "ProtocolError"),
    "no text": (http(b"\xff\x00"), "ProtocolError"),
    "a failure": (http(b"true", "500 Oops"), "status 500"),
    "somewhere else": (
        http(b"true", "302 Found", "Location: https://elsewhere.example/\r\n"),
        "status 302",
    ),
    "too much": (http(b"true" + b" " * 20_000), "too long"),
    "compressed": (http(gzip.compress(b"true"), head="Content-Encoding: gzip\r\n"), "compressed"),
    "closes": (b"", "RemoteProtocolError"),
    "no HTTP": (b"220 mail.example ESMTP\r\n", "RemoteProtocolError"),
}


@pytest.mark.parametrize("name", AKISMET_NEVER_SAYS)
def test_an_answer_that_akismet_never_gives_holds_nothing_back(akismet, caplog, name):
    answer, reason = AKISMET_NEVER_SAYS[name]
    akismet.answer = sends(answer)

    assert state(post()) == SHOWN
    assert caplog.record_tuples == [
        ("comments.opinions", logging.WARNING, f"No answer about a comment from akismet: {reason}")
    ]


@pytest.mark.parametrize("name", ENDLESS)
def test_akismet_has_no_more_time_than_others(akismet, monkeypatch, caplog, name):
    akismet.answer, reason = NO_ANSWERS[name]
    monkeypatch.setattr(opinions, "SECONDS", 0.5)
    began = time.monotonic()

    assert (state(post()), asking_after(seconds=8)) == (SHOWN, [])
    assert time.monotonic() - began < 8
    assert caplog.messages == [f"No answer about a comment from akismet: {reason}"]


def test_akismet_is_told_nothing_behind_a_certificate_that_nobody_trusts(akismet, monkeypatch, caplog):
    monkeypatch.delenv("SSL_CERT_FILE")

    assert (state(post()), akismet.requests, len(akismet.tunnels)) == (SHOWN, [], 1)
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text
    assert "key-of-the-owner" not in caplog.text


# --- Both, and when they are asked ---


def test_both_are_asked_at_once_and_what_both_say_is_stored(akismet, webhook):
    akismet.answer, webhook.answer = sends(http(b"true")), says("hold", reason="Rude")

    assert fired(post()) == [("akismet", "spam", ""), ("webhook", "held", "Rude")]


def test_nobody_waits_longer_for_two_services_than_for_one(akismet, webhook, monkeypatch, caplog):
    akismet.answer = webhook.answer = hangs
    monkeypatch.setattr(opinions, "SECONDS", 3)
    began = time.monotonic()

    assert state(post()) == SHOWN
    assert 3 <= time.monotonic() - began < 6
    assert sorted(caplog.messages) == [
        f"No answer about a comment from {name}: too late" for name in ("akismet", "webhook")
    ]


def test_what_one_service_says_counts_though_the_other_hangs(akismet, webhook, monkeypatch):
    akismet.answer, webhook.answer = hangs, says("hold")
    monkeypatch.setattr(opinions, "SECONDS", 3)

    assert state(post()) == ("held", "webhook")


@pytest.fixture
def three_late(webhook, monkeypatch):
    """The service was late three times in a row."""
    with time_machine.travel(NOON, tick=False) as clock:
        monkeypatch.setattr(opinions, "SECONDS", 1)
        webhook.answer = hangs
        for _time in range(3):
            post()
        yield clock


OPENED = "webhook was late 3 times in a row: it is asked once a minute until it answers"


def test_a_service_that_was_late_three_times_in_a_row_is_left_alone_for_a_minute(three_late, webhook, caplog):
    asked = len(webhook.requests)

    comment = post()
    three_late.shift(59)
    post()

    assert (state(comment), len(webhook.requests)) == (SHOWN, asked)
    assert [record.message for record in caplog.get_records("setup")].count(OPENED) == 1
    assert caplog.messages == []


def test_after_the_minute_one_comment_finds_out_whether_the_service_answers_again(
    three_late, webhook, monkeypatch, caplog
):
    asked = len(webhook.requests)
    three_late.shift(61)
    post()
    post()
    still_late = len(webhook.requests)

    three_late.shift(61)
    webhook.answer = says("hold")
    monkeypatch.setattr(opinions, "SECONDS", 60)
    held = [state(post()), state(post())]

    assert (still_late - asked, len(webhook.requests) - still_late) == (1, 2)
    assert held == [("held", "webhook")] * 2
    assert caplog.messages == [
        "No answer about a comment from webhook: too late",
        "webhook answers again: it is asked about every comment",
    ]


def test_only_the_service_that_is_late_is_left_alone(three_late, akismet, webhook, monkeypatch):
    # What it has read before is without Akismet's certificate.
    opinions._trusted.cache_clear()
    monkeypatch.setattr(opinions, "SECONDS", 60)
    akismet.answer = sends(http(b"true"))

    assert fired(post()) == [("akismet", "spam", "")]


def test_a_service_that_is_late_now_and_then_is_asked_each_time(webhook, monkeypatch):
    for _time in range(2):
        monkeypatch.setattr(opinions, "SECONDS", 0.5)
        webhook.answer = hangs
        post()
        post()
        monkeypatch.setattr(opinions, "SECONDS", 60)
        webhook.answer = says("hold")
        assert state(post()) == ("held", "webhook")


def test_without_a_key_or_a_secret_nothing_is_asked(akismet, webhook, settings, monkeypatch):
    settings.AKISMET_API_KEY = settings.MODERATION_WEBHOOK_SECRET = ""
    # What the library would read by itself.
    monkeypatch.setenv("PYTHON_AKISMET_API_KEY", "key")
    monkeypatch.setenv("PYTHON_AKISMET_BLOG_URL", "https://news.example")

    assert (state(post()), akismet.tunnels, webhook.requests) == (SHOWN, [], [])


def test_a_service_elsewhere_is_never_told_in_plain_http(settings):
    settings.MODERATION_WEBHOOK_URL, settings.MODERATION_WEBHOOK_SECRET = "http://moderation.example/", SECRET

    assert opinions.are_wanted() is False


@pytest.mark.parametrize(
    ("url", "is_private"),
    [
        ("https://moderation.example/x", True),
        ("https://192.0.2.1:8443", True),
        ("http://localhost:8080/", True),
        ("http://127.0.0.2/", True),
        ("http://[::1]:8080/", True),
        ("http://moderation.example/", False),
        ("http://192.168.0.1/", False),
        ("http://localhost.example/", False),
        ("http://127.0.0.1.example/", False),
        ("http://127.0.0.1@moderation.example/", False),
        ("ftp://localhost/", False),
        ("file:///etc/passwd", False),
        ("//moderation.example/", False),
        ("moderation.example", False),
        ("https://", False),
        ("https://[::", False),
        ("https://moderation.example:port/", False),
        ("https://moderation.example:99999/", False),
        ("", False),
    ],
)
def test_comments_travel_encrypted_or_stay_on_this_machine(url, is_private):
    assert opinions.is_private_line(url) is is_private


@pytest.mark.parametrize(
    "reason",
    ["staff", "banned", "refused", "trap", "trash words", "trusted", "allowed"],
)
def test_nobody_is_asked_where_a_rule_above_has_decided(akismet, webhook, reason):
    set_discussion(
        refused_addresses="192.0.2.1" if reason == "refused" else "",
        allowed_addresses="192.0.2.1" if reason == "allowed" else "",
        words_that_trash="well" if reason == "trash words" else "",
    )
    if reason in {"banned", "trusted"}:
        # Nobody is trusted who has nothing from here to show for it.
        make_comment(name="Ada", email="ada@example.com", ip_address="192.0.2.1")
        Standing.objects.create(standing=reason, kind="person", value="Ada <ada@example.com>")

    post(user=make_editor() if reason == "staff" else None, trap="x" if reason == "trap" else "")

    assert (akismet.requests, webhook.requests) == ([], [])


def test_what_only_would_be_held_is_asked_about(webhook):
    set_discussion(holds_everything=True)
    webhook.answer = says("spam")

    assert state(post()) == ("spam", "webhook")


def test_who_may_be_a_person_in_the_trap_is_asked_about(webhook):
    webhook.answer = says("spam")

    assert state(post(trap="x", seconds=600)) == ("spam", "trap")
    assert len(webhook.requests) == 1


def test_nobody_is_asked_about_a_comment_that_is_refused(webhook):
    article = make_article()
    closed = make_article(discussion="closed")
    make_comment(article=article, **SAID)
    set_discussion(flood_seconds=15)

    for refused in ({"article": closed}, {"article": article}):
        with pytest.raises(posting.Refused):
            post(**refused)

    assert webhook.requests == []


def test_nobody_is_asked_about_who_comes_too_soon(webhook):
    set_discussion(flood_seconds=15)
    post()
    with pytest.raises(posting.Refused):
        post(body="And another thing.")

    assert len(webhook.requests) == 1


def test_a_double_click_is_asked_about_once(webhook):
    article = make_article()

    assert post(article=article) == post(article=article)
    assert len(webhook.requests) == 1


def test_a_ban_that_comes_while_a_service_thinks_counts(webhook):
    submission = Submission(Comment(article=make_article(), **SAID))
    opinions.ask(submission)
    Standing.objects.create(standing="banned", kind="name", value="ada")

    assert state(posting.post(submission)) == ("spam", "banned")


@pytest.mark.django_db(transaction=True)
def test_others_write_to_the_database_while_a_service_thinks(webhook):
    comment = post()

    def writes(out, over):
        try:
            written.append(Article.objects.update(standfirst="Changed"))
        finally:
            connection.close()
        says("hold")(out, over)

    webhook.answer, written = writes, []

    assert state(post(body="Another.")) == ("held", "webhook")
    assert state(posting.edit(comment, "Better said.")) == ("held", "webhook")
    assert written == [2, 2]


# --- Edits ---


def test_an_edit_is_asked_about_with_its_text_its_id_and_the_address_it_comes_from(webhook):
    set_discussion(shortens_addresses=True)
    comment = post()
    webhook.answer = says("spam", reason="Now it is")

    edited = posting.edit(comment, "Buy this.", ip_address="192.0.2.9")

    told = json.loads(webhook.requests[1][2])["comment"]
    assert (told["id"], told["body"], told["ip_address"]) == (comment.pk, "Buy this.", "192.0.2.9")
    assert (state(edited), fired(edited)) == (("spam", "webhook"), [("webhook", "spam", "Now it is")])
    assert Comment.objects.get().ip_address == "192.0.2.0"


def test_nobody_is_asked_about_an_edit_that_changes_nothing_or_is_refused(webhook):
    comment = post()
    late = make_comment(status="approved")
    set_discussion(edit_minutes=15, flood_seconds=15)
    webhook.requests.clear()

    posting.edit(comment, comment.body)
    with pytest.raises(posting.Refused):
        posting.edit(late, "Too late.")
    taken = ["Once.", "Twice.", "Three times."]
    for body in taken:
        posting.edit(comment, body)
        comment.refresh_from_db()
    with pytest.raises(posting.Refused):
        posting.edit(comment, "Four times, too soon.")

    assert [json.loads(body)["comment"]["body"] for _line, _headers, body in webhook.requests] == taken


def test_a_service_that_fails_holds_no_edit_back(webhook):
    comment = post()
    webhook.answer = sends(http(b"", "500 Oops"))

    assert state(posting.edit(comment, "Better said.")) == SHOWN


def test_an_objection_of_a_service_is_read_like_any_other_verdict():
    submission = Submission(
        Comment(article=make_article(), **SAID), answers={Rule.WEBHOOK: Verdict(Comment.Status.HELD, "Rude")}
    )

    assert fired(posting.post(submission)) == [("webhook", "held", "Rude")]
