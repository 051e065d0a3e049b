"""Scores to predictions: probabilities, the best few, and their names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from edge_runtime.errors import ModelError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_runtime.spec import Scores


_SHOWN: Final = 20  # labels that an error lists; ImageNet has 1,000


class Prediction(NamedTuple):
    """One label and how likely it is."""

    label: str
    index: int  # type: ignore[assignment]  # a tuple's `index` counts for nothing here
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


def best(
    scores: NDArray[np.float32],
    labels: Sequence[str],
    top_k: int,
    among: Sequence[int] | None = None,
) -> tuple[Prediction, ...]:
    """The `top_k` most likely labels of one picture, best first; equal scores keep label order.

    Args:
        scores: probabilities, shape (classes,).
        labels: one per class.
        top_k: how many, at most those that there are.
        among: indices of the labels to choose from; None for all.
    """
    candidates = np.arange(len(labels)) if among is None else np.asarray(among)
    if top_k < len(candidates):
        likely = scores[candidates]
        candidates = candidates[likely >= np.partition(likely, -top_k)[-top_k]]
    order = sorted(candidates.tolist(), key=scores.__getitem__, reverse=True)[:top_k]
    return tuple([Prediction(labels[index], index, float(scores[index])) for index in order])


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


def allowed(
    labels: Sequence[str], allow: Collection[str] | None, deny: Collection[str] | None
) -> Sequence[int]:
    """Which labels an answer may hold: their indices, in order.

    Args:
        labels: one per class.
        allow: only these, or
        deny: all but these.

    Raises:
        UsageError: both are given, a name is no label of the model, or no label is left.
    """
    if allow is None and deny is None:
        return range(len(labels))
    if allow is not None and deny is not None:
        raise UsageError("both allow and deny name labels; give one of them")
    named = _names(labels, deny if allow is None else allow)
    left = [index for index, label in enumerate(labels) if (label in named) == (deny is None)]
    if not left:
        raise UsageError("no label is left to answer with; allow one, or deny fewer")
    return left


def _names(labels: Sequence[str], names: Collection[str] | None) -> set[str]:
    named = {names} if isinstance(names, str) else set(names or ())
    for name in sorted(named - set(labels)):
        from difflib import get_close_matches  # seldom needed

        near = get_close_matches(name, labels, n=1)
        more = f", … ({len(labels):,} in all)" if len(labels) > _SHOWN else ""
        known = f"it knows {', '.join(labels[:_SHOWN])}{more}"
        hint = f"did you mean {near[0]}?" if near else known
        raise UsageError(f"{name!r} is no label of this model; {hint}")
    return named
