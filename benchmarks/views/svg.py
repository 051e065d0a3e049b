"""The parts that plots are drawn of: SVG text, round numbers for axes, units.

Drawn by hand, so that a report needs no library and takes the page's colours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Final

WIDTH: Final = 720
LEFT: Final = 190  # for the names of files


def drawing(title: str, height: float, parts: Sequence[str]) -> str:
    """A picture of the page's width, with its title for who cannot see it."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )


def standalone(drawn: str) -> str:
    """A drawing as a file of its own, with its colours and a background in it."""
    style = files("benchmarks.views").joinpath("plot.css").read_text(encoding="utf-8")
    opening, _, rest = drawn.partition(">")
    return (
        f'{opening} xmlns="http://www.w3.org/2000/svg" font-family="system-ui, sans-serif">'
        f"<style>\n{style}</style>"
        f'<rect width="100%" height="100%" rx="10" fill="var(--card)"/>{rest}\n'
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A line; `kind` is a class of the style sheet."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def text(x: float, y: float, words: str, anchor: str) -> str:
    """Words that start, end or have their middle at a place."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def ticks(low: float, high: float) -> list[float]:
    """Round numbers that enclose a range."""
    step = 10 ** math.floor(math.log10((high - low) / 3))
    for factor in (1, 2, 5, 10):
        if (high - low) / (step * factor) <= 6:
            step *= factor
            break
    first, last = math.floor(low / step), math.ceil(high / step)
    return [index * step for index in range(first, last + 1)]


def logarithmic_ticks(low: float, high: float) -> list[float]:
    """Round numbers within a range, for an axis of its logarithms."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    round_ones = [digit * 10.0**decade for decade in decades for digit in (1, 2, 3, 5, 7)]
    return [tick for tick in round_ones if low * 0.92 <= tick <= high * 1.08]


def decades(low: float, high: float) -> list[float]:
    """Powers of ten within a range; other round numbers, too, where those are few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [10.0**power for power in powers if low * 0.99 <= 10.0**power <= high * 1.01]
    return found if len(found) > 2 else logarithmic_ticks(low, high)


def number(value: float) -> str:
    """A number without needless zeros."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def duration(value: float) -> str:
    """Milliseconds in the unit that suits them."""
    if value >= 1000:
        return f"{value / 1000:,.3g} s"
    return f"{value * 1000:.3g} µs" if value < 1 else f"{value:.3g} ms"
