"""How often a model file is right, and how far it is from the original, on the same pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.evaluation import EvaluationSet
from benchmarks.settings import Settings
from edge_runtime.classifier import Classifier
from edge_runtime.errors import ModelError
from edge_runtime.parity import compare

_CHUNK = 500  # pictures between two reports of progress; bounds the memory of the float tensors

ORIGINAL: Final = "the original's scores in the evaluation set"


@dataclass(frozen=True)
class Accuracy:
    """How well a model file does on an evaluation set.

    All but the first three are None where there is nothing to compare with, and for the file that
    the others are compared with.
    """

    evaluation: str  # the evaluation set's file
    pictures: int
    accuracy: float  # share of pictures, 0..1
    reference: str | None = None  # what the file is compared with: `ORIGINAL`, or a model file
    reference_accuracy: float | None = None  # 0..1
    difference_points: float | None = None  # file minus reference, in per cent points
    difference_interval_points: tuple[float, float] | None = None  # 95 %, paired
    agreement: float | None = None  # share of pictures with the reference's best label, 0..1
    max_score_difference: float | None = None  # largest difference of any probability, 0..1


def predict(
    classifier: Classifier,
    evaluation: EvaluationSet,
    progress: Callable[[int], None] = lambda _pictures: None,
) -> NDArray[np.float32]:
    """The model's probabilities for every picture of an evaluation set.

    Args:
        classifier: the model.
        evaluation: pictures at the model's size.
        progress: told how many pictures are done, now and then.

    Returns:
        float32, shape (n, classes), 0..1.

    Raises:
        ModelError: the pictures or labels are not this model's, or it gives no numbers.
    """
    _require_fit(classifier, evaluation)
    images, chunks = evaluation.images, []
    for start in range(0, len(images), _CHUNK):
        chunks.append(classifier.scores(images[start : start + _CHUNK]))
        progress(min(start + _CHUNK, len(images)))
    scores = np.concatenate(chunks)
    if not np.isfinite(scores).all():
        raise ModelError("the model gives scores that are no numbers; export it again")
    return scores


def judge(
    scores: NDArray[np.float32],
    evaluation: EvaluationSet,
    reference: tuple[str, NDArray[np.float32]] | None,
) -> Accuracy:
    """Compare a model's answers with the true classes and with a reference's answers.

    Args:
        scores: the model's probabilities, shape (n, classes).
        evaluation: the pictures they are for.
        reference: its name and its probabilities, same shape; None where there is none.
    """
    right = float(np.mean(scores.argmax(axis=1) == evaluation.labels))
    if reference is None:
        return Accuracy(str(evaluation.path), len(scores), right)
    name, expected = reference
    parity = compare(expected, scores, evaluation.labels)
    return Accuracy(
        evaluation=str(evaluation.path),
        pictures=len(scores),
        accuracy=right,
        reference=name,
        reference_accuracy=parity.reference_accuracy,
        difference_points=parity.accuracy_difference_points,
        difference_interval_points=parity.accuracy_difference_interval_points,
        agreement=parity.agreement,
        max_score_difference=parity.max_score_difference,
    )


def outside(accuracy: Accuracy, settings: Settings) -> tuple[str, ...]:
    """The figures that are outside their tolerance, each as a sentence; empty when all is well."""
    found = []
    difference, allowed = accuracy.difference_points, settings.max_accuracy_drop_points
    if difference is not None and -difference > allowed:
        found.append(
            f"accuracy is {-difference:.2f} points below the reference, {allowed:.2f} are allowed"
        )
    agreement, wanted = accuracy.agreement, settings.min_agreement
    if agreement is not None and agreement < wanted:
        found.append(
            f"{100 * agreement:.2f} % of the pictures agree with the reference, "
            f"{100 * wanted:.2f} % are wanted"
        )
    return tuple(found)


def _require_fit(classifier: Classifier, evaluation: EvaluationSet) -> None:
    image, classes = classifier.spec.image, len(classifier.spec.labels)
    wanted, given = (image.height, image.width, image.channels), evaluation.images.shape[1:]
    if given != wanted:
        raise ModelError(
            f"the pictures of {evaluation.path} are (height, width, channels) = {given}, "
            f"the model takes {wanted}; name its own set with --evaluation"
        )
    known = int(evaluation.labels.max()) + 1
    scored = classes if evaluation.scores is None else evaluation.scores.shape[1]
    if known > classes or scored != classes:
        raise ModelError(
            f"{evaluation.path} has {max(known, scored)} classes, the model has {classes}; "
            "name its own set with --evaluation"
        )
