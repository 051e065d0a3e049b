"""The command line's flags, and the settings that they mean."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from benchmarks.settings import Limits, Scenario, Settings
from edge_runtime import __version__

_PROGRAM = "python -m benchmarks"


def parser() -> argparse.ArgumentParser:
    """The flags of a benchmark."""
    defaults = Settings()
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Measure model files on this machine: size, accuracy, agreement with the "
        "original, load time, latency and memory. Exit code 1 where a file is outside its "
        "tolerance or cannot be measured.",
        epilog=f"Also: {_PROGRAM} compare BEFORE.json AFTER.json, and {_PROGRAM} peers",
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
        help="write the report here, and beside it as FILE.md and FILE.html",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing report")
    _add_common(parser)
    timing = parser.add_argument_group("timing")
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
    tolerance = parser.add_argument_group("tolerance")
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
    _add_limits(
        tolerance,
        defaults.max_accuracy_drop_points,
        "per cent points below the reference, and the baseline (default: %(default)s)",
    )
    return parser


def compare_parser() -> argparse.ArgumentParser:
    """The flags of a comparison of two reports."""
    parser = argparse.ArgumentParser(
        prog=f"{_PROGRAM} compare",
        description="Say of every file whether it became faster, slower, less accurate or larger. "
        "What the two runs do not show beyond their noise is no difference. Exit code 1 where a "
        "limit is exceeded.",
    )
    parser.add_argument("before", type=Path, metavar="BEFORE.json", help="a benchmark's report")
    parser.add_argument("after", type=Path, metavar="AFTER.json", help="a later one's")
    parser.add_argument("--format", choices=("text", "markdown"), default="text")
    _add_common(parser)
    _add_limits(parser.add_argument_group("limits"), None, "per cent points lost")
    return parser


def peers_parser() -> argparse.ArgumentParser:
    """The flags of a comparison with other ways to classify."""
    parser = argparse.ArgumentParser(
        prog=f"{_PROGRAM} peers",
        description="Measure this runtime beside the other ways to classify a picture in Python: "
        "engines by hand, TensorFlow, Keras, MediaPipe. One that is not installed is named and "
        "skipped.",
    )
    parser.add_argument(
        "model",
        type=Path,
        nargs="?",
        metavar="MODEL.tflite",
        help="with its .onnx beside it (default: the Fashion-MNIST model inside)",
    )
    parser.add_argument(
        "--evaluation",
        type=Path,
        metavar="FILE.npz",
        help="labelled pictures (default: evaluation.npz beside the model)",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="pictures to use (default: all)")
    parser.add_argument("--keras", type=Path, metavar="FILE.keras", help="the same model in Keras")
    parser.add_argument("--rgb", type=Path, metavar="FILE.tflite", help="the same for MediaPipe")
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="write the figures here")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing report")
    _add_common(parser)
    return parser


def settings(arguments: argparse.Namespace) -> Settings:
    """The settings that a benchmark's flags mean."""
    return Settings(
        num_threads=arguments.num_threads,
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


def limits(arguments: argparse.Namespace) -> Limits:
    """The limits of a comparison."""
    return Limits(
        max_slowdown=_share(arguments.max_slowdown),
        max_accuracy_drop_points=arguments.max_accuracy_drop,
        max_size_growth=_share(arguments.max_size_growth),
    )


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", action="version", version=f"edgeproof {__version__}")
    parser.add_argument("--verbose", action="store_true", help="show what the engines print")


def _add_limits(
    group: argparse._ArgumentGroup, accuracy_drop: float | None, accuracy_help: str
) -> None:
    group.add_argument(
        "--max-accuracy-drop",
        type=float,
        default=accuracy_drop,
        metavar="POINTS",
        help=accuracy_help,
    )
    group.add_argument(
        "--max-slowdown", type=float, metavar="PERCENT", help="of a call, against the baseline"
    )
    group.add_argument(
        "--max-size-growth", type=float, metavar="PERCENT", help="of a file, against the baseline"
    )


def _share(per_cent: float | None) -> float | None:
    return None if per_cent is None else per_cent / 100


def _cores(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"{text} is no list of cores; write for example 0 or 2,3")
    return tuple(map(int, parts))
