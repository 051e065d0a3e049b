"""`python -m train`: flags to a TrainConfig, and the verdict in words."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from edge_runtime.console import run
from train.config import ModelName, Optimizer, Schedule, TrainConfig

if TYPE_CHECKING:
    from train.save import Trained


def main(argv: Sequence[str] | None = None) -> int:
    """Train a model; see `python -m train --help`."""
    arguments = _parser().parse_args(argv)
    return run("train", lambda: _train(arguments))


def _train(arguments: argparse.Namespace) -> int:
    from train.pipeline import train

    out: Path = arguments.out or Path("runs") / arguments.model
    settings = {name: getattr(arguments, name) for name in TrainConfig.__dataclass_fields__}
    trained = train(
        TrainConfig(**settings), out, overwrite=arguments.overwrite, verbose=arguments.verbose
    )
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
        f"{trained.model.count_params():,} parameters, trained on {len(trained.dataset.train):,} "
        f"pictures in {trained.seconds:.0f} s; epoch {fitted.kept.epoch} of {len(fitted.epochs)} "
        "was best on the validation pictures and is kept.\n"
        f"Written: {out} (plots in {out / 'plots'})\n"
        f"Next: python -m export {out} --out {Path('exported') / out.name}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train",
        description="Train a picture classifier; write a run directory for `python -m export`.",
        epilog="example: python -m train --dataset fashion-mnist --model mlp --out runs/mlp",
    )
    usual = TrainConfig()
    add = parser.add_argument
    add(
        "--dataset",
        default=usual.dataset,
        metavar="NAME|DIR",
        help="fashion-mnist (default), mnist, or a folder with four IDX files",
    )
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="where the files of fashion-mnist or mnist are (default: look, then download)",
    )
    add(
        "--model",
        default=usual.model,
        choices=get_args(ModelName),
        help="mlp: the tutorial's two dense layers (default); cnn: a small convolutional net",
    )
    add("--out", type=Path, metavar="DIR", help="the run directory (default: runs/MODEL)")
    add("--overwrite", action="store_true", help="replace the run directory if it exists")
    add(
        "--epochs",
        type=int,
        default=usual.epochs,
        metavar="N",
        help="passes over the training pictures (default: %(default)s)",
    )
    add(
        "--batch-size",
        type=int,
        default=usual.batch_size,
        metavar="N",
        help="pictures a step (default: %(default)s)",
    )
    add(
        "--optimizer",
        default=usual.optimizer,
        choices=get_args(Optimizer),
        help="adam (default), or sgd with Nesterov momentum",
    )
    add(
        "--learning-rate",
        type=float,
        default=usual.learning_rate,
        metavar="X",
        help="the highest, where the schedule changes it (default: %(default)s)",
    )
    add(
        "--schedule",
        default=usual.schedule,
        choices=get_args(Schedule),
        help="how the learning rate goes: falls along a cosine (default), stays constant, "
        "or climbs first (one-cycle)",
    )
    add(
        "--weight-decay",
        type=float,
        default=usual.weight_decay,
        metavar="X",
        help="pull on the weights towards 0 (default: %(default)s)",
    )
    add(
        "--label-smoothing",
        type=float,
        default=usual.label_smoothing,
        metavar="X",
        help="share of each label that is spread over all classes (default: %(default)s)",
    )
    add("--augment", action="store_true", help="mirror, shift and partly erase training pictures")
    add("--limit", type=int, metavar="N", help="train on N pictures only, for a quick try")
    add(
        "--seed",
        type=int,
        default=usual.seed,
        metavar="N",
        help="of first weights, order and augmentation (default: %(default)s)",
    )
    add("--verbose", action="store_true", help="show what TensorFlow says")
    return parser
