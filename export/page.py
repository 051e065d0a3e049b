"""report.html: one export on one page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.parity import class_changes_points
from export import charts
from export.recommend import next_commands, why
from export.report import NAME, ExportReport, VariantReport

_CLASSES: Final = 40  # more are unreadable; the worst are shown

_STYLE: Final = """
:root { color-scheme: light dark; --fg: #1c1e21; --bg: #fff; --soft: #667; --grid: #e4e6eb;
  --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #b3579c; --c4: #b58900; --c5: #56a3d9; }
@media (prefers-color-scheme: dark) { :root { --fg: #e6e8eb; --bg: #16181c; --soft: #9aa3b0;
  --grid: #2b2f36; --c0: #4ba3e3; --c1: #f08a4b; --c2: #3fc79a; --c3: #d98cc8; --c4: #e0b83c;
  --c5: #9fd0f5; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--fg); background: var(--bg);
  max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.soft, figcaption { color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--grid); text-align: right;
  white-space: nowrap; }
th { font-weight: 600; vertical-align: bottom; }
th:first-child, td:first-child, td:last-child, th:last-child { text-align: left; }
pre { background: var(--grid); padding: .8rem; overflow-x: auto; border-radius: 4px; }
svg { width: 100%; height: auto; } svg text { fill: var(--fg); font: 12px system-ui, sans-serif; }
.grid { stroke: var(--grid); } .line { stroke: var(--soft); stroke-dasharray: 4 3; }
.outline { fill: none; stroke: var(--fg); stroke-width: 1.2; }
.small { display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 1rem; }
figure { margin: 0; } .key { display: inline-block; width: .8em; height: .8em; border-radius: 50%; }
.bad { color: var(--c1); font-weight: 600; }
""" + "".join(
    f".c{index} {{ fill: var(--c{index}); background: var(--c{index}); }}\n"
    for index in range(charts.COLOURS)
)


def render(
    report: ExportReport,
    *,
    reference: NDArray[np.float32],
    scores: Mapping[str, NDArray[np.float32]],
    labels: NDArray[np.int64] | None,
) -> str:
    """The page.

    Args:
        report: the figures.
        reference: the original's probabilities of the evaluation pictures, shape (n, classes).
        scores: file name → its probabilities, same shape.
        labels: the true classes, shape (n,), where they are known.
    """
    sections = [
        *_head(report),
        "<h2>Files</h2>",
        _table(report),
        *_next(report),
        *_plots(report, reference, scores, labels),
        *_origin(report),
    ]
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>Export of {escape(report.name)}</title>\n<style>{_STYLE}</style>\n"
        + "\n".join(sections)
        + "\n</html>\n"
    )


def _head(report: ExportReport) -> Iterator[str]:
    published = sum(variant.published for variant in report.variants)
    yield f"<h1>Export of {escape(report.name)}</h1>"
    yield (
        f"<p>{published} of {len(report.variants)} files are published, judged by "
        f"{report.evaluation_images:,} pictures of {escape(report.evaluation_source)}."
    )
    if report.reference is not None:
        yield f" The Keras original is right on {report.reference.accuracy:.2%} of them."
    yield "</p>"
    yield from (f'<p class="bad">{escape(remark)}</p>' for remark in report.remarks)


def _table(report: ExportReport) -> str:
    heads = (
        *("file", "size, kB", "right, %", "points [95 %]", "p", "agrees, %"),
        *("top 5, %", "gap", "drift", "worst class", "ms", "verdict"),
    )
    rows = [_row(report, index, variant) for index, variant in enumerate(report.variants)]
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    words = (
        "Points: accuracy, file minus original, with its 95 % interval; p: how likely a difference "
        "this large is between equals (McNemar); agrees: same best label; top 5: the original's "
        "best among the file's five; gap: largest difference of any probability; drift: of the "
        "mean best probability; ms: one picture, one thread, on the machine that exported."
    )
    return f'<p class="soft">{words}</p><div class="scroll"><table><tr>{head}</tr>{"".join(rows)}</table></div>'


def _row(report: ExportReport, index: int, variant: VariantReport) -> str:
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
    name = f'<span class="key c{index % charts.COLOURS}"></span> {escape(_short(report, variant))}'
    size = _number(variant.size_bytes and variant.size_bytes / 1000, "{:,.1f}")
    verdict = (
        "published"
        if variant.published
        else f'<span class="bad">left out: {escape("; ".join(variant.problems))}</span>'
    )
    middle = [size, *map(escape, cells), _number(variant.latency_ms, "{:.3f}")]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in (name, *middle, verdict)) + "</tr>"


def _next(report: ExportReport) -> Iterator[str]:
    if report.recommended is None:
        return
    yield "<h2>Next</h2>"
    yield f"<p>Take {escape(report.recommended)}, the {why(report.recommended_for)} of them.</p>"
    yield f"<pre>{escape(chr(10).join(next_commands(Path(report.recommended))))}</pre>"


def _plots(
    report: ExportReport,
    reference: NDArray[np.float32],
    scores: Mapping[str, NDArray[np.float32]],
    labels: NDArray[np.int64] | None,
) -> Iterator[str]:
    points = {
        _short(report, variant): (variant.size_bytes / 1000, 100 * rate)
        for variant in report.variants
        if (rate := _rate(variant)) is not None and variant.size_bytes
    }
    known = report.reference is not None
    if points:
        original = 100 * report.reference.accuracy if report.reference else None
        yield f"<h2>Size against {'accuracy' if known else 'agreement'}</h2>"
        yield charts.size_against(points, "right, %" if known else "agrees, %", original)
    if labels is not None and scores:
        yield "<h2>Accuracy of each class, file minus original</h2>"
        yield _classes(report, reference, scores, labels)
    yield "<h2>How sure the files are</h2>"
    yield '<p class="soft">The best probability of each picture: bars for the file, the line for '
    yield "the original, heights as square roots.</p>"
    best = reference.max(axis=1)
    figures = [
        f"<figure>{charts.histogram(scores[variant.file].max(axis=1), best, index)}"
        f"<figcaption>{escape(_short(report, variant))}</figcaption></figure>"
        for index, variant in enumerate(report.variants)
        if variant.file in scores
    ]
    yield f'<div class="small">{"".join(figures)}</div>'


def _classes(
    report: ExportReport,
    reference: NDArray[np.float32],
    scores: Mapping[str, NDArray[np.float32]],
    labels: NDArray[np.int64],
) -> str:
    expected = reference.argmax(axis=1)
    nothing = np.full(len(report.labels), np.nan)
    changes = {
        variant.file: class_changes_points(
            expected, scores[variant.file].argmax(axis=1), labels, len(report.labels)
        )
        if variant.file in scores
        else nothing
        for variant in report.variants
    }
    lowest = np.nanmin(np.nan_to_num([*changes.values()]), axis=0)
    shown = np.sort(np.argsort(lowest, kind="stable")[:_CLASSES])
    return charts.class_differences(
        {name: points[shown] for name, points in changes.items()},
        [report.labels[index] for index in shown],
    )


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


def _rate(variant: VariantReport) -> float | None:
    if variant.parity is None:
        return None
    accuracy = variant.parity.accuracy
    return variant.parity.agreement if accuracy is None else accuracy


def _short(report: ExportReport, variant: VariantReport) -> str:
    return variant.file.removeprefix(f"{report.name}.")


def _number(value: float | None, pattern: str) -> str:
    return "" if value is None else pattern.format(value).removesuffix("%")
