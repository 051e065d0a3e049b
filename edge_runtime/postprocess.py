"""Scores to predictions: probabilities, the best few, and their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from edge_runtime.spec import Scores


@dataclass(frozen=True)
class Prediction:
    """One label and how likely it is."""

    label: str
    index: int
    score: float  # probability, 0..1


def probabilities(
    scores: NDArray[np.float32], kind: Scores, temperature: float = 1.0
) -> NDArray[np.float32]:
    """What the model says as probabilities that sum to 1.

    Args:
        scores: float32, shape (n, classes), logits or probabilities.
        kind: which of the two they are.
        temperature: divides the logits: above 1 makes the model less sure (Guo et al. 2017,
            "On Calibration of Modern Neural Networks").

    Returns:
        float32, same shape, 0..1.
    """
    if kind == "probabilities":
        if temperature == 1.0:
            return scores
        scores = np.log(np.maximum(scores, np.finfo(np.float32).tiny))
    logits = scores / np.float32(temperature)
    exponentials: NDArray[np.float32] = np.exp(logits - logits.max(axis=-1, keepdims=True))
    exponentials /= exponentials.sum(axis=-1, keepdims=True)
    return exponentials


def best(scores: NDArray[np.float32], labels: Sequence[str], top_k: int) -> tuple[Prediction, ...]:
    """The `top_k` most likely labels of one picture, best first; equal scores keep label order.

    Args:
        scores: probabilities, shape (classes,).
        labels: one per class.
        top_k: how many, at most the number of classes.
    """
    order = np.argsort(-scores, kind="stable")[:top_k].tolist()
    return tuple(Prediction(labels[index], index, float(scores[index])) for index in order)
