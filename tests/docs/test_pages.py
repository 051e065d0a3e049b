"""Every page's links lead somewhere, and the changelog knows the version."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
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
    versions = re.findall(
        r"^## (\d\S*)", Path("CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert versions[0] == edge_runtime.__version__


@pytest.fixture(scope="module")
def options() -> set[str]:
    """Every option of every program."""
    programs = [
        ["edge_runtime", "classify"],
        ["edge_runtime", "info"],
        ["edge_runtime", "preview"],
        ["export"],
        ["export", "verify"],
        ["train"],
        ["train", "explore"],
        ["train", "evaluate"],
        ["benchmarks"],
        ["benchmarks", "compare"],
        ["benchmarks", "peers"],
    ]
    known = {"--system-site-packages"}  # of python -m venv
    for package, *command in programs:
        with redirect_stdout(StringIO()) as printed, pytest.raises(SystemExit, match=r"^0$"):
            import_module(f"{package}.cli").main([*command, "--help"])
        known |= set(re.findall(r"--[a-z][a-z-]+", printed.getvalue()))
    return known


@pytest.mark.parametrize("page", ["README.md", *map(str, Path("docs").glob("*.md"))])
def test_every_option_that_a_page_names_exists(page: str, options: set[str]) -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", Path(page).read_text("utf-8")))
    assert named - options == set()
