from __future__ import annotations

import time
from itertools import groupby

import numpy as np
import pytest

from benchmarks.measures.latency import Contender, Timing, orders, time_in_turns
from benchmarks.notes import timing_notes
from benchmarks.report import Measurement

PICTURES = np.arange(5 * 4, dtype=np.uint8).reshape(5, 2, 2, 1)


def timed(contenders: list[Contender], rounds: int, seconds: float) -> list[Timing]:
    return [
        Timing.of(found)
        for found in time_in_turns(contenders, rounds=rounds, seconds=seconds, seed=0)
    ]


def test_every_round_times_every_file_once_in_an_order_of_its_own() -> None:
    rounds = list(orders(6, 20, seed=1))
    assert all(sorted(order) == [0, 1, 2, 3, 4, 5] for order in rounds)
    assert len({tuple(order) for order in rounds}) > 10
    first = [order[0] for order in rounds]
    assert len(set(first)) > 3, "no file is always the first of its round"


def test_the_same_seed_gives_the_same_orders() -> None:
    assert list(orders(6, 20, seed=1)) == list(orders(6, 20, seed=1))
    assert list(orders(6, 20, seed=1)) != list(orders(6, 20, seed=2))


def test_files_are_timed_in_turns_and_not_one_after_the_other() -> None:
    seen: list[str] = []
    contenders = [
        Contender(lambda _batch, name=name: seen.append(name), PICTURES) for name in "abc"
    ]
    durations = time_in_turns(contenders, rounds=40, seconds=0.0001, seed=3)
    assert [len(rounds) for rounds in durations] == [40, 40, 40]
    turns = [name for name, _ in groupby(seen)]
    assert len(turns) > 60, "the files alternate"


def test_each_call_gets_a_batch_of_one_and_all_pictures_have_their_turn() -> None:
    batches: list[np.ndarray] = []
    time_in_turns([Contender(batches.append, PICTURES)], rounds=1, seconds=0.001, seed=0)
    assert {batch.shape for batch in batches} == {(1, 2, 2, 1)}
    assert {int(batch[0, 0, 0, 0]) for batch in batches} == {0, 4, 8, 12, 16}


def test_a_slow_file_is_called_less_often_but_often_enough_for_a_percentile() -> None:
    slow, fast = timed(
        [
            Contender(lambda _batch: time.sleep(0.002), PICTURES),
            Contender(lambda _batch: None, PICTURES),
        ],
        rounds=50,
        seconds=0.02,
    )
    assert slow.calls == 100
    assert fast.calls > 1000
    assert slow.min_ms >= 2
    assert slow.p50_ms > 100 * fast.p50_ms


def test_the_clock_itself_costs_less_than_a_microsecond() -> None:
    (timing,) = timed([Contender(lambda _batch: None, PICTURES)], rounds=5, seconds=0.005)
    assert timing.p50_ms < 0.001


def test_a_figure_of_too_few_calls_or_processes_is_noted() -> None:
    def notes(calls: int, blocks: int) -> list[str]:
        timing = Timing(calls, 1, 1, 1, 1, 1, (1.0,) * 2 * blocks, blocks)
        return timing_notes([Measurement("m.onnx", timing=timing), Measurement("untimed.onnx")])

    assert notes(calls=100, blocks=2) == []
    (few,) = notes(calls=99, blocks=2)
    assert few.startswith("a p99 is of 99 calls, of which it needs 100; give more --seconds")
    (alone,) = notes(calls=100, blocks=1)
    assert alone.startswith("timed in one process, whose luck is in every time")


def test_percentiles_are_of_all_calls_and_medians_of_each_round() -> None:
    timing = Timing.of(
        [
            [value * 1_000_000 for value in range(1, 51)],
            [value * 1_000_000 for value in range(51, 102)],
        ]
    )
    assert timing.calls == 101
    assert timing.min_ms == 1
    assert timing.p50_ms == 51
    assert timing.p90_ms == 91
    assert timing.p99_ms == 100
    assert timing.round_p50_ms == (25.5, 76)
    assert timing.images_per_second == pytest.approx(1000 / 51)
