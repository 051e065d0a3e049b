"""Which plots report.html shows, and of which figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.parity import class_changes_points
from export import charts
from export.report import ExportReport, VariantReport
from export.verify import Answers

_CLASSES: Final = 40  # more are unreadable; the worst are shown
_LAYERS: Final = 20  # likewise


def plots(
    report: ExportReport,
    reference: NDArray[np.float32],
    answers: Mapping[str, Answers],
    labels: NDArray[np.int64] | None,
) -> Iterator[str]:
    """The plots of published files as HTML, each under a heading; see `export.page.render`.

    What is left out may have been made several times: its last answers are not those reported.
    """
    report = replace(report, variants=report.published)
    if not report.variants:
        return
    yield from _sizes(report)
    if labels is not None and answers:
        yield "<h2>Accuracy of each class, file minus original</h2>"
        yield _classes(report, reference, answers, labels)
    yield from _layers(report)
    yield from _sureness(report, reference, answers)


def short(report: ExportReport, variant: VariantReport) -> str:
    """A file's name without the model's, which all share."""
    return variant.file.removeprefix(f"{report.name}.")


def _sizes(report: ExportReport) -> Iterator[str]:
    points = {
        short(report, variant): (variant.size_bytes / 1000, 100 * rate)
        for variant in report.variants
        if (rate := _rate(variant)) is not None and variant.size_bytes
    }
    if points:
        known = report.reference
        yield f"<h2>Size against {'accuracy' if known else 'agreement'}</h2>"
        what = "right, %" if known else "agrees, %"
        yield charts.size_against(points, what, 100 * known.accuracy if known else None)


def _rate(variant: VariantReport) -> float | None:
    if variant.parity is None:
        return None
    accuracy = variant.parity.accuracy
    return variant.parity.agreement if accuracy is None else accuracy


def _classes(
    report: ExportReport,
    reference: NDArray[np.float32],
    answers: Mapping[str, Answers],
    labels: NDArray[np.int64],
) -> str:
    expected = reference.argmax(axis=1)
    changes = {variant.file: np.full(len(report.labels), np.nan) for variant in report.variants}
    for file in changes.keys() & answers.keys():
        said = answers[file]
        changes[file] = class_changes_points(
            expected[said.rows], said.scores.argmax(axis=1), labels[said.rows], len(report.labels)
        )
    lowest = np.nanmin(np.nan_to_num([*changes.values()]), axis=0)
    shown = np.sort(np.argsort(lowest, kind="stable")[:_CLASSES])
    return charts.class_differences(
        {name: points[shown] for name, points in changes.items()},
        [report.labels[index] for index in shown],
    )


def _layers(report: ExportReport) -> Iterator[str]:
    """Of every int8 file whose figures are not another's, since inputs change no layer."""
    seen: list[Mapping[str, float]] = []
    for index, variant in enumerate(report.variants):
        if not variant.layers or variant.layers in seen:
            continue
        if not seen:
            yield "<h2>What 8 bits do to each layer</h2>"
            yield '<p class="soft">Rounding to 256 steps adds the same noise to all channels of a '
            yield "layer's output; drowned is the share of a channel that is then noise, averaged "
            yield f"over its channels. The worst come first, {_LAYERS} at most.</p>"
        seen.append(variant.layers)
        worst = dict([*variant.layers.items()][:_LAYERS])
        kept = [*variant.repair.kept_float] if variant.repair else []
        yield f"<figure>{charts.layer_noise(worst, kept, index)}"
        yield f"<figcaption>{escape(short(report, variant))}</figcaption></figure>"


def _sureness(
    report: ExportReport, reference: NDArray[np.float32], answers: Mapping[str, Answers]
) -> Iterator[str]:
    yield "<h2>How sure the files are</h2>"
    yield '<p class="soft">The best probability of each picture: bars for the file, the line for '
    yield "the original, heights as square roots.</p>"
    best = reference.max(axis=1)
    figures = [
        f"<figure>{charts.histogram(said.scores.max(axis=1), best[said.rows], index)}"
        f"<figcaption>{escape(short(report, variant))}</figcaption></figure>"
        for index, variant in enumerate(report.variants)
        if (said := answers.get(variant.file)) is not None
    ]
    yield f'<div class="small">{"".join(figures)}</div>'
