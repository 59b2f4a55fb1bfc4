"""What a backup says of itself, in its manifest.json."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = "manifest.json"
FORMAT = 1


class Refused(Exception):
    """Why a backup is not made or not restored, in words for the owner. Nothing was changed."""


@dataclass(frozen=True)
class Manifest:
    made: str  # ISO 8601, in UTC
    database: str  # "sqlite" or "postgresql"
    migrations: list[list[str]]  # [app, name], in the order in which they were applied
    rows: dict[str, int]  # by table
    files: dict[str, str]  # SHA-256 by path in the backup
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        (folder / NAME).write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        try:
            found = json.loads((folder / NAME).read_text())
        except FileNotFoundError as error:
            raise Refused(f"{folder} is no backup: it has no {NAME}.") from error
        except (OSError, ValueError) as error:
            raise Refused(f"{folder / NAME} cannot be read: {error}") from error
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise Refused(f"{folder} was written in a form that this Newsite does not know.")
        try:
            manifest = cls(**found)
        except TypeError as error:
            raise Refused(f"{folder / NAME} cannot be read: {error}") from error
        if any(Path(name).is_absolute() or ".." in Path(name).parts for name in manifest.files):
            raise Refused(f"{folder / NAME} names files outside of the backup.")
        return manifest

    def check_files(self, folder: Path) -> None:
        """Refuse a backup of which a file is missing, or is not what was written."""
        for name, digest in self.files.items():
            try:
                found = digest_of(folder / name)
            except OSError as error:
                raise Refused(f"The backup is not whole: {name} cannot be read ({error}).") from error
            if found != digest:
                raise Refused(f"The backup is not whole: {name} is not what was written.")


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
