"""Reads the environment and `.env`, and notes what cannot be meant: `newsite/checks.py` names it."""

import os
import re
from difflib import get_close_matches
from pathlib import Path

import environ

ON = {"on", "true", "yes", "1"}
OFF = {"off", "false", "no", "0", ""}

# A name and its value: in double quotes, in single quotes, or bare up to a comment.
LINE = re.compile(
    r"""\s*(?:export\s+)?(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|((?:[^"'\s#](?:.*?\S)?)?))\s*(?:(?<=\s)\#.*)?""",
    re.VERBOSE,
)
ESCAPED = re.compile(r'\\(["\\])')


class Env(environ.Env):
    """django-environ, whose leniency would turn a mistake into another setting."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()
        self.in_file: set[str] = set()
        self.broken_lines: list[int] = []
        # Neither on nor off.
        self.undecided: list[str] = []

    def read(self, file: Path) -> None:
        """Take from a file what the environment does not say."""
        try:
            lines = file.read_text().splitlines()
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError):
            self.broken_lines.append(0)
            return
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            if not (found := LINE.fullmatch(line)):
                self.broken_lines.append(number)
                continue
            name, double, single, bare = found.groups()
            value = (
                ESCAPED.sub(r"\1", double) if double is not None else single if single is not None else bare
            )
            self.in_file.add(name)
            os.environ.setdefault(name, value)

    def get_value(self, var, cast=None, default=environ.Env.NOTSET, parse_default=False):
        self.asked.add(var)
        # Not as django-environ does, to whom a value that begins with $ is the name of another variable.
        if (value := self.ENVIRON.get(var)) is None:
            return default
        return self.parse_value(value, cast)

    def bool(self, var: str, default: bool) -> bool:
        """Return what is said, or the default where it is neither on nor off."""
        value = self.str(var, default="on" if default else "off").strip().lower()
        if value not in ON | OFF:
            self.undecided.append(var)
            return default
        return value in ON

    def list(self, var: str, default: list[str]) -> list[str]:
        """Return what stands between commas, without blanks."""
        value = self.str(var, default=",".join(default))
        return [part.strip() for part in value.split(",") if part.strip()]

    def unknown(self) -> dict[str, str]:
        """Return the names in the file that nobody has asked for, each with the one that may be meant."""
        strange = sorted(self.in_file - self.asked)
        return {name: next(iter(get_close_matches(name, self.asked, 1)), "") for name in strange}
