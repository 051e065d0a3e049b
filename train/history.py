"""What a training tells while it goes: epochs, and who listens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

FIGURES: Final = ("loss", "accuracy", "validation_loss", "validation_accuracy")


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training pictures brought."""

    epoch: int  # from 1
    loss: float  # what was made small, while the weights still changed
    accuracy: float  # share of pictures, 0..1, augmented where they are
    validation_loss: float  # cross-entropy with the true labels
    validation_accuracy: float  # 0..1
    learning_rate: float | None = None  # the highest of its schedule; --resume may change it


@dataclass(frozen=True)
class Listener:
    """Who is told how far the training is."""

    on_step: Callable[[int], None]  # steps done in this epoch
    on_epoch: Callable[[Epoch], None]


def best(epochs: Sequence[Epoch]) -> Epoch:
    """The first of the epochs with the best validation accuracy."""
    return max(epochs, key=lambda epoch: epoch.validation_accuracy)


def curves(epochs: Sequence[Epoch]) -> dict[str, list[float]]:
    """The history column by column."""
    return {name: [getattr(epoch, name) for epoch in epochs] for name in FIGURES}
