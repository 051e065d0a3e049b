"""Timing in blocks: the rounds are shared out to fresh processes, because each has its own luck.

Where a process's memory happens to lie makes all its calls a little faster or slower, by more than
the rounds within it differ. Figures from one process cannot tell that from a difference of models;
see docs/decisions.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import fresh
from benchmarks.measures import latency
from benchmarks.measures.latency import Contender, Pixels, Rounds, Timing
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
    num_threads: int | None = None  # of the engine; None is as the settings say
    planted_slowdown: float = 0.0  # a busy loop inside every call, as a share of it: tests the test


@dataclass(frozen=True)
class Timed:
    """What all blocks together have shown."""

    entries: tuple[Timing | ModelError, ...]  # of each entry, or why its process died
    yardstick: Timing | None = None  # None where nothing could be timed, and below
    timer_overhead_ns: float | None = None  # what a timed call of nothing takes


def time_blocks(
    entries: Sequence[Entry],
    settings: Settings,
    progress: Callable[[int], None] = lambda _blocks: None,
) -> Timed:
    """Time files in turns, in every one of `settings.blocks` fresh processes.

    Args:
        entries: what to time.
        settings: rounds, blocks, seconds, threads, cores and seed.
        progress: told how many blocks are done.
    """
    if not entries:
        return Timed(())
    try:
        return _run_blocks(entries, settings, progress)
    except ModelError as error:
        if len(entries) == 1:
            return Timed((error,))
    # One of them takes its whole block down. Alone, each shows whether it was the one.
    found = [time_blocks([entry], settings).entries[0] for entry in entries]
    alive = [index for index, one in enumerate(found) if isinstance(one, Timing)]
    if len(alive) == len(entries):
        return Timed(tuple(found))
    together = time_blocks([entries[index] for index in alive], settings, progress)
    for index, timing in zip(alive, together.entries, strict=True):
        found[index] = timing
    return replace(together, entries=tuple(found))


def _run_blocks(
    entries: Sequence[Entry], settings: Settings, progress: Callable[[int], None]
) -> Timed:
    answers = []
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        pictures = Path(folder) / "pictures.npz"
        np.savez(pictures, *(entry.pictures for entry in entries))
        for block in range(settings.blocks):
            progress(block)
            job = _job(entries, pictures, settings, block)
            about = ", ".join(str(entry.path) for entry in entries)
            # Each file and the yardstick take their seconds, and their first calls as much again.
            patience_s = fresh.TIMEOUT_S + 2 * job["seconds"] * (len(entries) + 1)
            answers.append(fresh.run(__name__, job, about=about, timeout_s=patience_s))
    progress(settings.blocks)
    blocks: list[list[Rounds]] = [answer["durations_ns"] for answer in answers]
    *timings, yardstick = (
        Timing.of(list(chain.from_iterable(rounds)), settings.blocks)
        for rounds in zip(*blocks, strict=True)
    )
    overheads = [answer["timer_overhead_ns"] for answer in answers]
    return Timed(tuple(timings), yardstick, median(overheads))


def _job(
    entries: Sequence[Entry], pictures: Path, settings: Settings, block: int
) -> dict[str, Any]:
    return {
        "files": [
            (
                str(entry.path),
                settings.engine_for(entry.path),
                entry.num_threads or settings.num_threads,
                entry.planted_slowdown,
            )
            for entry in entries
        ],
        "pictures": str(pictures),
        "rounds": settings.rounds,
        "seconds": settings.seconds / settings.blocks,
        "seed": settings.seed + block,
        "cores": settings.cores,
    }


# --- in the fresh process ----------------------------------------------------------------------


def _time(job: Mapping[str, Any]) -> dict[str, Any]:
    from edge_runtime.classifier import Classifier

    fresh.pin(job["cores"])
    with np.load(job["pictures"]) as arrays:
        pictures: list[Pixels] = list(arrays.values())
    contenders = []
    for (path, engine, num_threads, slowdown), images in zip(job["files"], pictures, strict=True):
        classifier = Classifier.open(path, backend=engine, num_threads=num_threads)
        contenders.append(_contender(classifier.scores, images, slowdown))
    durations = latency.time_in_turns(
        [*contenders, _yardstick()],
        rounds=job["rounds"],
        seconds=job["seconds"],
        seed=job["seed"],
    )
    return {"durations_ns": durations, "timer_overhead_ns": latency.timer_overhead_ns()}


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
