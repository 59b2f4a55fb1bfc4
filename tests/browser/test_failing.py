"""What a reader sees while nothing can be saved, and after."""

import sqlite3
from contextlib import closing, contextmanager

import pytest
from django.db import connection
from playwright.sync_api import expect

from comments.models import Comment
from newsite import settings as site
from tests.browser.links import follow
from tests.browser.reply_form import fill_in, post
from tests.factories import make_article


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Let the server wait for a locked database no longer than a site does. The tests wait longer."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL lets others write")
    patience = site.DATABASES["default"]["OPTIONS"]["timeout"]
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", patience)


@contextmanager
def locked():
    """Another program writes into the database, and does not come to an end."""
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.parametrize("has_script", [True, False])
def test_a_reply_that_cannot_be_saved_is_sent_again_by_one_button(watch, has_script):
    page = watch.new_visitor(java_script_enabled=has_script)
    article = make_article()
    page.goto(article.get_absolute_url())
    watch.expect_status(503)
    fill_in(page, body="Well said.\n\nTwice.", name="Mira", email="mira@mailbox.example")

    with locked():
        refused = post(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Something went wrong on our side")
    expect(page.get_by_label("Your text")).to_have_value("Well said.\n\nTwice.")
    before = Comment.objects.count()
    follow(page.get_by_role("button", name="Send again"))

    assert (refused.status, before) == (503, 0)
    assert list(Comment.objects.values_list("body", "name", "email")) == [
        ("Well said.\n\nTwice.", "Mira", "mira@mailbox.example")
    ]
