"""The flags that describe a model made elsewhere, for every command that may meet one."""

from __future__ import annotations

import argparse
import math
from dataclasses import fields
from pathlib import Path
from typing import get_args

from edge_runtime.description import Color, Description, InputRange
from edge_runtime.spec import Fit


def add_description(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Give a command these flags; returns their group, for more of them."""
    group = parser.add_argument_group("about a model made elsewhere, which does not say it itself")
    group.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="its labels in the order of its scores: one a line (also `3 label`, `3:label`), or JSON",
    )
    group.add_argument(
        "--input-range",
        choices=get_args(InputRange),
        help="what pixels were scaled to before they went in, where no layer inside does it",
    )
    group.add_argument(
        "--mean", type=_numbers, metavar="M[,M,M]", help="instead: subtracted, pixel units 0..255"
    )
    group.add_argument(
        "--std", type=_numbers, metavar="S[,S,S]", help="instead: divided by, pixel units 0..255"
    )
    group.add_argument(
        "--color", choices=get_args(Color), help="channels it takes, where that is not plain"
    )
    group.add_argument("--fit", choices=get_args(Fit), help="how pictures are made to fit")
    group.add_argument(
        "--size", type=_size, metavar="HxW", help="pixels, for a model that takes any size"
    )
    return group


def description(arguments: argparse.Namespace) -> Description:
    """What the flags of `add_description`, and those that were added to them, say."""
    said = {item.name: getattr(arguments, item.name, None) for item in fields(Description)}
    return Description(**said)


def _numbers(text: str) -> tuple[float, ...]:
    numbers = tuple(float(part) for part in text.split(","))
    if not all(map(math.isfinite, numbers)):
        raise ValueError(text)
    return numbers


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.lower().partition("x")
    return int(height), int(width or height)


# argparse names a type in its message by its function's name.
_numbers.__name__ = "numbers separated by commas"
_size.__name__ = "size such as 224x224"
