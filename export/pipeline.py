"""Load → make each file → compare them → write: the folder appears when all is done, or not at all."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np

from edge_runtime.description import Description
from edge_runtime.errors import UsageError
from edge_runtime.files import new_directory
from edge_runtime.parallel import cores
from edge_runtime.spec import ModelSpec
from export import chatter, latency, page, report, tools
from export import source as sources
from export.limits import Limits
from export.make import Job, file_name, make
from export.plan import left_out, not_raw, plan
from export.prepare import measured, prepare
from export.recommend import recommended
from export.report import ExportReport, Prefer, VariantReport
from export.source import Given
from export.source.loading import constants_inside
from export.tell import Tell, nobody
from export.variants import USUAL, Variant, fitting
from export.verify import without_strangers

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)  # the next file would not fit either


def export(
    model: Any,
    spec: ModelSpec | None = None,
    *,
    out: Path | None = None,
    description: Description = Description(),  # noqa: B008  frozen
    trusted: bool = False,
    evaluation: Given | None = None,
    calibration: Given | None = None,
    variants: Sequence[Variant] = USUAL,
    limits: Limits = Limits(),  # noqa: B008  frozen
    repair: bool = True,
    prefer: Prefer = "size",
    jobs: int | None = None,
    overwrite: bool = False,
    verbose: bool = False,
    tell: Tell = nobody,
) -> ExportReport:
    """Make model files of a trained Keras model, and publish those that agree with it.

    >>> report = export(model, spec, evaluation=(test_images, test_labels), calibration=images)

    Args:
        model: a keras.Model; or the path of a run directory of `python -m train`, of a `.keras`,
            `.h5` or `.hdf5` file, or of a SavedModel's folder. It takes float32 (n, height, width,
            channels), or (n, height, width), and gives (n, classes), probabilities or logits. A
            model in memory is left as it is.
        spec: what a model made elsewhere does not say: labels in the order of its scores, size,
            colour, and `mean` and `std` in pixel units 0..255, such that it was trained on
            (pixel - mean) / std. A model of `python -m train` says it itself.
        out: the folder to make: the model files, export.json, report.html, evaluation.npz with the
            original's `scores`, and export.log. It appears in one step when all is done. The
            default is exported/ and the model's name.
        description: instead of `spec`: labels, normalisation and so on as the command line's flags.
        trusted: code inside the model file may run.
        evaluation: pictures to judge by: uint8 0..255 of shape (n, height, width, channels), RGB or
            grey, or a pair of these and their classes, whole numbers of shape (n,); or the path of
            a run directory, of a folder of pictures (in sub-folders named like the labels where
            these are known), of an .npz with `images` and, where known, `labels`, or a data set's
            name. A run directory that is exported has its own.
        calibration: pictures for integer variants, likewise; none of the evaluation's.
        variants: what to make; see `export.variants.select`.
        limits: how far a file may differ from the original; one outside is not published.
        repair: whether an int8 file outside the limits is made again with its worst layers in
            floats, or in another precision.
        prefer: what the recommended file should be best at.
        jobs: how many files are verified at a time, each on one thread, while another is converted;
            by default one a core. The files are the same whatever it is.
        overwrite: replace `out`, where it is an earlier export.
        verbose: let TensorFlow and the converters print; without it their words go to export.log.
        tell: is told what is being done, `steps(variants)` times where nothing goes wrong; by
            several threads, one at a time each.

    Returns:
        What was made, what was not, and every figure.

    Raises:
        OutputError: `out` exists or cannot be written.
        UsageError: `model` is no model, or something that it does not say is missing or wrong.
        InputError: the evaluation or calibration pictures are missing or unfit.
        ModelError: the Keras model cannot be used, or its spec is wrong.
        EngineError: TensorFlow or a converter is not installed.
    """
    started = perf_counter()
    if jobs is not None and jobs < 1:
        raise UsageError(f"--jobs is {jobs}, expected 1 or more")
    out = out or sources.folder_for(model, spec)
    planned = plan(
        model,
        out,
        spec=spec,
        description=description,
        trusted=trusted,
        evaluation=evaluation,
        calibration=calibration,
        variants=variants,
        overwrite=overwrite,
    )
    with (
        new_directory(out, overwrite=overwrite, mark=report.NAME) as folder,
        chatter.sent_to(
            folder / report.LOG, kept=out.with_name(f"{out.name}.{report.LOG}"), verbose=verbose
        ),
    ):
        job, remarks = prepare(
            planned.origin,
            planned.places,
            planned.source,
            limits=limits,
            versions=tools.versions(planned.variants),
            tell=tell,
        )
        fit = fitting(variants, job.spec.image.color, rounds=job.rounds)  # now that it is loaded
        job = replace(job, repair=repair, asked=fit)
        made = _all(fit, job, folder, tell, jobs or cores())
        tell("measuring speed")
        timed = _timed(made, job, folder)
        finished = replace(
            _figures(job, timed, prefer),
            remarks=(
                *remarks,
                *_sampled(made, len(job.source.evaluation)),
                *not_raw(fit, job.spec.image),
                *left_out(variants, fit, rounds=job.rounds),
            ),
            seconds=perf_counter() - started,
        )
        _write(folder, job, finished)
    return finished


def _figures(job: Job, made: tuple[VariantReport, ...], prefer: Prefer) -> ExportReport:
    """The report, but for its remarks and the time."""
    source, best = job.source, recommended(made, prefer)
    return ExportReport(
        name=job.spec.name,
        source=str(source.model),
        source_sha256=source.sha256,
        reference=measured(job),
        limits=job.limits,
        versions=job.spec.provenance.versions,
        seconds=0.0,
        variants=made,
        evaluation_source=source.evaluated_on,
        evaluation_images=len(source.evaluation),
        calibration=None if job.calibration is None else job.calibration.manifest,
        labels=job.spec.labels,
        recommended=None if best is None else best.file,
        recommended_for=prefer,
    )


def steps(variants: Sequence[Variant]) -> int:
    """How many times `export` calls `tell`, when nothing goes wrong."""
    return 3 + 2 * len(variants)


def _all(
    variants: Sequence[Variant], job: Job, folder: Path, tell: Tell, jobs: int
) -> tuple[VariantReport, ...]:
    """Every file, in the order of the variants; those outside their limits are gone again."""
    with constants_inside(job.model), ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(_attempt, variant, job, folder, tell) for variant in variants]
        try:
            made = tuple(each.result() for each in waiting)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if not job.rounds:  # where it rounds, the last digit decides on a step
        made = without_strangers(made, job.answers)
    for variant in made:
        if not variant.published:
            (folder / variant.file).unlink(missing_ok=True)
    return made


def _attempt(variant: Variant, job: Job, folder: Path, tell: Tell) -> VariantReport:
    """One file that cannot be made must not cost the others."""
    try:
        return make(variant, job, folder, tell)
    except Exception as error:  # converters and engines raise anything
        if isinstance(error, OSError) and error.errno in _FULL:
            raise
        file = file_name(variant, job)
        (folder / file).unlink(missing_ok=True)
        reason = str(error).strip().partition("\n")[0]
        return VariantReport(
            file=file,
            format=variant.format,
            precision=variant.precision,
            option=variant.option,
            published=False,
            problems=(
                f"it could not be made ({type(error).__name__}: {reason}); see {report.LOG}",
            ),
        )


def _sampled(made: Sequence[VariantReport], pictures: int) -> Iterator[str]:
    for variant in made:
        if variant.parity is not None and variant.parity.images < pictures:
            yield (
                f"{variant.file} is judged by {variant.parity.images:,} of the {pictures:,} "
                "pictures, since no engine has fast kernels for it"
            )


def _timed(made: tuple[VariantReport, ...], job: Job, folder: Path) -> tuple[VariantReport, ...]:
    files = [folder / variant.file for variant in made if variant.published]
    found = latency.measure(files, job.source.evaluation)
    return tuple(replace(variant, latency_ms=found.get(variant.file)) for variant in made)


def _write(folder: Path, job: Job, finished: ExportReport) -> None:
    source = job.source
    arrays = {"images": source.evaluation, "labels": source.labels, "scores": job.reference}
    known: dict[str, Any] = {name: array for name, array in arrays.items() if array is not None}
    with (folder / sources.EVALUATION).open("wb") as file:
        np.savez_compressed(file, **known)
    html = page.render(finished, reference=job.reference, answers=job.answers, labels=source.labels)
    (folder / report.PAGE).write_text(html, encoding="utf-8")
    (folder / report.NAME).write_text(finished.to_json(), encoding="utf-8")
