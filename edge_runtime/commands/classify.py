"""`classify`: name what pictures show, be they files, what arrives in a folder, or a camera's."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from edge_runtime import sources
from edge_runtime.commands.common import add_model, model_file, positive, say
from edge_runtime.commands.loading import add_loading, loading
from edge_runtime.commands.telling import Telling
from edge_runtime.errors import Failure, UsageError
from edge_runtime.show.render import ResultFormat, pieces

if TYPE_CHECKING:
    from edge_runtime.classifier import Classifier
    from edge_runtime.commands.common import Commands
    from edge_runtime.sources import Answer


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Give the command its flags."""
    parser = commands.add_parser(
        "classify",
        parents=[common],
        help="name what pictures show",
        description="Name what pictures show: JPEG, PNG, WebP, BMP or GIF.",
    )
    _add_where_from(parser)
    add_model(parser)
    _add_answers(parser)
    parser.add_argument(
        "--workers", type=positive, help="pictures at a time (default: one for each core)"
    )
    parser.add_argument(
        "--num-threads", type=positive, default=1, help="of the engine (default: 1)"
    )
    add_loading(parser)
    parser.set_defaults(command=partial(_classify, parser))


def _add_where_from(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help="a file; a folder, with all below it; a pattern such as 'photos/**/*.jpg'; or - for "
        "one picture on standard input",
    )
    parser.add_argument(
        "--files-from", metavar="FILE", help="a list of more, one a line; - reads standard input"
    )
    watch = parser.add_argument_group("what arrives in a folder")
    watch.add_argument("--watch", type=Path, metavar="DIR", help="classify pictures once complete")
    watch.add_argument("--once", action="store_true", help="only those complete now, then end")
    watch.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="remembers, over restarts, what was done (default: a hidden file in DIR)",
    )
    camera = parser.add_argument_group("what a camera sees")
    camera.add_argument("--camera", metavar="N|rpicam|DIR", help="a folder is replayed as if one")
    camera.add_argument("--fps", type=_rate, help="pictures a second (default: 5)")
    camera.add_argument(
        "--steady",
        type=_votes,
        metavar="K/N",
        help="print a label when K of the last N pictures agree on a new one (default: 3/5)",
    )


def _add_answers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--top-k", type=positive, default=3, help="labels a picture (default: 3)")
    parser.add_argument(
        "--score-threshold", type=float, default=0.0, help="leave out labels below it, 0 to 1"
    )
    only = parser.add_mutually_exclusive_group()
    for flag, text in (("--allow", "only these labels"), ("--deny", "all labels but these")):
        only.add_argument(flag, action="append", metavar="LABEL", help=f"{text}; may be repeated")
    parser.add_argument("--format", choices=get_args(ResultFormat), default="text")
    parser.add_argument(
        "--save-annotated",
        type=Path,
        metavar="DIR",
        help="save copies with the answer written below the picture",
    )


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0, up to 1000")
    return rate


def _votes(text: str) -> tuple[int, int]:
    needed, _, of = text.partition("/")
    if not (needed.isdecimal() and of.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text} is not of the form 3/5")
    return int(needed), int(of)


def _classify(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    _check_usage(parser, arguments)
    from edge_runtime.classifier import Classifier

    file = model_file(arguments.model, arguments.backend)
    with Classifier.from_file(
        file,
        num_threads=arguments.num_threads,
        top_k=arguments.top_k,
        score_threshold=arguments.score_threshold,
        allow=arguments.allow,
        deny=arguments.deny,
        **loading(arguments),
    ) as classifier:
        if classifier.notes:
            say(f"taken for granted: {'; '.join(classifier.notes)}")
        if arguments.watch is not None:
            telling = Telling(arguments.save_annotated)
            answers = _watched(arguments, classifier, file.sha256)
        elif arguments.camera is not None:
            telling = Telling(arguments.save_annotated)
            answers = _seen(arguments, classifier)
        else:
            pictures = _pictures(arguments)
            # Where results are seen as they come, they show the progress themselves.
            hidden = arguments.format != "json" and sys.stdout.isatty()
            telling = Telling(arguments.save_annotated, 0 if hidden else len(pictures))
            answers = sources.answers(classifier, pictures, arguments.workers)
        # Flushed one by one: a reader at the other end of a pipe need not wait.
        for piece in pieces(telling.outcomes(answers), arguments.format):
            sys.stdout.write(piece)
            sys.stdout.flush()
    return telling.code()


def _check_usage(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    listed = bool(arguments.sources or arguments.files_from)
    if listed + (arguments.watch is not None) + (arguments.camera is not None) != 1:
        parser.error("name pictures, or --watch a folder, or ask a --camera: one of the three")
    if (arguments.once or arguments.state) and arguments.watch is None:
        parser.error("--once and --state go with --watch")
    if arguments.workers and arguments.camera is not None:
        parser.error("a camera gives one picture at a time; leave --workers out")
    if (arguments.fps or arguments.steady) and arguments.camera is None:
        parser.error("--fps and --steady go with --camera")
    endless = arguments.camera is not None or (arguments.watch and not arguments.once)
    if endless and arguments.format == "json":
        parser.error("--format json is one list with an end; use --format jsonl here")


def _pictures(arguments: argparse.Namespace) -> list[sources.Picture | Failure]:
    listed = sources.named_in(arguments.files_from) if arguments.files_from else []
    return sources.expand([*arguments.sources, *listed])


def _watched(arguments: argparse.Namespace, classifier: Classifier, model: str) -> Iterator[Answer]:
    from edge_runtime.sources import watch

    folder: Path = arguments.watch
    if not sources.is_folder(folder):
        raise UsageError(f"{folder} is no folder; make it first, or name another to watch")
    copies: Path | None = arguments.save_annotated
    if copies and copies.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{copies} is inside {folder}: its copies would be classified as well")
    journal = watch.journal_of(folder, model, arguments.state, tell=say)
    return watch.answers(
        classifier,
        watch.Watch(folder, journal),
        once=arguments.once,
        tell=say,
        workers=arguments.workers,
    )


def _seen(arguments: argparse.Namespace, classifier: Classifier) -> Iterator[Answer]:
    from edge_runtime.sources import cameras, steady

    needed, of = arguments.steady or (3, 5)
    threshold = max(classifier.spec.decision.threshold, arguments.score_threshold)
    labels = steady.Steady(needed, of, threshold)
    with closing(cameras.open_camera(arguments.camera)) as camera:
        yield from steady.answers(classifier, camera, labels, arguments.fps or 5.0)
