"""The command line: measure model files on this machine, and say whether they are good enough."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# Nothing here loads numpy, Pillow or an engine before it is needed: help is instant.
from benchmarks.settings import Settings
from edge_runtime import __version__, console
from edge_runtime.errors import UsageError
from edge_runtime.files import refuse_existing, write_atomically

PROGRAM = "benchmarks"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a benchmark and return its exit code.

    Returns:
        0 fine, 1 a file is outside its tolerance or could not be measured, 2 usage,
        130 interrupted.
    """
    arguments = _parser().parse_args(argv)
    if arguments.verbose:
        os.environ["EDGE_RUNTIME_VERBOSE"] = "1"
    return console.run(PROGRAM, lambda: _benchmark(arguments))


def _parser() -> argparse.ArgumentParser:
    defaults = Settings()
    parser = argparse.ArgumentParser(
        prog=f"python -m {PROGRAM}",
        description="Measure model files on this machine: size, accuracy, agreement with the "
        "original, load time, latency and memory. Exit code 1 where a file is outside its "
        "tolerance or cannot be measured.",
    )
    parser.add_argument(
        "models",
        type=Path,
        nargs="+",
        metavar="MODEL",
        help=".tflite or .onnx file, or a folder of them",
    )
    parser.add_argument(
        "--evaluation",
        type=Path,
        metavar="FILE.npz",
        help="labelled pictures (default: evaluation.npz beside the models)",
    )
    parser.add_argument(
        "--limit", type=int, metavar="N", help="evaluation pictures to use (default: all)"
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE.json",
        help="write the report here, and as Markdown to FILE.md",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing report")
    parser.add_argument("--version", action="version", version=f"edgeproof {__version__}")
    parser.add_argument("--verbose", action="store_true", help="show what the engines print")
    timing = parser.add_argument_group("timing")
    timing.add_argument(
        "--rounds",
        type=int,
        default=defaults.rounds,
        metavar="N",
        help="each times every file once, in a new order (default: %(default)s)",
    )
    timing.add_argument(
        "--seconds",
        type=float,
        default=defaults.seconds,
        metavar="S",
        help="timed calls of each file, over all rounds (default: %(default)s)",
    )
    timing.add_argument(
        "--num-threads",
        type=int,
        default=defaults.num_threads,
        metavar="N",
        help="of the engine (default: %(default)s)",
    )
    tolerance = parser.add_argument_group("tolerance")
    tolerance.add_argument(
        "--max-accuracy-drop",
        type=float,
        default=defaults.max_accuracy_drop_points,
        metavar="POINTS",
        help="per cent points below the reference (default: %(default)s)",
    )
    tolerance.add_argument(
        "--min-agreement",
        type=float,
        default=defaults.min_agreement,
        metavar="SHARE",
        help="of pictures with the reference's best label, 0..1 (default: %(default)s)",
    )
    return parser


def _benchmark(arguments: argparse.Namespace) -> int:
    settings = Settings(
        num_threads=arguments.num_threads,
        rounds=arguments.rounds,
        seconds=arguments.seconds,
        limit=arguments.limit,
        max_accuracy_drop_points=arguments.max_accuracy_drop,
        min_agreement=arguments.min_agreement,
    )
    json_path: Path | None = arguments.report
    if json_path is not None:
        _require_place(json_path, overwrite=arguments.overwrite)

    from benchmarks import render, terminal
    from benchmarks.run import benchmark

    with terminal.progress() as progress:
        report = benchmark(
            arguments.models, settings, evaluation=arguments.evaluation, progress=progress
        )
    terminal.show(report, sys.stdout)
    if json_path is not None:
        markdown_path = json_path.with_suffix(".md")
        for path, text in (
            (json_path, report.to_json()),
            (markdown_path, render.markdown(report)),
        ):
            # A file's name may hold bytes that are no text.
            data = text.encode(errors="backslashreplace")
            write_atomically(path, data, overwrite=arguments.overwrite)
        console.say(PROGRAM, f"wrote {json_path} and {markdown_path}")
    return 0 if report.passed else 1


def _require_place(json_path: Path, *, overwrite: bool) -> None:
    """Refuse a report that could not be written, before the figures for it are measured."""
    if json_path.suffix.lower() != ".json":
        raise UsageError(
            f"--report {json_path} must end in .json; the Markdown is written beside it"
        )
    for path in (json_path, json_path.with_suffix(".md")):
        refuse_existing(path, overwrite=overwrite)
