from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.evaluation import EvaluationSet
from benchmarks.measures.accuracy import judge, outside
from benchmarks.measures.answers import predict, require_fit
from benchmarks.settings import Settings
from edge_runtime import Classifier, ModelSpec
from edge_runtime.errors import ModelError
from edge_runtime.spec import ImageInput

IMAGES = np.zeros((1000, 2, 2, 1), np.uint8)
LABELS = np.arange(1000) % 4
LABELLED = ("a", "b", "c", "d")
RIGHT = np.eye(4, dtype=np.float32)[LABELS]


def answers(wrong: int) -> np.ndarray:
    """Scores that are right but for the first `wrong` pictures."""
    scores = RIGHT.copy()
    scores[:wrong] = np.roll(scores[:wrong], 1, axis=1)
    return scores


def evaluation(scores: np.ndarray | None = None) -> EvaluationSet:
    return EvaluationSet(Path("evaluation.npz"), IMAGES, LABELS, scores)


def test_accuracy_is_told_with_its_difference_and_interval() -> None:
    found = judge(answers(8), evaluation(), LABELLED, ("original", answers(3)))
    assert found.pictures == 1000
    assert found.accuracy == 0.992
    assert found.reference_accuracy == 0.997
    assert found.agreement == 0.995
    assert found.difference_points == pytest.approx(-0.5)
    assert found.difference_interval_points is not None
    low, high = found.difference_interval_points
    assert low < -0.5 < high


def test_without_a_reference_only_accuracy_is_told() -> None:
    found = judge(answers(8), evaluation(), LABELLED, None)
    assert (found.accuracy, found.reference, found.agreement) == (0.992, None, None)
    assert outside(found, Settings()) == ()


def test_what_is_just_within_the_tolerance_passes_and_what_is_beyond_is_told() -> None:
    reference = ("original", answers(0))
    assert outside(judge(answers(5), evaluation(), LABELLED, reference), Settings()) == ()
    (drop,) = outside(judge(answers(6), evaluation(), LABELLED, reference), Settings())
    assert drop == "accuracy is 0.60 points below the reference, 0.50 are allowed"
    beyond = outside(judge(answers(11), evaluation(), LABELLED, reference), Settings())
    assert len(beyond) == 2
    assert "98.90 % of the pictures agree" in beyond[1]


def test_a_file_that_is_better_than_the_reference_is_no_accuracy_drop() -> None:
    found = judge(answers(0), evaluation(), LABELLED, ("original", answers(9)))
    assert found.difference_points == pytest.approx(0.9)
    assert outside(found, Settings()) == ()


def test_among_equal_scores_only_five_are_the_best_five() -> None:
    ten = EvaluationSet(Path("e.npz"), IMAGES, np.arange(1000) % 10, None)
    found = judge(np.full((1000, 10), 0.1, np.float32), ten, tuple("abcdefghij"), None)
    assert (found.accuracy, found.top5_accuracy) == (0.1, 0.5)


class Fixed:
    """A backend that gives the same scores for every picture."""

    def __init__(self, *scores: float) -> None:
        self.scores = np.array([scores], np.float32)

    def run(self, pixels: np.ndarray) -> np.ndarray:
        return self.scores.repeat(len(pixels), axis=0)


def classifier(*scores: float, height: int = 2) -> Classifier:
    image = ImageInput(height, 2, "gray", mean=(0.0,), std=(255.0,))
    return Classifier(ModelSpec("m", ("a", "b", "c", "d"), image, "probabilities"), Fixed(*scores))


def test_every_picture_is_classified() -> None:
    scores = predict(classifier(0.1, 0.2, 0.3, 0.4), IMAGES)
    assert scores.shape == (1000, 4)


def test_scores_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ModelError, match="no numbers"):
        predict(classifier(0.1, np.nan, 0.3, 0.4), IMAGES)


def test_pictures_of_another_size_name_both_sizes() -> None:
    with pytest.raises(ModelError, match=r"\(2, 2, 1\), the model takes \(3, 2, 1\)"):
        require_fit(classifier(0, 0, 0, 1, height=3).spec, evaluation())


def test_labels_or_scores_of_another_model_are_refused() -> None:
    many = EvaluationSet(Path("e.npz"), IMAGES, LABELS + 6, None)
    for wrong in (many, evaluation(np.ones((1000, 10), np.float32))):
        with pytest.raises(ModelError, match="10 classes, the model has 4"):
            require_fit(classifier(0, 0, 0, 1).spec, wrong)
