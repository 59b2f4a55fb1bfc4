"""What is pinned with its reason, and what pip installs, are the same."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LISTS = ["requirements", "requirements-dev"]
LINE = re.compile(r"([\w.-]+)(?:\[[\w,-]+\])?==(\S+) +# \S.*")
LOCKED = re.compile(r"([\w.-]+)==(\S+)((?: --hash=sha256:[0-9a-f]{64})+)")


def normal(name: str) -> str:
    """Return the one spelling of a name that package indexes use."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lines(path: Path) -> list[str]:
    """Return the requirements of a file, each on one line."""
    joined = re.sub(r" \\\n +", " ", path.read_text())
    return [line for line in joined.splitlines() if line and not line.startswith(("#", "-r "))]


@pytest.mark.parametrize("name", LISTS)
def test_every_requirement_has_one_version_and_a_reason(name):
    assert [line for line in lines(ROOT / f"{name}.in") if not LINE.fullmatch(line)] == []


@pytest.mark.parametrize("name", LISTS)
def test_everything_that_pip_installs_has_a_hash(name):
    """With one hash in a file, pip refuses what has none."""
    assert [line for line in lines(ROOT / f"{name}.txt") if not LOCKED.fullmatch(line)] == []


@pytest.mark.parametrize("name", LISTS)
def test_pip_installs_what_is_named_with_its_reason(name):
    named = [LINE.fullmatch(line).groups() for line in lines(ROOT / f"{name}.in")]
    locked = [LOCKED.fullmatch(line).groups()[:2] for line in lines(ROOT / f"{name}.txt")]

    assert [(normal(name), version) for name, version in locked] == sorted(
        (normal(name), version) for name, version in named
    )


def test_what_tests_need_comes_on_top_of_what_newsite_needs():
    assert "-r requirements.txt" in (ROOT / "requirements-dev.txt").read_text().splitlines()
