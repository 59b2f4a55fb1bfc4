"""The lines that an owner types, taken out of the documents."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = ("deploying", "operating")
FILE = re.compile(r"([Ww]rite|[Aa]dd|And) to `(/[\w./-]+)`:$")


class Block(NamedTuple):
    section: str  # "deploying: The service"
    lines: str
    file: str | None  # what the lines are written to; else they are typed
    is_added: bool  # to the end of the file


def blocks(document: str) -> list[Block]:
    """Return the indented blocks of a document, in its order."""
    found, heading, before, current = [], "", "", []
    for line in [*(ROOT / f"docs/{document}.md").read_text().splitlines(), "."]:
        if line.startswith("    ") or (current and not line):
            current.append(line.removeprefix("    "))
            continue
        if current:
            name = FILE.search(before)
            lines = "\n".join(current).strip() + "\n"
            is_added = bool(name) and name[1].lower() == "add"
            found.append(Block(f"{document}: {heading}", lines, name and name[2], is_added))
            current = []
        if line.startswith("#"):
            heading = line.strip("# ")
        elif line:
            before = line
    return found


def written(file: str) -> str:
    """Return what the documents write to a file."""
    (block,) = [one for name in DOCUMENTS for one in blocks(name) if one.file == file and not one.is_added]
    return block.lines
