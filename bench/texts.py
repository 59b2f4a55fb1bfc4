"""Looks for the comment of 10,000 signs that costs the site the most, and tells what it costs.

    make costs
    .venv/bin/python -m bench.texts --seed 1 2 3 --minutes 5

It begins with texts that were bad once (`costly_texts.json`), and changes the worst of them at random: what the
pieces of a text are, how often each is repeated, and in which order. What counts is the CPU
time of whole requests, answered by the site's own code without a web server: Preview, and
then Post Comment, with every rule and a list of words. Each time is the least of several,
so that whatever else the machine does changes little. The same seed on the same machine takes the same way.
"""

import argparse
import json
import logging
import os
import random
import time
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
# In memory, and with no mail to deliver beside the requests.
os.environ.update(DATABASE_URL="sqlite:///:memory:", MAIL_WORKER="on")
django.setup()

from django.core.management import call_command  # noqa: E402 (Django comes first)
from django.db import transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from articles.models import Article, Section  # noqa: E402
from bench.queue import machine  # noqa: E402
from comments.discussion import DiscussionSettings  # noqa: E402
from comments.forms import reply_url  # noqa: E402
from comments.models import Comment  # noqa: E402
from newsite.markup import comment_html  # noqa: E402

LENGTH: int = Comment._meta.get_field("body").max_length or 0
SEED = 2026
MINUTES = 3.0
# So many of the worst are kept, and changed on.
POOL = 24
SHOWN = 10
# The least of so many times is what a text costs.
RUNS = 5
WORDS = "\n".join(
    ["casino", "*viagra*", "free*money", "a*b*c*d", *(f"word{number}" for number in range(500))]
)

# What texts are made of: marks, tags, addresses, entities, and signs of other scripts.
PARTS = [
    *"><[]()*_~`&'\"!#-+=|\\/.:;,0a b\n\t",
    "\n\n", "\r\n", "> ", ">a", "- a", "* a", "1. a", "```\n", "~~~", "    ", "**", "__", "~~", "``", "](", "![",
    "[a](https://b.c)", "[a](", "https://a.b/", "www.a.b", "a@b.c", "<https://a.b>", "://",
    "<b>", "</b>", "<i>", "<a href=x>", "<a href='https://b.c'>", "</a>", "<ol>", "</ol>", "<ul>", "<li>", "</li>",
    "<p>", "</p>", "<pre>", "</pre>", "<code>", "</code>", "<blockquote>", "</blockquote>", "<br>", "<q>", "<cite>",
    "<!--", "-->", "<script>", "<svg>", "<math>", "<table>", "<template>", "<select>", "<", "</", "<a ", 'title="',
    "&lt;", "&amp;", "&#60;", "&#x0;", "&", "&a", "&NotEqualTilde;", "&#9999999;",
    "e\u0301", "\u0301", "\u0489", "\u202e", "\u200f", "\u200d", "\u05d0", "\u0627", "\ufdfa", "\u0130", "ß",
    "東京", "。", "\U0001f468\u200d", "\u00a0", "\u2028", "\ufeff", "word1 ", "via", "free", "money", "fi\ufb01",
]  # fmt: skip


class Cost(NamedTuple):
    """The CPU time of both buttons, in seconds."""

    preview: float
    post: float

    @property
    def whole(self) -> float:
        return self.preview + self.post


class Piece(NamedTuple):
    text: str
    times: int


Recipe = tuple[Piece, ...]

# What was bad once, or looked as if it could be: a list of recipes.
KNOWN_FILE = Path(__file__).with_name("costly_texts.json")


def known() -> list[Recipe]:
    kept = json.loads(KNOWN_FILE.read_text(encoding="utf-8"))
    return [tuple(Piece(text, times) for text, times in recipe) for recipe in kept]


def keep(recipes: list[Recipe]) -> None:
    """Add recipes to those that the search begins with, and that tests hold to a number of steps."""
    lines = ",\n  ".join(json.dumps(recipe, ensure_ascii=True) for recipe in dict.fromkeys(known() + recipes))
    KNOWN_FILE.write_text(f"[\n  {lines}\n]\n", encoding="utf-8")


def written(recipe: Recipe) -> str:
    """Return a text of full length: what is left over is filled by the last piece."""
    text = "".join(piece.text * piece.times for piece in recipe)[:LENGTH]
    last = recipe[-1].text
    text = (text + last * (LENGTH // len(last) + 1))[:LENGTH]
    # The form takes off what shows nothing, and asks for something that does.
    return text if text.strip() == text else f"x{text[1:-1]}x"


def changed(recipe: Recipe, other: Recipe, dice: random.Random) -> Recipe:
    """Return a recipe with one to three changes, or a part of another's."""
    pieces = list(recipe)
    for _time in range(dice.randint(1, 3)):
        at = dice.randrange(len(pieces))
        text, times = pieces[at]
        match dice.randrange(8):
            case 0:
                place = dice.randint(0, len(text))
                text = text[:place] + dice.choice(PARTS) + text[place:]
            case 1:
                place = dice.randrange(len(text))
                text = text[:place] + text[place + dice.randint(1, 3) :] or dice.choice(PARTS)
            case 2:
                text = dice.choice(PARTS)
            case 3:
                times = max(1, int(times * dice.choice([0.1, 0.5, 0.9, 1.1, 2, 10])))
            case 4:
                times = dice.choice([1, 2, 5, 10, 20, 50, 100, 500, 1000, 5000])
            case 5:
                pieces.insert(at, Piece(dice.choice(PARTS), dice.choice([1, 1, 5, 50, 500, 2000])))
                continue
            case 6:
                if len(pieces) > 1:
                    del pieces[at]
                continue
            case _:
                pieces[at:] = other[dice.randrange(len(other)) :]
                continue
        pieces[at] = Piece(text, min(times, LENGTH))
    return tuple(pieces)


class Site:
    """A story that takes comments from everyone, as often as they come."""

    def __init__(self) -> None:
        self.client = Client(headers={"Sec-Fetch-Site": "same-origin"})
        DiscussionSettings.objects.update_or_create(
            pk=1, defaults={"flood_seconds": 0, "words_that_hold": WORDS, "words_that_trash": WORDS}
        )
        story = Article.objects.create(
            title="A story",
            slug="a-story",
            section=Section.objects.create(name="News", slug="news"),
            body="One paragraph.",
            status=Article.Status.PUBLISHED,
            published_at=timezone.now() - timedelta(hours=1),
        )
        self.address = reply_url(story)
        self.sent = 0

    def cost(self, recipe: Recipe, runs: int) -> Cost:
        text = written(recipe)
        return Cost(
            *(min(self._seconds(text, button) for _run in range(runs)) for button in ("preview", "post"))
        )

    def _seconds(self, text: str, button: str) -> float:
        """Return the CPU time of one press of a button. The comment is not kept."""
        self.sent += 1
        comment_html.cache_clear()
        person = {"name": "Ada", "email": f"ada{self.sent}@example.com", "seconds": "60"}
        sender = f"10.{self.sent >> 16 & 255}.{self.sent >> 8 & 255}.{self.sent & 255}"
        with transaction.atomic():
            began = time.process_time()
            response = self.client.post(
                self.address, {"body": text, **person, button: "1"}, REMOTE_ADDR=sender
            )
            elapsed = time.process_time() - began
            transaction.set_rollback(True)
        if response.status_code not in {200, 303, 422}:
            raise SystemExit(f"{text[:80]!r} was answered with {response.status_code}")
        return elapsed


def search(site: Site, dice: random.Random, minutes: float) -> list[tuple[Cost, Recipe]]:
    """Return the worst recipes that were found before the time was over, the worst first."""
    begun_with = [*known(), *((Piece(part, 1),) for part in PARTS)]
    costs = {recipe: site.cost(recipe, runs=1) for recipe in begun_with}
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        worst = sorted(costs, key=lambda recipe: costs[recipe].whole, reverse=True)[:POOL]
        costs = {recipe: costs[recipe] for recipe in worst}
        # The worse one is, the more often it is chosen.
        chosen = worst[int(dice.expovariate(3 / POOL)) % len(worst)]
        recipe = changed(chosen, dice.choice(begun_with + worst), dice)
        if recipe not in costs and site.cost(recipe, runs=1).whole > costs[worst[-1]].whole:
            # Once may have been the machine's mood.
            costs[recipe] = site.cost(recipe, runs=2)
    measured = [(site.cost(recipe, RUNS), recipe) for recipe in costs]
    return sorted(measured, key=lambda one: one[0].whole, reverse=True)[:SHOWN]


def told(recipe: Recipe) -> str:
    """Return a recipe as Python would write it."""
    return " + ".join(
        repr(piece.text) if piece.times == 1 else f"{piece.text!r} * {piece.times}" for piece in recipe
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Look for the comment that costs the most CPU time.")
    parser.add_argument("--seed", type=int, nargs="+", default=[SEED], help="where chance begins")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long to look with each seed")
    parser.add_argument("--keep", type=int, default=0, help="how many of the worst to keep for the tests")
    asked = parser.parse_args()
    # What is refused says so in the log.
    logging.disable()
    call_command("migrate", verbosity=0)
    site = Site()
    print(f"{machine()}; {LENGTH:,} signs; milliseconds of CPU time: preview, post")  # noqa: T201
    for seed in asked.seed:
        before = site.sent
        found = search(site, random.Random(seed), asked.minutes)  # noqa: S311
        print(f"\nSeed {seed}, {site.sent - before:,} requests", flush=True)  # noqa: T201
        for cost, recipe in found:
            print(f"{cost.preview * 1000:6.0f} {cost.post * 1000:6.0f}  {told(recipe)}", flush=True)  # noqa: T201
        keep([recipe for _cost, recipe in found[: asked.keep]])


if __name__ == "__main__":
    main()
