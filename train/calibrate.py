"""How sure a classifier may claim to be: temperature and threshold from validation pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.postprocess import probabilities
from edge_runtime.spec import Decision

_TEMPERATURES: Final = (0.05, 20.0)  # where the best one is looked for
_NARROWED: Final = 40  # times the golden section is applied: to one part in 10^8
_DIGITS: Final = 4  # of temperature and threshold in the spec


@dataclass(frozen=True)
class Calibration:
    """A decision, and what it did on the validation pictures."""

    decision: Decision
    answered: float  # share of pictures whose best score reaches the threshold, 0..1
    right: float  # share of those that are right, 0..1


def calibrate(
    logits: NDArray[np.float32], actual: NDArray[np.int64], *, sure: float
) -> Calibration:
    """Fit the temperature, then the lowest threshold above which enough answers are right.

    Args:
        logits: of pictures that taught nothing, shape (n, classes).
        actual: their true classes, shape (n,).
        sure: the share of answers that must be right, 0..1; 0 makes every answer count.
    """
    temperature = best_temperature(logits, actual)
    scores = probabilities(logits, "logits", temperature)
    best, right = scores.max(axis=1), scores.argmax(axis=1) == actual
    threshold = _threshold(best, right, sure)
    answered = best >= threshold
    share_right = float(right[answered].mean()) if answered.any() else 0.0
    return Calibration(Decision(temperature, threshold), float(answered.mean()), share_right)


def cross_entropy(
    logits: NDArray[np.floating], actual: NDArray[np.int64], temperature: float = 1.0
) -> float:
    """The mean negative log-likelihood of the true classes (n,) under logits (n, classes)."""
    rows = logits.astype(np.float64) / temperature
    rows -= rows.max(axis=1, keepdims=True)
    losses = np.log(np.exp(rows).sum(axis=1)) - rows[np.arange(len(rows)), actual]
    return float(losses.mean())


def best_temperature(logits: NDArray[np.float32], actual: NDArray[np.int64]) -> float:
    """The temperature with the smallest cross-entropy (Guo et al. 2017).

    The cross-entropy is convex in the temperature's inverse, so it has one valley, which a golden
    section search narrows down.
    """
    low, high = map(math.log, _TEMPERATURES)
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(_NARROWED):
        left, right = high - golden * (high - low), low + golden * (high - low)
        losses = [cross_entropy(logits, actual, math.exp(place)) for place in (left, right)]
        low, high = (low, right) if losses[0] <= losses[1] else (left, high)
    return round(math.exp((low + high) / 2), _DIGITS)


def _threshold(best: NDArray[np.float32], right: NDArray[np.bool_], sure: float) -> float:
    """The lowest score from which on the share of right answers is `sure` or more."""
    # As the spec will hold it; rounded down, it keeps in whoever reaches it now.
    rounded = np.floor(best.astype(np.float64) * 10**_DIGITS) / 10**_DIGITS
    order = np.argsort(-rounded, kind="stable")
    descending = rounded[order]
    shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    last_of_equals = np.append(descending[1:] < descending[:-1], True)
    enough = np.flatnonzero((shares >= sure) & last_of_equals)
    if len(enough) and enough[-1] == len(order) - 1:
        return 0.0
    # Where not even the best answers are right often enough, only the very best counts.
    return float(descending[enough[-1] if len(enough) else 0])
