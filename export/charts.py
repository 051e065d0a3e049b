"""The plots of report.html, which take their colours from the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from export.svg import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Scale,
    axis_x,
    axis_y,
    bar,
    dot,
    drawn,
    line,
    padded,
    text,
)

COLOURS: Final = 6  # --c0 to --c5 of page.css

_BINS: Final = 20
_ROW: Final = 22  # pixels per class or layer


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
    across = Scale(0, 1.25 * float(sizes.max()), LEFT, WIDTH - RIGHT)
    up = Scale(*padded(float(known.min()), float(known.max()), least=0.2), height - BOTTOM, TOP)
    parts = [axis_x(across, height, "size, kB"), axis_y(up, what)]
    if original is not None:
        y = up(original)
        parts += [line((LEFT, WIDTH - RIGHT), (y, y)), text(WIDTH - RIGHT, y - 5, "Keras", "end")]
    dots = [(across(size), up(rate)) for size, rate in points.values()]
    for index, ((x, y), place) in enumerate(zip(dots, _name_places(dots), strict=True)):
        parts.append(dot(x, y, index % COLOURS, 5))
        parts.append(text(*place, [*points][index]))
    return drawn(height, f"Size against {what}", parts)


def _name_places(dots: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Where the dots' names go: below to the right, and below a name that is there already."""
    places: list[tuple[float, float]] = []
    for x, y in dots:
        start = max(other for other, level in dots if abs(other - x) < 14 and abs(level - y) < 14)
        left, level = start + 6, y + 16
        while any(abs(level - taken) < 13 and abs(left - place) < 110 for place, taken in places):
            level += 13
        places.append((left, level))
    return places


def class_differences(changes: Mapping[str, NDArray[np.float64]], labels: Sequence[str]) -> str:
    """A dot per file and class: its accuracy minus the original's, in per cent points.

    Args:
        changes: name → points, shape (classes,); not a number for a class without pictures.
        labels: one per class.
    """
    height = TOP + BOTTOM + _ROW * len(labels)
    values = np.concatenate([*changes.values(), np.zeros(1)])
    low, high = padded(float(np.nanmin(values)), float(np.nanmax(values)), least=0.2)
    across = Scale(low, high, LEFT, WIDTH - RIGHT)
    zero = across(0)
    parts = [axis_x(across, height, "difference, per cent points")]
    parts.append(line((zero, zero), (TOP, height - BOTTOM)))
    for row, label in enumerate(labels):
        middle = TOP + _ROW * (row + 0.5)
        parts.append(text(LEFT - 8, middle + 4, label[:16], "end"))
        for index, points in enumerate(changes.values()):
            if np.isfinite(points[row]):
                y = middle + 2.5 * (index - (len(changes) - 1) / 2)
                parts.append(dot(across(float(points[row])), y, index % COLOURS, 3.5))
    return drawn(height, "Accuracy of each class", parts)


def layer_noise(noise: Mapping[str, float], kept: Sequence[str], colour: int) -> str:
    """A bar per layer: how much of its output's channels 8 bits drown, in per cent.

    Args:
        noise: layer → share, 0..1; the worst first.
        kept: layers that compute in floats for that reason, which are marked.
        colour: which of the page's.
    """
    height, left = TOP + BOTTOM + _ROW * len(noise), 190
    across = Scale(0, 100 * max(*noise.values(), 0.001), left, WIDTH - RIGHT - 60)
    parts = [axis_x(across, height, "drowned, %")]
    for row, (layer, share) in enumerate(noise.items()):
        y, end = TOP + _ROW * row, across(100 * share)
        parts.append(text(left - 8, y + 15, layer[-24:], "end"))
        parts.append(bar(left, y + 4, (end - left, _ROW - 8), colour % COLOURS))
        said = f"{100 * share:.2g}" + (", kept in floats" if layer in kept else "")
        parts.append(text(end + 5, y + 15, said))
    return drawn(height, "What 8 bits do to each layer", parts)


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
    across = Scale(0, 1, 8, width - 8)
    # Most pictures are sure ones: the root keeps the unsure, which matter, in sight.
    up = Scale(0, float(np.sqrt(max(counts.max(), theirs.max()))), height - 22, 6)
    edges = [across(edge) for edge in np.linspace(0, 1, _BINS + 1)]
    parts, outline = [], []
    for (left, right), count, other in zip(pairwise(edges), counts, theirs, strict=True):
        top = up(float(np.sqrt(count)))
        parts.append(bar(left, top, (right - left - 1, up(0) - top), colour % COLOURS))
        y = up(float(np.sqrt(other)))
        outline += [f"{left},{y}", f"{right},{y}"]
    parts.append(f'<polyline class="outline" points="{" ".join(outline)}"/>')
    for value in (0, 0.5, 1):
        anchor = "start" if value == 0 else "end" if value == 1 else "middle"
        parts.append(text(across(value), height - 6, f"{value:g}", anchor))
    return drawn(height, "How sure the file is", parts, width)
