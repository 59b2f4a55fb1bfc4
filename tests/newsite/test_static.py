import gzip
import re
from urllib.parse import urljoin

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.templatetags.static import static
from django.test import Client

from tests.factories import make_article, make_comment


def source(url: str) -> bytes:
    with open(finders.find(url.removeprefix("/static/")), "rb") as file:
        return file.read()


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
    assert sum(len(gzip.compress(source(url))) for url in scripts) < 6 * 1024
    assert sum(len(gzip.compress(source(url))) for url in styles) < 20 * 1024


@pytest.mark.django_db
def test_static_files_are_kept_for_a_year_under_names_that_change_with_them(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    call_command(
        "collectstatic", interactive=False, verbosity=0, ignore_patterns=["admin", "django_prose_editor"]
    )

    response = Client().get(static("newsite/base.css"), headers={"accept-encoding": "br, gzip"})
    response.close()

    assert re.fullmatch(r"/static/newsite/base\.[0-9a-f]{12}\.css", response.request["PATH_INFO"])
    assert response.headers["Content-Encoding"] == "br"
    directives = dict(part.partition("=")[::2] for part in response.headers["Cache-Control"].split(", "))
    assert "immutable" in directives
    assert int(directives["max-age"]) >= 365 * 24 * 60 * 60
