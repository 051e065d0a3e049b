"""The flags that say how a model is loaded, and what one made elsewhere does not say itself."""

from __future__ import annotations

import argparse
from typing import TypedDict, get_args

from edge_runtime import flags
from edge_runtime.description import Description, Layout
from edge_runtime.engines import EngineChoice
from edge_runtime.spec import Scores


class Loading(TypedDict):
    """Keywords of `Classifier.open` and `Classifier.from_file`."""

    backend: EngineChoice
    description: Description
    trusted: bool


def add_loading(parser: argparse.ArgumentParser) -> None:
    """Give a command these flags."""
    add_backend(parser)
    parser.add_argument(
        "--trust",
        action="store_true",
        help="load a file without a digest at once, not in a process of its own first",
    )
    add_description(parser).add_argument(
        "--scores", choices=get_args(Scores), help="what its outputs are, where they do not tell"
    )


def add_description(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Give a command the flags about what a model made elsewhere takes; returns their group."""
    group = flags.add_description(parser)
    group.add_argument(
        "--layout", choices=get_args(Layout), help="of its input, where the shape leaves it open"
    )
    return group


def add_backend(parser: argparse.ArgumentParser) -> None:
    """Give a command the choice of the engine."""
    parser.add_argument(
        "--backend",
        choices=get_args(EngineChoice),
        default="auto",
        help="which engine (default: the first of these that is installed and starts)",
    )


def loading(arguments: argparse.Namespace) -> Loading:
    """What the flags of `add_loading` say."""
    return Loading(
        backend=arguments.backend,
        description=flags.description(arguments),
        trusted=arguments.trust,
    )
