"""What the documents say of the tests is true: what they name is there, what they claim is shown."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
COMPARISON = ROOT / "docs/compared-with-wordpress.md"
HEAD = ["WordPress", "Newsite", "Shown by"]
VERDICT = re.compile(r"Same\b|Better[\w ]*: \S|Left out: \S")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


class Row(NamedTuple):
    wordpress: str
    newsite: str
    shown_by: str


def rows() -> list[Row]:
    """Return the rows of all tables, without their heads."""
    lines = [line for line in COMPARISON.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [Row(*row) for row in cells if row != HEAD and set(row) != {"---"}]


def names_of_tests(path: Path) -> set[str]:
    if not path.exists():
        return set()
    found = ast.walk(ast.parse(path.read_text()))
    return {
        node.name for node in found if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize(
    "path", sorted({path for row in rows() for path, _name in TEST.findall(row.shown_by)})
)
def test_every_test_that_the_comparison_names_is_there(path):
    named = {name for row in rows() for where, name in TEST.findall(row.shown_by) if where == path}

    assert named - names_of_tests(ROOT / path) == set()


def test_every_row_of_the_comparison_says_same_or_what_is_better_or_why_it_is_left_out():
    assert [row for row in rows() if not VERDICT.match(row.newsite)] == []


def test_what_the_comparison_claims_is_shown_by_a_test():
    claims = [row for row in rows() if not row.newsite.startswith("Left out")]

    assert len(claims) > 100
    assert [row for row in claims if not TEST.search(row.shown_by)] == []


def test_the_comparison_names_tests_and_nothing_else():
    """Else a name with a mistake in its form would not be looked for."""
    rest = {TEST.sub("", row.shown_by).replace("<br>", "") for row in rows()}

    assert rest <= {"", "–"}


def test_ci_looks_for_the_newest_python_that_the_readme_names():
    (newest,) = re.findall(r"`python3` \(3\.11 to 3\.(\d+)\)", (ROOT / "README.md").read_text())
    minors = re.findall(r"for minor in ([\d ]+);", (ROOT / ".ci/run").read_text())

    assert minors == [" ".join(map(str, range(int(newest), 10, -1)))]
