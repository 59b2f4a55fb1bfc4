"""What one request of a stranger may cost, whatever text comes with it.

Counted in calls of functions, so that a busy machine changes nothing. `bench/texts.py` looks for
texts that cost more, and keeps them in the file that is read here.
"""

import json
import sys
from pathlib import Path

import pytest

from comments.forms import reply_url
from comments.models import Comment
from newsite.markup import comment_html, story_html
from tests.factories import make_article, set_discussion

LENGTH = Comment._meta.get_field("body").max_length
COSTLY = json.loads((Path(__file__).parents[2] / "bench" / "costly_texts.json").read_text(encoding="utf-8"))


def written(recipe: list) -> str:
    text = "".join(piece * times for piece, times in recipe)
    return (text * (LENGTH // len(text) + 1))[:LENGTH]


def calls(ask) -> int:
    """Return how many functions are called until all is done."""
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(profile)
    try:
        ask()
    finally:
        sys.setprofile(None)
    return count


def lines(ask) -> int:
    """Return how many lines of Python are gone through: what is in loops counts each time."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    tracer = sys.gettrace()
    sys.settrace(trace)
    try:
        ask()
    finally:
        sys.settrace(tracer)
    return count


@pytest.fixture
def send(client, db):
    """Press a button below a text."""
    set_discussion(words_that_hold="casino\nfree*money", words_that_trash="*viagra*", flood_seconds=0)
    address = reply_url(make_article())

    def send(text: str, button: str) -> int:
        comment_html.cache_clear()
        typed = {"body": text, "name": "Ada", "email": "ada@example.com", button: "1"}
        response = client.post(address, typed, headers={"Sec-Fetch-Site": "same-origin"})
        return response.status_code

    # What is only made once is made.
    send("Some text.", "preview")
    send("Some other text.", "post")
    return send


@pytest.mark.parametrize("recipe", COSTLY, ids=lambda recipe: repr(recipe)[:40])
def test_a_costly_text_is_previewed_and_posted_in_few_steps(send, recipe):
    text = written(recipe)

    assert calls(lambda: send(text, "preview")) < 400_000
    assert calls(lambda: send(text, "post")) < 500_000


@pytest.mark.parametrize(
    "piece",
    [
        "<", "a<", "<p>", "</p>", "<p><", "<ul><li>", "<b>", "<b><p>x", "<b title=1>", "<i>x<p>", "<div>",
        "<span>", "<table>", "<table><tr><td>", "<a href=x>", "&amp;", "<blockquote>", "<figure><img>", "<dl><dd>",
    ],
)  # fmt: skip
def test_a_story_of_twice_the_length_takes_twice_the_steps(piece):
    once, twice = lines(lambda: story_html(piece * 200)), lines(lambda: story_html(piece * 400))

    assert twice < 2.2 * once
