"""The plot of size against accuracy, and the files that no other beats in both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Final

from benchmarks.views import svg

_LABEL: Final = 7  # estimated width of a letter

_Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Point:
    """A file in a plot of size against accuracy."""

    name: str
    size_kilobytes: float
    accuracy_percent: float


def size_against_accuracy(points: Sequence[Point]) -> str:
    """A scatter plot; a line joins the files that no other beats in both."""
    left, top, bottom, height = 64, 34, 48, 340
    x_ticks = svg.ticks(0, max(point.size_kilobytes for point in points) * 1.08)
    accuracies = [point.accuracy_percent for point in points]
    margin = max(0.05, (max(accuracies) - min(accuracies)) * 0.25)
    y_ticks = svg.ticks(min(accuracies) - margin, min(100.0, max(accuracies) + margin))

    def x(value: float) -> float:
        return left + (svg.WIDTH - left - 24) * (value - x_ticks[0]) / (x_ticks[-1] - x_ticks[0])

    def y(value: float) -> float:
        share = (value - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return height - bottom - (height - bottom - top) * share

    parts = []
    for tick in y_ticks:
        parts.append(svg.line(left, y(tick), svg.WIDTH - 24, y(tick), "grid"))
        parts.append(svg.text(left - 8, y(tick) + 4, svg.number(tick), "end"))
    parts += [
        svg.text(x(tick), height - bottom + 18, svg.number(tick), "middle") for tick in x_ticks
    ]
    parts.append(svg.text(svg.WIDTH - 24, height - 8, "size, kB", "end"))
    parts.append(svg.text(8, 12, "right, %", "start"))
    places = [(x(point.size_kilobytes), y(point.accuracy_percent)) for point in points]
    line = [(x(point.size_kilobytes), y(point.accuracy_percent)) for point in frontier(points)]
    taken = [
        *((at_x - 7, at_y - 7, at_x + 7, at_y + 7) for at_x, at_y in places),
        *((at_x - 2, at_y - 2, at_x + 2, at_y + 2) for at_x, at_y in _along(line)),
    ]
    path = "M" + " L".join(f"{at_x:.1f} {at_y:.1f}" for at_x, at_y in line)
    parts.append(f'<path d="{path}" class="frontier"/>')
    for index, (point, (at_x, at_y)) in enumerate(zip(points, places, strict=True)):
        told = f"{point.name}: {point.size_kilobytes:.1f} kB, {point.accuracy_percent:.2f} % right"
        parts.append(
            f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="6" class="dot c{index % 8}">'
            f"<title>{escape(told)}</title></circle>"
        )
        label = _free_place(at_x, at_y, len(point.name) * _LABEL, taken)
        taken.append(label)
        parts.append(svg.text(label[0], label[3] - 3, point.name, "start"))
    title = "Size against accuracy: further left is smaller, further up is more often right"
    return svg.drawing(title, height, parts)


def _along(line: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Places on a line of several parts, twenty on each."""
    for (from_x, from_y), (to_x, to_y) in pairwise(line):
        for step in range(1, 20):
            yield from_x + (to_x - from_x) * step / 20, from_y + (to_y - from_y) * step / 20


def _free_place(x: float, y: float, width: float, taken: Sequence[_Box]) -> _Box:
    """A place for a label near a point, clear of the other labels and points where there is one."""
    places = [
        (left, y + down, left + width, y + down + 15)
        for down in (-22, 8, -7, -38, 24, -54, 40)
        for left in (x + 9, x - 9 - width)
        if left > 64 and left + width < svg.WIDTH
    ]
    for place in places:
        if not any(_overlap(place, other) for other in taken):
            return place
    return places[0] if places else (x, y, x + width, y + 15)


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def frontier(points: Sequence[Point]) -> list[Point]:
    """The points that no other is both smaller and more accurate than, from small to large."""
    best: list[Point] = []
    for point in sorted(points, key=lambda one: (one.size_kilobytes, -one.accuracy_percent)):
        if not best or point.accuracy_percent > best[-1].accuracy_percent:
            best.append(point)
    return best
