"""A machine that lacks what a browser in a test needs."""

import subprocess
import sys

import pytest
from django.conf import settings

from tests.browser.packages import missing_packages

NO_LIBATOMIC = """#!/bin/sh
echo "node: error while loading shared libraries: libatomic.so.1: cannot open shared object file" >&2
exit 127
"""


@pytest.fixture
def without_libatomic(tmp_path, monkeypatch):
    driver = tmp_path / "node"
    driver.write_text(NO_LIBATOMIC)
    driver.chmod(0o700)
    monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", str(driver))


def test_a_library_of_the_driver_is_named_by_its_package(without_libatomic, monkeypatch):
    assert "libatomic1" in missing_packages()

    monkeypatch.setenv("PATH", "/nowhere")
    assert missing_packages() == ["chromium", "libatomic1"]


@pytest.mark.parametrize(("ci", "end"), [("", "1 skipped"), ("true", "1 error")])
def test_what_is_missing_is_said_in_one_line_at_the_end(without_libatomic, monkeypatch, ci, end):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("CI", ci)
    command = "-m pytest -n 1 -p no:cacheprovider --nomigrations tests/browser/test_watch.py"
    tests = subprocess.run(
        [sys.executable, *command.split()], cwd=settings.BASE_DIR, capture_output=True, text=True
    )

    said = [line for line in tests.stdout.splitlines() if line.startswith("Missing")]
    assert said == ["Missing on this machine: apt install chromium libatomic1"]
    assert end in tests.stdout
