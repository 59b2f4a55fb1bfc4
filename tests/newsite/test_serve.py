import os
import socket
import time
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from articles.models import Article
from demo import loader
from newsite import server
from newsite.management.commands import serve
from tests.factories import make_article, make_comment, make_editor, make_user
from tests.manual.documents import written


@pytest.fixture
def started(monkeypatch, settings):
    """Take the place of the server, and of what fills the site, which have tests of their own."""
    commands = []
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    monkeypatch.setattr(server, "start", commands.append)
    monkeypatch.setattr(serve, "call_command", lambda name, **options: None)
    monkeypatch.setattr(serve, "collect_static", lambda: None)
    return commands


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind((serve.HOST, 0))
        return str(probe.getsockname()[1])


def run_serve(port: str) -> str:
    output = StringIO()
    call_command("serve", port=port, stdout=output)
    return output.getvalue()


def test_a_taken_port_is_named_before_anything_is_changed(started, monkeypatch):
    monkeypatch.setattr(serve, "prepare", lambda: pytest.fail("The database was touched."))
    with socket.socket() as other:
        other.bind((serve.HOST, 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(
            CommandError, match=f"^Port {port} is taken. Choose another: make run PORT={port + 1}$"
        ):
            call_command("serve", port=str(port))

    assert started == []


@pytest.mark.parametrize("port", ["", "0", "-1", "65536", "abc", "80 80", "٣"])
def test_what_is_no_port_is_refused(port):
    with pytest.raises(CommandError, match="is not a port"):
        serve.check_port(port)


@pytest.mark.django_db
def test_the_editor_is_created_once_and_the_password_is_shown_once(started, monkeypatch):
    monkeypatch.setenv("DEMO_PASSWORD", "correct horse battery")
    port = free_port()

    first, second = run_serve(port), run_serve(port)

    editor = get_user_model().objects.get()
    assert (editor.username, editor.is_staff, editor.is_superuser) == ("editor", True, True)
    assert editor.check_password("correct horse battery")
    assert first.count("correct horse battery") == 1
    assert f"http://127.0.0.1:{port}/admin/" in first
    assert second == f"Newsite is at http://127.0.0.1:{port}/ (Ctrl-C ends it).\n"


@pytest.mark.django_db
def test_who_serves_without_a_mail_server_is_told_where_the_mails_are(started, settings):
    settings.SENDS_MAIL = False
    port = free_port()

    assert f"Mail is kept at http://127.0.0.1:{port}/admin/mail/mail/ and not sent" in run_serve(port)


@pytest.mark.django_db
@pytest.mark.parametrize("given", [None, "https://news.example"])
def test_links_in_mails_lead_to_the_port_unless_the_owner_has_said_where(started, monkeypatch, given):
    monkeypatch.setenv("SITE_URL", given or "")
    if given is None:
        monkeypatch.delenv("SITE_URL")
    port = free_port()

    run_serve(port)

    assert os.environ["SITE_URL"] == (given or f"http://127.0.0.1:{port}/")


@pytest.mark.django_db
@pytest.mark.parametrize("given", [None, ""])
def test_without_demo_password_the_password_is_random(monkeypatch, given):
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)
    if given is not None:
        monkeypatch.setenv("DEMO_PASSWORD", given)

    password = serve.create_editor()

    assert len(password) == 16
    assert get_user_model().objects.get().check_password(password)


# --- A site that is somebody's ---


def site() -> tuple[list[str], int]:
    """Who has an account, and how many stories there are."""
    return sorted(get_user_model().objects.values_list("username", flat=True)), Article.objects.count()


@pytest.fixture
def prepared(monkeypatch, settings):
    """Make a site ready as `make run` does, with one story for a demo."""
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    monkeypatch.setattr(serve, "collect_static", lambda: None)
    monkeypatch.setattr(loader, "load", lambda: bool(make_article(slug="of-the-demo")))
    return serve.prepare


@pytest.mark.django_db
def test_a_new_site_gets_the_demo_and_one_administrator(prepared):
    assert prepared() is not None
    assert site() == (["editor"], 1)

    assert prepared() is None
    assert site() == (["editor"], 1)


@pytest.mark.django_db
def test_a_start_that_fails_leaves_a_new_site_new(prepared, monkeypatch):
    def fail():
        make_article()
        raise OSError("No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(loader, "load", fail)
        with pytest.raises(OSError, match="No space left"):
            prepared()
    assert site() == ([], 0)

    assert prepared() is not None
    assert site() == (["editor"], 1)


@pytest.mark.django_db
@pytest.mark.parametrize("has", [make_article, make_comment])
def test_a_site_with_stories_gets_neither_demo_nor_administrator(prepared, has):
    has()

    assert prepared() is None
    assert site() == ([], 1)


@pytest.mark.django_db
@pytest.mark.parametrize("make", [make_editor, make_user])
def test_a_site_with_an_account_gets_neither_demo_nor_a_second_one(prepared, make):
    make(username="owner")

    assert prepared() is None
    assert site() == (["owner"], 0)


@pytest.mark.django_db
@pytest.mark.parametrize("hosts", [["news.example"], ["localhost", "news.example"], ["*"], ["192.168.1.4"]])
def test_a_site_for_the_public_gets_neither(prepared, settings, hosts):
    settings.ALLOWED_HOSTS = hosts

    assert prepared() is None
    assert site() == ([], 0)


@pytest.mark.django_db
def test_who_has_no_administrator_is_told_how_to_make_one(started, monkeypatch):
    monkeypatch.setattr(serve, "prepare", lambda: None)
    port = free_port()

    without = run_serve(port)
    make_editor()

    told = "There is no administrator: manage.py createsuperuser makes one.\n"
    assert (without.count(told), run_serve(port).count(told)) == (1, 0)


@pytest.mark.django_db
def test_a_changed_password_is_kept(prepared, monkeypatch):
    monkeypatch.setenv("DEMO_PASSWORD", "another one")
    get_user_model().objects.create_superuser("editor", password="the editor's own")

    assert prepared() is None
    assert get_user_model().objects.get().check_password("the editor's own")


@pytest.mark.django_db
def test_a_database_that_fails_is_one_line(started, monkeypatch):
    def fail():
        raise DatabaseError("unable to open database file")

    monkeypatch.setattr(serve, "prepare", fail)

    with pytest.raises(CommandError, match="^Newsite cannot start: unable to open database file$"):
        run_serve(free_port())


@pytest.mark.django_db
def test_make_run_and_a_service_start_the_same_server(started):
    port = free_port()

    run_serve(port)
    call_command("web", port=port)
    call_command("web", host="::1", port=port, workers=8)

    made_run, service, larger = started
    assert made_run == service == server.command("127.0.0.1", int(port), workers=2)
    assert larger == server.command("::1", int(port), workers=8)


def test_the_manual_names_this_command_for_the_service():
    unit = written("/etc/systemd/system/newsite.service")

    assert "ExecStart=/srv/newsite/.venv/bin/python manage.py web\n" in unit
    assert "ExecReload=/bin/kill -HUP $MAINPID\n" in unit


def test_static_files_are_collected_again_only_after_a_change(settings, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "site.css").write_text("body {}")
    settings.STATICFILES_DIRS = [source]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "static"
    collected = settings.STATIC_ROOT / "site.css"

    serve.collect_static()
    assert collected.read_text() == "body {}"

    collected.write_text("left alone")
    serve.collect_static()
    assert collected.read_text() == "left alone"

    (source / "site.css").write_text("body { color: red }")
    os.utime(source / "site.css", (later := time.time() + 60, later))
    serve.collect_static()
    assert collected.read_text() == "body { color: red }"
