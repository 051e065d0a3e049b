"""The benchmark: open every file, judge its answers, time all in turns, and report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from benchmarks import machine
from benchmarks.judging import judge_all, open_all
from benchmarks.measures import loadgen, peak
from benchmarks.measures.blocks import Timed
from benchmarks.notes import accuracy_notes, loadgen_notes, machine_notes, timing_notes
from benchmarks.report import BenchmarkReport, Measurement, Progress
from benchmarks.settings import Settings
from benchmarks.sources import evaluation_sets, model_files
from benchmarks.subject import Subject
from benchmarks.timing import time_all
from edge_runtime import engines
from edge_runtime.engines import ENGINES
from edge_runtime.errors import EdgeError, UsageError


def benchmark(
    sources: Sequence[Path],
    settings: Settings | None = None,
    *,
    evaluation: Path | None = None,
    progress: Progress = lambda _stage, _done, _total: None,
) -> BenchmarkReport:
    """Measure model files. One that cannot be measured says why; the others are still measured.

    Args:
        sources: model files, and folders, which mean their `.tflite` and `.onnx` files.
        settings: how long to measure, and what is good enough; None is the defaults.
        evaluation: the evaluation set; by default each file's own, `evaluation.npz` beside it.
        progress: told what is being done.

    Raises:
        UsageError: a folder or the evaluation set is missing, a folder holds no model files, or
            the settings contradict each other, the files or this machine.
        EngineError: MLPerf's LoadGen is asked for and not installed, or an engine is chosen that
            does not start.
    """
    settings = settings or Settings()
    _require_possible(settings)
    _require_engine(settings, model_files(sources))
    started, clock = datetime.now(UTC), perf_counter()
    subjects = _subjects(sources, evaluation, settings)
    before = machine.state()
    open_all(subjects, settings, progress)
    judge_all(subjects, settings, progress)
    timed = Timed(())
    peaks: tuple[peak.Peak, ...] = ()
    if settings.timing:
        timed = time_all(subjects, settings, progress)
    if settings.timing and settings.peak_seconds:
        progress("measuring the limit of this machine", 0, 1)
        peaks = peak.measure(settings.num_threads, settings.cores, settings.peak_seconds)
    after, here = machine.state(), machine.describe()
    rows = tuple(subject.row for subject in subjects)
    return BenchmarkReport(
        started=started.isoformat(timespec="seconds"),
        duration_seconds=round(perf_counter() - clock, 3),
        settings=settings,
        machine=here,
        before=before,
        after=after,
        measurements=rows,
        yardstick=timed.yardstick,
        timer_overhead_ns=timed.timer_overhead_ns,
        peaks=peaks,
        notes=(
            *accuracy_notes(rows),
            *timing_notes(rows),
            *loadgen_notes(rows),
            *machine_notes(rows, here, before, after),
        ),
    )


def _require_possible(settings: Settings) -> None:
    """Here and not in `Settings`, which a report carries to other machines."""
    if not settings.timing and (settings.loadgen or settings.throughput):
        raise UsageError("--no-timing leaves no times; leave out --loadgen and --throughput")
    if settings.cores is not None:
        _require_cores(settings.cores)
    if settings.loadgen:
        loadgen.require_installed()


def _require_engine(settings: Settings, files: Sequence[Path]) -> None:
    """Refuse an engine that does not start, or that has no file to run."""
    if settings.backend == "auto":
        return
    form = ENGINES[settings.backend].format
    engines.start(form, settings.backend)
    if all(settings.engine_for(file) == "auto" for file in files):
        raise UsageError(
            f"--backend {settings.backend} runs .{form} files, and none is named; "
            "name one or leave it out"
        )


def _require_cores(cores: Sequence[int]) -> None:
    if not hasattr(os, "sched_getaffinity"):
        raise UsageError("--cores: this system keeps no process on a core; leave it out")
    known = os.sched_getaffinity(0)
    if not cores or not known.issuperset(cores):
        raise UsageError(
            f"--cores is {','.join(map(str, cores))}, expected some of "
            f"{','.join(map(str, sorted(known)))}"
        )


def _subjects(
    sources: Sequence[Path], evaluation: Path | None, settings: Settings
) -> list[Subject]:
    """The files with their evaluation sets; one whose set cannot be used is timed all the same."""
    files = model_files(sources)
    sets = evaluation_sets(files, evaluation, settings)
    subjects = []
    for file in files:
        size_bytes = file.stat().st_size if file.is_file() else None
        subject = Subject(Measurement(str(file), size_bytes))
        found = sets[file]
        if isinstance(found, EdgeError):
            subject.add(failure=str(found))
        else:
            subject.evaluation = found
        subjects.append(subject)
    return subjects
