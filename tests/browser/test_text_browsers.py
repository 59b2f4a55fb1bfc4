"""Browsers without scripts and styles print all that is text, in `hidden` and in <template> too."""

import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from django.test import Client

from tests.browser import newspaper
from tests.factories import make_comment

pytestmark = pytest.mark.django_db

# What nobody without scripts can use, or is in a state to be told.
FOR_SCRIPTS = [
    "New since your last visit",
    "Cancel reply",
    "We kept what you were writing",
    "You have another unfinished comment here",
    "Here is what you were writing",
    "Save my name, email, and website in this browser",
    "You are offline",
    "Posting",
    "Posted.",
    "Read more",
    "Reported",
    "Dismiss",
    "Characters left",
]
# Elements that have no end.
VOID = {"br", "hr", "img", "input", "link", "meta", "wbr", "source"}


class Unseen(HTMLParser):
    """Takes down what text stands in elements that only newer browsers know to leave out."""

    def __init__(self):
        super().__init__()
        self.around: list[bool] = []
        self.found: list[str] = []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.around.append(tag == "template" or "hidden" in dict(attributes))

    def handle_endtag(self, tag):
        if tag not in VOID:
            self.around.pop()

    def handle_data(self, data):
        if any(self.around) and data.strip():
            self.found.append(data.strip())


def pages() -> dict[str, str]:
    """Every kind of page that readers see, and one of a conversation where all words of scripts are."""
    news, client = newspaper.found(), Client()
    for _ in range(2):
        make_comment(article=news.story)
    return {name: client.get(address).content.decode() for name, address in news.addresses.items()}


def test_no_page_holds_text_that_only_newer_browsers_leave_out():
    found = {}
    for name, page in pages().items():
        reader = Unseen()
        reader.feed(page)
        if reader.found:
            found[name] = reader.found

    assert found == {}


@pytest.mark.parametrize(
    "command", [["lynx", "-dump", "-nolist", "-width=200"], ["w3m", "-dump", "-cols", "200"]]
)
def test_text_browsers_print_nothing_that_is_for_scripts(command, tmp_path):
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]} here (on Debian: apt install {command[0]})")
    printed = {}
    for name, page in pages().items():
        file = tmp_path / f"{name}.html"
        file.write_text(page)
        printed[name] = subprocess.run(
            [*command, file], capture_output=True, text=True, check=True, timeout=60
        ).stdout

    # On the page of a reply, the way back is a link.
    without_scripts = {name: text for name, text in printed.items() if name != "reply page"}
    said = {name: [words for words in FOR_SCRIPTS if words in text] for name, text in without_scripts.items()}
    assert {name: words for name, words in said.items() if words} == {}
    assert "Leave a Reply" in printed["story with comments"]
    assert "Comments on this story are closed." in printed["closed story"]
