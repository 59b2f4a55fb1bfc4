"""Walk the demo as a reader would who follows every link on every page."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from articles.models import Article

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded")]


class Page(HTMLParser):
    """The addresses that a page leads to or shows, and the places in it that links may name."""

    def __init__(self, html: str):
        super().__init__()
        self.links: set[str] = set()
        self.forms: set[str] = set()
        self.places: set[str] = {""}
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "form" and dict(attrs).get("method") == "post":
            self.forms.add(dict(attrs).get("action", ""))
        for name, value in attrs:
            if name in ("href", "src", "action"):
                self.links.add(value)
            elif name == "id":
                self.places.add(value)


def is_there(file: str) -> bool:
    """Whether a picture, a stylesheet or a script exists that a page asks for."""
    if file.startswith(settings.STATIC_URL):
        return finders.find(file.removeprefix(settings.STATIC_URL)) is not None
    return (Path(settings.MEDIA_ROOT) / unquote(file.removeprefix(settings.MEDIA_URL))).is_file()


def test_every_link_on_every_page_leads_somewhere(client):
    pages: dict[str, Page] = {}
    wanted = {("/", "", "the front page")}
    broken, seen, forms = [], set(), set()
    while wanted:
        url, place, found_on = wanted.pop()
        seen.add((url, place))
        if url.startswith((settings.STATIC_URL, settings.MEDIA_URL)):
            if not is_there(url):
                broken.append((url, found_on))
            continue
        if url not in pages:
            response = client.get(url)
            # What a form is sent to has its page elsewhere.
            if response.status_code == 302 or (response.status_code == 301 and url in forms):
                goal, at = urldefrag(urljoin(url, response["Location"]))
                if (goal, at) not in seen:
                    wanted.add((goal, at, url))
                pages[url] = Page("")
                continue
            if response.status_code != 200:
                broken.append((url, found_on, response.status_code))
                continue
            is_html = response.headers["Content-Type"].startswith("text/html")
            pages[url] = Page(response.content.decode() if is_html else "")
            forms |= pages[url].forms
            for link in pages[url].links:
                goal, at = urldefrag(urljoin(f"http://testserver{url}", link))
                if urlsplit(goal).netloc == "testserver":
                    address = goal.removeprefix("http://testserver")
                    if (address, at) not in seen:
                        wanted.add((address, at, url))
        if place not in pages[url].places and pages[url].links:
            broken.append((f"{url}#{place}", found_on))

    public = {article.get_absolute_url() for article in Article.objects.published()}
    assert broken == []
    assert public - set(pages) == set()
