"""Plots with a row a file: latencies, shares of the limit, differences class by class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Final

from benchmarks.measures.latency import Timing
from benchmarks.views import svg

_ROW: Final = 34


def latencies(timings: Sequence[tuple[str, Timing]]) -> str:
    """For every file a bar from its shortest call to p99 on a logarithmic axis, and its rounds."""
    low = min(timing.min_ms for _, timing in timings)
    high = max(max(timing.p99_ms, *timing.round_p50_ms) for _, timing in timings)
    lowest, highest = math.log10(low * 0.92), math.log10(high * 1.08)

    def x(value: float) -> float:
        share = (math.log10(value) - lowest) / (highest - lowest)
        return svg.LEFT + (svg.WIDTH - svg.LEFT - 24) * share

    bottom = 8 + len(timings) * _ROW
    parts = []
    for tick in svg.logarithmic_ticks(low, high):
        parts.append(svg.line(x(tick), 4, x(tick), bottom, "grid"))
        parts.append(svg.text(x(tick), bottom + 16, svg.duration(tick), "middle"))
    for index, (name, timing) in enumerate(timings):
        y, colour = 8 + _ROW * (index + 0.5), f"c{index % 8}"
        told = (
            f"{name}: min {svg.duration(timing.min_ms)}, p50 {svg.duration(timing.p50_ms)}, "
            f"p90 {svg.duration(timing.p90_ms)}, p99 {svg.duration(timing.p99_ms)}"
        )
        dots = "".join(
            f'<circle cx="{x(median):.1f}" cy="{y + 9:.1f}" r="1.6"/>'
            for median in timing.round_p50_ms
        )
        parts.append(
            f'<g class="{colour}"><title>{escape(told)}</title>'
            + svg.line(x(timing.min_ms), y, x(timing.p99_ms), y, "thin")
            + svg.line(x(timing.min_ms), y, x(timing.p90_ms), y, "thick")
            + f'<circle cx="{x(timing.p50_ms):.1f}" cy="{y:.1f}" r="6" class="dot"/>'
            + f'<g class="faint">{dots}</g></g>'
        )
        parts.append(svg.text(svg.LEFT - 10, y + 4, name, "end"))
    title = "Latency: dot p50, thick bar from the shortest call to p90, thin bar to p99"
    return svg.drawing(title, bottom + 26, parts)


def bars(title: str, shares: Sequence[tuple[str, float]]) -> str:
    """A bar for every file, of a share 0..1."""
    span = svg.WIDTH - svg.LEFT - 64
    parts = []
    for index, (name, share) in enumerate(shares):
        y, length = 8 + _ROW * index, span * min(1.0, share)
        parts.append(svg.text(svg.LEFT - 10, y + 20, name, "end"))
        parts.append(f'<rect x="{svg.LEFT}" y="{y + 6}" width="{span}" height="18" class="track"/>')
        parts.append(
            f'<rect x="{svg.LEFT}" y="{y + 6}" width="{length:.1f}" height="18" class="c{index % 8}"/>'
        )
        parts.append(svg.text(svg.LEFT + span + 8, y + 20, f"{100 * share:.0f} %", "start"))
    return svg.drawing(title, 12 + _ROW * len(shares), parts)


def class_differences(
    labels: Sequence[str], rows: Sequence[tuple[str, Sequence[tuple[int, int]]]]
) -> str:
    """Pictures lost (down) and gained (up) by every file in every class.

    Args:
        labels: the classes.
        rows: for every file its name, and lost and gained for every class.
    """
    most = max((max(pair) for _, cells in rows for pair in cells), default=0) or 1
    height, span = 56, (svg.WIDTH - svg.LEFT - 8) / max(1, len(labels))
    parts = []
    for row, (name, cells) in enumerate(rows):
        middle = 8 + height * (row + 0.5)
        parts.append(svg.text(svg.LEFT - 10, middle + 4, name, "end"))
        parts.append(svg.line(svg.LEFT, middle, svg.WIDTH - 8, middle, "grid"))
        for column, (lost, gained) in enumerate(cells):
            x = svg.LEFT + span * column + span * 0.2
            told = f"{name}, {labels[column]}: {lost} lost, {gained} gained"
            parts.append(f"<g><title>{escape(told)}</title>")
            for count, kind in ((gained, "gained"), (lost, "lost")):
                size = (height / 2 - 8) * count / most
                y = middle - size if kind == "gained" else middle
                parts.append(
                    f'<rect x="{x:.1f}" y="{y:.1f}" width="{span * 0.6:.1f}" '
                    f'height="{size:.1f}" class="{kind}"/>'
                )
            parts.append("</g>")
    bottom = 12 + height * len(rows)
    if len(labels) <= 20:
        for column, label in enumerate(labels):
            x = svg.LEFT + span * (column + 0.5)
            parts.append(
                f'<text x="{x:.1f}" y="{bottom + 6:.1f}" text-anchor="end" '
                f'transform="rotate(-40 {x:.1f} {bottom + 6:.1f})">{escape(label)}</text>'
            )
        bottom += 20 + 5 * max(map(len, labels), default=0)
    title = f"Pictures gained (up) and lost (down) against the reference; the tallest is {most}"
    return svg.drawing(title, bottom, parts)
