"""The benchmark: open every file, judge its accuracy, time all in turns, and report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks import (
    accuracy,
    blocks,
    latency,
    loadgen,
    machine,
    macs,
    peak,
    pipeline,
    size,
    startup,
)
from benchmarks.evaluation import EvaluationSet
from benchmarks.notes import accuracy_notes, machine_notes
from benchmarks.report import BenchmarkReport, Measurement
from benchmarks.settings import Settings
from benchmarks.sources import evaluation_sets, model_files
from edge_runtime import modelfile
from edge_runtime.classifier import Classifier
from edge_runtime.errors import EdgeError

Progress = Callable[[str, int, int], None]  # what is being done, how much of it, of how much

_PICTURES = 64  # that calls are timed on: not always the same one, and few enough to stay at hand


@dataclass
class _Subject:
    """A file on its way through the benchmark."""

    row: Measurement
    evaluation: EvaluationSet | None
    classifier: Classifier | None = None  # None until the file is open, and once it has failed
    scores: NDArray[np.float32] | None = None

    def fail(self, error: EdgeError) -> None:
        self.row, self.classifier = replace(self.row, failure=str(error)), None


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
        UsageError: a folder is missing or holds no model files.
        InputError: an evaluation set cannot be read.
        EngineError: MLPerf's LoadGen is asked for and not installed.
    """
    settings = settings or Settings()
    if settings.loadgen:
        loadgen.require_installed()
    started, clock = datetime.now(UTC), perf_counter()
    files = model_files(sources)
    sets = evaluation_sets(files, evaluation, settings)
    subjects = [_Subject(_unmeasured(file), sets[file]) for file in files]
    before = machine.state()
    _open(subjects, settings, progress)
    _predict(subjects, progress)
    _judge(subjects, settings)
    yardstick: latency.Timing | None = None
    peaks: tuple[peak.Peak, ...] = ()
    if settings.timing:
        yardstick = _time(subjects, settings, progress)
        _follow(subjects, settings, progress)
        _have_refereed(subjects, settings, progress)
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
        yardstick=yardstick,
        peaks=peaks,
        notes=(*accuracy_notes(rows), *machine_notes(rows, here, before, after)),
    )


def _unmeasured(file: Path) -> Measurement:
    return Measurement(str(file), size_bytes=file.stat().st_size if file.is_file() else None)


def _open(subjects: Sequence[_Subject], settings: Settings, progress: Progress) -> None:
    """Open each file, in fresh processes first: what crashes an engine must not end the benchmark."""
    for done, subject in enumerate(subjects):
        progress("opening in fresh processes", done, len(subjects))
        path, threads = Path(subject.row.file), settings.num_threads
        try:
            file = modelfile.read(path)
            opening, memory = None, None
            if settings.timing:
                opening, memory = startup.measure(
                    path, processes=settings.processes, num_threads=threads
                )
            else:
                startup.require_open(path, num_threads=threads)
            subject.classifier = Classifier.from_file(file, num_threads=threads)
        except EdgeError as error:
            subject.fail(error)
            continue
        spec = subject.classifier.spec
        subject.row = replace(
            subject.row,
            name=spec.name,
            variant=spec.variant.name if spec.variant else None,
            sha256=file.sha256,
            startup=opening,
            memory=memory,
            work=macs.count(file),
            size=size.parts(file),
        )


def _predict(subjects: Sequence[_Subject], progress: Progress) -> None:
    """Have each file classify every picture of its evaluation set, a file on each core."""
    total = sum(len(one.evaluation.images) for one in subjects if one.evaluation)
    done = 0
    with ThreadPoolExecutor(max_workers=machine.cores()) as pool:
        progress("classifying the evaluation set", done, total)
        answers = [
            (subject, pool.submit(accuracy.predict, subject.classifier, subject.evaluation))
            for subject in subjects
            if subject.classifier is not None and subject.evaluation is not None
        ]
        for subject, answer in answers:
            try:
                subject.scores = answer.result()
                done += len(subject.scores)
            except EdgeError as error:
                subject.fail(error)
            progress("classifying the evaluation set", done, total)


def _judge(subjects: Sequence[_Subject], settings: Settings) -> None:
    """Compare each file's answers with the truth and with its reference."""
    for subject in subjects:
        if subject.evaluation is None or subject.scores is None or subject.classifier is None:
            continue
        reference = _reference(subject, subject.evaluation, subjects)
        labels = subject.classifier.spec.labels
        judged = accuracy.judge(subject.scores, subject.evaluation, labels, reference)
        subject.row = replace(
            subject.row, accuracy=judged, outside=accuracy.outside(judged, settings)
        )


def _reference(
    subject: _Subject, evaluation: EvaluationSet, subjects: Sequence[_Subject]
) -> tuple[str, NDArray[np.float32]] | None:
    """The original's scores where they are known, else those of the same model's float32 file."""
    if evaluation.scores is not None:
        return accuracy.ORIGINAL, evaluation.scores
    for other in subjects:
        same = other.evaluation is evaluation and _origin(other) == _origin(subject)
        if same and _is_float32(other) and other.scores is not None:
            return other.row.file, other.scores
    return None


def _origin(subject: _Subject) -> tuple[str, str | None] | None:
    """What the exported files of one Keras model have in common."""
    if subject.classifier is None:
        return None
    spec = subject.classifier.spec
    return spec.name, spec.provenance.source_sha256


def _is_float32(subject: _Subject) -> bool:
    variant = subject.classifier.spec.variant if subject.classifier else None
    return variant is not None and variant.precision == "float32"


def _time(
    subjects: Sequence[_Subject], settings: Settings, progress: Progress
) -> latency.Timing | None:
    """Time the files that are open, in turns; returns the yardstick's timing."""
    alive = [subject for subject in subjects if subject.classifier is not None]
    entries = [
        blocks.Entry(Path(one.row.file), _pictures(one.classifier, one.evaluation))
        for one in alive
        if one.classifier is not None
    ]
    timings, yardstick = blocks.time_blocks(
        entries, settings, lambda done: progress("timing in turns", done, settings.blocks)
    )
    for subject, timing in zip(alive, timings, strict=True):
        if isinstance(timing, EdgeError):
            subject.fail(timing)
        else:
            subject.row = replace(subject.row, timing=timing)
    return yardstick


def _follow(subjects: Sequence[_Subject], settings: Settings, progress: Progress) -> None:
    """Follow pictures from their files through each open model, and count them a second."""
    threads, batch_sizes = [settings.num_threads], []
    if settings.throughput:
        threads = sorted({1, settings.num_threads, len(settings.cores or range(machine.cores()))})
        batch_sizes = list(pipeline.BATCH_SIZES)
    for done, subject in enumerate(subjects):
        if subject.classifier is None:
            continue
        progress("following pictures from disk", done, len(subjects))
        pictures = _pictures(subject.classifier, subject.evaluation)
        try:
            for num_threads in threads:
                stages, rates = pipeline.measure(
                    Path(subject.row.file),
                    pictures,
                    batch_sizes=batch_sizes,
                    num_threads=num_threads,
                    cores=settings.cores,
                    seconds=settings.seconds / 5,
                )
                if num_threads == settings.num_threads:
                    subject.row = replace(subject.row, stages=stages)
                subject.row = replace(subject.row, rates=(*subject.row.rates, *rates))
        except EdgeError as error:
            subject.fail(error)


def _have_refereed(subjects: Sequence[_Subject], settings: Settings, progress: Progress) -> None:
    """Have LoadGen measure each open file, where that is asked for."""
    if settings.loadgen is None:
        return
    for done, subject in enumerate(subjects):
        if subject.classifier is None:
            continue
        progress("measuring with LoadGen", done, len(subjects))
        pictures = _pictures(subject.classifier, subject.evaluation)
        try:
            result = loadgen.run(Path(subject.row.file), pictures, settings.loadgen, settings)
        except EdgeError as error:
            subject.fail(error)
            continue
        subject.row = replace(subject.row, loadgen=result)


def _pictures(classifier: Classifier, evaluation: EvaluationSet | None) -> NDArray[np.uint8]:
    """Pictures to time a model on: the evaluation set's first, or else noise."""
    if evaluation is not None:
        return evaluation.images[:_PICTURES]
    image = classifier.spec.image
    shape = (_PICTURES, image.height, image.width, image.channels)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)
