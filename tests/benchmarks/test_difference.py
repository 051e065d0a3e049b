from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.difference import Difference, between_runs, within_run
from benchmarks.latency import Timing

# Medians of rounds of 10 ms in milliseconds, (files, blocks, rounds): an int8 and a float32 file
# and the yardstick, recorded by scripts/referee.py on a shared machine that trained a network
# meanwhile.
RECORDED = np.load(Path(__file__).with_name("recorded_rounds.npy"))
BLOCKS = 12
TRIALS = 100


def timing(rounds_ms: np.ndarray) -> Timing:
    return Timing(1, 0, 0, 0, 0, 1, tuple(rounds_ms.ravel().tolist()), len(rounds_ms))


def two_runs(generator: np.random.Generator) -> tuple[slice, slice]:
    """Two stretches of the recording that have no block in common."""
    while True:
        first, second = generator.integers(0, RECORDED.shape[1] - BLOCKS, 2).tolist()
        if abs(first - second) >= BLOCKS:
            return slice(first, first + BLOCKS), slice(second, second + BLOCKS)


def judge(file: int, slowdown: float, generator: np.random.Generator) -> Difference:
    before, after = two_runs(generator)
    return between_runs(
        timing(RECORDED[file, before]),
        timing(RECORDED[file, after] * (1 + slowdown)),
        timing(RECORDED[-1, before]),
        timing(RECORDED[-1, after]),
    )


@pytest.mark.parametrize("file", [0, 1])
def test_of_two_runs_of_the_same_file_at_least_95_of_100_show_no_difference(file: int) -> None:
    generator = np.random.default_rng(file)
    verdicts = [judge(file, 0.0, generator).verdict for _ in range(TRIALS)]
    assert verdicts.count("no difference shown") >= 95


@pytest.mark.parametrize("file", [0, 1])
@pytest.mark.parametrize(("slowdown", "verdict"), [(0.03, "slower"), (-0.03, "faster")])
def test_a_planted_3_per_cent_is_found_in_at_least_95_of_100(
    file: int, slowdown: float, verdict: str
) -> None:
    generator = np.random.default_rng(file)
    verdicts = [judge(file, slowdown, generator).verdict for _ in range(TRIALS)]
    assert verdicts.count(verdict) >= 95


def test_files_timed_in_the_same_blocks_show_a_difference_that_two_runs_would_not() -> None:
    generator = np.random.default_rng(0)
    luck = generator.normal(0, 0.02, (BLOCKS, 1))  # of each process: 2 %
    before, after = (
        timing(np.exp(luck + generator.normal(0, 0.001, (BLOCKS, 8)))) for _ in range(2)
    )
    assert within_run(before, after).verdict == "no difference shown"
    slowed = timing(np.reshape(after.round_p50_ms, (BLOCKS, -1)) * 1.015)
    assert within_run(before, slowed).verdict == "slower"
    steady = timing(np.ones((BLOCKS, 8)))
    assert between_runs(before, slowed, steady, steady).verdict == "no difference shown"


def test_a_machine_that_changed_is_not_taken_for_a_file_that_did() -> None:
    generator = np.random.default_rng(0)
    runs = [timing(np.exp(generator.normal(0, 0.003, (BLOCKS, 8)))) for _ in range(4)]
    slower_clock = [timing(np.reshape(run.round_p50_ms, (BLOCKS, -1)) * 1.1) for run in runs]
    assert between_runs(runs[0], slower_clock[1], runs[2], runs[3]).verdict == "slower"
    found = between_runs(runs[0], slower_clock[1], runs[2], slower_clock[3])
    assert found.verdict == "no difference shown"


def test_less_than_one_per_cent_is_not_worth_a_word() -> None:
    assert Difference(0.009, (0.008, 0.01)).verdict == "no difference shown"
    assert Difference(0.011, (0.010, 0.012)).verdict == "slower"
    assert Difference(-0.011, (-0.012, -0.010)).verdict == "faster"
    assert Difference(0.05, (-0.01, 0.11)).verdict == "no difference shown"
