"""Prints the list of parts that Newsite runs on, as CycloneDX 1.6 in JSON.

    make sbom

Versions and hashes are those of requirements.txt: a part has one hash for each file of its
release, and an installation got one of them. Licences are what the installed parts say.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

LICENCES = LicenseFactory()
OSI = "License :: OSI Approved :: "
ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)((?: \\\n +--hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


def pins(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield name, version and SHA-256 hashes of each requirement."""
    for name, version, hashes in PIN.findall(text):
        yield name, version, re.findall(r"[0-9a-f]{64}", hashes)


def licence(said: dict[str, Any]) -> str:
    """Return what a part says of its licence: an SPDX expression, or else its own words."""
    if expression := said.get("license_expression"):
        return expression
    names = [name.removeprefix(OSI) for name in said.get("classifier", []) if name.startswith(OSI)]
    return " and ".join(names) or said.get("license", "")


def part(name: str, version: str, hashes: list[str]) -> Component:
    words = licence(metadata(name).json)
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        purl=PackageURL("pypi", name=name, version=version),
        bom_ref=f"{name}=={version}",
        licenses=[LICENCES.make_from_string(words)] if words else [],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in hashes],
    )


def sbom(requirements: str, version: str | None = None) -> str:
    newsite = Component(
        type=ComponentType.APPLICATION,
        name="Newsite",
        version=version,
        bom_ref="newsite",
        licenses=[LICENCES.make_from_string("BSD-3-Clause")],
    )
    bom = Bom(components=[part(*pin) for pin in pins(requirements)])
    bom.metadata.component = newsite
    bom.register_dependency(newsite, bom.components)
    return JsonV1Dot6(bom).output_as_string(indent=2)


def main() -> None:
    parser = argparse.ArgumentParser(description="Print the list of parts as CycloneDX.")
    parser.add_argument("--version", help="the commit, where there is one")
    options = parser.parse_args()
    requirements = (ROOT / "requirements.txt").read_text()
    sys.stdout.write(sbom(requirements, options.version or None) + "\n")


if __name__ == "__main__":
    main()
