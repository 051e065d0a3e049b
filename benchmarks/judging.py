"""The first half of a benchmark: open every file, and judge its answers."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import engines
from benchmarks.evaluation import EvaluationSet
from benchmarks.measures import accuracy, macs, size, startup
from benchmarks.measures.answers import ask, require_fit
from benchmarks.report import Progress
from benchmarks.settings import Settings
from benchmarks.subject import Subject
from edge_runtime import modelfile
from edge_runtime.classifier import Classifier
from edge_runtime.errors import EdgeError
from edge_runtime.modelfile import ModelFile
from edge_runtime.parallel import cores

_OPENING: Final = "opening in fresh processes"


def open_all(subjects: Sequence[Subject], settings: Settings, progress: Progress) -> None:
    """Open each file, in fresh processes first: what crashes an engine must not end the benchmark."""
    # A damaged one is never handed to an engine.
    files = {index: file for index, one in enumerate(subjects) if (file := _read(one)) is not None}
    try_out = _sample_in_turns if settings.timing else _try_at_once
    for index in try_out(subjects, list(files), settings, progress):
        _open(subjects[index], files[index], settings)


def _read(subject: Subject) -> ModelFile | None:
    try:
        return modelfile.read(subject.path)
    except EdgeError as error:
        subject.fail(error)
        return None


def _try_at_once(
    subjects: Sequence[Subject], whole: Sequence[int], settings: Settings, progress: Progress
) -> list[int]:
    """Which of the whole files open, found on all cores, since nothing is timed."""

    def opens(index: int) -> bool:
        path = subjects[index].path
        try:
            startup.require_open(
                path, engine=settings.engine_for(path), num_threads=settings.num_threads
            )
        except EdgeError as error:
            subjects[index].fail(error)
            return False
        return True

    alive = []
    with ThreadPoolExecutor(cores()) as pool:
        for done, (index, good) in enumerate(zip(whole, pool.map(opens, whole), strict=True), 1):
            progress(_OPENING, done, len(whole))
            alive += [index] * good
    return alive


def _sample_in_turns(
    subjects: Sequence[Subject], whole: Sequence[int], settings: Settings, progress: Progress
) -> list[int]:
    """Which of the whole files open, with what that takes; in turns, so that all meet one machine."""
    samples: dict[int, list[startup.Sample]] = {index: [] for index in whole}
    for turn in range(settings.processes):
        for done, index in enumerate(list(samples)):
            progress(_OPENING, turn * len(whole) + done, settings.processes * len(whole))
            path = subjects[index].path
            try:
                found = startup.sample(
                    path,
                    engine=settings.engine_for(path),
                    num_threads=settings.num_threads,
                    cores=settings.cores,
                )
            except EdgeError as error:
                subjects[index].fail(error)
                del samples[index]
            else:
                samples[index].append(found)
    for index, taken in samples.items():
        opening, memory = startup.middle(taken)
        subjects[index].add(startup=opening, memory=memory)
    return list(samples)


def _open(subject: Subject, file: ModelFile, settings: Settings) -> None:
    engine = settings.engine_for(file.path)
    try:
        subject.classifier = Classifier.from_file(
            file, backend=engine, num_threads=settings.num_threads
        )
    except EdgeError as error:
        subject.fail(error)
        return
    spec = subject.classifier.spec
    subject.add(
        name=spec.name,
        variant=spec.variant.name if spec.variant else None,
        sha256=file.sha256,
        engine=engines.running(file.format, engine),
        work=macs.count(file),
        size=size.parts(file),
    )


def judge_all(subjects: Sequence[Subject], settings: Settings, progress: Progress) -> None:
    """Have each file classify its evaluation set, and compare with the truth and the original."""
    _predict(subjects, settings, progress)
    for subject in subjects:
        if subject.evaluation is None or subject.scores is None or subject.spec is None:
            continue
        reference = _reference(subject, subject.evaluation, subjects)
        judged = accuracy.judge(subject.scores, subject.evaluation, subject.spec.labels, reference)
        subject.add(accuracy=judged, outside=accuracy.outside(judged, settings))


def _predict(subjects: Sequence[Subject], settings: Settings, progress: Progress) -> None:
    """A file on each core, each in a fresh process: engines compute one picture no faster on two."""
    asked = [subject for subject in subjects if _fits(subject)]
    # The largest first, so that no core is left with a long one at the end.
    asked.sort(key=lambda one: -(one.row.size_bytes or 0))
    total = sum(len(one.evaluation.images) for one in asked if one.evaluation)
    done = 0
    progress("classifying the evaluation set", done, total)
    with (
        tempfile.TemporaryDirectory(prefix="benchmarks-") as folder,
        ThreadPoolExecutor(cores()) as pool,
    ):
        images = _written(asked, Path(folder))
        answers = [
            pool.submit(
                ask,
                one.path,
                images[id(one.evaluation)],
                engine=settings.engine_for(one.path),
                num_threads=settings.num_threads,
            )
            for one in asked
        ]
        for subject, answer in zip(asked, answers, strict=True):
            try:
                subject.scores = answer.result()
                done += len(subject.scores)
            except EdgeError as error:
                subject.fail(error)
            progress("classifying the evaluation set", done, total)


def _fits(subject: Subject) -> bool:
    """Whether there are pictures to ask an open file about; it fails where they are not its own."""
    if subject.spec is None or subject.evaluation is None:
        return False
    try:
        require_fit(subject.spec, subject.evaluation)
    except EdgeError as error:
        subject.fail(error)
        return False
    return True


def _written(subjects: Sequence[Subject], folder: Path) -> dict[int, Path]:
    """Where the pictures of each evaluation set are, which several files may share."""
    sets = {id(one.evaluation): one.evaluation for one in subjects if one.evaluation}
    places = {}
    for number, (key, evaluation) in enumerate(sets.items()):
        places[key] = folder / f"{number}.npy"
        np.save(places[key], evaluation.images)
    return places


def _reference(
    subject: Subject, evaluation: EvaluationSet, subjects: Sequence[Subject]
) -> tuple[str, NDArray[np.float32]] | None:
    """The original's scores where they are known, else those of the same model's float32 file."""
    if evaluation.scores is not None:
        return accuracy.ORIGINAL, evaluation.scores
    for other in subjects:
        same = other.evaluation is evaluation and _origin(other) == _origin(subject)
        if same and _is_float32(other) and other.scores is not None:
            return other.row.file, other.scores
    return None


def _origin(subject: Subject) -> tuple[str, str | None] | None:
    """What the exported files of one Keras model have in common."""
    spec = subject.spec
    return None if spec is None else (spec.name, spec.provenance.source_sha256)


def _is_float32(subject: Subject) -> bool:
    variant = subject.spec.variant if subject.spec else None
    return variant is not None and variant.precision == "float32"
