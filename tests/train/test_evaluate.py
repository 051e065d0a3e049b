"""Accuracy, weakest classes and confusions from scores."""

from __future__ import annotations

import numpy as np

from train.evaluate import Confusion, evaluate

LABELS = ("hat", "shoe", "sock")
ACTUAL = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2])
PREDICTED = np.array([0, 0, 0, 1, 1, 1, 2, 1, 1, 0])
EVALUATION = evaluate(np.eye(3, dtype=np.float32)[PREDICTED], ACTUAL, LABELS)


def test_rows_are_true_classes_and_columns_predicted_ones() -> None:
    assert EVALUATION.matrix.tolist() == [[3, 1, 0], [0, 2, 0], [1, 2, 1]]


def test_accuracy_is_the_share_on_the_diagonal() -> None:
    assert EVALUATION.accuracy == 0.6


def test_the_weakest_classes_come_first() -> None:
    assert EVALUATION.weakest(2) == [("sock", 0.25), ("hat", 0.75)]


def test_the_most_frequent_mistakes_come_first_and_right_answers_never() -> None:
    assert EVALUATION.most_confused() == [
        Confusion("sock", "shoe", 2, 4),
        Confusion("hat", "shoe", 1, 4),
        Confusion("sock", "hat", 1, 4),
    ]
    perfect = evaluate(np.eye(3, dtype=np.float32), np.arange(3), LABELS)
    assert perfect.most_confused() == []


def test_a_class_without_pictures_is_not_called_weak() -> None:
    lopsided = evaluate(np.eye(3, dtype=np.float32)[[0, 1]], np.array([0, 1]), LABELS)
    assert [label for label, _ in lopsided.weakest()] == ["hat", "shoe"]
