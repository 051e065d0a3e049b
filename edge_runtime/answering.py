"""One picture's scores to its result, quickly: what `Classifier.classify` does after the engine."""

from __future__ import annotations

from collections.abc import Callable, Collection
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, NoReturn

from edge_runtime import naming, postprocess
from edge_runtime.errors import ModelError, UsageError
from edge_runtime.result import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_runtime.preparing import Prepared
    from edge_runtime.spec import ModelSpec

    Answer = Callable[[Prepared, NDArray[Any], int, int], Result]

_new = object.__new__


def answerer(
    spec: ModelSpec,
    model: dict[str, str],
    *,
    top_k: int,
    score_threshold: float,
    allow: Collection[str] | None,
    deny: Collection[str] | None,
    unit: float | None,
) -> Answer:
    """What makes results of scores.

    Args:
        spec: labels, meaning of the scores, from when on one is sure.
        model: what results say about the model.
        top_k: as for `Classifier`, and so are the next three.
        score_threshold: probability 0..1.
        allow: labels.
        deny: labels.
        unit: what a step of 8-bit logits is worth; None where scores are in real units.

    Returns:
        A function of what there is to tell of a picture, its scores of shape (1, classes), the
        nanoseconds that the engine took for it, and when they were known (`perf_counter_ns`). It
        raises ModelError where these are no scores of this model.

    Raises:
        UsageError: a setting is out of its range, or names a label that the model lacks.
    """
    if top_k < 1:
        raise UsageError(f"top_k is {top_k}, expected 1 or more")
    if not 0 <= score_threshold <= 1:
        raise UsageError(f"score_threshold is {score_threshold}, expected 0 to 1")
    among = postprocess.allowed(spec.labels, allow, deny)
    name = naming.namer(spec, top_k, among=among, unit=unit)
    unsure_below = max(spec.decision.threshold, score_threshold)
    one_row = (1, len(spec.labels))

    def answer(prepared: Prepared, scores: NDArray[Any], inference_ns: int, known: int) -> Result:
        if scores.shape != one_row:
            refuse(scores, spec)
        predictions, guess = name(scores), None
        unsure = predictions[0].score < unsure_below
        if score_threshold and predictions[-1].score < score_threshold:
            best = predictions[0]
            predictions = tuple([each for each in predictions if each.score >= score_threshold])
            guess = None if predictions else best
        # A frozen dataclass's own way to set its fields takes as long as naming the labels.
        result = _new(Result)
        fields = result.__dict__
        fields["predictions"], fields["unsure"], fields["guess"] = predictions, unsure, guess
        fields["model"] = model
        fields["source"], fields["warnings"], decode_ms, preprocess_ms = prepared
        fields["timing_ms"] = {
            "decode": decode_ms,
            "preprocess": preprocess_ms,
            "inference": inference_ns / 1e6,
            "postprocess": (perf_counter_ns() - known) / 1e6,
        }
        return result

    return answer


def refuse(scores: NDArray[Any], spec: ModelSpec) -> NoReturn:
    """Say that a model gives another number of scores than it has labels.

    Raises:
        ModelError: always.
    """
    outputs = scores.shape[1] if scores.ndim == 2 else scores.shape[1:]
    raise ModelError(
        f"the model gives {outputs} scores but has {len(spec.labels)} labels; "
        "export it again with the right labels"
    )
