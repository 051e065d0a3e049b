from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from export.golden import CLEAR_MARGIN, choose


def scores(best: list[int], margin: float | list[float] = 0.9) -> NDArray[np.float32]:
    """Probabilities of three classes whose best stands out by `margin`."""
    margins = np.broadcast_to(margin, len(best))
    rows = np.repeat(((1 - margins) / 3)[:, None], 3, axis=1)
    rows[np.arange(len(best)), best] += margins
    return rows.astype(np.float32)


def test_samples_are_spread_over_the_predicted_classes() -> None:
    reference = scores([0] * 50 + [1] * 50 + [2] * 2)
    chosen = choose(reference, reference)
    assert len(chosen) == 16
    assert np.bincount(reference[chosen].argmax(axis=1)).tolist() == [7, 7, 2]


def test_samples_are_the_same_every_time_and_in_order() -> None:
    reference = scores([2, 1, 0, 0, 1, 2])
    assert choose(reference, reference, count=4).tolist() == [0, 1, 2, 3]


def test_a_picture_that_leaves_the_original_in_doubt_is_no_sample() -> None:
    reference = scores([0, 0, 0], [CLEAR_MARGIN - 0.01, CLEAR_MARGIN + 0.01, 0.9])
    assert choose(reference, scores([0, 0, 0])).tolist() == [1, 2]


def test_a_picture_that_leaves_the_file_in_doubt_is_no_sample() -> None:
    assert choose(scores([0, 1]), scores([0, 1], [0.01, 0.9])).tolist() == [1]


def test_a_picture_that_the_two_see_differently_is_no_sample() -> None:
    assert choose(scores([0, 1, 2]), scores([0, 2, 2])).tolist() == [0, 2]


def test_where_nothing_is_clear_there_are_no_samples() -> None:
    doubtful = scores([0, 1], 0.05)
    assert choose(doubtful, doubtful).tolist() == []
