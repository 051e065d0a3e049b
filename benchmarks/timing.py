"""The second half of a benchmark: time every file that is open, in all the ways asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.measures import blocks, loadgen, pipeline
from benchmarks.measures.blocks import Timed
from benchmarks.report import Progress
from benchmarks.settings import Settings
from benchmarks.subject import Subject
from edge_runtime.errors import EdgeError
from edge_runtime.parallel import cores


def time_all(subjects: Sequence[Subject], settings: Settings, progress: Progress) -> Timed:
    """Time the files in turns, and follow pictures through each; returns what is of no one file."""
    timed = _time(subjects, settings, progress)
    _each(subjects, "following pictures from disk", progress, lambda one: _follow(one, settings))
    if settings.loadgen is not None:
        _each(subjects, "measuring with LoadGen", progress, lambda one: _referee(one, settings))
    return timed


def _time(subjects: Sequence[Subject], settings: Settings, progress: Progress) -> Timed:
    alive = [subject for subject in subjects if subject.classifier is not None]
    timed = blocks.time_blocks(
        [blocks.Entry(one.path, one.pictures) for one in alive],
        settings,
        lambda done: progress("timing in turns", done, settings.blocks),
    )
    for subject, timing in zip(alive, timed.entries, strict=True):
        if isinstance(timing, EdgeError):
            subject.fail(timing)
        else:
            subject.add(timing=timing)
    return timed


def _each(
    subjects: Sequence[Subject], stage: str, progress: Progress, work: Callable[[Subject], None]
) -> None:
    """Do something with every file that is open; one that fails is noted and the others go on."""
    for done, subject in enumerate(subjects):
        if subject.classifier is None:
            continue
        progress(stage, done, len(subjects))
        try:
            work(subject)
        except EdgeError as error:
            subject.fail(error)


def _follow(subject: Subject, settings: Settings) -> None:
    """From its file on, what a picture costs; and where asked for, pictures a second."""
    threads, batch_sizes = [settings.num_threads], []
    if settings.throughput:
        threads = sorted({1, settings.num_threads, len(settings.cores or range(cores()))})
        batch_sizes = list(pipeline.BATCH_SIZES)
    for num_threads in threads:
        stages, rates = pipeline.measure(
            subject.path,
            subject.pictures,
            batch_sizes=batch_sizes,
            engine=settings.engine_for(subject.path),
            num_threads=num_threads,
            cores=settings.cores,
            seconds=settings.seconds / 5,
        )
        if num_threads == settings.num_threads:
            subject.add(stages=stages)
        subject.add(rates=(*subject.row.rates, *rates))


def _referee(subject: Subject, settings: Settings) -> None:
    assert settings.loadgen is not None
    result = loadgen.run(subject.path, subject.pictures, settings.loadgen, settings)
    subject.add(loadgen=result)
