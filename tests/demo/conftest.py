import pytest
from django.db import transaction
from django.test import override_settings

from demo import loader


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker, tmp_path_factory):
    """Load the demo once for the whole module, and take it back at the end."""
    media = tmp_path_factory.mktemp("media")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=media), transaction.atomic():
        yield loader.load()
        transaction.set_rollback(True)
