import os
import shutil
import stat
import subprocess

import pytest
from django.conf import settings

# Answers as each of these Pythons does to what the Makefile asks of it.
TOO_OLD = """#!/bin/sh
case "$1 $2" in
  "-V "*) echo Python 3.9.2 ;;
  *) exit 1 ;;
esac
"""
WITHOUT_VENV = """#!/bin/sh
case "$1 $2" in
  "-V "*) echo Python 3.13.5 ;;
  *venv*) exit 1 ;;
esac
"""


@pytest.fixture
def folder(tmp_path):
    """A clone in which nothing is installed yet."""
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(settings.BASE_DIR / name, tmp_path)
    return tmp_path


def make(folder, *arguments) -> subprocess.CompletedProcess:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def test_the_secret_key_is_written_for_its_owner_alone_and_once(folder):
    made = make(folder, "var/secret_key")
    key = folder / "var/secret_key"
    first = key.read_text()
    make(folder, "var/secret_key")

    assert made.returncode == 0, made.stderr
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(first) == 64
    assert key.read_text() == first


@pytest.mark.parametrize(
    ("python", "message"),
    [
        (None, "Newsite needs Python 3.11 or newer, and there is no {python}: apt install python3"),
        (TOO_OLD, "Newsite needs Python 3.11 or newer, and {python} is Python 3.9.2."),
        (WITHOUT_VENV, "Python's venv module is missing: apt install python3-venv"),
    ],
)
def test_a_python_that_cannot_run_newsite_is_explained_in_one_line(folder, python, message):
    program = folder / "fake-python"
    if python:
        program.write_text(python)
        program.chmod(0o700)

    result = make(folder, "run", f"PYTHON={program}")

    own_words = [line for line in result.stderr.splitlines() if not line.startswith("make")]
    assert result.returncode != 0
    assert own_words == [message.format(python=program)]
    assert not list((folder / ".venv").glob("*"))
