"""One picture's scores to predictions, quickly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_runtime.postprocess import Prediction, best, probabilities, require_finite

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_runtime.spec import ModelSpec

_FEW_CLASSES: Final = 100  # up to here plain Python needs less time than numpy takes to be called
_STEEP: Final = 2.0  # logits a step, at which 255 steps are still within a float64
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

    indices = range(len(labels)) if among is None else among
    softmax, per_step = kind == "logits", (unit or 1.0) / temperature
    weight = None if unit is None or per_step > _STEEP else _weights_of_steps(per_step)

    # The same in plain Python: for few classes several times as fast.
    def name_few(raw: NDArray[Any]) -> tuple[Prediction, ...]:
        (scores,) = raw.tolist()
        if weight is not None:
            weights = list(map(weight, scores))
            total = sum(weights)
        elif softmax:
            weights, total = _exponentials(scores, per_step)
        else:
            weights, total = scores, 1.0
            require_finite(sum(scores))
        predictions = []
        for index in sorted(indices, key=scores.__getitem__, reverse=True)[:top_k]:
            # Neither `Prediction(...)`, which is a function in Python before it is one in C, nor a
            # comprehension, which is a function of its own.
            prediction = _new(Prediction, (labels[index], index, weights[index] / total))
            predictions.append(prediction)
        return tuple(predictions)

    return name_few


def _weights_of_steps(per_step: float) -> Callable[[int], float]:
    """What any 8-bit score weighs in a softmax.

    Only ratios count, so that one step may stand for every picture's best: float64 has room.
    """
    return {step: exp((step - 127) * per_step) for step in range(-128, 256)}.__getitem__


def _exponentials(scores: list[float], per_step: float) -> tuple[list[float], float]:
    require_finite(sum(scores))
    most = max(scores)
    weights = [exp((score - most) * per_step) for score in scores]
    return weights, sum(weights)
