"""The command line: its root; each command is a file in `edge_runtime.commands`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from edge_runtime import __version__, console
from edge_runtime.commands import check, classify, doctor, info, preview
from edge_runtime.commands.common import PROGRAM


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Returns:
        0 fine, 1 some pictures failed or a check is outside its tolerance, 2 usage,
        3 model or engine unusable, 4 no answer from a camera, 130 interrupted.
    """
    arguments = _parser().parse_args(argv)
    if arguments.verbose:
        os.environ["EDGE_RUNTIME_VERBOSE"] = "1"
    return console.run(PROGRAM, lambda: arguments.command(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = console.Parser(
        prog=f"python -m {PROGRAM}",
        description="Classify pictures with a .tflite or .onnx file, without TensorFlow.",
    )
    parser.add_argument("--version", action="version", version=f"edgeproof {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--verbose", action="store_true", help="show what the engines print")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (classify, preview, info, check, doctor):
        command.add(commands, common)
    return parser
