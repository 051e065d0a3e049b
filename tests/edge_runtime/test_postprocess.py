from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edge_runtime.errors import UsageError
from edge_runtime.postprocess import Prediction, allowed, best, probabilities

LOGITS = arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(2, 12)),
    elements=st.floats(-1000, 1000, width=32),
)


def row(*values: float) -> NDArray[np.float32]:
    return np.array([values], np.float32)


@given(LOGITS, st.floats(0.1, 10))
def test_logits_become_probabilities_that_sum_to_one(
    logits: NDArray[np.float32], temperature: float
) -> None:
    scores = probabilities(logits, "logits", temperature)
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)


@given(LOGITS)
def test_the_order_of_the_logits_is_kept(logits: NDArray[np.float32]) -> None:
    scores = probabilities(logits, "logits")
    order = np.argsort(-logits, axis=1, kind="stable")
    assert (np.diff(np.take_along_axis(scores, order, axis=1), axis=1) <= 0).all()


def test_softmax_is_the_textbooks() -> None:
    expected = [math.exp(value) / sum(map(math.exp, (1, 2, 3))) for value in (1, 2, 3)]
    assert probabilities(row(1, 2, 3), "logits")[0].tolist() == pytest.approx(expected, rel=1e-6)


def test_the_largest_logits_do_not_overflow() -> None:
    assert probabilities(row(1e38, -1e38), "logits").tolist() == [[1.0, 0.0]]


def test_a_higher_temperature_makes_the_model_less_sure() -> None:
    sure, calm = (probabilities(row(4, 0), "logits", t)[0, 0] for t in (1.0, 4.0))
    assert calm == pytest.approx(1 / (1 + math.exp(-1)), rel=1e-6)
    assert calm < sure


def test_logits_are_not_changed_in_place() -> None:
    logits = row(1, 2)
    probabilities(logits, "logits", 2.0)
    assert logits.tolist() == [[1, 2]]


def test_probabilities_are_taken_as_they_are() -> None:
    assert probabilities(row(0.2, 0.8), "probabilities").tolist() == row(0.2, 0.8).tolist()


def test_a_temperature_acts_on_probabilities_as_on_the_logits_behind_them() -> None:
    logits = row(2, -1, 0.5)
    through = probabilities(probabilities(logits, "logits"), "probabilities", 3.0)
    assert through[0].tolist() == pytest.approx(probabilities(logits, "logits", 3.0)[0].tolist())


def test_a_probability_of_zero_stays_small_at_any_temperature() -> None:
    scores = probabilities(row(1, 0, 0), "probabilities", 2.0)
    assert np.isfinite(scores).all()
    assert scores[0].argmax() == 0


def test_the_best_come_first_with_their_labels() -> None:
    assert best(np.array([0.1, 0.6, 0.3], np.float32), ("a", "b", "c"), 2) == (
        Prediction("b", 1, pytest.approx(0.6)),
        Prediction("c", 2, pytest.approx(0.3)),
    )


def test_equal_scores_keep_the_labels_order() -> None:
    scores = np.array([0.02, 0.04] * 50, np.float32)
    found = best(scores, tuple(map(str, range(100))), 100)
    assert [prediction.index for prediction in found] == [*range(1, 100, 2), *range(0, 100, 2)]


def test_more_than_there_are_is_all_of_them() -> None:
    assert len(best(np.array([0.4, 0.6], np.float32), ("a", "b"), 99)) == 2


def test_a_prediction_holds_plain_numbers_that_json_knows() -> None:
    (found,) = best(np.array([0.4, 0.6], np.float32), ("a", "b"), 1)
    assert (type(found.index), type(found.score)) == (int, float)


def test_a_name_that_no_label_is_like_is_answered_with_some_of_them_and_their_number() -> None:
    labels = [f"kind {number}" for number in range(1000)]
    with pytest.raises(UsageError, match=r"'boot' is no label .* kind 19, … \(1,000 in all\)$"):
        allowed(labels, ["boot"], None)
