from pathlib import Path

import pytest

from mail.models import Mail
from tests.mail import smtp


@pytest.fixture(autouse=True)
def templates(settings):
    """Two templates of a mail that no app has."""
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [*engine["DIRS"], Path(__file__).parent / "templates"]}]


@pytest.fixture
def queue():
    """Write a mail of which the test says only what matters to it."""

    def queue(**content) -> Mail:
        defaults = {
            "recipient": "ada@example.com",
            "subject": "News",
            "template": "mail_tests/news",
            "context": {"words": "Good news."},
        }
        return Mail.objects.queue(**{**defaults, **content})

    return queue


@pytest.fixture
def server():
    server = smtp.start(smtp.Postbox())
    yield server
    server.stop()


@pytest.fixture
def postbox(server, settings) -> smtp.Postbox:
    """What the site's mail server has got."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    return server.handler
