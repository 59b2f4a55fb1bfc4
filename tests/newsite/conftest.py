import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from django.conf import settings

from newsite import server

HOST = "127.0.0.1"
STORY = "/2026/11/a-story/"

MAKE_A_SITE = """
import datetime
import django
django.setup()
from django.core.management import call_command
from tests.factories import make_article, make_editor
call_command("migrate", verbosity=0)
make_article(slug="a-story", published_at=datetime.datetime(2026, 11, 2, 12, tzinfo=datetime.UTC))
make_editor(username="ed")
"""

_senders = count(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "It did not happen."
        time.sleep(0.02)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


class Site:
    """A real server with a database of its own, and what a test does to it."""

    def __init__(self, folder: Path, environment: dict[str, str], *, workers: int, target: str):
        self.port = free_port()
        self.folder = folder / "media"
        self.database = folder / "site.sqlite3"
        self.errors = folder / f"errors-{self.port}.txt"
        command = server.command(HOST, self.port, workers)
        command[-1] = target or command[-1]
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                command, cwd=settings.BASE_DIR, env=environment, stderr=errors, start_new_session=True
            )
        wait_until(lambda: answers(self.port))

    def send(self, request: bytes) -> socket.socket:
        return sent_to(self.port, request)

    def ask(self, request: bytes) -> bytes:
        """Return the whole answer to bytes as they are."""
        return answer_on(self.send(request))

    def get(self, path: str) -> int:
        return status_of(self.ask(request("GET", path)))

    def rows(self, query: str) -> list[tuple]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(query).fetchall()

    def workers(self) -> set[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(pid) for pid in children.split()}

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """Return a request as the proxy sends it that the site trusts."""
    lines = {
        "Host": "localhost",
        "X-Forwarded-Proto": "https",
        "Sec-Fetch-Site": "same-origin",
        "Connection": "close",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    if body:
        lines |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def reply(word: str, sent_by: str | None = None) -> bytes:
    """Return a comment of one word, from a new sender unless there are lines that name one."""
    if sent_by is None:
        number = next(_senders)
        sent_by = f"X-Forwarded-For: 198.{number // 256}.{number % 256}.7\r\n"
    form = f"body={word}&name=Ada&email={word}@example.com".encode()
    head, _, body = request("POST", f"{STORY}reply/", form).partition(b"\r\n\r\n")
    return head + b"\r\n" + sent_by.encode() + b"\r\n" + body


def sent_to(port: int, request: bytes, *, source: str = HOST) -> socket.socket:
    connection = socket.create_connection((HOST, port), timeout=120, source_address=(source, 0))
    connection.sendall(request)
    return connection


def answer_on(connection: socket.socket) -> bytes:
    with connection:
        return b"".join(iter(lambda: connection.recv(65536), b""))


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.fixture(scope="module")
def serve(tmp_path_factory):
    """Start real servers on one database, with a story and an editor in it."""
    folder = tmp_path_factory.mktemp("served")
    for name in ("media", "static"):
        (folder / name).mkdir()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.newsite.served",
        "SERVED_FOLDER": str(folder / "media"),
        "DATABASE_URL": f"sqlite:///{folder}/site.sqlite3",
    }
    subprocess.run([sys.executable, "-c", MAKE_A_SITE], cwd=settings.BASE_DIR, env=environment, check=True)
    sites = []

    def start(*, workers: int = 1, target: str = "") -> Site:
        sites.append(Site(folder, environment, workers=workers, target=target))
        return sites[-1]

    yield start
    for site in sites:
        site.stop()
