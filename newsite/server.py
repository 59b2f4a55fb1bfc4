"""The web server: how `make run` and a service start it, and what its workers load."""

import os
import signal
import sys

from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string

from newsite.door import Door
from newsite.media import Media


def command(host: str, port: int, workers: int = 2) -> list[str]:
    """Return Granian's command line. SIGHUP has it replace its workers one after the other."""
    return [
        *(sys.executable, "-m", "granian"),
        # Without lifespan, of which the site wants nothing. No other interface tells header names raw.
        *("--interface", "asginl", "--no-ws"),
        *("--host", host),
        *("--port", str(port)),
        *("--workers", str(workers)),
        # One that the kernel has killed, for want of memory, is replaced at once.
        "--respawn-failed-workers",
        # So long, in seconds, a new worker has to load the site before an old one is told to stop.
        *("--respawn-interval", "5"),
        # What takes longer, once its worker is told to stop, is lost.
        *("--workers-kill-timeout", "15"),
        *("--log-level", "error"),
        *("--factory", f"{__name__}:{load_worker.__name__}"),
    ]


def start(command: list[str]) -> None:
    """Become the server, so that a signal meant for it reaches it."""
    connections.close_all()
    os.chdir(settings.BASE_DIR)
    os.execv(command[0], command)  # noqa: S606 (no shell is wanted)


def load_worker(patience: float = 20) -> Door:
    """Return the site, in a worker that hears each signal once.

    Ctrl-C is for Granian's main process: a worker that hears of it twice hangs. And a worker that
    is told to stop while it loads the site has nobody yet who would listen, and ends at once.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    site = import_string("newsite.wsgi.application")
    media = Media(site, settings.MEDIA_ROOT, settings.MEDIA_URL)
    return Door(media, patience=patience)
