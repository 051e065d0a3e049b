"""Every page's links lead somewhere, and the changelog knows the version."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import edge_runtime

PAGES = [Path("README.md"), Path("CONTRIBUTING.md"), *sorted(Path("docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_inside_the_project_resolve(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_the_newest_changelog_entry_is_this_version() -> None:
    versions = re.findall(r"^## (\d\S*)", Path("CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert versions[0] == edge_runtime.__version__
