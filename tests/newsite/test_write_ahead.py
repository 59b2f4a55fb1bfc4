"""What SQLite's files hold after an erasure: read as bytes."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction

from comments.models import Housekeeping
from comments.privacy import erase
from newsite import write_ahead
from tests.factories import make_comment

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no such file of ours."),
]
MARK = b"Wilhelmina-Unmistakable"
ADA = "wilhelmina-unmistakable@example.com"


def write_of_the_person() -> None:
    """So much that pages are let go of, and not only overwritten."""
    for number in range(20):
        make_comment(name=MARK.decode(), email=ADA, body=f"{MARK.decode()} {number} " * 400)


def files_with_the_mark() -> list[str]:
    path = Path(connection.settings_dict["NAME"])
    files = [file for file in path.parent.glob(f"{path.name}*") if file.is_file()]
    return sorted(
        file.name.removeprefix(path.name) for file in files if MARK.lower() in file.read_bytes().lower()
    )


def test_neither_the_database_nor_its_log_holds_who_was_erased():
    write_of_the_person()
    assert "-wal" in files_with_the_mark()

    erase(ADA, keep_texts=False)

    assert files_with_the_mark() == []


def test_a_reader_in_the_way_fails_no_erasure_and_the_log_is_emptied_later(monkeypatch):
    monkeypatch.setattr(write_ahead, "PATIENCE", 1)
    write_of_the_person()
    Housekeeping.put_off(timedelta(days=1))
    reader = sqlite3.connect(connection.settings_dict["NAME"])
    reader.execute("BEGIN")
    reader.execute("SELECT COUNT(*) FROM comments_comment").fetchone()

    erase(ADA, keep_texts=False)

    assert "-wal" in files_with_the_mark()
    assert Housekeeping.claim()
    reader.close()
    assert write_ahead.empty()
    assert files_with_the_mark() == []


def test_in_the_middle_of_a_transaction_the_log_stays_as_it_is():
    with transaction.atomic():
        assert not write_ahead.empty()
