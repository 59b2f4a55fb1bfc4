"""Measures the moderators' queue in a small and in a large database, in one run.

    make bench

Without DATABASE_URL, or where it names SQLite, both databases are temporary files; where it
names PostgreSQL, both are created on that server, whose user needs the right to do so, and
dropped in the end. Times are those of whole pages, answered by the site's own code without
a web server. Small and large take turns, so that whatever else the machine does meets both.
"""

import argparse
import os
import platform
import re
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from django.conf import settings  # noqa: E402 (Django comes first)
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.db.utils import load_backend  # noqa: E402
from django.test import Client  # noqa: E402

from bench import newsroom  # noqa: E402
from comments.models import Report  # noqa: E402

SIZES = [10_000, 1_000_000]
RUNS = 15
QUEUE = "/admin/comments/comment/"

# What is measured: its name, who asks, and for what. The busiest story, person and address are
# the first; {old} is a place in the queue behind nine tenths of all comments.
PAGES = [
    ("Held", "moderator", "?status=held"),
    ("Reported", "moderator", "?status=reported"),
    ("Approved", "moderator", "?status=approved"),
    ("Spam", "moderator", "?status=spam"),
    ("All", "moderator", "?status=all"),
    ("All, far back", "moderator", "?status=all&before={old}"),
    ("Approved, far back", "moderator", "?status=approved&before={old}"),
    ("Held, of the busiest story", "moderator", "?status=held&story=1"),
    ("All, of the busiest story", "moderator", "?status=all&story=1"),
    ("All, of the busiest person", "moderator", "?status=all&email=reader0@example.com"),
    ("Spam, of the busiest person", "moderator", "?status=spam&email=reader0@example.com"),
    ("All, from the busiest address", "moderator", "?status=all&ip=10.0.0.0"),
    ("Spam, from the busiest address", "moderator", "?status=spam&ip=10.0.0.0"),
    ("Held by a rule", "moderator", "?status=held&rule=links"),
    ("All that a rule never found", "moderator", "?status=all&rule=everything"),
    ("Spam in a section", "moderator", "?status=spam&section=3"),
    ("Below stories of an author", "moderator", "?status=all&author=7"),
    ("A word of a headline", "moderator", "?status=all&headline=bridge"),
    ("A word that is there", "moderator", "?status=all&q=bridge"),
    ("A word that is not there", "moderator", "?status=all&q=unheard-of"),
    ("Posted in a month long ago", "moderator", "?status=approved&since=2023-03-01&until=2023-03-31"),
    ("An author’s own: held", "author", "?status=held"),
    ("An author’s own: all", "author", "?status=all"),
    ("Twenty rows to refill the list", "moderator", "more/?status=held&rows=20"),
    ("What others decided", "moderator", "news/?comments={latest}&seen={zeros}"),
]


class Newsroom:
    """A database of one size, and two people who ask it."""

    def __init__(self, size: int, database: dict[str, Any]):
        self.size = size
        self.connection = load_backend(database["ENGINE"]).DatabaseWrapper(database, "default")
        self.clients: dict[str, Client] = {}
        self.facts = {
            "old": f"{(newsroom.NOW - newsroom.YEARS * 0.9).timestamp():.6f}-{size // 10}",
            "latest": ",".join(str(size - number) for number in range(50)),
            "zeros": ",".join(["0"] * 50),
        }

    def open(self) -> None:
        connections["default"] = self.connection

    def build(self) -> None:
        self.open()
        call_command("migrate", verbosity=0)
        if not User.objects.exists():
            newsroom.fill(self.size)
        if not Report.objects.exists():
            raise SystemExit(f"{self.connection.settings_dict['NAME']} was not filled to the end: delete it.")
        for name in ("moderator", "author"):
            self.clients[name] = Client()
            self.clients[name].force_login(
                User.objects.get(username=name), settings.AUTHENTICATION_BACKENDS[-1]
            )

    def milliseconds(self, who: str, address: str) -> float:
        self.open()
        start = time.perf_counter()
        response = self.clients[who].get(QUEUE + address.format(**self.facts))
        elapsed = time.perf_counter() - start
        if response.status_code != 200:
            raise SystemExit(f"{address} answered {response.status_code}")
        return elapsed * 1000


@contextmanager
def sqlite_file(size: int, folder: Path) -> Iterator[dict[str, Any]]:
    yield {**settings.DATABASES["default"], "NAME": str(folder / f"{size}.sqlite3")}


@contextmanager
def postgresql_database(size: int, keep: bool) -> Iterator[dict[str, Any]]:
    name = f"newsite_bench_{size}"
    server = connections.create_connection("default")
    with server.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if not cursor.fetchone():
            cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        yield {**settings.DATABASES["default"], "NAME": name}
    finally:
        if not keep:
            with server.cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        server.close()


def machine() -> str:
    cpuinfo = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"model name\s*: (.*)", cpuinfo)
    parts = [
        f"{model[1] if model else platform.processor()}, {os.cpu_count()} cores",
        f"Python {platform.python_version()}",
        f"Django {django.get_version()}",
        database_version(),
    ]
    return "; ".join(parts)


def database_version() -> str:
    if connections["default"].vendor == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    with connections["default"].cursor() as cursor:
        cursor.execute("SHOW server_version")
        return f"PostgreSQL {cursor.fetchone()[0]}"


def told(times: list[float]) -> str:
    """Return the median, and between what the middle half of the times lies."""
    low, middle, high = statistics.quantiles(times, n=4)
    return f"{middle:.1f} ({low:.1f}–{high:.1f})"


def measure(rooms: list[Newsroom], runs: int) -> Iterator[str]:
    """Return the lines of a table in Markdown."""
    sizes = " | ".join(f"{room.size:,} comments" for room in rooms)
    yield f"| Page | {sizes} | Ratio |"
    yield "|---|" + "---:|" * (len(rooms) + 1)
    for name, who, address in PAGES:
        times: list[list[float]] = [[] for _room in rooms]
        # The first is not counted: it fills the caches of both.
        for number in range(runs + 1):
            for room, its in zip(rooms, times, strict=True):
                taken = room.milliseconds(who, address)
                if number:
                    its.append(taken)
        ratio = statistics.median(times[-1]) / statistics.median(times[0])
        yield f"| {name} | {' | '.join(told(its) for its in times)} | {ratio:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the queue in a small and in a large database.")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of comments")
    parser.add_argument("--runs", type=int, default=RUNS, help="how often each page is asked for")
    parser.add_argument("--keep", type=Path, help="a folder for the databases, which then stay")
    asked = parser.parse_args()
    is_sqlite = connections["default"].vendor == "sqlite"
    with ExitStack() as stack:
        folder = asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="newsite-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        rooms = []
        for size in asked.sizes:
            database = sqlite_file(size, folder) if is_sqlite else postgresql_database(size, bool(asked.keep))
            room = Newsroom(size, stack.enter_context(database))
            stack.callback(room.connection.close)
            print(f"Writing {size:,} comments …", flush=True)  # noqa: T201
            room.build()
            rooms.append(room)
        print(f"\n{machine()}; {asked.runs} runs; milliseconds: median (middle half)\n")  # noqa: T201
        for line in measure(rooms, asked.runs):
            print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
