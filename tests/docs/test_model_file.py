"""docs/model-file.md is normative, so its tables and the dataclasses must name the same keys."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from edge_runtime import spec

PAGE = Path("docs/model-file.md").read_text(encoding="utf-8")
SECTIONS = {
    "spec": spec.ModelSpec,
    "image": spec.ImageInput,
    "decision": spec.Decision,
    "reference": spec.Reference,
    "variant": spec.Variant,
    "parity": spec.Parity,
    "calibration": spec.Calibration,
    "provenance": spec.Provenance,
}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_lists_exactly_the_keys_of(section: str) -> None:
    text = PAGE.split(f"### `{section}`", 1)[1].split("\n#", 1)[0]
    listed = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert listed == [field.name for field in fields(SECTIONS[section])]


def test_the_page_names_the_schema_of_this_runtime() -> None:
    assert f"`schema` is a whole number, now {spec.SCHEMA};" in PAGE
