import shutil
from pathlib import Path

import hypothesis
import pytest

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
