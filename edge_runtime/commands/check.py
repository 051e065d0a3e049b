"""`check`: replay the golden samples of model files on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.commands.common import model_file, say
from edge_runtime.commands.loading import add_backend
from edge_runtime.errors import EdgeError

if TYPE_CHECKING:
    from edge_runtime.commands.common import Commands


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Give the command its flags."""
    parser = commands.add_parser("check", parents=[common], help="replay the golden samples here")
    parser.add_argument(
        "files",
        type=Path,
        nargs="*",
        metavar="FILE",
        help=".tflite or .onnx (default: the Fashion-MNIST model inside)",
    )
    add_backend(parser)
    parser.set_defaults(command=check)


def check(arguments: argparse.Namespace) -> int:
    """Check each file; return 0, or the worst exit code among them."""
    from edge_runtime import golden

    worst = 0
    for path in arguments.files or [None]:
        try:
            file = model_file(path, arguments.backend)
            report = golden.check(file, backend=arguments.backend)
        except EdgeError as error:
            say(f"error: {error}")
            worst = max(worst, error.exit_code)
            continue
        print(f"{file.path.name}: {report}{'' if report.passed else ' FAILED'}")
        worst = max(worst, 0 if report.passed else 1)
    return worst
