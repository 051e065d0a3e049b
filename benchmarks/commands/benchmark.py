"""`python -m benchmarks MODEL …`: measure model files, and say whether they are good enough."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from benchmarks.commands import common
from benchmarks.settings import Scenario, Settings
from edge_runtime import console
from edge_runtime.engines import EngineChoice
from edge_runtime.errors import UsageError

if TYPE_CHECKING:
    from benchmarks.compare import Change
    from benchmarks.report import BenchmarkReport

FORMATS: Final = ("text", "markdown", "csv", "json")


def parser() -> argparse.ArgumentParser:
    """The flags of a benchmark."""
    made = common.parser(
        "",
        "Measure model files on this machine: size, accuracy, agreement with the original, load "
        "time, latency and memory. Exit code 1 where a file is outside its tolerance or cannot be "
        "measured.",
        "Also, each with a --help of its own: python -m benchmarks compare BEFORE.json "
        "AFTER.json, python -m benchmarks peers, python -m benchmarks scaling",
    )
    _add_sources(made)
    _add_timing(made.add_argument_group("timing"), Settings())
    _add_tolerance(made.add_argument_group("tolerance"), Settings())
    return made


def _add_sources(parser: argparse.ArgumentParser) -> None:
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
        "--backend",
        choices=get_args(EngineChoice),
        default="auto",
        help="the engine of the files that it can run (default: the first that starts)",
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        help="of what is printed (default: %(default)s)",
    )
    common.add_report(parser, "FILE.md, FILE.csv and FILE.html")


def _add_timing(timing: argparse._ArgumentGroup, defaults: Settings) -> None:
    timing.add_argument(
        "--no-timing",
        dest="timing",
        action="store_false",
        help="accuracy and size only",
    )
    timing.add_argument(
        "--blocks",
        type=int,
        default=defaults.blocks,
        metavar="N",
        help="fresh processes, each timing all files in turns (default: %(default)s)",
    )
    timing.add_argument(
        "--rounds",
        type=int,
        default=defaults.rounds,
        metavar="N",
        help="in a block; each times every file once, in a new order (default: %(default)s)",
    )
    timing.add_argument(
        "--seconds",
        type=float,
        default=defaults.seconds,
        metavar="S",
        help="timed calls of each file, in all (default: %(default)s)",
    )
    timing.add_argument(
        "--num-threads",
        type=int,
        default=defaults.num_threads,
        metavar="N",
        help="of the engine (default: %(default)s)",
    )
    timing.add_argument(
        "--cores",
        type=_cores,
        metavar="N[,N]",
        help="keep the timed processes on these cores, counted from 0 (default: any)",
    )
    timing.add_argument(
        "--throughput",
        action="store_true",
        help="also pictures a second by batch size and number of threads, from memory and disk",
    )
    timing.add_argument(
        "--loadgen",
        choices=get_args(Scenario),
        help="also have MLPerf's LoadGen (package mlcommons-loadgen) measure every file, as an "
        "independent referee",
    )
    timing.add_argument(
        "--loadgen-seconds",
        type=float,
        default=defaults.loadgen_seconds,
        metavar="S",
        help="of each file (default: %(default)s)",
    )
    timing.add_argument(
        "--peak-seconds",
        type=float,
        default=defaults.peak_seconds,
        metavar="S",
        help="for each matrix product that shows this machine's limit; 0 leaves it out "
        "(default: %(default)s)",
    )


def _add_tolerance(tolerance: argparse._ArgumentGroup, defaults: Settings) -> None:
    tolerance.add_argument(
        "--min-agreement",
        type=float,
        default=defaults.min_agreement,
        metavar="SHARE",
        help="of pictures with the reference's best label, 0..1 (default: %(default)s)",
    )
    tolerance.add_argument(
        "--baseline",
        type=Path,
        metavar="REPORT.json|MODEL",
        help="also compare with an earlier report, or with earlier model files (a file or folder) "
        "that are then timed in the same run, which is more exact",
    )
    common.add_limits(
        tolerance,
        defaults.max_accuracy_drop_points,
        "per cent points below the reference, and the baseline (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure, show and write; 0 where all is well."""
    told, limits = settings(arguments), common.limits(arguments)
    common.require_places(arguments, ".md", ".csv", ".html")

    from benchmarks import baseline
    from benchmarks.run import benchmark
    from benchmarks.views import terminal

    before = None
    if arguments.baseline is not None:
        before = baseline.load(arguments.baseline, arguments.models)
    elif limits.max_slowdown is not None or limits.max_size_growth is not None:
        raise UsageError("--max-slowdown and --max-size-growth compare with a --baseline; name one")
    with terminal.progress() as progress:
        report = benchmark(
            [*arguments.models, *(before.files if before else ())],
            told,
            evaluation=arguments.evaluation,
            progress=progress,
        )
    changes = before.compare(report, limits) if before is not None else []
    try:  # First what lasts: a reader of the terminal may have gone, as `head` has.
        _write(report, changes, arguments)
    finally:
        _show(report, changes, arguments.format)
    old = {str(file) for file in before.files} if before else set()
    # What is wrong with the earlier files is no fault of those that were asked about.
    own = replace(report, measurements=tuple(r for r in report.measurements if r.file not in old))
    return 0 if own.passed and not any(change.exceeded for change in changes) else 1


def _write(
    report: BenchmarkReport, changes: Sequence[Change], arguments: argparse.Namespace
) -> None:
    if arguments.report is None:
        return
    from benchmarks.views.changes import changes_markdown
    from benchmarks.views.flat import flat
    from benchmarks.views.page import page
    from benchmarks.views.text import markdown

    texts = {
        ".md": markdown(report) + changes_markdown(changes),
        ".csv": flat(report),
        ".html": page(report, changes),
        ".json": report.to_json(),
    }
    common.write_report(arguments, texts)


def _show(report: BenchmarkReport, changes: Sequence[Change], form: str) -> None:
    from benchmarks.views import terminal
    from benchmarks.views.changes import changes_markdown
    from benchmarks.views.flat import flat
    from benchmarks.views.text import markdown

    match form:
        case "text":
            terminal.show(report, sys.stdout)
            terminal.show_changes(changes, sys.stdout)
        case "markdown":
            print(markdown(report) + changes_markdown(changes), end="")
        case "csv":
            print(flat(report), end="")
            _tell(changes)
        case _:
            print(report.to_json(), end="")
            _tell(changes)


def _tell(changes: Sequence[Change]) -> None:
    """Say on stderr which limits of the comparison are exceeded, where it is not shown."""
    for change in changes:
        for sentence in change.exceeded:
            console.say(common.PROGRAM, f"{change.file}: {sentence}")


def settings(arguments: argparse.Namespace) -> Settings:
    """The settings that a benchmark's flags mean."""
    return Settings(
        num_threads=arguments.num_threads,
        backend=arguments.backend,
        cores=arguments.cores,
        blocks=arguments.blocks,
        rounds=arguments.rounds,
        seconds=arguments.seconds,
        timing=arguments.timing,
        throughput=arguments.throughput,
        loadgen=arguments.loadgen,
        loadgen_seconds=arguments.loadgen_seconds,
        peak_seconds=arguments.peak_seconds,
        limit=arguments.limit,
        max_accuracy_drop_points=arguments.max_accuracy_drop,
        min_agreement=arguments.min_agreement,
    )


def _cores(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"{text} is no list of cores; write for example 0 or 2,3")
    return tuple(map(int, parts))
