"""Timing in blocks: the rounds are shared out to fresh processes, because each has its own luck.

Where a process's memory happens to lie makes all its calls a little faster or slower, by more than
the rounds within it differ. Figures from one process cannot tell that from a difference of models;
see docs/decisions.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from time import perf_counter_ns
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import fresh, latency
from benchmarks.latency import Contender, Pixels, Rounds, Timing
from benchmarks.settings import Settings
from edge_runtime.errors import ModelError

YARDSTICK: Final = (
    "One call is ten numpy products of 48 x 48 float32 matrices: small enough for one thread, and "
    "the same whatever the model files are, so that two reports can tell a change of the machine."
)


@dataclass(frozen=True)
class Entry:
    """A model file to time, and the pictures it is timed on."""

    path: Path
    pictures: Pixels  # (n, height, width, channels), uint8 0..255
    planted_slowdown: float = 0.0  # a busy loop inside every call, as a share of it: tests the test


def time_blocks(
    entries: Sequence[Entry],
    settings: Settings,
    progress: Callable[[int], None] = lambda _blocks: None,
) -> tuple[list[Timing | ModelError], Timing | None]:
    """Time files in turns, in every one of `settings.blocks` fresh processes.

    Args:
        entries: what to time.
        settings: rounds, blocks, seconds, threads, cores and seed.
        progress: told how many blocks are done.

    Returns:
        For each entry its timing, or why its process died; and the yardstick's timing, None where
        nothing could be timed.
    """
    if not entries:
        return [], None
    found: list[Timing | ModelError] = [ModelError("not timed")] * len(entries)
    alive = list(range(len(entries)))
    try:
        *timings, yardstick = _run_blocks(entries, settings, progress)
    except ModelError:
        # One of them takes its whole block down. Alone, each shows whether it was the one.
        for index, entry in enumerate(entries):
            try:
                found[index] = _run_blocks([entry], settings, lambda _blocks: None)[0]
            except ModelError as error:
                found[index] = error
                alive.remove(index)
        if not alive or len(alive) == len(entries):
            return found, None
        *timings, yardstick = _run_blocks([entries[index] for index in alive], settings, progress)
    for index, timing in zip(alive, timings, strict=True):
        found[index] = timing
    return found, yardstick


def _run_blocks(
    entries: Sequence[Entry], settings: Settings, progress: Callable[[int], None]
) -> list[Timing]:
    blocks: list[list[Rounds]] = []
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        pictures = Path(folder) / "pictures.npz"
        np.savez(pictures, *(entry.pictures for entry in entries))
        for block in range(settings.blocks):
            progress(block)
            job = _job(entries, pictures, settings, block)
            about = ", ".join(str(entry.path) for entry in entries)
            blocks.append(fresh.run(__name__, job, about=about)["durations_ns"])
    progress(settings.blocks)
    return [
        Timing.of(list(chain.from_iterable(rounds)), settings.blocks)
        for rounds in zip(*blocks, strict=True)
    ]


def _job(
    entries: Sequence[Entry], pictures: Path, settings: Settings, block: int
) -> dict[str, Any]:
    return {
        "files": [(str(entry.path), entry.planted_slowdown) for entry in entries],
        "pictures": str(pictures),
        "rounds": settings.rounds,
        "seconds": settings.seconds / settings.blocks,
        "seed": settings.seed + block,
        "num_threads": settings.num_threads,
        "cores": settings.cores,
    }


# --- in the fresh process ----------------------------------------------------------------------


def _time(job: Mapping[str, Any]) -> dict[str, Any]:
    from edge_runtime.classifier import Classifier

    fresh.pin(job["cores"])
    with np.load(job["pictures"]) as arrays:
        pictures: list[Pixels] = list(arrays.values())
    contenders = [
        _contender(
            Classifier.open(path, num_threads=job["num_threads"]).scores, images, planted_slowdown
        )
        for (path, planted_slowdown), images in zip(job["files"], pictures, strict=True)
    ]
    durations = latency.time_in_turns(
        [*contenders, _yardstick()],
        rounds=job["rounds"],
        seconds=job["seconds"],
        seed=job["seed"],
    )
    return {"durations_ns": durations}


def _contender(
    scores: Callable[[Pixels], NDArray[np.float32]], pictures: Pixels, planted_slowdown: float
) -> Contender:
    if not planted_slowdown:
        return Contender(scores, pictures)
    (rounds,) = latency.time_in_turns([Contender(scores, pictures)], rounds=1, seconds=0.03, seed=0)
    delay_ns = planted_slowdown * float(np.median(rounds[0]))

    def slowed(batch: Pixels) -> None:
        scores(batch)
        until = perf_counter_ns() + delay_ns
        while perf_counter_ns() < until:
            pass

    return Contender(slowed, pictures)


def _yardstick() -> Contender:
    left, right = np.random.default_rng(0).random((2, 48, 48), np.float32)
    product = np.empty_like(left)

    def multiply(_batch: Pixels) -> None:
        for _ in range(10):
            np.matmul(left, right, out=product)

    return Contender(multiply, np.zeros((1, 1, 1, 1), np.uint8))


if __name__ == "__main__":
    raise SystemExit(fresh.serve(_time))
