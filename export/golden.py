"""Choosing the golden samples: pictures whose answer no other machine's rounding may change."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

SAMPLES: Final = 16
CLEAR_MARGIN: Final = 0.2  # probability of the best label minus that of the second
# Another machine's processor rounds otherwise: a probability may differ by this much more there.
OTHER_MACHINE: Final = 0.02


def choose(
    reference: NDArray[np.float32], scores: NDArray[np.float32], count: int = SAMPLES
) -> NDArray[np.intp]:
    """Pick pictures that both models agree on by a clear margin, from every predicted class in turn.

    Args:
        reference: the original's probabilities, shape (n, classes).
        scores: the file's probabilities for the same pictures, same shape. Its own margin must be
            clear too: it is this model that another machine will run.
        count: how many, where there are enough.

    Returns:
        Row numbers in rising order, at most `count`; none where no picture is clear.
    """
    predicted = reference.argmax(axis=1)
    clear = np.minimum(margin(reference), margin(scores)) >= CLEAR_MARGIN
    candidates = np.flatnonzero(clear & (scores.argmax(axis=1) == predicted))
    turns = np.empty(len(candidates), dtype=np.intp)  # a picture's place within its class
    for label in np.unique(predicted[candidates]):
        members = predicted[candidates] == label
        turns[members] = np.arange(np.count_nonzero(members))
    order = np.argsort(turns, kind="stable")
    return np.sort(candidates[order[:count]])


def margin(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each picture's best probability is above its second: shape (n,), 0..1."""
    second, best = np.partition(scores, (-2, -1), axis=1)[:, -2:].T
    above: NDArray[np.float32] = best - second
    return above
