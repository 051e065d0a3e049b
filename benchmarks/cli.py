"""The command line: measure model files on this machine, and say whether they are good enough."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# Nothing here loads numpy, Pillow or an engine before it is needed: help is instant.
from benchmarks import flags
from edge_runtime import console
from edge_runtime.errors import UsageError
from edge_runtime.files import refuse_existing, write_atomically

PROGRAM = "benchmarks"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a benchmark, or one of the commands beside it, and return its exit code.

    Returns:
        0 fine, 1 a file is outside its tolerance or could not be measured, 2 usage,
        130 interrupted.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    match given[:1]:
        case ["compare"]:
            arguments = flags.compare_parser().parse_args(given[1:])
            command = _compare
        case ["peers"]:
            arguments = flags.peers_parser().parse_args(given[1:])
            command = _peers
        case _:
            arguments = flags.parser().parse_args(given)
            command = _benchmark
    if arguments.verbose:
        os.environ["EDGE_RUNTIME_VERBOSE"] = "1"
    return console.run(PROGRAM, lambda: command(arguments))


def _benchmark(arguments: argparse.Namespace) -> int:
    settings, limits = flags.settings(arguments), flags.limits(arguments)
    json_path: Path | None = arguments.report
    if json_path is not None:
        _require_place(json_path, overwrite=arguments.overwrite)

    from benchmarks import baseline, compare, page, render, terminal
    from benchmarks.run import benchmark

    before = None if arguments.baseline is None else baseline.load(arguments.baseline)
    with terminal.progress() as progress:
        report = benchmark(
            [*arguments.models, *(before.files if before else ())],
            settings,
            evaluation=arguments.evaluation,
            progress=progress,
        )
    changes: list[compare.Change] = []
    if before is not None:
        changes = before.compare(report, limits)
    terminal.show(report, sys.stdout)
    terminal.show_changes(changes, sys.stdout)
    if json_path is not None:
        markdown = render.markdown(report) + render.changes_markdown(changes)
        texts = (report.to_json(), markdown, page.page(report, changes))
        for path, text in zip(_places(json_path), texts, strict=True):
            # A file's name may hold bytes that are no text.
            data = text.encode(errors="backslashreplace")
            write_atomically(path, data, overwrite=arguments.overwrite)
        console.say(PROGRAM, f"wrote {', '.join(map(str, _places(json_path)))}")
    return 0 if report.passed and not any(change.exceeded for change in changes) else 1


def _compare(arguments: argparse.Namespace) -> int:
    limits = flags.limits(arguments)

    from benchmarks import compare, render, report, terminal

    changes = compare.compare(report.read(arguments.before), report.read(arguments.after), limits)
    if arguments.format == "markdown":
        print(render.changes_markdown(changes).strip())
    else:
        terminal.show_changes(changes, sys.stdout)
    return 1 if any(change.exceeded for change in changes) else 0


def _peers(arguments: argparse.Namespace) -> int:
    if arguments.report is not None:
        refuse_existing(arguments.report, overwrite=arguments.overwrite)

    from benchmarks import evaluation, peers, render, terminal
    from edge_runtime.models import default_model

    tflite = arguments.model or default_model()
    files: dict[peers.Kind, Path | None] = {
        "tflite": tflite,
        "onnx": tflite.with_suffix(".onnx"),
        "keras": arguments.keras,
        "rgb": arguments.rgb,
    }
    pictures = evaluation.load(
        arguments.evaluation or tflite.parent / evaluation.DEFAULT_NAME, limit=arguments.limit
    )
    with terminal.progress() as progress:
        report = peers.measure(
            {kind: path for kind, path in files.items() if path is not None and path.exists()},
            pictures,
            progress=progress,
        )
    print("\n".join([*render.plain_table(peers.table(report)), "", *peers.skipped(report)]))
    if arguments.report is not None:
        data = report.to_json().encode(errors="backslashreplace")
        write_atomically(arguments.report, data, overwrite=arguments.overwrite)
    return 0


def _require_place(json_path: Path, *, overwrite: bool) -> None:
    """Refuse a report that could not be written, before the figures for it are measured."""
    if json_path.suffix.lower() != ".json":
        raise UsageError(
            f"--report {json_path} must end in .json; Markdown and HTML are written beside it"
        )
    for path in _places(json_path):
        refuse_existing(path, overwrite=overwrite)


def _places(json_path: Path) -> tuple[Path, Path, Path]:
    """Where the report goes, as JSON, Markdown and HTML."""
    return json_path, json_path.with_suffix(".md"), json_path.with_suffix(".html")
