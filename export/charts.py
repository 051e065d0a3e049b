"""The plots of report.html, as SVG text that takes its colours from the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 720
COLOURS: Final = 6  # --c0 to --c5 of the page

_LEFT, _RIGHT, _TOP, _BOTTOM = 120, 24, 14, 40
_BINS: Final = 20
_ROW: Final = 22  # pixels per class


def size_against(
    points: Mapping[str, tuple[float, float]], what: str, original: float | None
) -> str:
    """A dot per file: its size in kB, its `what` in per cent; a line for the original's.

    Args:
        points: name → size in kB, and per cent.
        what: the vertical axis.
        original: per cent; None where there is none.
    """
    height = 300
    sizes, rates = (np.array(values) for values in zip(*points.values(), strict=True))
    known = rates if original is None else np.append(rates, original)
    low, high = _padded(float(known.min()), float(known.max()), least=0.2)
    across = _scale(0, 1.25 * float(sizes.max()), _LEFT, WIDTH - _RIGHT)
    up = _scale(low, high, height - _BOTTOM, _TOP)
    parts = [_axis_x(across, height, "size, kB"), _axis_y(up, what)]
    if original is not None:
        y = up(original)
        parts.append(f'<line class="line" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(_text(WIDTH - _RIGHT, y - 5, "Keras", "end"))
    dots = [(across(size), up(rate)) for size, rate in points.values()]
    taken: list[tuple[float, float]] = []
    for index, (name, (x, y)) in enumerate(zip(points, dots, strict=True)):
        start = max(other for other, level in dots if abs(other - x) < 14 and abs(level - y) < 14)
        level = y + 4
        while any(abs(level - other) < 13 and abs(start - place) < 110 for place, other in taken):
            level += 13
        taken.append((start, level))
        parts.append(f'<circle class="c{index % COLOURS}" cx="{x}" cy="{y}" r="5"/>')
        parts.append(_text(start + 9, level, name))
    return _svg(height, f"Size against {what}", parts)


def class_differences(changes: Mapping[str, NDArray[np.float64]], labels: Sequence[str]) -> str:
    """A dot per file and class: its accuracy minus the original's, in per cent points.

    Args:
        changes: name → points, shape (classes,); not a number for a class without pictures.
        labels: one per class.
    """
    height = _TOP + _BOTTOM + _ROW * len(labels)
    values = np.concatenate([*changes.values(), np.zeros(1)])
    low, high = _padded(float(np.nanmin(values)), float(np.nanmax(values)), least=0.2)
    across = _scale(low, high, _LEFT, WIDTH - _RIGHT)
    parts = [_axis_x(across, height, "difference, per cent points")]
    zero = across(0)
    parts.append(
        f'<line class="line" x1="{zero}" x2="{zero}" y1="{_TOP}" y2="{height - _BOTTOM}"/>'
    )
    for row, label in enumerate(labels):
        middle = _TOP + _ROW * (row + 0.5)
        parts.append(_text(_LEFT - 8, middle + 4, label[:16], "end"))
        for index, points in enumerate(changes.values()):
            if np.isfinite(points[row]):
                y = middle + 2.5 * (index - (len(changes) - 1) / 2)
                x = across(float(points[row]))
                parts.append(f'<circle class="c{index % COLOURS}" cx="{x}" cy="{y:.1f}" r="3.5"/>')
    return _svg(height, "Accuracy of each class", parts)


def histogram(scores: NDArray[np.float32], reference: NDArray[np.float32], colour: int) -> str:
    """How sure a file is: its best probabilities as bars, the original's as a line.

    Args:
        scores: the best probability of each picture, 0..1, shape (n,).
        reference: the original's.
        colour: which of the page's.
    """
    width, height = 230, 120
    counts, theirs = (
        np.histogram(values, _BINS, (0, 1))[0] / max(1, len(values))
        for values in (scores, reference)
    )
    across = _scale(0, 1, 8, width - 8)
    # Most pictures are sure ones: the root keeps the unsure, which matter, in sight.
    up = _scale(0, float(np.sqrt(max(counts.max(), theirs.max()))), height - 22, 6)
    edges = [across(edge) for edge in np.linspace(0, 1, _BINS + 1)]
    parts, line = [], []
    for (left, right), count, other in zip(pairwise(edges), counts, theirs, strict=True):
        top, bottom = up(float(np.sqrt(count))), up(0)
        parts.append(
            f'<rect class="c{colour % COLOURS}" x="{left}" y="{top}" '
            f'width="{right - left - 1:.1f}" height="{bottom - top:.1f}"/>'
        )
        y = up(float(np.sqrt(other)))
        line += [f"{left},{y}", f"{right},{y}"]
    parts.append(f'<polyline class="outline" points="{" ".join(line)}"/>')
    for value in (0, 0.5, 1):
        anchor = "start" if value == 0 else "end" if value == 1 else "middle"
        parts.append(_text(across(value), height - 6, f"{value:g}", anchor))
    return _svg(height, "How sure the file is", parts, width)


class _Scale:
    """A linear axis: value → pixels, to a tenth, so that the same figures give the same bytes."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high = low, high
        self._start, self._factor = start, (end - start) / ((high - low) or 1)

    def __call__(self, value: float) -> float:
        return round(self._start + (value - self.low) * self._factor, 1)

    def ticks(self) -> list[float]:
        """Four to ten round numbers."""
        rough = (self.high - self.low) / 5 or 1
        power = 10 ** np.floor(np.log10(rough))
        step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough)
        first, last = np.ceil(self.low / step - 1e-9), np.floor(self.high / step + 1e-9)
        return [float(step * each) + 0.0 for each in np.arange(first, last + 1)]  # no -0


def _scale(low: float, high: float, start: float, end: float) -> _Scale:
    return _Scale(low, high, start, end)


def _padded(low: float, high: float, least: float) -> tuple[float, float]:
    margin = max(0.1 * (high - low), least)
    return low - margin, high + margin


def _axis_x(scale: _Scale, height: int, name: str) -> str:
    parts = []
    for value in scale.ticks():
        x = scale(value)
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{height - _BOTTOM}"/>')
        parts.append(_text(x, height - _BOTTOM + 16, f"{value:,.6g}", "middle"))
    parts.append(_text(WIDTH - _RIGHT, height - 6, name, "end"))
    return "".join(parts)


def _axis_y(scale: _Scale, name: str) -> str:
    parts = []
    for value in scale.ticks():
        y = scale(value)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{value:.5g}", "end"))
    parts.append(_text(0, _TOP + 4, name))
    return "".join(parts)


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(height: int, title: str, parts: list[str], width: int = WIDTH) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )
