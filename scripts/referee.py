"""Test the referee: does a file against itself show no difference, and a planted slowdown one?

Every trial is real: fresh processes, the engine, and a busy loop inside every call of the second
file. Prints a line for every comparison of a trial, and a count of the right ones.
`--record` keeps the rounds of one long run, on which the tests repeat the trial many times.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.difference import Difference, between_runs, uncertainty, within_run
from benchmarks.evaluation import load
from benchmarks.measures.blocks import Entry, Timed, time_blocks
from benchmarks.measures.latency import Pixels, Timing
from benchmarks.settings import Settings

SAME, SLOWED = "A/A", "slowed"


def main() -> int:
    """Run the trials, or record."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", type=Path, nargs="+", help="beside an evaluation.npz")
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--slowdown", type=float, default=0.03, help="as a share")
    parser.add_argument("--record", type=Path, metavar="FILE.npy")
    parser.add_argument("--blocks", type=int, default=Settings().blocks)
    parser.add_argument("--core", type=int, help="keep the timed processes on it (default: any)")
    arguments = parser.parse_args()
    cores = None if arguments.core is None else (arguments.core,)
    settings = Settings(blocks=arguments.blocks, cores=cores)
    pictures = load(arguments.models[0].parent / "evaluation.npz").images[:64]
    if arguments.record:
        # As many calls in a block as a benchmark of the usual length makes.
        settings = replace(settings, seconds=settings.blocks / Settings().blocks)
        record(arguments.models, pictures, settings, arguments.record)
        return 0
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    right: Counter[str] = Counter()
    for path in arguments.models:
        for number in range(1, arguments.trials + 1):
            # Not `+`, which drops the kinds that were never right.
            right.update(
                trial(f"{path.name} {number}", path, pictures, arguments.slowdown, settings)
            )
    every = arguments.trials * len(arguments.models)
    print(f"right, of {every}: {', '.join(f'{kind} {count}' for kind, count in right.items())}")
    return 0 if min(right.values()) >= 0.95 * every else 1


def trial(
    title: str, path: Path, pictures: Pixels, slowdown: float, settings: Settings
) -> Counter[str]:
    """A file against itself and against its slowed self, in one run and in two."""
    same = [Entry(path, pictures), Entry(path, pictures)]
    slowed = Entry(path, pictures, planted_slowdown=slowdown)
    first, second = (time_blocks([*same, slowed], settings) for _ in range(2))
    before, _, _ = timings(first)
    after, again, slow = timings(second)
    assert first.yardstick
    assert second.yardstick
    rulers = first.yardstick, second.yardstick
    found = {
        f"one run, {SAME}": within_run(after, again),
        f"one run, {SLOWED}": within_run(after, slow),
        f"two runs, {SAME}": between_runs(before, after, *rulers),
        f"two runs, {SLOWED}": between_runs(before, slow, *rulers),
    }
    for kind, one in found.items():
        print(f"{title} {kind:>16}: {told(one)} {'right' if is_right(kind, one) else 'WRONG'}")
    print(
        f"{title} {'two runs, p50':>16}: {1000 * before.p50_ms:.2f} and {1000 * after.p50_ms:.2f} "
        f"µs, {100 * (after.p50_ms / before.p50_ms - 1):+.2f} %; the report warns of "
        f"{100 * max(uncertainty(before), uncertainty(after)):.1f} %; timer "
        f"{first.timer_overhead_ns:.0f} ns",
        flush=True,
    )
    return Counter({kind: int(is_right(kind, one)) for kind, one in found.items()})


def timings(timed: Timed) -> list[Timing]:
    """Those of the entries, none of which may have failed."""
    found = [one for one in timed.entries if isinstance(one, Timing)]
    assert len(found) == len(timed.entries), timed.entries
    return found


def is_right(kind: str, found: Difference) -> bool:
    """Whether the referee saw what there was."""
    return found.verdict == ("no difference shown" if kind.endswith(SAME) else "slower")


def told(found: Difference) -> str:
    """A difference with its interval and verdict."""
    low, high = found.interval
    return f"{100 * found.share:+.2f} % [{100 * low:+.2f}, {100 * high:+.2f}] {found.verdict},"


def record(paths: list[Path], pictures: Pixels, settings: Settings, file: Path) -> None:
    """Keep the median of every round in milliseconds, (contenders, blocks, rounds).

    The contenders are every file twice, for comparisons within a run, and the yardstick.
    """
    timed = time_blocks([Entry(path, pictures) for path in paths for _ in range(2)], settings)
    assert timed.yardstick
    found = [*timings(timed), timed.yardstick]
    np.save(
        file,
        np.array([np.reshape(one.round_p50_ms, (one.blocks, -1)) for one in found], np.float32),
    )


if __name__ == "__main__":
    raise SystemExit(main())
