"""`python -m train`: flags to a TrainConfig, and the verdict in words."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.console import run
from train import recipe
from train.config import TrainConfig
from train.settings import add_flags

if TYPE_CHECKING:
    from train.save import Trained


def main(argv: Sequence[str] | None = None) -> int:
    """Train a model; see `python -m train --help`."""
    arguments = _parser().parse_args(argv)
    return run("train", lambda: _train(arguments))


def _train(arguments: argparse.Namespace) -> int:
    from train.pipeline import is_finished, train

    given = vars(arguments).keys() & TrainConfig.__dataclass_fields__.keys()
    settings = recipe.read(arguments.config) if arguments.config else {}
    config = TrainConfig(**settings | {name: getattr(arguments, name) for name in given})
    out: Path = arguments.out or Path("runs") / _name(config)
    resume, overwrite = arguments.resume, arguments.overwrite
    if resume and not overwrite and is_finished(config, out):
        print(f"{out} is finished already.")
        return 0
    trained = train(config, out, overwrite=overwrite, resume=resume, verbose=arguments.verbose)
    print(verdict(trained))
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


def _name(config: TrainConfig) -> str:
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
    parser = argparse.ArgumentParser(
        prog="python -m train",
        description="Train a picture classifier; write a run directory for `python -m export`.",
        epilog="example: python -m train --dataset fashion-mnist --model mlp --out runs/mlp",
    )
    add = parser.add_argument
    add(
        "--out",
        type=Path,
        metavar="DIR",
        help="the run directory (default: runs/MODEL, or RUN-int8 with --quantize)",
    )
    add("--overwrite", action="store_true", help="replace the run directory if it exists")
    add(
        "--resume",
        action="store_true",
        help="go on where an interrupted run stopped; begin where there is none",
    )
    add(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings from a TOML file, such as the train.toml of a run; flags go before it",
    )
    add_flags(parser, TrainConfig)
    add("--verbose", action="store_true", help="show what TensorFlow says")
    return parser
