"""Plots as SVG text: drawn by hand, so that a report needs no library and takes the page's colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from benchmarks.latency import Timing

_WIDTH: Final = 720
_LEFT: Final = 190  # for the names of files
_ROW: Final = 34
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
    x_ticks = _ticks(0, max(point.size_kilobytes for point in points) * 1.08)
    accuracies = [point.accuracy_percent for point in points]
    margin = max(0.05, (max(accuracies) - min(accuracies)) * 0.25)
    y_ticks = _ticks(min(accuracies) - margin, min(100.0, max(accuracies) + margin))

    def x(value: float) -> float:
        return left + (_WIDTH - left - 24) * (value - x_ticks[0]) / (x_ticks[-1] - x_ticks[0])

    def y(value: float) -> float:
        share = (value - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return height - bottom - (height - bottom - top) * share

    parts = []
    for tick in y_ticks:
        parts.append(_line(left, y(tick), _WIDTH - 24, y(tick), "grid"))
        parts.append(_text(left - 8, y(tick) + 4, _number(tick), "end"))
    parts += [_text(x(tick), height - bottom + 18, _number(tick), "middle") for tick in x_ticks]
    parts.append(_text(_WIDTH - 24, height - 8, "size, kB", "end"))
    parts.append(_text(8, 12, "right, %", "start"))
    path = " ".join(
        f"{'L' if index else 'M'}{x(point.size_kilobytes):.1f} {y(point.accuracy_percent):.1f}"
        for index, point in enumerate(frontier(points))
    )
    parts.append(f'<path d="{path}" class="frontier"/>')
    places = [(x(point.size_kilobytes), y(point.accuracy_percent)) for point in points]
    taken = [(at_x - 7, at_y - 7, at_x + 7, at_y + 7) for at_x, at_y in places]
    for index, (point, (at_x, at_y)) in enumerate(zip(points, places, strict=True)):
        told = f"{point.name}: {point.size_kilobytes:.1f} kB, {point.accuracy_percent:.2f} % right"
        parts.append(
            f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="6" class="dot c{index % 8}">'
            f"<title>{escape(told)}</title></circle>"
        )
        label = _free_place(at_x, at_y, len(point.name) * _LABEL, taken)
        taken.append(label)
        parts.append(_text(label[0], label[3] - 3, point.name, "start"))
    title = "Size against accuracy: further left is smaller, further up is more often right"
    return _svg(title, height, parts)


def _free_place(x: float, y: float, width: float, taken: Sequence[_Box]) -> _Box:
    """A place for a label near a point, clear of the other labels and points where there is one."""
    places = [
        (left, y + down, left + width, y + down + 15)
        for down in (-22, 8, -7, -38, 24, -54, 40)
        for left in (x + 9, x - 9 - width)
        if left > 64 and left + width < _WIDTH
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


def latencies(timings: Sequence[tuple[str, Timing]]) -> str:
    """For every file a bar from its shortest call to p99 on a logarithmic axis, and its rounds."""
    low = min(timing.min_ms for _, timing in timings)
    high = max(max(timing.p99_ms, *timing.round_p50_ms) for _, timing in timings)
    lowest, highest = math.log10(low * 0.92), math.log10(high * 1.08)

    def x(value: float) -> float:
        share = (math.log10(value) - lowest) / (highest - lowest)
        return _LEFT + (_WIDTH - _LEFT - 24) * share

    bottom = 8 + len(timings) * _ROW
    parts = []
    for tick in _logarithmic_ticks(low, high):
        parts.append(_line(x(tick), 4, x(tick), bottom, "grid"))
        parts.append(_text(x(tick), bottom + 16, duration(tick), "middle"))
    for index, (name, timing) in enumerate(timings):
        y, colour = 8 + _ROW * (index + 0.5), f"c{index % 8}"
        told = (
            f"{name}: min {duration(timing.min_ms)}, p50 {duration(timing.p50_ms)}, "
            f"p90 {duration(timing.p90_ms)}, p99 {duration(timing.p99_ms)}"
        )
        dots = "".join(
            f'<circle cx="{x(median):.1f}" cy="{y + 9:.1f}" r="1.6"/>'
            for median in timing.round_p50_ms
        )
        parts.append(
            f'<g class="{colour}"><title>{escape(told)}</title>'
            + _line(x(timing.min_ms), y, x(timing.p99_ms), y, "thin")
            + _line(x(timing.min_ms), y, x(timing.p90_ms), y, "thick")
            + f'<circle cx="{x(timing.p50_ms):.1f}" cy="{y:.1f}" r="6" class="dot"/>'
            + f'<g class="faint">{dots}</g></g>'
        )
        parts.append(_text(_LEFT - 10, y + 4, name, "end"))
    title = "Latency: dot p50, thick bar from the shortest call to p90, thin bar to p99"
    return _svg(title, bottom + 26, parts)


def bars(title: str, shares: Sequence[tuple[str, float]]) -> str:
    """A bar for every file, of a share 0..1."""
    span = _WIDTH - _LEFT - 64
    parts = []
    for index, (name, share) in enumerate(shares):
        y, length = 8 + _ROW * index, span * min(1.0, share)
        parts.append(_text(_LEFT - 10, y + 20, name, "end"))
        parts.append(f'<rect x="{_LEFT}" y="{y + 6}" width="{span}" height="18" class="track"/>')
        parts.append(
            f'<rect x="{_LEFT}" y="{y + 6}" width="{length:.1f}" height="18" class="c{index % 8}"/>'
        )
        parts.append(_text(_LEFT + span + 8, y + 20, f"{100 * share:.0f} %", "start"))
    return _svg(title, 12 + _ROW * len(shares), parts)


def class_differences(
    labels: Sequence[str], rows: Sequence[tuple[str, Sequence[tuple[int, int]]]]
) -> str:
    """Pictures lost (down) and gained (up) by every file in every class.

    Args:
        labels: the classes.
        rows: for every file its name, and lost and gained for every class.
    """
    most = max((max(pair) for _, cells in rows for pair in cells), default=0) or 1
    height, span = 56, (_WIDTH - _LEFT - 8) / max(1, len(labels))
    parts = []
    for row, (name, cells) in enumerate(rows):
        middle = 8 + height * (row + 0.5)
        parts.append(_text(_LEFT - 10, middle + 4, name, "end"))
        parts.append(_line(_LEFT, middle, _WIDTH - 8, middle, "grid"))
        for column, (lost, gained) in enumerate(cells):
            x = _LEFT + span * column + span * 0.2
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
            x = _LEFT + span * (column + 0.5)
            parts.append(
                f'<text x="{x:.1f}" y="{bottom + 6:.1f}" text-anchor="end" '
                f'transform="rotate(-40 {x:.1f} {bottom + 6:.1f})">{escape(label)}</text>'
            )
        bottom += 20 + 5 * max(map(len, labels), default=0)
    title = f"Pictures gained (up) and lost (down) against the reference; the tallest is {most}"
    return _svg(title, bottom, parts)


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers that enclose a range."""
    step = 10 ** math.floor(math.log10((high - low) / 3))
    for factor in (1, 2, 5, 10):
        if (high - low) / (step * factor) <= 6:
            step *= factor
            break
    first, last = math.floor(low / step), math.ceil(high / step)
    return [index * step for index in range(first, last + 1)]


def _logarithmic_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [digit * 10.0**decade for decade in decades for digit in (1, 2, 3, 5, 7)]
    return [tick for tick in ticks if low * 0.92 <= tick <= high * 1.08]


def _number(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def duration(value: float) -> str:
    """Milliseconds in the unit that suits them."""
    return f"{value * 1000:.3g} µs" if value < 1 else f"{value:.3g} ms"
