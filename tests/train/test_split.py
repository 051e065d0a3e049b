"""Stratified draws."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from train.datasets.split import stratified

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=80)


@given(LABELS, st.floats(0, 1), st.integers(0, 3))
def test_every_class_keeps_its_share_to_within_one_picture(
    labels: list[int], share: float, seed: int
) -> None:
    actual = np.array(labels)
    count = round(share * len(actual))

    chosen = stratified(actual, count, seed)

    assert len(chosen) == count == len(set(chosen.tolist()))
    for label in set(labels):
        exact = count * np.mean(actual == label)
        assert abs(np.sum(actual[chosen] == label) - exact) < 1


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    labels = np.arange(1000) % 10
    assert np.array_equal(stratified(labels, 100, 1), stratified(labels, 100, 1))
    assert not np.array_equal(stratified(labels, 100, 1), stratified(labels, 100, 2))
