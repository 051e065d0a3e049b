"""Measure what pictures, models and threads cost as they become more."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np

from benchmarks import engines, machine
from benchmarks.measures import blocks, peak
from benchmarks.measures.latency import Timing
from benchmarks.report import Progress
from benchmarks.run import benchmark
from benchmarks.scaling import pictures
from benchmarks.scaling.report import Model, Pictures, ScalingReport, Threads
from benchmarks.settings import Settings
from benchmarks.synthetic import classifier
from edge_runtime import modelfile
from edge_runtime.engines import installed_formats
from edge_runtime.errors import EngineError, ModelError, SpecError
from edge_runtime.parallel import cores
from edge_runtime.spec import Format

_FEW: Final = 10_000  # pictures, up to which a process is over soon enough to have three


@dataclass(frozen=True)
class Plan:
    """How far to go."""

    pictures: tuple[int, ...] = (1, 10, 100, 1_000, 10_000, 100_000)
    parameters: tuple[int, ...] = (
        10_000,
        30_000,
        100_000,
        300_000,
        1_000_000,
        2_000_000,
        5_000_000,
    )
    threaded: tuple[int, ...] = (10_000, 1_000_000, 5_000_000)  # parameters
    threads: tuple[int, ...] = ()  # numbers of them; () is from one to all cores
    timing: Settings = field(default_factory=lambda: Settings(blocks=6, rounds=4, peak_seconds=0))


def measure(
    model: Path,
    plan: Plan | None = None,
    progress: Progress = lambda _stage, _done, _total: None,
) -> ScalingReport:
    """Measure all three.

    Args:
        model: the file that classifies the pictures.
        plan: how far to go.
        progress: told what is being done.

    Raises:
        ModelError: the model cannot be used.
        EngineError: no engine is installed, or one does not start.
    """
    plan = plan or Plan()
    kinds = installed_formats()
    if not kinds:
        raise EngineError("no engine is installed; run `pip install ai-edge-litert`")
    names = tuple(map(engines.running, kinds))
    started, clock, before = datetime.now(UTC), perf_counter(), machine.state()
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        folder = Path(name)
        more_pictures = _pictures(model, plan, folder, progress)
        larger_models = _models(plan, kinds, folder, progress)
        more_threads = _threads(plan, kinds, folder, progress)
    return ScalingReport(
        started=started.isoformat(timespec="seconds"),
        duration_seconds=round(perf_counter() - clock, 3),
        machine=machine.describe(),
        before=before,
        after=machine.state(),
        model=model.name,
        peaks=peak.measure(num_threads=1),
        pictures=more_pictures,
        models=larger_models,
        threads=more_threads,
        engines=names,
    )


def _pictures(model: Path, plan: Plan, folder: Path, progress: Progress) -> tuple[Pictures, ...]:
    spec = modelfile.read(model).spec
    if spec is None:
        raise SpecError(f"{model} has no spec; export it with `python -m export`")
    shape = (64, spec.image.height, spec.image.width, spec.image.channels)
    files = folder / "pictures"
    files.mkdir()
    pictures.write(files, np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    found = []
    for done, count in enumerate(plan.pictures):
        progress("classifying more pictures", done, len(plan.pictures))
        found += [
            pictures.measure(
                model, files, count, from_files=from_files, processes=3 if count <= _FEW else 1
            )
            for from_files in (False, True)
        ]
    return tuple(found)


def _models(
    plan: Plan, kinds: Sequence[Format], folder: Path, progress: Progress
) -> tuple[Model, ...]:
    nets = [classifier.net(parameters) for parameters in plan.parameters]
    files = {}
    for net in nets:
        for kind in kinds:
            path = folder / f"{net.parameters}.{kind}"
            path.write_bytes(classifier.sealed(net, kind))
            files[path] = (kind, net.parameters)
    report = benchmark(
        list(files),
        plan.timing,
        progress=lambda stage, done, total: progress(f"larger models: {stage}", done, total),
    )
    found = []
    for row in report.measurements:
        if row.failure is not None or row.timing is None or row.startup is None:
            raise ModelError(row.failure or f"{row.file} was not timed")
        kind, parameters = files[Path(row.file)]
        found.append(
            Model(
                kind=kind,
                parameters=parameters,
                macs=row.work.macs if row.work else None,
                size_bytes=row.size_bytes or 0,
                load_ms=row.startup.load_ms,
                p50_ms=row.timing.p50_ms,
                p90_ms=row.timing.p90_ms,
                memory_bytes=row.memory.model_bytes if row.memory else None,
            )
        )
    return tuple(found)


def _threads(
    plan: Plan, kinds: Sequence[Format], folder: Path, progress: Progress
) -> tuple[Threads, ...]:
    noise = np.random.default_rng(0).integers(
        0, 256, (64, classifier.SIDE, classifier.SIDE, 1), np.uint8
    )
    runs = []
    for parameters in plan.threaded:
        net = classifier.net(parameters)
        for kind in kinds:
            path = folder / f"threads-{net.parameters}.{kind}"
            path.write_bytes(classifier.sealed(net, kind))
            runs += [
                (kind, net.parameters, blocks.Entry(path, noise, count))
                for count in plan.threads or counts(cores())
            ]
    timed = blocks.time_blocks(
        [entry for _, _, entry in runs],
        plan.timing,
        lambda done: progress("more threads", done, plan.timing.blocks),
    )
    return tuple(
        Threads(kind, parameters, entry.num_threads or 1, timing.p50_ms, timing.p90_ms)
        for (kind, parameters, entry), timing in zip(runs, timed.entries, strict=True)
        if isinstance(timing, Timing)
    )


def counts(cores: int) -> list[int]:
    """The numbers of threads to try: all up to eight, and from there on each twice the last."""
    few = list(range(1, min(cores, 8) + 1))
    while few[-1] < cores:
        few.append(min(2 * few[-1], cores))
    return few
