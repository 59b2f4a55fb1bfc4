import importlib
import shutil
from pathlib import Path
from types import SimpleNamespace

import hypothesis
import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection

from comments.discussion import DiscussionSettings

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("newsite", deadline=None)
hypothesis.settings.load_profile("newsite")


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


@pytest.fixture(autouse=True)
def rows_that_migrations_made(request):
    """Make them again where a test with a server of its own has emptied the database."""
    if "_django_db_helper" not in request.fixturenames:
        return
    request.getfixturevalue("_django_db_helper")
    if not DiscussionSettings.objects.exists():
        DiscussionSettings.objects.create(pk=1)
    if not Group.objects.exists():
        roles = importlib.import_module("comments.migrations.0014_roles")
        roles.create_roles(apps, SimpleNamespace(connection=connection))
