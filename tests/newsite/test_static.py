import gzip
import re
from urllib.parse import urljoin

import brotli
import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.templatetags.static import static
from django.test import Client

from newsite.storage import without_comments
from tests.factories import make_article, make_comment


def source(url: str) -> bytes:
    with open(finders.find(url.removeprefix("/static/")), "rb") as file:
        return file.read()


def packed_script(url: str) -> bytes:
    """A script as browsers fetch it."""
    return brotli.compress(without_comments(source(url)))


def with_imports(urls: set[str]) -> set[str]:
    """The scripts of a page and all that they import."""
    found = set(urls)
    for url in urls:
        imported = re.findall(rb"""^import\b[^"';]*["'](\.[^"']+)["']""", source(url), re.MULTILINE)
        found |= with_imports({urljoin(url, path.decode()) for path in imported})
    return found


@pytest.mark.django_db
def test_what_a_story_page_loads_is_small(client):
    page = client.get(make_comment(article=make_article()).article.get_absolute_url()).content.decode()
    scripts = with_imports(set(re.findall(r'<script [^>]*src="([^"]+)"', page)))
    styles = set(re.findall(r'<link rel="stylesheet" href="([^"]+)"', page))

    assert scripts
    assert styles
    assert sum(len(packed_script(url)) for url in scripts) < 6 * 1024
    assert sum(len(gzip.compress(source(url))) for url in styles) < 20 * 1024


def collect() -> None:
    call_command(
        "collectstatic", interactive=False, verbosity=0, ignore_patterns=["admin", "django_prose_editor"]
    )


@pytest.mark.django_db
def test_static_files_are_kept_for_a_year_under_names_that_change_with_them(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "newsite.storage.StaticFilesStorage"},
    }
    collect()

    response = Client().get(static("newsite/base.css"), headers={"accept-encoding": "br, gzip"})
    response.close()

    assert re.fullmatch(r"/static/newsite/base\.[0-9a-f]{12}\.css", response.request["PATH_INFO"])
    assert response.headers["Content-Encoding"] == "br"
    directives = dict(part.partition("=")[::2] for part in response.headers["Cache-Control"].split(", "))
    assert "immutable" in directives
    assert int(directives["max-age"]) >= 365 * 24 * 60 * 60


@pytest.mark.django_db
def test_readers_fetch_scripts_without_the_comments_in_them(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "newsite.storage.StaticFilesStorage"},
    }
    collect()

    response = Client().get(static("newsite/times.js"))
    served = b"".join(response.streaming_content)

    assert b"// " in source("/static/newsite/times.js")
    assert [line for line in served.splitlines() if line.lstrip().startswith(b"//")] == []
    assert served.endswith(b"update();\nsetInterval(update, MINUTE / 2);\n")


STYLESHEETS = sorted((settings.BASE_DIR / "newsite/static/newsite").glob("*.css"))


def rules_of(css: str) -> list[tuple[str, str]]:
    """Return the selectors and the declarations of a stylesheet, whatever they stand inside of."""
    return re.findall(r"([^{};]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", css, flags=re.S))


@pytest.mark.parametrize("path", STYLESHEETS, ids=lambda path: path.name)
def test_light_dark_stands_behind_plain_colours_that_every_browser_knows(path):
    """A declaration with a function that a browser does not know is lost as a whole."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    behind = re.findall(
        r"@supports \(color: light-dark\(#000, #fff\)\) \{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", text
    )
    plain = text
    for part in behind:
        plain = plain.replace(part, "")

    assert "light-dark(" not in plain
    for part in behind:
        for selector, declarations in rules_of(part.partition("{")[2]):
            known = "".join(more for other, more in rules_of(plain) if other.strip() == selector.strip())
            names = re.findall(r"([-\w]+):", declarations)
            assert [name for name in names if f"{name}:" not in known] == []


@pytest.mark.parametrize("path", STYLESHEETS, ids=lambda path: path.name)
def test_red_is_for_what_is_wrong_and_for_nothing_else(path):
    reds = [
        selector for selector, declarations in rules_of(path.read_text()) if "var(--wrong)" in declarations
    ]

    assert [selector for selector in reds if not re.search(r"error|invalid", selector)] == []
