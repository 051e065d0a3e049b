"""The flags that describe a model made elsewhere and name the pictures, and what they mean."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from edge_runtime.description import Color, Description, InputRange
from edge_runtime.spec import Fit


def add_description(parser: argparse.ArgumentParser) -> None:
    """What a model of `python -m train` says itself."""
    group = parser.add_argument_group("about a model made elsewhere")
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
    group.add_argument("--name", help="the first part of the files' names (default: the model's)")
    group.add_argument(
        "--trust-model-code",
        action="store_true",
        help="run code inside the model file, such as Lambda layers; you know who made it",
    )


def add_pictures(parser: argparse.ArgumentParser) -> None:
    """Where the pictures come from."""
    what = "run directory, .npz, or folder of pictures"
    group = parser.add_argument_group("pictures (a run directory has its own)")
    group.add_argument(
        "--evaluation",
        type=Path,
        metavar="SOURCE",
        help=f"to judge files by: {what}, with a sub-folder per class where that is known",
    )
    group.add_argument(
        "--calibration",
        type=Path,
        metavar="SOURCE",
        help=f"to choose integers' ranges with: {what}; never those of --evaluation",
    )


def description(arguments: argparse.Namespace) -> Description:
    """What the flags of `add_description` say."""
    return Description(
        labels=arguments.labels,
        color=arguments.color,
        fit=arguments.fit,
        name=arguments.name,
        size=arguments.size,
        input_range=arguments.input_range,
        mean=arguments.mean,
        std=arguments.std,
    )


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.lower().partition("x")
    return int(height), int(width or height)


# argparse names a type in its message by its function's name.
_numbers.__name__ = "numbers separated by commas"
_size.__name__ = "size such as 224x224"
