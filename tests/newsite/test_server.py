"""The life of a real server: what its workers survive, and how they end."""

import os
import select
import signal
import sqlite3
from contextlib import closing, contextmanager

import pytest

from tests.newsite.conftest import STORY, answer_on, reply, status_of, wait_until


@pytest.fixture(scope="module")
def site(serve):
    return serve(workers=2)


@contextmanager
def locked(site):
    """Hold the lock that whoever writes into SQLite has to have."""
    with closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_worker_that_is_killed_is_replaced_and_the_site_goes_on(site):
    before = site.workers()
    killed = min(before)

    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: killed not in site.workers())

    assert site.get(STORY) == 200
    wait_until(lambda: len(site.workers() - {killed}) == 2)
    assert site.get(STORY) == 200
    assert site.process.poll() is None


def test_a_reload_replaces_the_workers_and_loses_no_comment(site):
    before = site.workers()

    site.process.send_signal(signal.SIGHUP)
    sent, statuses = 0, []
    while site.workers() & before or sent < 40:
        sent += 1
        statuses.append(status_of(site.ask(reply(f"reload-{sent}"))))

    assert statuses == [303] * sent
    assert site.rows("SELECT count(*) FROM comments_comment WHERE body LIKE 'reload-%'") == [(sent,)]
    assert len(site.workers()) == 2


def test_readers_are_answered_while_more_writers_wait_than_there_are_threads(serve):
    site = serve()
    with locked(site):
        writers = [site.send(reply(f"wait-{number}")) for number in range(8)]

        read = [site.get(STORY) for _ in range(10)]

        answered_before, _, _ = select.select(writers, [], [], 0)

    assert (read, answered_before) == ([200] * 10, [])
    assert [status_of(answer_on(writer)) for writer in writers] == [303] * 8


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["a service", "Ctrl-C"])
def test_what_is_being_answered_when_the_server_ends_is_answered(serve, number):
    site = serve()
    with locked(site):
        writer = site.send(reply(f"end-{number}"))
        # The comment has come in before these.
        assert [site.get(STORY) for _ in range(3)] == [200] * 3
        os.killpg(site.process.pid, number) if number == signal.SIGINT else site.process.send_signal(number)

    assert status_of(answer_on(writer)) == 303
    assert site.process.wait(timeout=120) == 0
    assert site.errors.read_text() == ""
