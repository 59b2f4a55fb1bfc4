import os
import subprocess
import sys

import pytest
from django.conf import settings

WHAT_RUNS = """
import threading
from newsite.wsgi import application
print(type(application).__name__, *[thread.name for thread in threading.enumerate()][1:])
"""


@pytest.mark.parametrize(
    ("worker", "runs"),
    [("off", "WSGIHandler chores\n"), ("on", "WSGIHandler\n")],
    ids=["alone", "with a worker"],
)
def test_a_web_server_gets_the_site_and_the_chores_unless_a_worker_does_them(worker, runs):
    environment = {**os.environ, "MAIL_WORKER": worker, "DATABASE_URL": "sqlite:///:memory:"}
    environment.pop("DJANGO_SETTINGS_MODULE")

    process = subprocess.run(
        [sys.executable, "-c", WHAT_RUNS],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
    )

    assert process.stdout == runs, process.stderr
