from __future__ import annotations

import math
import statistics
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_runtime.parity import compare, mcnemar_p, paired_interval_points


def scores(*labels: int, sure: float = 0.8) -> NDArray[np.float32]:
    """Probabilities of three classes whose best are `labels`."""
    table = np.full((len(labels), 3), (1 - sure) / 2, np.float32)
    table[np.arange(len(labels)), labels] = sure
    return table


# --- the comparison ----------------------------------------------------------------------------


def test_a_model_compared_with_itself_differs_in_nothing() -> None:
    own = scores(0, 1, 2, 2)
    parity = compare(own, own, np.array([0, 1, 2, 0]))
    assert (parity.images, parity.agreement, parity.max_score_difference) == (4, 1.0, 0.0)
    assert parity.accuracy == parity.reference_accuracy == 0.75
    assert parity.accuracy_difference_points == 0


def test_every_figure_of_a_comparison_counted_by_hand() -> None:
    truth = np.array([0, 0, 1, 1, 2])
    reference = scores(0, 0, 1, 0, 1)  # 3 of 5 right
    model = scores(0, 1, 1, 1, 0, sure=0.7)  # 3 of 5: one lost, one gained, one wrong anew
    parity = compare(reference, model, truth)
    assert parity.agreement == pytest.approx(2 / 5)
    assert parity.max_score_difference == pytest.approx(0.65, abs=1e-6)
    assert parity.accuracy == parity.reference_accuracy == pytest.approx(3 / 5)
    assert parity.accuracy_difference_points == 0
    assert parity.accuracy_difference_interval_points == paired_interval_points(1, 1, 5)


def test_a_loss_is_negative() -> None:
    parity = compare(scores(0, 0), scores(0, 1), np.array([0, 0]))
    assert parity.accuracy_difference_points == -50


def test_without_true_labels_only_agreement_is_measured() -> None:
    parity = compare(scores(0, 1), scores(0, 2))
    assert parity.agreement == 0.5
    assert parity.accuracy is None
    assert parity.accuracy_difference_interval_points is None


# --- the interval ------------------------------------------------------------------------------

SPLITS = [(0, 0, 10), (0, 0, 10_000), (1, 0, 10), (3, 7, 100), (50, 20, 10_000), (9, 1, 10)]


@pytest.mark.parametrize(("lost", "gained", "pictures"), SPLITS)
def test_the_interval_is_walds_with_half_a_picture_more_in_each_cell(
    lost: int, gained: int, pictures: int
) -> None:
    # Written out picture by picture, each half picture twice: -1 lost, +1 gained, 0 the same.
    twice = (
        [-1] * (2 * lost + 1) + [1] * (2 * gained + 1) + [0] * (2 * (pictures - lost - gained) + 2)
    )
    total = len(twice) / 2
    spread = math.sqrt(statistics.pvariance(twice) / total)
    reach = statistics.NormalDist().inv_cdf(0.975) * spread
    middle = statistics.fmean(twice)
    low, high = paired_interval_points(lost, gained, pictures)
    assert low == pytest.approx(100 * (middle - reach), abs=1e-4)
    assert high == pytest.approx(100 * (middle + reach), abs=1e-4)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 10_000))
def test_swapping_the_models_mirrors_the_interval(lost: int, gained: int, same: int) -> None:
    pictures = max(1, lost + gained + same)
    low, high = paired_interval_points(lost, gained, pictures)
    assert paired_interval_points(gained, lost, pictures) == pytest.approx((-high, -low))
    assert low < high


def test_no_difference_among_few_pictures_is_no_proof() -> None:
    few, many = (paired_interval_points(0, 0, n) for n in (10, 10_000))
    assert few[0] < -10
    assert few[1] > 10
    assert -0.03 < many[0] < 0 < many[1] < 0.03


@pytest.mark.parametrize("pictures", [10, 30, 100])
@pytest.mark.parametrize(
    ("loses", "gains"), [(0.02, 0.02), (0.05, 0.01), (0.1, 0.1), (0.3, 0.05), (0.4, 0.4)]
)
def test_the_interval_holds_the_truth_as_often_as_it_says(
    pictures: int, loses: float, gains: float
) -> None:
    """Its coverage, summed over every outcome there is; whole pictures make it dip below 95 %."""
    truth = 100 * (gains - loses)
    covered = 0.0
    for lost, gained in product(range(pictures + 1), repeat=2):
        same = pictures - lost - gained
        if same < 0:
            continue
        low, high = paired_interval_points(lost, gained, pictures)
        if low <= truth <= high:
            ways = math.comb(pictures, lost) * math.comb(pictures - lost, gained)
            covered += ways * loses**lost * gains**gained * (1 - loses - gains) ** same
    assert covered >= 0.92


# --- McNemar's test ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lost", "gained"), [(a, b) for a, b in product(range(6), repeat=2) if a + b <= 9]
)
def test_mcnemar_counts_every_way_the_coins_can_fall(lost: int, gained: int) -> None:
    flips = lost + gained
    uneven = abs(lost - gained)
    falls = [abs(2 * sum(coins) - flips) for coins in product((0, 1), repeat=flips)]
    at_least = sum(fall >= uneven for fall in falls) / len(falls)
    assert mcnemar_p(lost, gained) == pytest.approx(at_least)


def test_no_difference_at_all_is_no_evidence() -> None:
    assert mcnemar_p(0, 0) == 1.0


def test_mcnemar_knows_published_values() -> None:
    # 1 - (C(10,2)+...+C(10,8)) / 2**10, and the one-sided extreme twice.
    assert mcnemar_p(1, 9) == pytest.approx(22 / 1024)
    assert mcnemar_p(0, 20) == pytest.approx(2 / 2**20)


@settings(max_examples=50)
@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_a_probability_and_knows_no_sides(lost: int, gained: int) -> None:
    assert 0 < mcnemar_p(lost, gained) <= 1
    assert mcnemar_p(lost, gained) == mcnemar_p(gained, lost)


def test_mcnemar_of_very_many_pictures_is_neither_slow_nor_out_of_range() -> None:
    assert mcnemar_p(5000, 5000) == 1.0
    assert mcnemar_p(0, 10_000) == 0.0
