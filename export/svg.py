"""Axes, words and shapes as SVG text, which the plots of report.html are put together from."""

from __future__ import annotations

from html import escape
from typing import Final

import numpy as np

WIDTH: Final = 720  # pixels
LEFT, RIGHT, TOP, BOTTOM = 120, 24, 14, 40  # margins: names and numbers go there


class Scale:
    """A linear axis: value → pixels, to a tenth, so that the same figures give the same bytes."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high = low, high
        self._start, self._factor = start, (end - start) / ((high - low) or 1)

    def __call__(self, value: float) -> float:
        """Where a value lies."""
        return round(self._start + (value - self.low) * self._factor, 1)

    def ticks(self) -> list[float]:
        """Four to ten round numbers."""
        rough = (self.high - self.low) / 5 or 1
        power = 10 ** np.floor(np.log10(rough))
        step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough)
        first, last = np.ceil(self.low / step - 1e-9), np.floor(self.high / step + 1e-9)
        return [float(step * each) + 0.0 for each in np.arange(first, last + 1)]  # no -0


def padded(low: float, high: float, least: float) -> tuple[float, float]:
    """A range with a margin of a tenth, and no less than `least`, on either side."""
    margin = max(0.1 * (high - low), least)
    return low - margin, high + margin


def axis_x(scale: Scale, height: int, name: str) -> str:
    """A horizontal axis below a plot of this height, with lines across it."""
    parts = []
    for value in scale.ticks():
        x = scale(value)
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{height - BOTTOM}"/>')
        parts.append(text(x, height - BOTTOM + 16, f"{value:,.6g}", "middle"))
    parts.append(text(WIDTH - RIGHT, height - 6, name, "end"))
    return "".join(parts)


def axis_y(scale: Scale, name: str) -> str:
    """A vertical axis on the left, with lines across the plot."""
    parts = []
    for value in scale.ticks():
        y = scale(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(text(LEFT - 8, y + 4, f"{value:.5g}", "end"))
    parts.append(text(0, TOP + 4, name))
    return "".join(parts)


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    """Words at a place."""
    return f'<text x="{x}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def line(x: tuple[float, float], y: tuple[float, float]) -> str:
    """A dashed line from the first of `x` and `y` to the second."""
    return f'<line class="line" x1="{x[0]}" x2="{x[1]}" y1="{y[0]}" y2="{y[1]}"/>'


def dot(x: float, y: float, colour: int, radius: float) -> str:
    """A dot in one of the page's colours."""
    return f'<circle class="c{colour}" cx="{x}" cy="{y:.1f}" r="{radius}"/>'


def bar(x: float, y: float, size: tuple[float, float], colour: int) -> str:
    """A bar from its upper left corner, in one of the page's colours."""
    width, height = size
    return (
        f'<rect class="c{colour}" x="{x}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
    )


def drawn(height: int, title: str, parts: list[str], width: int = WIDTH) -> str:
    """The parts as one picture that scales with the page."""
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )
