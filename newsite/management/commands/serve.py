"""`make run`: from an empty folder, or from yesterday's site, to one that answers."""

import hashlib
import os
import secrets
import socket
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, transaction

from newsite import server

HOST = "127.0.0.1"
EDITOR = "editor"
# Django's own default knows no others, and nobody elsewhere reaches a machine by them.
OF_THIS_MACHINE = {"localhost", ".localhost", "127.0.0.1", "[::1]"}


class Command(BaseCommand):
    help = (
        "Migrate, collect the static files, and serve on "
        f"{HOST}. A new site gets the demo and the administrator “{EDITOR}”."
    )

    def add_arguments(self, parser):
        parser.add_argument("--port", default="8000", help="default: 8000")

    def handle(self, *, port: str, **options):
        check_port(port)
        try:
            password = prepare()
        except (DatabaseError, OSError) as error:
            raise CommandError(f"Newsite cannot start: {error}") from error
        address = f"http://{HOST}:{port}/"
        if password:
            self.stdout.write(f"Administrator: {address}admin/  name: {EDITOR}  password: {password}")
            self.stdout.write("The password is not shown again.")
        elif not get_user_model().objects.filter(is_superuser=True).exists():
            self.stdout.write("There is no administrator: manage.py createsuperuser makes one.")
        if not settings.SENDS_MAIL:
            self.stdout.write(
                f"Mail is kept at {address}admin/mail/mail/ and not sent: EMAIL_URL is not set."
            )
        self.stdout.write(f"Newsite is at {address} (Ctrl-C ends it).")
        self.stdout.flush()
        # Links in mails lead here, unless the owner has said where.
        os.environ.setdefault("SITE_URL", address)
        server.start(server.command(HOST, int(port)))


def check_port(port: str) -> None:
    """Refuse a port that cannot be had, before anything is changed."""
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 2**16):
        raise CommandError(f"{port!r} is not a port. Choose one from 1 to 65535: make run PORT=8001")
    try:
        with socket.socket() as probe:
            # A port that was just left is free, as it will be for the server.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, int(port)))
    except PermissionError as error:
        raise CommandError(f"Port {port} is for root only. Choose another: make run PORT=8001") from error
    except OSError as error:
        raise CommandError(f"Port {port} is taken. Choose another: make run PORT={int(port) + 1}") from error


def prepare() -> str | None:
    """Bring database and static files up to date, and give a new site the demo and an administrator.

    Return the administrator's password if it was created just now.
    """
    call_command("migrate", interactive=False, verbosity=0)
    # The workers import this module before the models can be.
    if apps.get_model("comments", "Rendering").load().is_due:
        call_command("render_comments")
    collect_static()
    if is_somebodys():
        return None
    # Both or none: half a start would make the site somebody's.
    with transaction.atomic():
        call_command("load_demo")
        return create_editor()


def is_somebodys() -> bool:
    """Say whether somebody works with this site already, or has set it up for the public.

    Such a site gets nothing that its owner has not asked for.
    """
    models = [get_user_model(), *(apps.get_model(name) for name in ("articles.Article", "comments.Comment"))]
    is_used = any(model.objects.exists() for model in models)
    return is_used or not OF_THIS_MACHINE.issuperset(settings.ALLOWED_HOSTS)


def create_editor() -> str:
    """Create the administrator and return the password."""
    password = os.environ.get("DEMO_PASSWORD") or secrets.token_urlsafe(12)
    get_user_model().objects.create_superuser(EDITOR, password=password)
    return password


def collect_static() -> None:
    """Collect the static files, which takes seconds, only where one of them has changed."""
    sources = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            found = Path(storage.path(name)).stat()
            sources.update(f"{name} {found.st_size} {found.st_mtime_ns}\n".encode())
    collected = Path(settings.STATIC_ROOT) / "collected.txt"
    if collected.is_file() and collected.read_text() == sources.hexdigest():
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    collected.write_text(sources.hexdigest())
