"""`info`: what a model file says of itself."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime import modelfile

if TYPE_CHECKING:
    from edge_runtime.commands.common import Commands


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Give the command its flags."""
    parser = commands.add_parser("info", parents=[common], help="what a model file says of itself")
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        metavar="FILE",
        help=".tflite or .onnx (default: the Fashion-MNIST model inside)",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.set_defaults(command=info)


def info(arguments: argparse.Namespace) -> int:
    """Print it; return 0."""
    from edge_runtime import models
    from edge_runtime.show import describe

    file = modelfile.read(arguments.file or models.model_to_show())
    print(describe.as_json(file) if arguments.format == "json" else describe.as_text(file))
    return 0
