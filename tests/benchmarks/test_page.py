from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from benchmarks.compare import compare
from benchmarks.report import BenchmarkReport
from benchmarks.run import benchmark
from benchmarks.settings import Settings
from benchmarks.views.frontier import Point, frontier, size_against_accuracy
from benchmarks.views.page import page
from benchmarks.views.plots import latencies

pytestmark = pytest.mark.slow

Folder = Callable[..., Path]
VOID = {"meta", "img"}


class Outline(HTMLParser):
    """Sees that every element is closed, and collects what a page asks of others."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []
        self.without_text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        for key in ("src", "href"):
            if not (named.get(key) or "data:").startswith("data:"):
                self.outside.append(str(named[key]))
        if (tag == "img" and not named.get("alt")) or (tag == "svg" and not named["aria-label"]):
            self.without_text.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Nothing is left open; of HTML, which knows no such elements, there is none."""
        assert tag in {"line", "circle", "rect", "path"}, attrs


@pytest.fixture
def report(folder: Folder) -> BenchmarkReport:
    """Four files, one of them missing, two wrong where the original is right."""
    labels = np.repeat(np.arange(4), 50)
    labels[:5] = 3
    scores = np.eye(4, dtype=np.float32)[labels]
    home = folder("float32.tflite", "int8.onnx", "int8.tflite", labels=labels, scores=scores)
    settings = Settings(blocks=1, rounds=2, seconds=0.01, processes=1, peak_seconds=0.01)
    return benchmark([home, home / "halves.a<b.onnx"], settings)


def test_a_page_is_whole_asks_for_nothing_outside_and_names_its_pictures(
    report: BenchmarkReport,
) -> None:
    text = page(report, compare(report, report))
    outline = Outline()
    outline.feed(text)
    assert outline.open == []
    assert outline.outside == []
    assert outline.without_text == []
    assert "url(" not in text
    assert "@import" not in text
    assert "0 of 4 files within tolerance" in text[: text.index("</h1>")]
    assert 'class="failed"' in text
    assert "a&lt;b.onnx" in text
    assert "a<b.onnx" not in text
    for title in (
        "Against the baseline",
        "Speed: one picture",
        "Class by class",
        "Confusions",
        "Wrong here, right in the original",
        "Machine",
    ):
        assert title in text
    assert len(re.findall(r'<img alt="picture \d: ', text)) == 3 * 5
    assert "5 pictures" in text
    assert text.count("<svg") == 4
    assert ">int8.onnx</text>" in text


def test_a_page_of_files_that_all_failed_is_a_page(tmp_path: Path) -> None:
    outline = Outline()
    outline.feed(page(benchmark([tmp_path / "gone.onnx"], Settings(timing=False))))
    assert outline.open == []


def test_the_frontier_joins_what_no_other_beats_in_both() -> None:
    points = [Point("a", 10, 90), Point("b", 20, 89), Point("c", 30, 93), Point("d", 30, 92)]
    assert [point.name for point in frontier(points)] == ["a", "c"]


def test_where_one_file_beats_all_others_it_is_named_and_no_line_promised(
    report: BenchmarkReport,
) -> None:
    rows = tuple(
        dataclasses.replace(
            row,
            size_bytes=1000 * place,
            accuracy=row.accuracy and dataclasses.replace(row.accuracy, accuracy=1 - place / 10),
        )
        for place, row in enumerate(report.measurements, 1)
    )
    written = page(dataclasses.replace(report, measurements=rows))
    assert "is the smallest and the most often right." in written
    assert "dashed line joins" not in written


def test_plots_hold_for_equal_figures() -> None:
    same = [Point(name, 100.0, 100.0) for name in "abc"]
    drawn = size_against_accuracy(same)
    assert "nan" not in drawn
    labels = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" text-anchor="start">[abc]<', drawn)
    assert len(set(labels)) == 3, "no label covers another"


def test_a_latency_plot_has_a_row_and_its_figures_for_every_file(report: BenchmarkReport) -> None:
    timed = [(row.file, row.timing) for row in report.measurements if row.timing]
    drawn = latencies(timed)
    assert drawn.count("<title>") == len(timed) == 3
    assert "p99 " in drawn


def test_a_report_without_references_has_a_page(report: BenchmarkReport) -> None:
    rows = tuple(
        dataclasses.replace(
            row, accuracy=row.accuracy and dataclasses.replace(row.accuracy, reference=None)
        )
        for row in report.measurements
    )
    text = page(dataclasses.replace(report, measurements=rows))
    assert "Class by class" not in text
