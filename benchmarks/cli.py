"""The command line: which command is meant, and what its end is as an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from benchmarks.commands import benchmark, common, compare, peers, scaling
from edge_runtime import console


def main(argv: Sequence[str] | None = None) -> int:
    """Run a benchmark, or one of the commands beside it, and return its exit code.

    Returns:
        0 fine, 1 a file is outside its tolerance or could not be measured, 2 usage, 3 what was
        asked for is not installed or does not start, 130 interrupted.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    named = {"compare": compare, "peers": peers, "scaling": scaling}.get("".join(given[:1]))
    command = named or benchmark
    arguments = command.parser().parse_args(given[1:] if named else given)
    if arguments.verbose:
        os.environ["EDGE_RUNTIME_VERBOSE"] = "1"
    return console.run(common.PROGRAM, lambda: command.run(arguments))
