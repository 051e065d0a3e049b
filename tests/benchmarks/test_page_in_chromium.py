"""The page in a real browser: what it loads, what it says to a screen reader, and that it sorts."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from benchmarks.report import read
from benchmarks.views.page import page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium"),
]

REPORT = Path("docs/reports/small/benchmarks.json")


def helper() -> object:
    """The module beside this file; tests are no package."""
    spec = importlib.util.spec_from_file_location(
        "chromium", Path(__file__).with_name("chromium.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_browser_shows_it_without_complaint_and_sorts_its_tables(tmp_path: Path) -> None:
    html = tmp_path / "report.html"
    html.write_text(page(read(REPORT)), encoding="utf-8")
    with helper().browser(tmp_path / "profile") as tab:  # type: ignore[attr-defined]
        tab.open(html)
        nodes = tab.ask("Accessibility.getFullAXTree")["nodes"]
        tab.run("document.querySelectorAll('table.sortable th button')[1].click()")
        sizes = tab.run(
            "[...document.querySelector('table.sortable tbody').rows]"
            ".map(row => parseFloat(row.cells[1].textContent))"
        )
        sort = tab.run("document.querySelectorAll('table.sortable th')[1].ariaSort")
        wide = tab.run(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        dark = []
        for scheme in ("light", "dark"):
            tab.ask(
                "Emulation.setEmulatedMedia",
                features=[{"name": "prefers-color-scheme", "value": scheme}],
            )
            dark.append(tab.run("getComputedStyle(document.body).backgroundColor"))
        events = tab.events
    assert len(sizes) == 6
    assert sizes == sorted(sizes)
    assert sort == "ascending"
    assert wide <= 0, "nothing makes the page scroll sideways"
    assert dark[0] != dark[1], "light and dark"

    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith(("file://", "data:"))] == []
    complaints = ("Runtime.exceptionThrown", "Log.entryAdded")
    assert [event for event in events if event["method"] in complaints] == []

    told = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"]
    ]
    headings = [name for role, name in told if role == "heading"]
    assert any("6 of 6 files within tolerance" in name for name in headings), headings
    assert "Class by class" in headings
    for role in ("image", "button", "columnheader", "main", "DisclosureTriangle"):
        named = [name for kind, name in told if kind == role]
        assert named, (role, sorted({kind for kind, _ in told}))
        assert all(named) or role == "main", f"every {role} has a name"
