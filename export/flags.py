"""The flags that describe a model made elsewhere and name the pictures."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge_runtime import flags


def add_description(parser: argparse.ArgumentParser) -> None:
    """What a model of `python -m train` says itself."""
    group = flags.add_description(parser)
    group.add_argument("--name", help="the first part of the files' names (default: the model's)")
    group.add_argument(
        "--trust-model-code",
        action="store_true",
        help="run code inside the model file, such as Lambda layers; you know who made it",
    )


def add_pictures(parser: argparse.ArgumentParser) -> None:
    """Where the pictures come from."""
    what = "run directory, .npz, folder of pictures, or data set such as fashion-mnist"
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
