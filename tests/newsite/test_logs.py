import logging
from concurrent.futures import ThreadPoolExecutor
from http.client import responses
from io import StringIO

import pytest
import time_machine
from django.core import signing
from django.db import OperationalError
from django.urls import get_resolver

from comments.moderator_texts import Link
from comments.yours import address
from newsite.logs import CountingHandler, keep_tracebacks_for_faults, without_tokens
from tests.factories import make_comment, make_user
from tests.givens import NOON, SAME_ORIGIN


@pytest.fixture
def log(monkeypatch) -> StringIO:
    """What the site's own handler writes."""
    (handler,) = [one for one in logging.getLogger("django").handlers if one.name == "console"]
    stream = StringIO()
    monkeypatch.setattr(handler, "stream", stream)
    # Other tests fail as well.
    monkeypatch.setattr(handler, "known", {})
    return stream


def test_a_bad_request_is_one_line_in_the_log_and_a_fault_of_our_own_has_its_traceback():
    def kept(name: str, **extra) -> bool:
        record = logging.makeLogRecord({"name": name, "exc_info": (ValueError, ValueError(), None), **extra})
        return keep_tracebacks_for_faults(record) and record.exc_info is not None

    assert kept("django.security.DisallowedHost") is False
    assert kept("django.request", status_code=400) is False
    assert kept("django.request", status_code=500) is True
    assert kept("mail.delivery") is True


FORGED = "WARNING staff.sign_in: failed address=192.0.2.9 account=-"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028"])
def test_no_words_of_others_begin_a_line(log, end):
    words = f"550 no{end}{FORGED}{end}"
    logger = logging.getLogger("django.request")

    logger.warning("The server said: %s", words)
    try:
        raise ValueError(words)
    except ValueError:
        logger.exception("A fault: %s", words)

    lines = [line for line in log.getvalue().splitlines() if line.strip()]
    assert [line for line in lines if line.startswith(FORGED)] == []
    assert [line.split()[0] for line in lines if not line.startswith("  ")] == ["WARNING", "ERROR"]
    assert log.getvalue().count(FORGED) == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    "folder", ["mail/confirm", "mail/stop", "mine/link", "moderate", "moderate/mails", "yours"]
)
def test_a_token_of_a_link_is_not_logged(client, log, folder):
    token = signing.dumps([1, "x"], salt="other")

    statuses = [client.post(f"/comments/{folder}/{token}/{rest}").status_code for rest in ("", "x/")]

    assert [status for status in statuses if status < 400] == []
    assert log.getvalue().count(f"/comments/{folder.partition('/')[0]}/…") == 2
    assert token not in log.getvalue()


@pytest.mark.django_db
def test_a_link_that_works_is_not_logged_where_what_it_is_used_for_fails(client, log):
    comment, user = make_comment(status="held"), make_user()
    decide = Link.to(user, comment.pk, "approve", 0).token

    client.post(f"/comments/moderate/{decide}/", headers=SAME_ORIGIN)
    client.post(f"{address(comment)}edit/", {"body": ""}, headers=SAME_ORIGIN)

    assert log.getvalue() == (
        f"WARNING django.request: {responses[403]}: /comments/moderate/…\n"
        f"WARNING django.request: {responses[422]}: /comments/yours/…\n"
    )


@pytest.mark.django_db
def test_neither_is_it_where_the_fault_is_ours(client, log, monkeypatch):
    def fail(token: str, **how):
        raise ValueError(f"/comments/moderate/{token}")

    client.raise_request_exception = False
    monkeypatch.setattr("django.core.signing.loads", fail)

    client.get("/comments/moderate/abc123/")

    assert f"{responses[500]}: /comments/moderate/…\n  Traceback" in log.getvalue()
    assert "abc123" not in log.getvalue()


def addresses_with_tokens(patterns, before: str = "/") -> list[str]:
    """Return every address of the site that has a token in it, with “secret” in its place."""
    found = []
    for pattern in patterns:
        address = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            found += addresses_with_tokens(pattern.url_patterns, address)
        elif "<str:token>" in address:
            found.append(address.replace("<str:token>", "secret"))
    return found


def test_no_address_has_a_token_that_is_not_known_here():
    addresses = addresses_with_tokens(get_resolver().url_patterns)

    assert len(addresses) > 5
    assert [address for address in addresses if "secret" in without_tokens(address)] == []


@pytest.mark.parametrize("text", ["<{}>", '<a href="{}">', ">{}</a>", "see {} now", "'{}'"])
def test_only_the_token_is_left_out_of_what_stands_around_it(text):
    link = "https://news.example/comments/mine/link/abc:123/"

    hidden = without_tokens(text.format(link))

    assert hidden == text.format("https://news.example/comments/mine/…")


def test_other_addresses_are_logged_whole(client, log, db):
    client.get("/comments/unheard-of/")

    assert log.getvalue() == f"WARNING django.request: {responses[404]}: /comments/unheard-of/\n"


# --- The same again ---


@pytest.fixture
def counting():
    """A logger with the site's own handler, and what that has written."""
    handler = CountingHandler(StringIO())
    handler.setFormatter(logging.Formatter("{levelname} {name}: {message}", style="{"))
    logger = logging.Logger("newsite.test")
    logger.addHandler(handler)
    return logger, handler


def fail(logger, error: Exception) -> None:
    try:
        raise error
    except type(error):
        logger.exception("It failed.")


def written(handler) -> list[str]:
    return [line for line in handler.stream.getvalue().splitlines() if not line.startswith((" ", "Trace"))]


def test_a_hundred_equal_tracebacks_are_one_and_a_line(counting):
    logger, handler = counting
    with time_machine.travel(NOON, tick=False) as clock:
        for _number in range(100):
            fail(logger, ValueError("wrong"))
        before = written(handler)
        clock.shift(301)
        logger.warning("Something else.")

    assert handler.stream.getvalue().count("Traceback") == 1
    assert before == ["ERROR newsite.test: It failed.", "ValueError: wrong"]
    assert written(handler)[2:] == [
        "ERROR newsite.test: The same again, 99 times in 5 min: ValueError: wrong",
        "WARNING newsite.test: Something else.",
    ]


def test_after_five_minutes_a_fault_is_written_whole_again(counting):
    logger, handler = counting
    with time_machine.travel(NOON, tick=False) as clock:
        fail(logger, ValueError("wrong"))
        clock.shift(301)
        fail(logger, ValueError("wrong"))

    assert handler.stream.getvalue().count("Traceback") == 2


def test_a_fault_hides_no_other(counting):
    logger, handler = counting

    fail(logger, ValueError("wrong"))
    fail(logger, KeyError("wrong"))
    try:
        int("x")
    except ValueError:
        logger.exception("At another place.")
    for _number in range(2):
        logger.error("Without a traceback.")

    assert handler.stream.getvalue().count("Traceback") == 3
    assert handler.stream.getvalue().count("Without a traceback.") == 2


def test_a_database_that_is_away_is_one_line_wherever_it_is_missed(counting):
    logger, handler = counting

    for path in ("/", "/archive/"):
        try:
            raise OperationalError("connection refused\nIs the server running?")
        except OperationalError:
            logger.exception("Service Unavailable: %s", path)
    fail(logger, OperationalError("database or disk is full"))

    assert handler.stream.getvalue().splitlines() == [
        "ERROR newsite.test: Service Unavailable: / (django.db.utils.OperationalError: connection refused)",
        "ERROR newsite.test: It failed. (django.db.utils.OperationalError: database or disk is full)",
    ]


def test_what_was_counted_is_told_when_the_process_ends(counting):
    logger, handler = counting
    for _number in range(3):
        fail(logger, ValueError("wrong"))

    handler.close()

    assert written(handler)[2:] == ["ERROR newsite.test: The same again, 2 times in 1 min: ValueError: wrong"]


def test_no_more_than_a_hundred_faults_are_known_at_once(counting):
    logger, handler = counting
    for number in range(150):
        for _time in range(2):
            fail(logger, type(f"Error{number}", (Exception,), {})())

    assert len(handler.known) == 100


def test_many_threads_count_together(counting):
    logger, handler = counting
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _number: fail(logger, ValueError("wrong")), range(200)))

    handler.close()

    assert handler.stream.getvalue().count("Traceback") == 1
    assert "The same again, 199 times" in handler.stream.getvalue()


@pytest.mark.django_db
def test_the_site_counts_the_faults_of_its_pages(client, log, monkeypatch):
    def fail(*args, **how):
        raise ValueError("wrong")

    client.raise_request_exception = False
    monkeypatch.setattr("django.core.signing.loads", fail)

    for _number in range(3):
        client.get("/comments/moderate/abc123/")

    assert log.getvalue().count("Traceback") == 1
