"""`classify`: name what pictures show."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from edge_runtime.commands.common import model_file, positive, say
from edge_runtime.errors import Failure, InputError
from edge_runtime.render import ResultFormat, lines

if TYPE_CHECKING:
    from edge_runtime.classifier import Classifier, Result
    from edge_runtime.commands.common import Commands


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Give the command its flags."""
    parser = commands.add_parser("classify", parents=[common], help="name what pictures show")
    parser.add_argument("pictures", nargs="+", metavar="PICTURE", help="JPEG, PNG, WebP, BMP, GIF")
    parser.add_argument("--model", type=Path, help="default: the Fashion-MNIST model inside")
    parser.add_argument("--top-k", type=positive, default=3, help="labels a picture (default: 3)")
    parser.add_argument("--format", choices=get_args(ResultFormat), default="text")
    parser.add_argument(
        "--num-threads", type=positive, default=1, help="of the engine (default: 1)"
    )
    parser.set_defaults(command=classify)


def classify(arguments: argparse.Namespace) -> int:
    """Print each picture's result; return 1 when some could not be classified."""
    from edge_runtime.classifier import Classifier

    classifier = Classifier.from_file(
        model_file(arguments.model), num_threads=arguments.num_threads, top_k=arguments.top_k
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
            say(f"error: {error}")
            yield failure
            continue
        for warning in result.warnings:
            say(f"{picture}: {warning}")
        yield result
