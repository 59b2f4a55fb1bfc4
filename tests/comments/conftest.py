import shutil
import ssl
import subprocess
from collections.abc import Callable
from threading import Thread

import pytest
import time_machine
from django.contrib.admin import site
from django.contrib.messages.storage.cookie import CookieStorage

from articles.models import Article
from comments import opinions
from comments.fuses import Fuse
from tests.comments.stand_ins import Service, http, sends
from tests.factories import make_author, make_editor, make_staff
from tests.givens import NOON


@pytest.fixture
def clock():
    """It is noon, and stays so until a test moves the clock."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def editor(client):
    """Someone signed in who may do everything."""
    editor = make_editor(username="alice", email="alice@newsroom.example")
    client.force_login(editor)
    return editor


@pytest.fixture
def alice(client):
    """Someone signed in who may do everything, and has a name that readers see."""
    alice = make_editor(username="alice", first_name="Alice", last_name="Ward")
    client.force_login(alice)
    return alice


@pytest.fixture
def bob():
    return make_editor(username="bob")


@pytest.fixture
def author(client):
    """Someone signed in who moderates below their own stories only."""
    author = make_author(user=make_staff("Author", username="ida"))
    client.force_login(author.user)
    return author


@pytest.fixture
def services(monkeypatch):
    """Start as many services as a test needs."""
    # Here an answer that comes late comes late on a busy machine. What is about time says how much.
    monkeypatch.setattr(opinions, "SECONDS", 60)
    # A service of an earlier test was another one.
    monkeypatch.setattr(opinions, "fuses", {rule: Fuse(rule.value) for rule in opinions.fuses})
    started = []

    def start() -> Service:
        service = Service()
        Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        started.append(service)
        return service

    yield start
    for service in started:
        service.over.set()
        service.shutdown()
        service.server_close()


@pytest.fixture(autouse=True)
def trust_anew():
    """Let each test say which certificates the machine trusts."""
    yield
    opinions._trusted.cache_clear()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Make a certificate for Akismet's host, which nobody trusts yet."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate (on Debian: apt install openssl)")
    folder = tmp_path_factory.mktemp("certificate")
    key, certificate = folder / "key", folder / "certificate"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x"
    names = ["-addext", "subjectAltName=DNS:rest.akismet.com,DNS:localhost"]
    subprocess.run(
        [*make.split(), *names, "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    return certificate, tls


@pytest.fixture
def akismet(services, settings, monkeypatch, certificate) -> Service:
    """Stand in for Akismet, at the far end of a proxy."""
    service = services()
    trusted, service.tls = certificate
    for name in ("https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", service.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    settings.AKISMET_API_KEY = "key-of-the-owner"
    service.answer = sends(http(b"false"))
    return service


@pytest.fixture(params=["delete", "delete many", "unpublish", "save as draft"])
def take_off(request, rf) -> Callable[[Article], None]:
    """Take a story off the site, in one of the ways that the admin has."""

    def taken_off(story: Article) -> None:
        posted = rf.post("/")
        posted.user = make_editor()
        posted._messages = CookieStorage(posted)
        stories, admin = Article.objects.filter(pk=story.pk), site._registry[Article]
        if request.param == "save as draft":
            story.status = "draft"
        ways = {
            "delete": lambda: admin.delete_model(posted, story),
            "delete many": lambda: admin.delete_queryset(posted, stories),
            "unpublish": lambda: admin.unpublish(posted, stories),
            "save as draft": lambda: admin.save_model(posted, story, None, change=True),
        }
        ways[request.param]()

    return taken_off
