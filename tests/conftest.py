import importlib
import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import hypothesis
import pytest
from django.apps import apps
from django.conf import settings as site
from django.contrib.auth.models import Group
from django.db import connection
from pytest_django.plugin import blocking_manager_key

from comments.discussion import DiscussionSettings

# How long an example takes, or the making of it, says more of the machine than of the code.
hypothesis.settings.register_profile(
    "newsite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("newsite")


@pytest.fixture(scope="session", autouse=True)
def own_folder(tmp_path_factory):
    """A folder for the pictures and the database of this process.

    It stands where pytest keeps such things, who clears up after a process that was killed.
    """
    folder = tmp_path_factory.mktemp("newsite")
    for name in ("media", "static"):
        (folder / name).mkdir()
        setattr(site, f"{name.upper()}_ROOT", str(folder / name))
    os.environ["MEDIA_ROOT"] = site.MEDIA_ROOT
    if connection.vendor == "sqlite":
        # Files, because the browser tests' server reads them from threads of its own. In memory, both
        # would share one connection, and break it.
        connection.settings_dict["NAME"] = str(folder / "newsite.sqlite3")
        connection.settings_dict["TEST"]["NAME"] = str(folder / "test.sqlite3")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def empty_media_folder(settings):
    """Leave no uploaded picture to the next test."""
    folder = Path(settings.MEDIA_ROOT)
    yield
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def pytest_collection_modifyitems(items):
    """Begin with what takes minutes: begun last, it would go on alone when all the rest is done.

    End with the browsers. Their server keeps a connection to the database of its process, under
    which no other test may move the file away; and Playwright's event loop goes on in its thread.
    """
    items.sort(key=lambda item: (item.get_closest_marker("long") is None, "live_server" in item.fixturenames))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """Make again what migrations made, where a test with a server of its own has emptied the database.

    Not as a part of the next test: what that makes is taken back after it.
    """
    result = yield
    marker = item.get_closest_marker("django_db")
    is_marked = marker is not None and marker.kwargs.get("transaction", False)
    # After the last test the database is gone. One that was skipped has emptied nothing.
    if (
        nextitem
        and item.funcargs
        and (is_marked or {"transactional_db", "live_server"} & set(item.fixturenames))
    ):
        with item.config.stash[blocking_manager_key].unblock():
            DiscussionSettings.objects.get_or_create(pk=1)
            importlib.import_module("comments.migrations.0038_timers").begin(apps, None)
            if not Group.objects.exists():
                roles = importlib.import_module("comments.migrations.0014_roles")
                roles.create_roles(apps, SimpleNamespace(connection=connection))
    return result


def pytest_terminal_summary(terminalreporter):
    """Name the packages that tests have missed, all in one line: no other says why they were skipped."""
    reports = [report for kind in ("skipped", "error") for report in terminalreporter.stats.get(kind, [])]
    named = re.findall(
        r"\(on Debian: apt install ([\w+. -]+)\)", "\n".join(str(one.longrepr) for one in reports)
    )
    if missing := sorted(set(" ".join(named).split())):
        terminalreporter.write_line(f"Missing on this machine: apt install {' '.join(missing)}")
