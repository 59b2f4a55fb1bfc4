import shutil
from pathlib import Path

import pytest


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
