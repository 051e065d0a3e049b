"""report.html: one export on one page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from export import charts
from export.page_plots import plots, short
from export.recommend import next_commands, why
from export.report import NAME, ExportReport, VariantReport
from export.verify import Answers

_STYLE: Final = Path(__file__).with_name("page.css")


def render(
    report: ExportReport,
    *,
    reference: NDArray[np.float32],
    answers: Mapping[str, Answers],
    labels: NDArray[np.int64] | None,
) -> str:
    """The page.

    Args:
        report: the figures.
        reference: the original's probabilities of the evaluation pictures, shape (n, classes).
        answers: file name → what it said.
        labels: the true classes, shape (n,), where they are known.
    """
    sections = [
        *_head(report),
        "<h2>Files</h2>",
        _table(report),
        *_next(report),
        *plots(report, reference, answers, labels),
        *_origin(report),
    ]
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>Export of {escape(report.name)}</title>\n<style>{_STYLE.read_text()}</style>\n"
        + "\n".join(sections)
        + "\n</html>\n"
    )


def _head(report: ExportReport) -> Iterator[str]:
    yield f"<h1>Export of {escape(report.name)}</h1>"
    yield (
        f"<p>{len(report.published)} of {len(report.variants)} files are published, judged by "
        f"{report.evaluation_images:,} pictures of {escape(report.evaluation_source)}."
    )
    if report.reference is not None:
        yield f" The Keras original is right on {report.reference.accuracy:.2%} of them."
    yield "</p>"
    yield from (f'<p class="bad">{escape(remark)}</p>' for remark in report.remarks)


def _table(report: ExportReport) -> str:
    heads = (
        *("file", "verdict", "size, kB", "right, %", "points [95 %]", "p", "agrees, %"),
        *("top 5, %", "gap", "drift", "worst class", "ms", "needs"),
    )
    rows = [_row(report, variant) for variant in report.variants]
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    words = (
        "Points: accuracy, file minus original, with its 95 % interval; p: how likely a difference "
        "this large is between equals (McNemar); agrees: same best label; top 5: the original's "
        "best among the file's five; gap: largest difference of any probability; drift: of the "
        "mean best probability; ms: one picture, one thread, on the machine that exported; needs: "
        "the oldest engine that has the file's operations, whose versions are in export.json."
    )
    reasons = "".join(
        f'<p class="bad">{escape(variant.file)}: {escape("; ".join(variant.problems))}</p>'
        for variant in report.variants
        if not variant.published
    )
    repairs = "".join(
        f"<p>{escape(variant.file)} {escape(str(variant.repair))}</p>"
        for variant in report.variants
        if variant.repair
    )
    return (
        f'<p class="soft">{words}</p><div class="scroll"><table><tr>{head}</tr>{"".join(rows)}'
        f"</table></div>{reasons}{repairs}"
    )


def _row(report: ExportReport, variant: VariantReport) -> str:
    parity = variant.parity
    cells = [""] * 8
    if parity is not None:
        interval = parity.accuracy_difference_interval_points
        worst = parity.worst_class
        cells = [
            _number(parity.accuracy, "{:.2%}"),
            _number(parity.accuracy_difference_points, "{:+.2f}")
            + ("" if interval is None else " [{:+.2f}, {:+.2f}]".format(*interval)),
            _number(parity.mcnemar_p, "{:.2g}"),
            _number(parity.agreement, "{:.2%}"),
            _number(parity.top5_agreement, "{:.2%}"),
            f"{parity.max_score_difference:.4f}",
            _number(parity.confidence_drift, "{:+.4f}"),
            ""
            if worst is None or parity.worst_class_difference_points is None
            else f"{report.labels[worst]} {parity.worst_class_difference_points:+.2f}",
        ]
    # The plots show published files only, in these colours.
    index = report.published.index(variant) if variant.published else None
    colour = "" if index is None else f" c{index % charts.COLOURS}"
    name = f'<span class="key{colour}"></span> {escape(short(report, variant))}'
    size = _number(variant.size_bytes and variant.size_bytes / 1000, "{:,.1f}")
    bad = ' class="bad"' if variant.verdict != "published" else ""
    verdict = f"<span{bad}>{variant.verdict}</span>"
    needs = escape(variant.min_runtime or "")
    middle = [size, *map(escape, cells), _number(variant.latency_ms, "{:.3f}"), needs]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in (name, verdict, *middle)) + "</tr>"


def _next(report: ExportReport) -> Iterator[str]:
    if report.recommended is None:
        return
    yield "<h2>Next</h2>"
    yield f"<p>Take {escape(report.recommended)}, the {why(report.recommended_for)} of them.</p>"
    yield f"<pre>{escape(chr(10).join(next_commands(report, Path())))}</pre>"


def _origin(report: ExportReport) -> Iterator[str]:
    yield "<h2>How it was made</h2>"
    yield f'<p class="soft">From {escape(report.source)}, sha256 {report.source_sha256}.'
    if report.calibration is not None:
        used = report.calibration
        yield (
            f" Integers' ranges from {used.images:,} pictures of {escape(used.source)}, "
            f"sha256 {used.sha256[:16]}…"
        )
    versions = ", ".join(f"{package} {version}" for package, version in report.versions.items())
    yield (
        f" {report.seconds:.0f} s, {report.overhead:.0%} of it beyond converting, with "
        f"{escape(versions)}. Every figure is in {NAME}; "
        "times are of the machine that exported.</p>"
    )


def _number(value: float | None, pattern: str) -> str:
    return "" if value is None else pattern.format(value).removesuffix("%")
