"""How often a model file is right, and how far it is from the original, on the same pictures."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.evaluation import EvaluationSet
from benchmarks.measures import mistakes
from benchmarks.measures.mistakes import ClassFigures, Mistake
from benchmarks.settings import Settings
from edge_runtime.parity import compare, mcnemar_p

_BINS = 15  # of the calibration error: Guo et al. 2017 and most since

ORIGINAL: Final = "the original's scores in the evaluation set"


@dataclass(frozen=True)
class Accuracy:
    """How well a model file does on an evaluation set.

    From `reference` on, all are None or empty where there is nothing to compare with.
    """

    evaluation: str  # the evaluation set's file
    pictures: int
    accuracy: float  # share of pictures, 0..1
    top5_accuracy: float | None = None  # share with the true class among five; needs six classes
    calibration_error: float | None = None  # how far from the truth the scores are, 0..1
    classes: tuple[ClassFigures, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()  # pictures by true class (rows) and answer
    pictures_sha256: str | None = None  # of pixels and true classes, in order
    right_bits: str | None = None  # base64, a bit a picture, in order: whether it is right
    reference: str | None = None  # what the file is compared with: `ORIGINAL`, or a model file
    reference_accuracy: float | None = None  # 0..1
    difference_points: float | None = None  # file minus reference, in per cent points
    difference_interval_points: tuple[float, float] | None = None  # 95 %, paired
    agreement: float | None = None  # share of pictures with the reference's best label, 0..1
    max_score_difference: float | None = None  # largest difference of any probability, 0..1
    mcnemar_p: float | None = None  # chance of so uneven a split were both equally accurate
    lost: tuple[Mistake, ...] = ()  # pictures that only the reference has right, some of them


def judge(
    scores: NDArray[np.float32],
    evaluation: EvaluationSet,
    labels: Sequence[str],
    reference: tuple[str, NDArray[np.float32]] | None,
) -> Accuracy:
    """Compare a model's answers with the true classes and with a reference's answers.

    Args:
        scores: the model's probabilities, shape (n, classes).
        evaluation: the pictures they are for.
        labels: the names of the classes.
        reference: its name and its probabilities, same shape; None where there is none.
    """
    truth, answers = evaluation.labels, scores.argmax(axis=1)
    expected = None if reference is None else reference[1].argmax(axis=1)
    alone = Accuracy(
        evaluation=str(evaluation.path),
        pictures=len(scores),
        accuracy=float(np.mean(answers == truth)),
        top5_accuracy=_top5(scores, truth),
        calibration_error=calibration_error(scores, truth),
        classes=mistakes.by_class(labels, truth, answers, expected),
        confusion=mistakes.confusion(len(labels), truth, answers),
        pictures_sha256=_digest(evaluation),
        right_bits=base64.b64encode(np.packbits(answers == truth).tobytes()).decode(),
    )
    if reference is None or expected is None:
        return alone
    parity = compare(reference[1], scores, truth)
    return replace(
        alone,
        reference=reference[0],
        reference_accuracy=parity.reference_accuracy,
        difference_points=parity.accuracy_difference_points,
        difference_interval_points=parity.accuracy_difference_interval_points,
        agreement=parity.agreement,
        max_score_difference=parity.max_score_difference,
        mcnemar_p=mcnemar_p(
            lost=sum(one.lost or 0 for one in alone.classes),
            gained=sum(one.gained or 0 for one in alone.classes),
        ),
        lost=mistakes.lost_pictures(labels, evaluation.images, truth, scores, expected),
    )


def calibration_error(scores: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """How far scores and shares of right answers are apart: the expected calibration error.

    Answers are sorted into 15 bins by their best score; the bins' distances between mean score and
    share of right answers are averaged, weighted by their pictures (Guo et al. 2017, "On
    Calibration of Modern Neural Networks").

    Args:
        scores: probabilities, shape (n, classes).
        truth: the true classes, shape (n,).

    Returns:
        0..1; 0 is perfect.
    """
    best, right = scores.max(axis=1).astype(np.float64), scores.argmax(axis=1) == truth
    bins = np.minimum((best * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, weights=best - right, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(best))


def _top5(scores: NDArray[np.float32], truth: NDArray[np.int64]) -> float | None:
    if scores.shape[1] < 6:
        return None
    own = np.take_along_axis(scores, truth[:, None], axis=1)
    # Of equal scores, which integer models have many of, the first counts as the best, as in argmax.
    first = np.arange(scores.shape[1]) < truth[:, None]
    ahead = (scores > own) | ((scores == own) & first)
    return float(np.mean(ahead.sum(axis=1) < 5))


def _digest(evaluation: EvaluationSet) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(evaluation.images).data)
    digest.update(evaluation.labels.tobytes())
    return digest.hexdigest()


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
