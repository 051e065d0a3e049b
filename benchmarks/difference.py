"""Whether something got faster or slower: a bootstrap over blocks, which calls no noise a difference."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.measures.latency import Timing

Verdict = Literal["faster", "slower", "no difference shown"]
Blocks = NDArray[np.float64]

# A process can be unlucky as a whole, so the luck of fewer than this many says too little.
MIN_BLOCKS: Final = 6
# The smallest change of speed that is worth a word, as a share: below it, the linker, the loader
# or the kernel's choice of pages change as much for no reason of the model's.
SMALLEST: Final = 0.01

_RESAMPLES: Final = 2000


@dataclass(frozen=True)
class Difference:
    """How much longer a call takes than it did: 0.03 is 3 % slower, -0.03 is 3 % faster."""

    share: float
    interval: tuple[float, float]  # 95 %

    @property
    def verdict(self) -> Verdict:
        """What the interval shows."""
        if abs(self.share) < SMALLEST or self.interval[0] <= 0 <= self.interval[1]:
            return "no difference shown"
        return "slower" if self.share > 0 else "faster"


def between_runs(
    before: Timing, after: Timing, yardstick_before: Timing, yardstick_after: Timing
) -> Difference:
    """The difference of two runs, which may have met the machine in different states.

    It is taken twice, as it is and relative to the yardstick that was timed in every round, and
    the one nearer to "no difference" counts: a machine that changed moves both files and yardstick,
    a yardstick that had a bad day moves only one of the two.

    Args:
        before: of one file, in the first run.
        after: of the same file, in the second.
        yardstick_before: the yardstick's timing in the first run.
        yardstick_after: and in the second.
    """
    first, second = _blocks(before), _blocks(after)
    rulers = _blocks(yardstick_before), _blocks(yardstick_after)
    plain = _difference(first, second)
    relative = _difference(first - rulers[0], second - rulers[1])
    if plain.share * relative.share < 0:  # they contradict each other, so nothing is shown
        both = (*plain.interval, *relative.interval)
        return Difference(plain.share, (min(both), max(both)))
    return min(plain, relative, key=_evidence)


def within_run(before: Timing, after: Timing) -> Difference:
    """The difference of two files that were timed in turns in the same processes.

    What a block did to one it did to the other, so blocks are drawn for both together.
    """
    return _difference(_blocks(before), _blocks(after), together=True)


def uncertainty(timing: Timing) -> float:
    """How far a run's median may be off, as a share: half a 95 % interval, by bootstrap of blocks.

    Infinite for a single block, which says nothing of others.
    """
    blocks = np.median(np.reshape(timing.round_p50_ms, (timing.blocks, -1)), axis=1)
    if len(blocks) < 2:
        return math.inf
    generator = np.random.default_rng(0)
    drawn = generator.integers(len(blocks), size=(_RESAMPLES, len(blocks)))
    tail = _tail(len(blocks))
    low, high = np.quantile(np.median(blocks[drawn], axis=1), (tail, 1 - tail)).tolist()
    return float((high - low) / 2 / np.median(blocks))


def _blocks(timing: Timing) -> Blocks:
    """The logarithm of the latency in each block's quietest round; a difference is then a ratio.

    Other work on the machine only ever makes a call longer, so the quietest round says most about
    the file, and likewise the quietest third of the blocks: see `_quiet`.
    """
    logarithms: Blocks = np.log(timing.round_p50_ms).reshape(timing.blocks, -1).min(axis=1)
    return logarithms


def _difference(before: Blocks, after: Blocks, *, together: bool = False) -> Difference:
    """The bootstrap: draw blocks again and again, and see how far the difference moves."""
    generator = np.random.default_rng(0)
    drawn_before = generator.integers(len(before), size=(_RESAMPLES, len(before)))
    drawn_after = (
        drawn_before if together else generator.integers(len(after), size=(_RESAMPLES, len(after)))
    )
    middle = float(_quiet(after[None])[0] - _quiet(before[None])[0])
    resampled = _quiet(after[drawn_after]) - _quiet(before[drawn_before])
    tail = _tail(min(len(before), len(after)))
    low, high = np.quantile(resampled, (tail, 1 - tail)).tolist()
    return Difference(math.expm1(middle), (math.expm1(low), math.expm1(high)))


def _quiet(samples: Blocks) -> Blocks:
    """The mean of the quietest third of each row."""
    count = -(-samples.shape[1] // 3)
    quietest: Blocks = np.sort(samples, axis=1)[:, :count].mean(axis=1)
    return quietest


def _tail(blocks: int) -> float:
    """The share of resamples beyond either end of a 95 % interval.

    A plain bootstrap of a few values is too sure of itself, by the n - 1 of the variance and by
    Student's t. Hesterberg 2015 ("What Teachers Should Know About the Bootstrap", section 5.3)
    asks for more of the resamples to make up for both; t as in Abramowitz and Stegun 26.7.5.
    """
    z, freedom = NormalDist().inv_cdf(0.975), max(1, blocks - 1)
    t = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return NormalDist().cdf(-t * math.sqrt(blocks / freedom))


def _evidence(difference: Difference) -> float:
    """How far the interval keeps from zero; negative where it holds zero."""
    low, high = difference.interval
    return max(low, -high)
