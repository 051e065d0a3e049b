"""What it takes to open a model file, measured in fresh processes, which a crash cannot hurt."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import monotonic_ns, perf_counter_ns
from typing import Any, cast

from benchmarks import fresh
from benchmarks.measures.memory import Memory, peak_bytes
from edge_runtime import engines
from edge_runtime.engines import EngineChoice
from edge_runtime.errors import EngineError
from edge_runtime.spec import Format


@dataclass(frozen=True)
class Startup:
    """How long a process takes to be ready."""

    processes: int  # that opened it, one after the other; the figures are their medians
    load_ms: float  # read the file, check its digest, load it into the engine, imported before
    first_prediction_ms: float  # the first picture after that
    process_ms: float | None = None  # from the start of the process to its first prediction, all in
    process_cpu_ms: float | None = None  # processor time of the same, of all threads


@dataclass(frozen=True)
class Sample:
    """What one fresh process, and a second one that only has the runtime, took to be ready."""

    load_ms: float
    first_prediction_ms: float
    process_ms: float
    process_cpu_ms: float
    memory: Memory | None  # None where the system does not say it


def sample(
    path: Path,
    *,
    engine: EngineChoice = "auto",
    num_threads: int = 1,
    cores: Sequence[int] | None = None,
) -> Sample:
    """Open a model file and classify one picture, in two fresh processes.

    Args:
        path: the model file.
        engine: that is to run it.
        num_threads: of the engine.
        cores: that the processes are kept on; None is on all.

    Raises:
        ModelError: a process failed or died.
    """
    job = {"path": str(path), "engine": engine, "num_threads": num_threads, "cores": cores}
    opened = fresh.run(__name__, job, about=str(path))
    wall_ms, cpu_ms = _start(job)
    return Sample(
        load_ms=opened["load_ms"],
        first_prediction_ms=opened["first_prediction_ms"],
        process_ms=wall_ms,
        process_cpu_ms=cpu_ms,
        memory=Memory(**opened["memory"]) if opened["memory"] else None,
    )


def middle(samples: Sequence[Sample]) -> tuple[Startup, Memory | None]:
    """The medians of one sample or more; no memory where the system does not say it."""
    startup = Startup(
        processes=len(samples),
        load_ms=median(one.load_ms for one in samples),
        first_prediction_ms=median(one.first_prediction_ms for one in samples),
        process_ms=median(one.process_ms for one in samples),
        process_cpu_ms=median(one.process_cpu_ms for one in samples),
    )
    memories = [one.memory for one in samples if one.memory]
    by_peak = sorted(memories, key=lambda memory: memory.peak_bytes)
    return startup, by_peak[len(by_peak) // 2] if by_peak else None


def require_open(path: Path, *, engine: EngineChoice = "auto", num_threads: int = 1) -> None:
    """Open a model file in a fresh process, for no figure.

    Raises:
        ModelError: the process failed or died, as this one would.
    """
    job = {"path": str(path), "engine": engine, "num_threads": num_threads, "cores": None}
    fresh.run(__name__, job, about=str(path))


def _start(job: Mapping[str, Any]) -> tuple[float, float]:
    """Wall and processor time in milliseconds until a new process has its first prediction."""
    started_ns = monotonic_ns()  # the same clock in all processes
    answer = fresh.run("benchmarks.measures.first", job, about=str(job["path"]))
    return (answer["done_ns"] - started_ns) / 1e6, answer["cpu_ns"] / 1e6


# --- in the fresh process ----------------------------------------------------------------------


def _open(job: Mapping[str, Any]) -> dict[str, Any]:
    import numpy as np

    from edge_runtime.classifier import Classifier

    fresh.pin(job["cores"])
    path, engine = Path(job["path"]), job["engine"]
    _import_engine(path, engine)
    runtime_bytes = peak_bytes()
    started = perf_counter_ns()
    classifier = Classifier.open(path, backend=engine, num_threads=job["num_threads"])
    loaded = perf_counter_ns()
    image = classifier.spec.image
    classifier.scores(np.zeros((1, image.height, image.width, image.channels), np.uint8))
    predicted = perf_counter_ns()
    peak = peak_bytes()
    memory = None if peak is None or runtime_bytes is None else Memory(peak, runtime_bytes)
    return {
        "load_ms": (loaded - started) / 1e6,
        "first_prediction_ms": (predicted - loaded) / 1e6,
        "memory": None if memory is None else asdict(memory),
    }


def _import_engine(path: Path, engine: EngineChoice) -> None:
    """Import what will run the file, so that its cost is not taken for the file's."""
    form = cast("Format", path.suffix.lower().removeprefix("."))
    importlib.import_module(f"edge_runtime.backends.{form}")
    # One that is missing or does not start is told of when the file is opened.
    with suppress(EngineError):
        engines.start(form, engine)


if __name__ == "__main__":
    raise SystemExit(fresh.serve(_open))
