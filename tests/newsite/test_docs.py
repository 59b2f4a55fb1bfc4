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


# How many requirements of levels 1 and 2 each section of ASVS 5.0 has; those of level 3 come after them.
ASVS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1,
    "3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4,
    "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3, "6.1": 3, "6.2": 11, "6.3": 3, "6.4": 4, "6.5": 5,
    "6.6": 3, "6.8": 3, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2, "8.1": 2,
    "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4,
    "11.5": 1, "11.6": 1, "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5,
    "14.1": 2, "14.2": 4, "14.3": 3, "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5, "16.3": 4,
    "16.4": 3, "16.5": 3,
}  # fmt: skip
SECURITY = (ROOT / "docs/security.md").read_text()
REQUIREMENT = re.compile(r"([\d.]+)\.(\d+)(?:–[\d.]+\.(\d+))?")


def verdicts() -> list[tuple[str, str, str]]:
    """Return what each row says of which requirements, and why."""
    lines = [line for line in SECURITY.splitlines() if re.match(r"\| V?\d", line)]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]


def test_every_requirement_of_the_standard_is_answered_once():
    answered = [
        f"{section}.{number}"
        for requirements, _verdict, _why in verdicts()
        for section, first, last in REQUIREMENT.findall(requirements)
        for number in range(int(first), int(last or first) + 1)
    ]

    assert sorted(answered) == sorted(
        f"{section}.{number}" for section, most in ASVS.items() for number in range(1, most + 1)
    )


def test_every_answer_is_a_verdict_with_its_place_or_reason():
    assert {verdict for _requirements, verdict, _why in verdicts()} == {"Met", "Not in full", "Not met", "–"}
    assert [row for row in verdicts() if not row[2]] == []


# What the site writes itself, below var/, is in no checkout.
@pytest.mark.parametrize("named", sorted(set(re.findall(r"`((?!var/)\w+/[\w/.]*(?:::\w+)?)`", SECURITY))))
def test_what_the_answers_name_is_there(named):
    path, _colons, test = named.partition("::")

    assert (ROOT / path).exists()
    assert not test or test in names_of_tests(ROOT / path)
