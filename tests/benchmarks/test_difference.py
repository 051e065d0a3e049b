from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.difference import Difference, between_runs, within_run
from benchmarks.measures.latency import Timing

# Medians of rounds of 10 ms in milliseconds, (contenders, blocks, rounds), recorded by
# scripts/referee.py on two shared cores with a load of 5: an int8 file twice, a float32 file twice,
# and the yardstick.
RECORDED = np.load(Path(__file__).with_name("recorded_rounds.npy"))
FILES = {"int8": (0, 1), "float32": (2, 3)}
BLOCKS = 12
TRIALS = 100


def timing(rounds_ms: np.ndarray) -> Timing:
    return Timing(1, 0, 0, 0, 0, 1, tuple(rounds_ms.ravel().tolist()), len(rounds_ms))


def one_run(file: str, slowdown: float, generator: np.random.Generator) -> Difference:
    """Both were timed in turns in the same blocks."""
    start = int(generator.integers(0, RECORDED.shape[1] - BLOCKS))
    run = slice(start, start + BLOCKS)
    before, after = generator.permutation(FILES[file]).tolist()
    return within_run(timing(RECORDED[before, run]), timing(RECORDED[after, run] * (1 + slowdown)))


def two_runs(file: str, slowdown: float, generator: np.random.Generator) -> Difference:
    """Two stretches of the recording that have no block in common."""
    while True:
        first, second = generator.integers(0, RECORDED.shape[1] - BLOCKS, 2).tolist()
        if abs(first - second) >= BLOCKS:
            break
    earlier, later = slice(first, first + BLOCKS), slice(second, second + BLOCKS)
    before, after = generator.permutation(FILES[file]).tolist()
    return between_runs(
        timing(RECORDED[before, earlier]),
        timing(RECORDED[after, later] * (1 + slowdown)),
        timing(RECORDED[-1, earlier]),
        timing(RECORDED[-1, later]),
    )


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("trial", [one_run, two_runs])
@pytest.mark.parametrize(
    ("slowdown", "verdict"), [(0.0, "no difference shown"), (0.03, "slower"), (-0.03, "faster")]
)
def test_no_difference_and_3_per_cent_are_told_right_in_95_of_100_trials(
    file: str,
    trial: Callable[[str, float, np.random.Generator], Difference],
    slowdown: float,
    verdict: str,
) -> None:
    generator = np.random.default_rng(20260101)
    verdicts = [trial(file, slowdown, generator).verdict for _ in range(TRIALS)]
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


def test_where_the_yardstick_says_the_contrary_nothing_is_shown() -> None:
    generator = np.random.default_rng(0)
    runs = [timing(np.exp(generator.normal(0, 0.001, (BLOCKS, 8)))) for _ in range(4)]
    slower, much_slower = (
        timing(np.reshape(run.round_p50_ms, (BLOCKS, -1)) * factor)
        for run, factor in ((runs[1], 1.03), (runs[3], 1.06))
    )
    found = between_runs(runs[0], slower, runs[2], much_slower)
    assert found.verdict == "no difference shown"
    assert found.share == pytest.approx(0.03, abs=0.003)


def test_less_than_one_per_cent_is_not_worth_a_word() -> None:
    assert Difference(0.009, (0.008, 0.01)).verdict == "no difference shown"
    assert Difference(0.011, (0.010, 0.012)).verdict == "slower"
    assert Difference(-0.011, (-0.012, -0.010)).verdict == "faster"
    assert Difference(0.05, (-0.01, 0.11)).verdict == "no difference shown"
