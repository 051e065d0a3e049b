"""The command line: classify pictures, show what a model file says of itself, and check it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

# Nothing here loads numpy, Pillow or an engine before a command needs it: help is instant.
from edge_runtime import __version__, console, modelfile
from edge_runtime.errors import EdgeError, InputError
from edge_runtime.render import Failure, ResultFormat, lines

if TYPE_CHECKING:
    from edge_runtime.classifier import Classifier, Result
    from edge_runtime.modelfile import ModelFile

PROGRAM = "edge_runtime"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Returns:
        0 fine, 1 some pictures failed or a check is outside its tolerance, 2 usage,
        3 model or engine unusable, 130 interrupted.
    """
    arguments = _parser().parse_args(argv)
    if arguments.verbose:
        os.environ["EDGE_RUNTIME_VERBOSE"] = "1"
    return console.run(PROGRAM, lambda: arguments.command(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {PROGRAM}",
        description="Classify pictures with a .tflite or .onnx file, without TensorFlow.",
    )
    parser.add_argument("--version", action="version", version=f"edgeproof {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--verbose", action="store_true", help="show what the engines print")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_classify(commands.add_parser("classify", parents=[common], help="name what pictures show"))
    _add_info(
        commands.add_parser("info", parents=[common], help="what a model file says of itself")
    )
    _add_check(
        commands.add_parser("check", parents=[common], help="replay the golden samples here")
    )
    return parser


def _add_classify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pictures", nargs="+", metavar="PICTURE", help="JPEG, PNG, WebP, BMP, GIF")
    parser.add_argument("--model", type=Path, help="default: the Fashion-MNIST model inside")
    parser.add_argument("--top-k", type=_positive, default=3, help="labels a picture (default: 3)")
    parser.add_argument("--format", choices=get_args(ResultFormat), default="text")
    parser.add_argument(
        "--num-threads", type=_positive, default=1, help="of the engine (default: 1)"
    )
    parser.set_defaults(command=_classify)


def _add_info(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", type=Path, nargs="?", help="default: the Fashion-MNIST model inside"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.set_defaults(command=_info)


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE", help=".tflite or .onnx")
    parser.set_defaults(command=_check)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of 1 or more")
    return int(text)


def _classify(arguments: argparse.Namespace) -> int:
    from edge_runtime.classifier import Classifier

    classifier = Classifier.from_file(
        _model(arguments.model), num_threads=arguments.num_threads, top_k=arguments.top_k
    )
    failures: list[Failure] = []
    outcomes = _outcomes(classifier, arguments.pictures, failures)
    for line in lines(outcomes, arguments.format):
        print(line, flush=True)  # a reader at the other end of a pipe need not wait
    return 1 if failures else 0


def _outcomes(
    classifier: Classifier, pictures: Sequence[str], failures: list[Failure]
) -> Iterator[Result | Failure]:
    """Each picture's result, or its failure, which is also told on stderr and remembered."""
    for picture in pictures:
        try:
            result = classifier.classify(picture)
        except InputError as error:
            failure = Failure(picture, type(error).__name__, str(error))
            failures.append(failure)
            _say(f"error: {error}")
            yield failure
            continue
        for warning in result.warnings:
            _say(f"{picture}: {warning}")
        yield result


def _info(arguments: argparse.Namespace) -> int:
    from edge_runtime import describe

    file = _model(arguments.file)
    print(describe.as_json(file) if arguments.format == "json" else describe.as_text(file))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from edge_runtime import golden

    worst = 0
    for path in arguments.files or [None]:
        try:
            file = _model(path)
            report = golden.check(file)
        except EdgeError as error:
            _say(f"error: {error}")
            worst = max(worst, error.exit_code)
            continue
        print(f"{file.path.name}: {report}{'' if report.passed else ' FAILED'}")
        worst = max(worst, 0 if report.passed else 1)
    return worst


def _model(path: Path | None) -> ModelFile:
    if path is None:
        from edge_runtime.models import default_model

        path = default_model()
    return modelfile.read(path)


def _say(text: str) -> None:
    console.say(PROGRAM, text)
