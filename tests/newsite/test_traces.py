"""What the tests leave behind in the temporary directory."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings


def run(temporary: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run Python with a temporary directory of its own."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
    )


def test_who_reads_the_settings_of_the_tests_leaves_nothing_behind(tmp_path):
    # Some programs that read them, mypy for one, end without a word to anybody.
    read = run(tmp_path, "-c", "import os, tests.settings; os._exit(0)")

    assert (read.returncode, read.stderr, list(tmp_path.iterdir())) == (0, "", [])


def test_the_tests_keep_to_the_folder_of_pytest_and_leave_no_picture_or_database_in_it(tmp_path):
    command = "-m pytest -n 0 -q -p no:cacheprovider --nomigrations tests/newsite/test_freshness.py"
    ran = run(tmp_path, *command.split())

    left = [path for path in tmp_path.rglob("*") if path.is_file() or "newsite" in path.name]
    assert (ran.returncode, left) == (0, [])
    assert [path.name.partition("-of-")[0] for path in tmp_path.iterdir()] == ["pytest"]
