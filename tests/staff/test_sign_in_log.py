"""One line in the log for each sign-in, which fail2ban reads as docs/fail2ban.md has it."""

import logging
import re
from io import StringIO
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.test import Client

from staff import second_factor, sign_in_log
from tests.factories import make_staff, make_user
from tests.staff.conftest import PASSWORD, code_of, give_code, sign_in

HERE = "192.0.2.7"
DOCS = (Path(__file__).parent.parent.parent / "docs/fail2ban.md").read_text()


@pytest.fixture(autouse=True)
def stream(monkeypatch) -> StringIO:
    """What the site's own handler writes."""
    (handler,) = [one for one in logging.getLogger().handlers if one.name == "console"]
    stream = StringIO()
    monkeypatch.setattr(handler, "stream", stream)
    return stream


def lines(stream: StringIO) -> list[str]:
    return [line for line in stream.getvalue().splitlines() if "staff.sign_in" in line]


def banned(line: str) -> str | None:
    """Return the address that fail2ban takes from a line of the journal."""
    (pattern,) = re.findall(r"failregex = (.+)", DOCS)
    # What fail2ban itself puts in place of <ADDR>, for IPv4 and IPv6.
    pattern = pattern.replace("<ADDR>", r"(?P<host>[\d.]+|[\da-fA-F:]+)")
    found = re.search(pattern, f"server granian[123]: {line}")
    return found and found["host"]


def test_a_sign_in_is_a_line_with_the_account_and_the_address(
    client, ada, stream, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        sign_in(client, REMOTE_ADDR=HERE)

    assert lines(stream) == [f'INFO staff.sign_in: signed-in address={HERE} account="ada"']
    assert banned(lines(stream)[0]) is None


def test_a_wrong_password_is_a_line_that_fail2ban_reads(client, ada, stream):
    sign_in(client, password="wrong", REMOTE_ADDR=HERE)

    assert lines(stream) == [f'WARNING staff.sign_in: failed address={HERE} account="ada"']
    assert banned(lines(stream)[0]) == HERE


def test_what_was_typed_for_a_name_is_not_written_without_such_an_account(client, ada, stream):
    sign_in(client, "my secret password", "x", REMOTE_ADDR=HERE)

    assert lines(stream) == [f"WARNING staff.sign_in: failed address={HERE} account=-"]
    assert "secret" not in stream.getvalue()
    assert banned(lines(stream)[0]) == HERE


def test_attempts_of_who_is_locked_out_are_told_from_wrong_ones(client, ada, stream):
    for _attempt in range(6):
        sign_in(client, password="wrong", REMOTE_ADDR="2001:db8::1")

    assert [re.search(r": (\S+) ", line)[1] for line in lines(stream)] == ["failed"] * 5 + ["locked-out"]
    assert {banned(line) for line in lines(stream)} == {"2001:db8::1"}


def test_a_wrong_code_is_a_line_and_so_is_one_that_came_too_soon(client, phone, stream):
    sign_in(client, REMOTE_ADDR=HERE)
    give_code(client, "000000", REMOTE_ADDR=HERE)
    give_code(client, "000000", REMOTE_ADDR=HERE)

    assert lines(stream) == [
        f'WARNING staff.sign_in: wrong-code address={HERE} account="ada"',
        f'WARNING staff.sign_in: locked-out address={HERE} account="ada"',
    ]
    assert [banned(line) for line in lines(stream)] == [HERE, HERE]


@pytest.mark.django_db(transaction=True)
def test_a_sign_in_that_could_not_be_saved_is_no_line(client, ada, stream):
    def is_busy(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "session" in sql:
            raise OperationalError("database is locked")
        return execute(sql, params, many, context)

    client.raise_request_exception = False
    with connection.execute_wrapper(is_busy):
        response = sign_in(client, REMOTE_ADDR=HERE)

    assert (response.status_code, lines(stream)) == (503, [])
    sign_in(client, REMOTE_ADDR=HERE)
    assert lines(stream) == [f'INFO staff.sign_in: signed-in address={HERE} account="ada"']


def test_with_a_second_factor_the_code_is_what_signs_in(
    client, phone, stream, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        sign_in(client, REMOTE_ADDR=HERE)
    assert lines(stream) == []
    with django_capture_on_commit_callbacks(execute=True):
        give_code(client, code_of(phone), REMOTE_ADDR=HERE)

    assert lines(stream) == [f'INFO staff.sign_in: signed-in address={HERE} account="ada"']


def test_a_wrong_old_password_of_who_is_signed_in_is_a_line_too(ada, stream):
    client = Client(REMOTE_ADDR=HERE)
    client.force_login(ada)
    client.post("/admin/account/second-factor/", {"password": "wrong", "set_up": ""})

    assert lines(stream) == [f'WARNING staff.sign_in: failed address={HERE} account="ada"']


def test_a_page_that_is_not_for_an_account_is_a_line_that_bans_nobody(stream, db):
    client = Client(REMOTE_ADDR=HERE)
    client.force_login(make_staff("Author", username="mo"))
    client.get("/admin/auth/user/")

    line = f'WARNING staff.sign_in: refused address={HERE} account="mo" page="/admin/auth/user/"'
    assert lines(stream) == [line]
    assert banned(line) is None


def test_neither_does_the_right_password_of_a_reader_at_the_admins_door(client, stream, db):
    make_user(username="reader", password=PASSWORD)
    sign_in(client, "reader", REMOTE_ADDR=HERE)

    assert lines(stream) == [
        f'WARNING staff.sign_in: refused address={HERE} account="reader" page="/admin/login/"'
    ]


FORGED = 'WARNING staff.sign_in: failed address=198.51.100.1 account="x"'


@pytest.mark.parametrize(
    "name",
    [
        f"eve\n{FORGED}",
        f"eve\r\nserver granian[1]: {FORGED}",
        f"eve\u2028{FORGED}",
        'eve" address=198.51.100.1 account="x',
        "eve address=198.51.100.1",
        'eve\\"',
    ],
    ids=ascii,
)
def test_no_name_forges_a_line_or_an_address(client, name, stream, db):
    """No form takes such names, but a script may have made an account with one."""
    make_user(username=name, password=PASSWORD)
    sign_in(client, name, "wrong", REMOTE_ADDR=HERE)

    # Signs that end a line are no part of it, whoever splits the log.
    (line,) = lines(stream)
    assert banned(line) == HERE


@pytest.mark.parametrize("path", ["/a: ", "/", "/%0A", "/%0Aserver granian[1]: ", "/x server granian[1]: "])
def test_no_address_of_a_page_forges_a_line(client, path, stream, db):
    client.get(f"{path}{FORGED.replace(' ', '%20')}", REMOTE_ADDR=HERE)

    assert [banned(line) for line in stream.getvalue().splitlines() if banned(line)] == []


def test_the_docs_show_the_lines_as_they_are(rf, ada, stream):
    request = rf.get("/", REMOTE_ADDR=HERE)
    for event in [sign_in_log.FAILED, sign_in_log.LOCKED_OUT, sign_in_log.WRONG_CODE, sign_in_log.SIGNED_IN]:
        sign_in_log.write(event, request, ada)

    assert [line for line in lines(stream) if f"    {line}\n" not in DOCS] == []


def test_recovery_codes_are_never_written(client, ada, phone, stream):
    code = second_factor.new_recovery_codes(ada)[0]
    sign_in(client)
    give_code(client, code)

    assert code.replace("-", "") not in stream.getvalue().replace("-", "")
