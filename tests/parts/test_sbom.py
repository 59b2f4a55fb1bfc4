import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from parts.sbom import ROOT, licence, pins, sbom

REQUIREMENTS = (ROOT / "requirements.txt").read_text()


def test_the_list_of_parts_is_valid_cyclonedx():
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom(REQUIREMENTS)) is None


def test_every_part_has_its_version_licence_address_and_hashes():
    listed = {part["name"]: part for part in json.loads(sbom(REQUIREMENTS))["components"]}

    assert {
        (name, part["version"], part["purl"], tuple(sorted(digest["content"] for digest in part["hashes"])))
        for name, part in listed.items()
    } == {
        (name, version, f"pkg:pypi/{name}@{version}", tuple(sorted(hashes)))
        for name, version, hashes in pins(REQUIREMENTS)
    }
    assert [name for name, part in listed.items() if not part.get("licenses")] == []


def test_the_list_says_which_newsite_it_is_of():
    newsite = json.loads(sbom(REQUIREMENTS, "1f2e3d"))["metadata"]["component"]

    assert (newsite["name"], newsite["version"]) == ("Newsite", "1f2e3d")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"license_expression": "MIT", "license": "Text of it"}, "MIT"),
        (
            {
                "classifier": ["Framework :: Django", "License :: OSI Approved :: BSD License"],
                "license": "Text",
            },
            "BSD License",
        ),
        ({"license": "MIT"}, "MIT"),
        ({}, ""),
    ],
)
def test_a_licence_is_told_in_the_most_exact_words_there_are(said, words):
    assert licence(said) == words
