"""What a person should know of the pictures and the settings before a training begins."""

from __future__ import annotations

import sys
from typing import Final

from train import combinations
from train.config import TrainConfig
from train.datasets import Dataset

_LISTED: Final = 20  # classes that are named; `explore` names all
_IMBALANCE: Final = 3  # so many times as many pictures of one class as of another are pointed out


def tell(dataset: Dataset, config: TrainConfig) -> None:
    """Say on stderr what there is, and what may be wrong with it."""
    splits = (dataset.train, dataset.validation, dataset.test)
    _say(
        "{}: {:,} training, {:,} validation, {:,} test pictures from {}".format(
            dataset.name, *map(len, splits), dataset.folder
        )
    )
    if not config.rescale:
        _say(
            "--no-rescale: pixels stay 0..255, which most models learn badly from; "
            "this is for comparison"
        )
    for line in combinations.idle(config):
        _say(line)
    counts = dict(zip(dataset.labels, dataset.train.counts(len(dataset.labels)), strict=True))
    rare, frequent = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    if counts[frequent] > counts[rare]:
        rarest = sorted(counts, key=counts.__getitem__)[:_LISTED]
        each = [f"{counts[label]:,} {label}" for label in rarest]
        more = [f"{len(counts) - _LISTED} classes more"] if len(counts) > _LISTED else []
        _say("training pictures, rarest first: " + ", ".join(each + more))
    if counts[frequent] > _IMBALANCE * counts[rare] and not config.class_weights:
        _say(
            f"classes differ: {counts[rare]:,} pictures of {rare}, {counts[frequent]:,} of "
            f"{frequent}; --class-weights lets them count alike"
        )


def _say(line: str) -> None:
    print(line, file=sys.stderr)
