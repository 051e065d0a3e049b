"""Scores to predictions: probabilities, the best few, and their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, isfinite
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from edge_runtime.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_runtime.spec import Scores

_FEW_CLASSES: Final = 100  # up to here plain Python needs less time than numpy takes to be called


class Prediction(NamedTuple):
    """One label and how likely it is."""

    label: str
    index: int  # type: ignore[assignment]  # a tuple's `index` counts for nothing here
    score: float  # probability, 0..1


_new: Final = tuple.__new__


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

    Raises:
        ModelError: some scores are no numbers.
    """
    require_finite(scores.sum(dtype=np.float64))
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
    least = np.partition(scores, -top_k)[-top_k] if top_k < len(scores) else 0
    candidates = np.flatnonzero(scores >= least).tolist()
    order = sorted(candidates, key=scores.__getitem__, reverse=True)[:top_k]
    return tuple([Prediction(labels[index], index, float(scores[index])) for index in order])


def namer(
    labels: Sequence[str], kind: Scores, temperature: float, top_k: int, unit: float | None = None
) -> Callable[[NDArray[Any]], tuple[Prediction, ...]]:
    """What names one picture's scores: `probabilities`, then `best`.

    Args:
        labels: one per class.
        kind: what the scores are.
        temperature: as for `probabilities`.
        top_k: how many predictions.
        unit: what a step of 8-bit logits is worth; None where scores are in real units.

    Returns:
        A function of an array of shape (1, classes), which raises ModelError as `probabilities` does.
    """
    if len(labels) > _FEW_CLASSES or (kind == "probabilities" and temperature != 1.0):

        def name(raw: NDArray[Any]) -> tuple[Prediction, ...]:
            scores = raw if unit is None else raw * np.float32(unit)
            return best(probabilities(scores, kind, temperature)[0], labels, top_k)

        return name

    indices, weigh = range(len(labels)), _weigher(kind, temperature, unit)

    # The same in plain Python: for few classes several times as fast.
    def name_few(raw: NDArray[Any]) -> tuple[Prediction, ...]:
        (scores,) = raw.tolist()
        weights, total = weigh(scores)
        predictions = []
        for index in sorted(indices, key=scores.__getitem__, reverse=True)[:top_k]:
            # Neither `Prediction(...)`, which is a function in Python before it is one in C, nor a
            # comprehension, which is a function of its own.
            prediction = _new(Prediction, (labels[index], index, weights[index] / total))
            predictions.append(prediction)
        return tuple(predictions)

    return name_few


def _weigher(
    kind: Scores, temperature: float, unit: float | None
) -> Callable[[list[Any]], tuple[list[float], float]]:
    """What turns one picture's scores into weights, and what to divide them by."""

    def as_they_are(probabilities: list[float]) -> tuple[list[float], float]:
        require_finite(sum(probabilities))
        return probabilities, 1.0

    def exponentials(logits: list[float]) -> tuple[list[float], float]:
        require_finite(sum(logits))
        most = max(logits)
        weights = [exp((logit - most) / temperature) for logit in logits]
        return weights, sum(weights)

    def looked_up(steps: list[int]) -> tuple[list[float], float]:
        most = max(steps)
        weights = [table[most - step] for step in steps]
        return weights, sum(weights)

    if kind == "probabilities":
        return as_they_are
    if unit is None:
        return exponentials
    table = [exp(-steps * unit / temperature) for steps in range(256)]  # below the best score
    return looked_up


def require_finite(total: float) -> None:
    """Refuse scores by their sum, which is no number where one of them is none.

    Raises:
        ModelError: it is none.
    """
    if not isfinite(total):
        raise ModelError(
            "the model gives scores that are no numbers here; "
            "run `python -m edge_runtime check` on it, and try another engine"
        )
