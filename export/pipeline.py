"""Load → make each file → compare them → write: the folder appears when all is done, or not at all."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np

from edge_runtime import spec
from edge_runtime.description import Description
from edge_runtime.files import new_directory, refuse_existing
from edge_runtime.postprocess import probabilities
from export import calibration as calibrations
from export import chatter, doubt, latency, page, report, tools
from export import source as sources
from export.calibration import CalibrationSet
from export.formats.fake_quant import is_fake_quantized
from export.limits import Limits
from export.make import Job, file_name, make
from export.recommend import recommended
from export.report import ExportReport, Prefer, VariantReport
from export.source import Origin, Places, Source
from export.tell import Tell, nobody
from export.variants import USUAL, Variant, fitting
from export.verify import reference_scores, without_strangers

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)  # the next file would not fit either


def export(
    model: Path,
    out: Path,
    *,
    description: Description = Description(),  # noqa: B008  frozen
    trusted: bool = False,
    evaluation: Path | None = None,
    calibration: Path | None = None,
    variants: Sequence[Variant] = USUAL,
    limits: Limits = Limits(),  # noqa: B008  frozen
    repair: bool = True,
    prefer: Prefer = "size",
    overwrite: bool = False,
    verbose: bool = False,
    tell: Tell = nobody,
) -> ExportReport:
    """Make model files of a trained Keras model, and publish those that agree with it.

    Args:
        model: a run directory of `python -m train`, a `.keras`, `.h5` or `.hdf5` file, or a
            SavedModel's folder. It takes (n, height, width, channels), or (n, height, width), and
            gives (n, classes), probabilities or logits.
        out: the folder to make: the model files, export.json, report.html, evaluation.npz with the
            original's `scores`, and export.log. It appears in one step when all is done.
        description: labels, normalisation and so on of a model made elsewhere.
        trusted: code inside the model file may run.
        evaluation: pictures to judge by: a run directory, a folder of pictures (in sub-folders
            named like the labels where these are known) or an .npz with `images`, uint8 0..255 of
            shape (n, height, width, channels), and, where known, `labels`. A run directory that is
            exported has its own.
        calibration: pictures for integer variants, likewise.
        variants: what to make.
        limits: how far a file may differ from the original; one outside is not published.
        repair: whether an int8 file outside the limits is made again with its worst layers in
            floats, or in another precision.
        prefer: what the recommended file should be best at.
        overwrite: replace `out`, where it is an earlier export.
        verbose: let TensorFlow and the converters print; without it their words go to export.log.
        tell: is told what is being done, `steps(variants)` times where nothing goes wrong.

    Returns:
        What was made, what was not, and every figure.

    Raises:
        OutputError: `out` exists or cannot be written.
        UsageError: `model` is no model, or something that it does not say is missing.
        InputError: the evaluation or calibration pictures are missing or unfit.
        ModelError: the Keras model cannot be used, or its spec is wrong.
        EngineError: TensorFlow or a converter is not installed.
    """
    started = perf_counter()
    refuse_existing(out, overwrite=overwrite, mark=report.NAME)
    origin = sources.find(model, description, trusted=trusted)
    places = sources.places(
        origin,
        evaluation=evaluation,
        calibration=calibration,
        calibrate=any(variant.needs_calibration for variant in variants),
    )
    source = None if origin.spec is None else sources.gather(origin, origin.spec, places)
    tools.require(variants)
    with (
        new_directory(out, overwrite=overwrite, mark=report.NAME) as folder,
        chatter.sent_to(
            folder / report.LOG, kept=out.with_name(f"{out.name}.{report.LOG}"), verbose=verbose
        ),
    ):
        job, remarks = _load(
            origin,
            places,
            source,
            limits=limits,
            versions=tools.versions(variants),
            tell=tell,
        )
        fit = fitting(variants, job.spec.image.color)
        job = replace(job, repair=repair, asked=fit)
        made = tuple(_attempt(each, job, folder, tell) for each in fit)
        if not is_fake_quantized(job.model):  # where it rounds, the last digit decides on a step
            made = without_strangers(made, job.scores)
        for variant in made:
            if not variant.published:
                (folder / variant.file).unlink(missing_ok=True)
        tell("measuring speed")
        timed = _timed(made, job, folder)
        best = recommended(timed, prefer)
        finished = ExportReport(
            name=job.spec.name,
            source=str(job.source.model),
            source_sha256=job.source.sha256,
            reference=_measured(job),
            limits=limits,
            versions=job.spec.provenance.versions,
            seconds=perf_counter() - started,
            variants=timed,
            evaluation_source=job.source.evaluated_on,
            evaluation_images=len(job.source.evaluation),
            calibration=None if job.calibration is None else job.calibration.manifest,
            labels=job.spec.labels,
            recommended=None if best is None else best.file,
            recommended_for=prefer,
            remarks=(*remarks, *_doubts(job)),
        )
        _write(folder, job, finished)
    return finished


def steps(variants: Sequence[Variant]) -> int:
    """How many times `export` calls `tell`, when nothing goes wrong."""
    return 3 + 2 * len(variants)


def _load(
    origin: Origin,
    places: Places,
    source: Source | None,
    *,
    limits: Limits,
    versions: dict[str, str],
    tell: Tell,
) -> tuple[Job, tuple[str, ...]]:
    tell("loading TensorFlow and the Keras model")
    model, trained, remarks = sources.load(origin)
    tell("asking the Keras model")
    if source is None:  # only now is it known what its pictures look like
        source = sources.gather(origin, trained, places)
        doubt.refuse_a_wrong_range(source, model)
    scores = reference_scores(model, source.evaluation, trained.image)
    job = Job(
        source=source,
        spec=replace(
            trained,
            provenance=spec.Provenance(
                source.sha256, source.seed, {**trained.provenance.versions, **versions}
            ),
        ),
        model=model,
        reference=probabilities(scores, trained.scores, trained.decision.temperature),
        calibration=_calibration_set(source, model),
        limits=limits,
    )
    # Training knew the accuracy on its whole test set; the pictures here may be a part of it.
    known = trained.reference or _measured(job)
    return replace(job, spec=replace(job.spec, reference=known)), remarks


def _calibration_set(source: Source, model: Any) -> CalibrationSet | None:
    shown = source.calibrated_on
    if shown is None:
        return None
    calibrations.refuse_another_range(shown.pixels, source.evaluation)
    return calibrations.with_instability(
        CalibrationSet(
            pixels=shown.pixels,
            scores=reference_scores(model, shown.pixels, source.spec.image),
            image=source.spec.image,
            manifest=calibrations.manifest(shown),
        ),
        model,
    )


def _measured(job: Job) -> spec.Reference | None:
    """How well the original does on the evaluation pictures of this export."""
    source = job.source
    if source.labels is None:
        return None
    right = job.reference.argmax(axis=1) == source.labels
    return spec.Reference(float(np.mean(right)), len(right), source.evaluated_on)


def _doubts(job: Job) -> tuple[str, ...]:
    """What makes the figures worth less than they look."""
    doubts = []
    if job.source.labels is None:
        doubts.append("no true labels: files are judged by their agreement with the original alone")
    used = job.calibration
    if used is not None and used.too_few:
        doubts.append(
            f"{used.manifest.images} calibration pictures are too few: the ranges of one half are "
            f"{used.manifest.instability:.0%} off the other's; give more with --calibration"
        )
    return tuple(doubts)


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
    html = page.render(finished, reference=job.reference, scores=job.scores, labels=source.labels)
    (folder / report.PAGE).write_text(html, encoding="utf-8")
    (folder / report.NAME).write_text(finished.to_json(), encoding="utf-8")
