"""`python -m benchmarks peers`: this runtime beside the other ways to classify a picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.commands import common
from edge_runtime.errors import UsageError

if TYPE_CHECKING:
    from benchmarks.peers.report import Kind


def parser() -> argparse.ArgumentParser:
    """The flags of a comparison with other ways to classify."""
    made = common.parser(
        "peers",
        "Measure this runtime beside the other ways to classify a picture in Python: engines by "
        "hand, TensorFlow, Keras, MediaPipe. One that is not installed is named and skipped.",
    )
    made.add_argument(
        "model",
        type=Path,
        nargs="?",
        metavar="MODEL",
        help=".tflite or .onnx file, the other beside it (default: the Fashion-MNIST model inside)",
    )
    made.add_argument(
        "--evaluation",
        type=Path,
        metavar="FILE.npz",
        help="labelled pictures (default: evaluation.npz beside the model)",
    )
    made.add_argument("--limit", type=int, metavar="N", help="pictures to use (default: all)")
    made.add_argument("--keras", type=Path, metavar="FILE.keras", help="the same model in Keras")
    made.add_argument("--rgb", type=Path, metavar="FILE.tflite", help="the same for MediaPipe")
    common.add_report(made, "")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Measure, show and write."""
    common.require_places(arguments)

    from benchmarks import evaluation
    from benchmarks.peers.measure import measure
    from benchmarks.peers.table import peers_table, skipped
    from benchmarks.views import terminal
    from benchmarks.views.table import plain_table
    from edge_runtime.models import default_model

    model = arguments.model or default_model()
    files: dict[Kind, Path | None] = {
        "tflite": model.with_suffix(".tflite"),
        "onnx": model.with_suffix(".onnx"),
        "keras": arguments.keras,
        "rgb": arguments.rgb,
    }
    for flag, path in (("--keras", arguments.keras), ("--rgb", arguments.rgb)):
        if path is not None and not path.exists():
            raise UsageError(f"{flag} {path} does not exist; check the path")
    if arguments.limit is not None and arguments.limit < 1:
        raise UsageError(f"--limit is {arguments.limit}, expected 1 or more")
    beside = model.parent / evaluation.DEFAULT_NAME
    named = arguments.evaluation or (beside if beside.exists() else None)
    pictures = evaluation.load(named, limit=arguments.limit) if named else None
    with terminal.progress() as progress:
        report = measure(
            {kind: path for kind, path in files.items() if path is not None and path.exists()},
            pictures,
            progress=progress,
        )
    try:  # First what lasts: a reader of the terminal may have gone, as `head` has.
        common.write_report(arguments, {".json": report.to_json()})
    finally:
        print("\n".join([*plain_table(peers_table(report)), "", *skipped(report)]))
    return 0
