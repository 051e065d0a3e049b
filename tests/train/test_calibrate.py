"""Temperature and threshold from scores and the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.postprocess import probabilities
from train.calibrate import best_temperature, calibrate, cross_entropy


def drawn(temperature: float, count: int = 10_000) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and classes drawn from their softmax at this temperature."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 4, (count, 5)).astype(np.float32)
    chances = probabilities(logits, "logits", temperature)
    actual = (chances.cumsum(axis=1) < random.random((count, 1))).sum(axis=1).clip(max=4)
    return logits, actual


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_answers_is_found(temperature: float) -> None:
    logits, actual = drawn(temperature)
    assert best_temperature(logits, actual) == pytest.approx(temperature, rel=0.05)


def test_no_other_temperature_is_better() -> None:
    logits, actual = drawn(1.7, 500)
    best = best_temperature(logits, actual)
    losses = [cross_entropy(logits, actual, best * factor) for factor in (1, 0.99, 1.01, 0.5, 2)]
    assert min(losses) == losses[0]


@settings(max_examples=30)
@given(st.floats(0, 0.999))
def test_of_the_answers_above_the_threshold_enough_are_right(sure: float) -> None:
    logits, actual = drawn(2.0, 1000)
    found = calibrate(logits, actual, sure=sure)
    assert found.right >= sure
    assert 0 < found.answered <= 1


def test_the_threshold_is_the_lowest_that_will_do() -> None:
    best = np.array([0.9, 0.8, 0.7, 0.6])
    logits = np.log(np.stack([best, 1 - best], axis=1)).astype(np.float32)
    actual = np.array([0, 0, 1, 0])
    found = calibrate(logits, actual, sure=0.7)  # after the last one, three of four are right
    assert (found.decision.threshold, found.answered, found.right) == (0, 1, 0.75)
    found = calibrate(logits, actual, sure=0.9)
    assert (found.answered, found.right) == (0.5, 1)


def test_where_hardly_an_answer_is_right_only_the_best_counts() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(100, 3)).astype(np.float32)
    wrong = (logits.argmax(axis=1) + 1) % 3
    assert calibrate(logits, wrong, sure=0.9).answered <= 0.02
    assert calibrate(logits, wrong, sure=0).decision.threshold == 0
