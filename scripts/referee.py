"""Test the referee: does a file against itself show no difference, and a planted slowdown one?

Every trial is real: fresh processes, the engine, and a busy loop inside every call of the second
file. `--record` keeps the rounds of one long run, on which the tests repeat the trial many times.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.measures.blocks import Entry, time_blocks
from benchmarks.difference import Difference, between_runs, within_run
from benchmarks.evaluation import load
from benchmarks.measures.latency import Pixels, Timing
from benchmarks.settings import Settings


def main() -> int:
    """Run the trials, or record."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", type=Path, nargs="+", help="beside an evaluation.npz")
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--slowdown", type=float, default=0.03, help="as a share")
    parser.add_argument("--record", type=Path, metavar="FILE.npy")
    parser.add_argument("--blocks", type=int, default=Settings().blocks)
    arguments = parser.parse_args()
    settings = Settings(blocks=arguments.blocks)
    pictures = load(arguments.models[0].parent / "evaluation.npz").images[:64]
    if arguments.record:
        # As many calls in a block as a benchmark of the usual length makes.
        settings = replace(settings, seconds=settings.blocks / Settings().blocks)
        record(arguments.models, pictures, settings, arguments.record)
        return 0
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for path in arguments.models:
        for trial in range(arguments.trials):
            say(path.name, trial, trials(path, pictures, arguments.slowdown, settings))
    return 0


def trials(
    path: Path, pictures: Pixels, slowdown: float, settings: Settings
) -> dict[str, Difference]:
    """A file against itself and against its slowed self, in two runs and within one."""
    same = [Entry(path, pictures), Entry(path, pictures), Entry(path, pictures, planted_slowdown=slowdown)]
    first, _, _, ruler = timed(same, settings)
    second, again, slowed, other_ruler = timed(same, settings)
    return {
        "two runs, the same": between_runs(first, second, ruler, other_ruler),
        "two runs, slowed": between_runs(first, slowed, ruler, other_ruler),
        "one run, the same": within_run(second, again),
        "one run, slowed": within_run(second, slowed),
    }


def timed(entries: list[Entry], settings: Settings) -> list[Timing]:
    """The entries' timings, and the yardstick's."""
    timed = time_blocks(entries, settings)
    return [one for one in (*timed.entries, timed.yardstick) if isinstance(one, Timing)]


def record(paths: list[Path], pictures: Pixels, settings: Settings, file: Path) -> None:
    """Keep the median of every round in milliseconds, (contenders, blocks, rounds).

    The contenders are every file twice, for comparisons within a run, and the yardstick.
    """
    timings = timed([Entry(path, pictures) for path in paths for _ in range(2)], settings)
    rounds = [np.reshape(one.round_p50_ms, (one.blocks, -1)) for one in timings]
    np.save(file, np.array(rounds, np.float32))


def say(name: str, trial: int, found: dict[str, Difference]) -> None:
    """Print one trial's verdicts."""
    for kind, one in found.items():
        low, high = one.interval
        print(
            f"{name} {trial + 1} {kind:>18}: {100 * one.share:+.2f} % "
            f"[{100 * low:+.2f}, {100 * high:+.2f}] {one.verdict}",
            flush=True,
        )


if __name__ == "__main__":
    raise SystemExit(main())
