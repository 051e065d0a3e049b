"""How long one prediction takes: files timed in turns; a drifting machine favours none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter_ns
from typing import Final

import numpy as np
from numpy.typing import NDArray

TIMED: Final = (
    "One timed call is `Classifier.scores` of one picture that is in memory as uint8 pixels at "
    "the model's size: normalising, copying in, the engine, copying out, probabilities. "
    "Reading, decoding and resizing a picture file are not in it."
)

_WARM_UP_SECONDS = 0.03  # in every fresh process: measured, no trend is left after 0.01
_WARM_UP_CALLS = 3  # after every change of file: the last one left its own data in the caches
_MIN_CALLS = 2  # per round: 12 blocks of 8 then make the 100 calls that a 99th percentile needs

Pixels = NDArray[np.uint8]
Rounds = list[list[int]]  # durations of one contender's calls in nanoseconds, round by round


@dataclass(frozen=True)
class Contender:
    """Something to be timed, and the pictures it is timed on, one after the other."""

    predict: Callable[[Pixels], object]  # takes a batch of one, (1, height, width, channels)
    pictures: Pixels  # (n, height, width, channels), uint8 0..255


@dataclass(frozen=True)
class Timing:
    """Latency of a batch of one."""

    calls: int  # timed, over all rounds
    min_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    images_per_second: float  # calls by the time they took, one picture at a time
    round_p50_ms: tuple[float, ...]  # the median of each round, in order
    blocks: int = 1  # fresh processes that the rounds were shared out to, evenly and in order

    @classmethod
    def of(cls, rounds: Sequence[Sequence[int]], blocks: int = 1) -> Timing:
        """Summarise the durations of the calls, in nanoseconds, round by round."""
        calls_ms = [np.array(durations) / 1e6 for durations in rounds]
        every = np.concatenate(calls_ms)
        p50, p90, p99 = np.percentile(every, (50, 90, 99)).tolist()
        return cls(
            calls=len(every),
            min_ms=float(every.min()),
            p50_ms=p50,
            p90_ms=p90,
            p99_ms=p99,
            images_per_second=1000 * len(every) / float(every.sum()),
            round_p50_ms=tuple(float(np.median(calls)) for calls in calls_ms),
            blocks=blocks,
        )


def time_in_turns(
    contenders: Sequence[Contender],
    *,
    rounds: int,
    seconds: float,
    seed: int,
) -> list[Rounds]:
    """Time each contender in every round, in an order that is shuffled anew for each round.

    Args:
        contenders: what to time.
        rounds: how many times each has its turn.
        seconds: about how long each is timed, over all rounds. The number of calls in a round is
            fixed after the warm-up, so that a slow round counts as much as a fast one.
        seed: of the orders.

    Returns:
        The durations of each contender's calls, in the order given.
    """
    calls = [_calls_per_round(contender, seconds / rounds) for contender in contenders]
    durations: list[Rounds] = [[] for _ in contenders]
    for order in orders(len(contenders), rounds, seed):
        for index in order:
            durations[index].append(_time_calls(contenders[index], calls[index]))
    return durations


def timer_overhead_ns(calls: int = 2000) -> float:
    """What a timed call of nothing takes, in nanoseconds: it is in every figure."""
    nothing = Contender(lambda _batch: None, np.zeros((1, 1, 1, 1), np.uint8))
    return float(np.median(_time_calls(nothing, calls)))


def orders(contenders: int, rounds: int, seed: int) -> Iterator[list[int]]:
    """For each round, the contenders' numbers in a shuffled order."""
    generator = np.random.default_rng(seed)
    for _ in range(rounds):
        yield generator.permutation(contenders).tolist()


def _calls_per_round(contender: Contender, seconds: float) -> int:
    """Warm up, and see how many calls fit into `seconds`."""
    until = perf_counter_ns() + int(_WARM_UP_SECONDS * 1e9)
    durations = _time_calls(contender, _MIN_CALLS)
    while perf_counter_ns() < until:
        durations += _time_calls(contender, _MIN_CALLS)
    return max(_MIN_CALLS, round(seconds * 1e9 / float(np.median(durations))))


def _time_calls(contender: Contender, calls: int) -> list[int]:
    """Durations of `calls` predictions in nanoseconds, after a few that are not timed."""
    predict, clock, durations = contender.predict, perf_counter_ns, []
    pictures = contender.pictures
    batches = cycle([pictures[index : index + 1] for index in range(len(pictures))])
    for _ in range(_WARM_UP_CALLS):
        predict(next(batches))
    for _ in range(calls):
        batch = next(batches)
        started = clock()
        predict(batch)
        durations.append(clock() - started)
    return durations
