"""`python -m train`: flags to a TrainConfig, and the verdict in words."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, get_args

from edge_runtime.console import Parser, run, say
from edge_runtime.files import refuse_existing
from train import recipe
from train.config import Distribution, TrainConfig
from train.settings import add_flags, listed

if TYPE_CHECKING:
    from train.save import Trained

_SHOWN: Final = ("dataset", "data", "size", "color")  # what says which pictures are meant


def main(argv: Sequence[str] | None = None) -> int:
    """Train a model, or look at data or at a run; see `python -m train --help`."""
    words = list(sys.argv[1:] if argv is None else argv)
    match words[:1]:
        case ["explore"]:
            explored = _explore_parser().parse_args(words[1:])
            return run("train explore", lambda: _explore(explored))
        case ["evaluate"]:
            evaluated = _evaluate_parser().parse_args(words[1:])
            return run("train evaluate", lambda: _evaluate(evaluated))
        case _:
            arguments = _parser().parse_args(words)
            return run("train", lambda: _train(arguments, words))


def _train(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    from train.distribute import WorkerLostError, is_chief
    from train.pipeline import train

    file = recipe.find(arguments.config) if arguments.config else None
    settings = recipe.read(file) if file else {}
    chosen = settings | _given(arguments)
    if chosen.get("backbone"):
        chosen.setdefault("model", "transfer")
    config = TrainConfig(**chosen)
    out: Path = arguments.out or Path("runs") / _name(config, file)
    try:
        trained = train(
            config,
            out,
            overwrite=arguments.overwrite,
            resume=arguments.resume,
            verbose=arguments.verbose,
            tensorboard=arguments.tensorboard,
            distribution=arguments.distribute,
        )
    except WorkerLostError as error:
        say("train", f"{error}; this one begins again and waits")
        _begin_again(words)
    if trained is None:
        print(f"{out} is finished already.")
    elif is_chief(arguments.distribute):
        print(verdict(trained))
    else:
        say("train", f"done; worker 0 writes the run {out}")
    if arguments.distribute == "multi-worker":
        # TensorFlow's threads keep one worker of two from ending, every now and then.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    return 0


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings among the flags that were given."""
    names = vars(arguments).keys() & TrainConfig.__dataclass_fields__.keys()
    return {name: getattr(arguments, name) for name in names}


def _begin_again(words: Sequence[str]) -> NoReturn:
    """Replace this process: what TensorFlow knows of a cluster cannot be mended inside one."""
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", "train", *words, "--resume"])  # noqa: S606


def _explore(arguments: argparse.Namespace) -> int:
    from train import datasets
    from train.explore import explore

    config = TrainConfig(**_given(arguments))
    plot: Path = arguments.plot or Path(f"{Path(config.dataset).name}-samples.png")
    refuse_existing(plot, overwrite=arguments.overwrite)
    dataset = datasets.load(
        config.dataset, data_dir=config.data, size=config.size, color=config.color
    )
    for line in explore(dataset, plot, overwrite=arguments.overwrite):
        print(line)
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from train.review import draw, lines, review

    plot: Path | None = arguments.plot
    if plot is not None:
        refuse_existing(plot, overwrite=arguments.overwrite)
    reviewed = review(arguments.run, arguments.pictures)
    chosen = arguments.pictures or range(min(15, len(reviewed.actual)))
    for line in lines(reviewed, arguments.pictures):
        print(line)
    if plot is not None:
        draw(reviewed, chosen, plot, overwrite=arguments.overwrite)
        print(f"Written: {plot}")
    return 0


def verdict(trained: Trained) -> str:
    """What came out, in words, and what to type next."""
    evaluation, fitted, out = trained.evaluation, trained.fitted, trained.out
    weakest = ", ".join(f"{label} {share:.1%}" for label, share in evaluation.weakest())
    confused = ", ".join(
        f"{pair.actual} taken for {pair.predicted} ({pair.pictures:,} of {pair.of:,})"
        for pair in evaluation.most_confused()
    )
    return (
        f"Test accuracy {evaluation.accuracy:.2%} on {len(trained.dataset.test):,} pictures the "
        f"training never saw; validation {fitted.kept.validation_accuracy:.2%}.\n"
        f"Weakest classes: {weakest}.\n"
        f"Most confused: {confused or 'none'}.\n"
        f"{_sure(trained)}\n"
        f"{trained.model.count_params():,} parameters, trained on {len(trained.dataset.train):,} "
        f"pictures in {fitted.seconds:.0f} s; epoch {fitted.kept.epoch} of {len(fitted.epochs)} "
        "was best on the validation pictures and is kept.\n"
        f"Written: {out} (plots in {out / 'plots'})\n"
        f"Next: python -m export {out} --out {Path('exported') / out.name}"
    )


def _name(config: TrainConfig, file: Path | None) -> str:
    if file and file.parent == recipe.FOLDER:
        return file.stem
    return f"{config.quantize.name}-int8" if config.quantize else config.model


def _sure(trained: Trained) -> str:
    calibration = trained.calibration
    if not calibration.decision.threshold:
        return "It answers always."
    return (
        f"Sure, with a score of {calibration.decision.threshold:.2f} or more, of "
        f"{calibration.answered:.1%} of the validation pictures; {calibration.right:.1%} of those "
        "are right."
    )


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m train",
        description="Train a picture classifier; write a run directory for `python -m export`.",
        epilog="Also: `python -m train explore` shows what a data set holds, `python -m train "
        "evaluate RUN` asks a finished run again; both have a --help. "
        "Example: python -m train --dataset fashion-mnist --model mlp --out runs/mlp",
    )
    add = parser.add_argument
    add(
        "--out",
        type=Path,
        metavar="DIR",
        help="the run directory (default: runs/MODEL, RUN-int8 with --quantize, or runs/NAME with --config NAME)",
    )
    add("--overwrite", action="store_true", help="replace the run directory if it exists")
    add(
        "--resume",
        action="store_true",
        help="go on where an interrupted run stopped; begin where there is none",
    )
    add(
        "--config",
        metavar="FILE|NAME",
        help="settings from a TOML file, such as the train.toml of a run, or a recipe: pictures, for "
        "your own, or nano, small or base, for a reference model; flags override it",
    )
    add_flags(parser, TrainConfig)
    add(
        "--tensorboard",
        type=Path,
        metavar="DIR",
        help="write logs of each epoch, with histograms of the weights, for TensorBoard",
    )
    add(
        "--distribute",
        choices=get_args(Distribution),
        help="mirrored: on all GPUs of this machine; multi-worker: on the machines in TF_CONFIG",
    )
    add("--verbose", action="store_true", help="show what TensorFlow says")
    return parser


def _explore_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m train explore",
        description="Show what a data set holds: shapes, classes, values, and 25 of its pictures.",
    )
    add_flags(parser, TrainConfig, only=_SHOWN)
    add = parser.add_argument
    add("--plot", type=Path, metavar="FILE", help="the picture (default: NAME-samples.png)")
    add("--overwrite", action="store_true", help="replace the picture if it exists")
    return parser


def _evaluate_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m train evaluate",
        description="Ask a finished run about its test pictures again.",
    )
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="the run directory")
    add(
        "--pictures",
        type=listed(int),
        default=(),
        metavar="N[,N…]",
        help="say what the model makes of these test pictures, counted from 0",
    )
    add(
        "--plot",
        type=Path,
        metavar="FILE",
        help="draw them, 15 at most, beside bars of all classes (default: the first 15)",
    )
    add("--overwrite", action="store_true", help="replace the plot if it exists")
    return parser
