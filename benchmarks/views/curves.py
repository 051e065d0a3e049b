"""Lines of one figure against another, for what grows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from benchmarks.views import svg

_LEFT: Final = 76
_RIGHT: Final = svg.WIDTH - 24
_LETTER: Final = 7  # estimated width

Show = Callable[[float], str]


@dataclass(frozen=True)
class Series:
    """One line."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int  # of eight
    dashed: bool = False  # what it could be at best, say


@dataclass(frozen=True)
class Axis:
    """What an axis is of, and how its numbers are written."""

    title: str
    show: Show
    logarithmic: bool = True
    ticks: Sequence[float] = ()  # values to write beside it; () is round ones


def curves(title: str, x: Axis, y: Axis, series: Sequence[Series]) -> str:
    """The plot, with a legend above it."""
    legend, top = _legend(series)
    bottom = top + 290
    points = [point for one in series for point in one.points]
    x_place, x_ticks = _scale(x, [point[0] for point in points], _LEFT + 14, _RIGHT - 14)
    y_place, y_ticks = _scale(y, [point[1] for point in points], bottom - 12, top + 12)
    parts = [*legend, svg.text(8, top - 6, y.title, "start")]
    for tick in y_ticks:
        parts.append(svg.line(_LEFT, y_place(tick), _RIGHT, y_place(tick), "grid"))
        parts.append(svg.text(_LEFT - 8, y_place(tick) + 4, y.show(tick), "end"))
    for tick in x_ticks:
        parts.append(svg.line(x_place(tick), top, x_place(tick), bottom, "grid"))
        parts.append(svg.text(x_place(tick), bottom + 18, x.show(tick), "middle"))
    parts.append(svg.text(_RIGHT, bottom + 40, x.title, "end"))
    for one in series:
        places = [(x_place(across), y_place(up)) for across, up in one.points]
        path = "M" + " L".join(f"{across:.1f} {up:.1f}" for across, up in places)
        kind = "curve dashed" if one.dashed else "curve"
        parts.append(f'<path d="{path}" class="{kind} c{one.colour}"/>')
        if not one.dashed:
            parts += [
                f'<circle cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="4" class="c{one.colour}">'
                f"<title>{escape(f'{one.name}: {x.show(point[0])}, {y.show(point[1])}')}</title>"
                "</circle>"
                for place, point in zip(places, one.points, strict=True)
            ]
    return svg.drawing(title, bottom + 50, parts)


def _legend(series: Sequence[Series]) -> tuple[list[str], float]:
    """The lines' names in rows, and where the plot below them can begin."""
    parts, x, y = [], float(_LEFT), 18.0
    for one in series:
        width = 38 + _LETTER * len(one.name)
        if x + width > _RIGHT and x > _LEFT:
            x, y = _LEFT, y + 20
        kind = "curve dashed" if one.dashed else "curve"
        parts.append(f'<path d="M{x:.0f} {y - 4:.0f} h22" class="{kind} c{one.colour}"/>')
        parts.append(svg.text(x + 28, y, one.name, "start"))
        x += width + 12
    return parts, y + 34


def _scale(
    axis: Axis, values: Sequence[float], first: float, last: float
) -> tuple[Callable[[float], float], list[float]]:
    """Where a value is drawn between two ends, and the round values to write beside the axis."""
    if axis.logarithmic:
        low, high = math.log10(min(values)), math.log10(max(values))
        middle, span = (low + high) / 2, max(high - low, 0.3)
        low, high = middle - span / 2, middle + span / 2
        marks = list(axis.ticks) or svg.decades(10**low, 10**high)
        return (
            lambda value: first + (last - first) * (math.log10(value) - low) / (high - low),
            marks,
        )
    marks = list(axis.ticks) or svg.ticks(min(0.0, *values), max(values))
    start, end = marks[0], marks[-1]
    return lambda value: first + (last - first) * (value - start) / (end - start), marks
