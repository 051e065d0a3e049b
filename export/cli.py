"""`python -m export`: arguments in, files and a table out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from edge_runtime import console
from edge_runtime.flags import description
from export import chatter, flags, reference, tools
from export.limits import Limits
from export.report import Prefer
from export.terminal import print_report, progress
from export.variants import VARIANTS, Io, Target, Variant, select

_DESCRIPTION = """\
Turn a trained Keras model into verified TFLite and ONNX files for small devices.

Every file is compared with the Keras model on the evaluation pictures, through
the runtime that devices use. A file outside the limits is not published, and
the exit code is 1.

`python -m export verify DIR` checks a folder made earlier again.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code (see `edge_runtime.errors`)."""
    given = sys.argv[1:] if argv is None else argv
    if given[:1] == ["verify"]:
        from export import recheck

        return recheck.main(given[1:])
    arguments = _parser().parse_args(given)
    return console.run("export", lambda: _list() if arguments.list else _export(arguments))


def _parser() -> argparse.ArgumentParser:
    limits = Limits()
    parser = console.Parser(
        prog="python -m export",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "model",
        type=Path,
        nargs="?",
        help="run directory of `python -m train`, .keras or .h5 file, or SavedModel folder; "
        "or nano, small (without any) or base, the reference models",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder to make (default: exported/<name>)"
    )
    parser.add_argument(
        "--only",
        metavar="NAMES",
        action="append",
        default=[],
        help="make only these, separated by commas: names of --list, with or without the format, "
        "or formats",
    )
    parser.add_argument("--all", action="store_true", help="make every variant of --list")
    parser.add_argument(
        "--io",
        choices=get_args(Io),
        default="uint8",
        help="what int8.tflite takes and gives (default: %(default)s, so that pixels go in)",
    )
    parser.add_argument(
        "--target",
        choices=get_args(Target),
        default="portable",
        help="the processor that int8.onnx is laid out for (default: %(default)s)",
    )
    parser.add_argument(
        "--rgb", action="store_true", help="of a grey model, make a file that takes RGB as well"
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
    parser.add_argument(
        "--max-score-difference",
        metavar="SHARE",
        type=float,
        default=limits.max_score_difference,
        help="how far any probability may be from Keras', 0..1 (default: %(default)s, no limit)",
    )
    parser.add_argument(
        "--prefer",
        choices=get_args(Prefer),
        default="size",
        help="what the recommended file should be best at (default: %(default)s)",
    )
    parser.add_argument(
        "--no-repair",
        action="store_true",
        help="leave out an int8 file outside the limits, instead of keeping layers in floats",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="files to verify at a time, while another is converted (default: one a core)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the folder")
    parser.add_argument(
        "--verbose", action="store_true", help="show what TensorFlow and the converters print"
    )
    parser.add_argument("--list", action="store_true", help="list the variants and stop")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be made, and with what, and stop"
    )
    flags.add_pictures(parser)
    flags.add_description(parser)
    return parser


def _list() -> int:
    width = max(len(variant.name) for variant in VARIANTS)
    for variant in VARIANTS:
        when = "" if variant.usual else " (on request)"
        print(f"{variant.name:{width}}  {variant.summary}{when}")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    variants = select(
        [term for terms in arguments.only for term in terms.split(",")],
        everything=arguments.all,
        io=arguments.io,
        target=arguments.target,
        rgb=arguments.rgb,
    )
    limits = Limits(
        arguments.max_accuracy_drop, arguments.min_agreement, arguments.max_score_difference
    )
    model, out = places(arguments.model, arguments.out)
    described = description(arguments)
    if arguments.dry_run:
        return _plan(arguments, model, out, variants)
    tools.require(variants)

    from export.pipeline import export, steps

    with chatter.terminal() as stream:
        total = None if arguments.verbose else steps(variants)
        with progress(stream, total) as tell:
            report = export(
                model,
                out=out,
                description=described,
                trusted=arguments.trust_model_code,
                evaluation=arguments.evaluation,
                calibration=arguments.calibration,
                variants=variants,
                limits=limits,
                repair=not arguments.no_repair,
                prefer=arguments.prefer,
                jobs=arguments.jobs,
                overwrite=arguments.overwrite,
                verbose=arguments.verbose,
                tell=tell,
            )
    print_report(report, out)
    return 0 if report.passed else 1


def _plan(
    arguments: argparse.Namespace, model: Path, out: Path, variants: Sequence[Variant]
) -> int:
    from export.plan import lines, plan

    planned = plan(
        model,
        out,
        description=description(arguments),
        trusted=arguments.trust_model_code,
        evaluation=arguments.evaluation,
        calibration=arguments.calibration,
        variants=variants,
        overwrite=arguments.overwrite,
    )
    print(*lines(planned, out, variants), sep="\n")
    return 0


def places(model: Path | None, out: Path | None) -> tuple[Path, Path]:
    """The model and the folder to make, defaults filled in."""
    if model is None:
        return reference.folder(reference.DEFAULT), out or Path("exported") / reference.FILES
    if str(model) in reference.MODELS and not model.exists():
        return reference.folder(str(model)), out or Path("exported") / model
    from export.source import folder_for

    return model, out or folder_for(model)
