"""How two models' answers to the same pictures differ, and how sure one can be of it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.spec import Parity

Scores = NDArray[np.float32]
Labels = NDArray[np.integer]

_Z_95: Final = 1.959964  # two-sided 95 % quantile of the normal distribution


def compare(reference: Scores, scores: Scores, labels: Labels | None = None) -> Parity:
    """Compare a model file with the original.

    Args:
        reference: the original's probabilities, shape (n, classes).
        scores: the file's probabilities for the same pictures, same shape.
        labels: the true classes, shape (n,); without them only agreement is measured.
    """
    expected, actual = reference.argmax(axis=1), scores.argmax(axis=1)
    agreed = Parity(
        images=len(scores),
        agreement=float(np.mean(expected == actual)),
        max_score_difference=float(np.max(np.abs(scores - reference))),
        top5_agreement=_among_best(expected, scores, 5) if scores.shape[1] > 5 else None,
        confidence_drift=float(np.mean(scores.max(axis=1)) - np.mean(reference.max(axis=1))),
    )
    if labels is None:
        return agreed
    lost = int(np.sum((expected == labels) & (actual != labels)))
    gained = int(np.sum((expected != labels) & (actual == labels)))
    changes = class_changes_points(expected, actual, labels, scores.shape[1])
    worst = int(np.nanargmin(changes))
    return replace(
        agreed,
        accuracy=float(np.mean(actual == labels)),
        reference_accuracy=float(np.mean(expected == labels)),
        accuracy_difference_points=100 * (gained - lost) / len(scores),
        accuracy_difference_interval_points=paired_interval_points(lost, gained, len(scores)),
        mcnemar_p=mcnemar_p(lost, gained),
        worst_class=worst,
        worst_class_difference_points=float(changes[worst]),
    )


def class_changes_points(
    expected: Labels, actual: Labels, labels: Labels, classes: int
) -> NDArray[np.float64]:
    """How each class's accuracy changes, second answers minus first, in per cent points.

    Args:
        expected: the first model's best labels, shape (n,).
        actual: the second model's, same shape.
        labels: the true classes, same shape.
        classes: how many there are.

    Returns:
        Shape (classes,); not a number for a class without pictures.
    """
    change = (actual == labels).astype(np.int64) - (expected == labels)
    # `bincount` takes the machine's own integers, and a 32-bit Pi's are shorter.
    places = labels.astype(np.intp)
    pictures = np.bincount(places, minlength=classes)
    sums = np.bincount(places, weights=change, minlength=classes)
    changes = np.full(classes, np.nan)
    np.divide(100 * sums, pictures, out=changes, where=pictures > 0)
    return changes


def _among_best(expected: Labels, scores: Scores, count: int) -> float:
    best = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    return float(np.mean((best == expected[:, None]).any(axis=1)))


def paired_interval_points(lost: int, gained: int, pictures: int) -> tuple[float, float]:
    """95 % interval of the accuracy difference of two models on the same pictures.

    The Wald interval for matched pairs with half a picture added to each of the four cells, which
    keeps its coverage when few pictures differ (Agresti and Min 2005, "Simple improved confidence
    intervals for comparing matched proportions").

    Args:
        lost: pictures that only the reference has right.
        gained: pictures that only the other has right.
        pictures: all pictures.

    Returns:
        Lower and upper end, in per cent points.
    """
    total = pictures + 2
    difference = (gained - lost) / total
    discordant = (gained + lost + 1) / total
    margin = _Z_95 * math.sqrt((discordant - difference**2) / total)
    return 100 * (difference - margin), 100 * (difference + margin)


def mcnemar_p(lost: int, gained: int) -> float:
    """Probability of a split at least this uneven if both models were equally accurate.

    McNemar's test in its exact, two-sided form: the pictures that only one of the two has right
    fall to either side like a fair coin.
    """
    flips = lost + gained
    tail, ways = 0, 1  # ways: of `successes` among `flips`, each from the one before
    for successes in range(min(lost, gained) + 1):
        tail += ways
        ways = ways * (flips - successes) // (successes + 1)
    return min(1.0, 2 * tail / (1 << flips))
