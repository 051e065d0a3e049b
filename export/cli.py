"""`python -m export`: arguments in, files and a table out."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from edge_runtime import console
from export import chatter, reference, tools
from export.limits import Limits
from export.terminal import print_report, progress
from export.variants import VARIANTS, select

_DESCRIPTION = """\
Turn a trained Keras model into verified TFLite and ONNX files for small devices.

Every file is compared with the Keras model on the evaluation pictures, through
the runtime that devices use. A file outside the limits is not published, and
the exit code is 1.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code (see `edge_runtime.errors`)."""
    arguments = _parser().parse_args(argv)
    return console.run("export", lambda: _list() if arguments.list else _export(arguments))


def _parser() -> argparse.ArgumentParser:
    limits = Limits()
    parser = argparse.ArgumentParser(
        prog="python -m export",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "run",
        type=Path,
        nargs="?",
        help="run directory of `python -m train`; without it, the reference model",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder to make (default: exported/<name>)"
    )
    parser.add_argument(
        "--only",
        metavar="NAMES",
        action="append",
        default=[],
        help="make only these, separated by commas: names, precisions or formats of --list",
    )
    parser.add_argument(
        "--max-accuracy-drop",
        metavar="POINTS",
        type=float,
        default=limits.max_accuracy_drop_points,
        help="per cent points a file may lose (default: %(default)s)",
    )
    parser.add_argument(
        "--min-agreement",
        metavar="SHARE",
        type=float,
        default=limits.min_agreement,
        help="share of pictures a file must answer like Keras, 0..1 (default: %(default)s)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the folder")
    parser.add_argument(
        "--verbose", action="store_true", help="show what TensorFlow and the converters print"
    )
    parser.add_argument("--list", action="store_true", help="list the variants and stop")
    return parser


def _list() -> int:
    width = max(len(variant.name) for variant in VARIANTS)
    for variant in VARIANTS:
        print(f"{variant.name:{width}}  {variant.summary}")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    variants = select([term for terms in arguments.only for term in terms.split(",")])
    limits = Limits(arguments.max_accuracy_drop, arguments.min_agreement)
    run, out = places(arguments.run, arguments.out)
    tools.require(variants)

    from export.pipeline import export, steps

    with chatter.terminal() as stream:
        total = None if arguments.verbose else steps(variants)
        with progress(stream, total) as tell:
            report = export(
                run,
                out,
                variants=variants,
                limits=limits,
                overwrite=arguments.overwrite,
                verbose=arguments.verbose,
                tell=tell,
            )
    print_report(report, out)
    return 0 if report.passed else 1


def places(run: Path | None, out: Path | None) -> tuple[Path, Path]:
    """The run directory and the folder to make, defaults filled in."""
    name = reference.NAME if run is None else run.resolve().name
    return run or reference.FOLDER, out or Path("exported") / name
