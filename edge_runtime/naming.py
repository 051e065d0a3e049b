"""One picture's scores to predictions, quickly: what `Classifier.classify` does after the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_runtime.postprocess import Prediction, best, probabilities, require_finite

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_runtime.spec import ModelSpec, Scores

_FEW_CLASSES: Final = 100  # up to here plain Python needs less time than numpy takes to be called
_new: Final = tuple.__new__


def namer(
    spec: ModelSpec, top_k: int, *, among: Sequence[int] | None = None, unit: float | None = None
) -> Callable[[NDArray[Any]], tuple[Prediction, ...]]:
    """What names one picture's scores: `probabilities`, then `best`.

    Args:
        spec: labels, what the scores are, temperature.
        top_k: how many predictions.
        among: as for `best`.
        unit: what a step of 8-bit logits is worth; None where scores are in real units.

    Returns:
        A function of an array of shape (1, classes), which raises ModelError as `probabilities` does.
    """
    labels, kind, temperature = spec.labels, spec.scores, spec.decision.temperature
    if len(labels) > _FEW_CLASSES or (kind == "probabilities" and temperature != 1.0):

        def name(raw: NDArray[Any]) -> tuple[Prediction, ...]:
            scores = raw if unit is None else raw * np.float32(unit)
            return best(probabilities(scores, kind, temperature)[0], labels, top_k, among)

        return name

    weigh = _weigher(kind, temperature, unit)
    indices = range(len(labels)) if among is None else among

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
        weights = [exp((logit - most) * per_step) for logit in logits]
        return weights, sum(weights)

    def looked_up(steps: list[int]) -> tuple[list[float], float]:
        weights = list(map(of_step, steps))
        return weights, sum(weights)

    if kind == "probabilities":
        return as_they_are
    per_step = (1.0 if unit is None else unit) / temperature
    if unit is None or per_step > 2:
        return exponentials
    # Only ratios count, so one step may stand for every picture's best: float64 has room for them.
    of_step = {step: exp((step - 127) * per_step) for step in range(-128, 256)}.__getitem__
    return looked_up
