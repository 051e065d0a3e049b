"""Load → make each file → write: the folder appears when all is done, or not at all."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np

from edge_runtime import spec
from edge_runtime.files import new_directory, refuse_existing
from edge_runtime.postprocess import probabilities
from export import chatter, report, tools
from export import source as sources
from export.calibration import CalibrationSet, manifest
from export.limits import Limits
from export.make import Job, file_name, make
from export.report import ExportReport, VariantReport
from export.source import Source
from export.tell import Tell, nobody
from export.variants import VARIANTS, Variant
from export.verify import reference_scores

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)  # the next file would not fit either


def export(
    run: Path,
    out: Path,
    *,
    variants: Sequence[Variant] = VARIANTS,
    limits: Limits = Limits(),  # noqa: B008  frozen
    overwrite: bool = False,
    verbose: bool = False,
    tell: Tell = nobody,
) -> ExportReport:
    """Make model files of a trained Keras model, and publish those that agree with it.

    Args:
        run: a run directory of `python -m train`: model.keras with its spec, evaluation.npz and,
            for integer variants, calibration.npz.
        out: the folder to make: the model files, export.json, evaluation.npz with the original's
            `scores`, and export.log. It appears in one step when all is done.
        variants: what to make.
        limits: how far a file may differ from the original; one outside is not published.
        overwrite: replace `out`, where it is an earlier export.
        verbose: let TensorFlow and the converters print; without it their words go to export.log.
        tell: is told what is being done, `steps(variants)` times at most.

    Returns:
        What was made, what was not, and every figure.

    Raises:
        OutputError: `out` exists or cannot be written.
        UsageError: `run` is not a run directory.
        InputError: the evaluation or calibration pictures are missing or unfit.
        ModelError: the Keras model cannot be used, or its spec is wrong.
        EngineError: TensorFlow or a converter is not installed.
    """
    started = perf_counter()
    refuse_existing(out, overwrite=overwrite, mark=report.NAME)
    source = sources.read(run, calibration=any(variant.needs_calibration for variant in variants))
    tools.require(variants)
    with (
        new_directory(out, overwrite=overwrite, mark=report.NAME) as folder,
        chatter.sent_to(
            folder / report.LOG, kept=out.with_name(f"{out.name}.{report.LOG}"), verbose=verbose
        ),
    ):
        job = _load(source, limits, tools.versions(variants), tell)
        made = tuple(_attempt(variant, job, folder, tell) for variant in variants)
        finished = ExportReport(
            name=job.spec.name,
            source=str(source.model),
            source_sha256=source.sha256,
            reference=_measured(job),
            limits=limits,
            versions=job.spec.provenance.versions,
            seconds=perf_counter() - started,
            variants=made,
        )
        _write(folder, job, finished)
    return finished


def steps(variants: Sequence[Variant]) -> int:
    """How many times `export` calls `tell`, when nothing goes wrong."""
    return 2 + 2 * len(variants)


def _load(source: Source, limits: Limits, versions: dict[str, str], tell: Tell) -> Job:
    tell("loading TensorFlow and the Keras model")
    model = sources.load_model(source)
    tell("asking the Keras model")
    trained = source.spec
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
    return replace(job, spec=replace(job.spec, reference=trained.reference or _measured(job)))


def _calibration_set(source: Source, model: Any) -> CalibrationSet | None:
    if source.calibration is None:
        return None
    return CalibrationSet(
        pixels=source.calibration,
        scores=reference_scores(model, source.calibration, source.spec.image),
        image=source.spec.image,
        manifest=manifest(source.calibration, f"{source.folder.name}/{sources.CALIBRATION}"),
    )


def _measured(job: Job) -> spec.Reference:
    """How well the original does on the evaluation pictures of this export."""
    right = job.reference.argmax(axis=1) == job.source.labels
    name = f"{job.source.folder.name}/{sources.EVALUATION}"
    return spec.Reference(float(np.mean(right)), len(right), name)


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
            published=False,
            problems=(
                f"it could not be made ({type(error).__name__}: {reason}); see {report.LOG}",
            ),
        )


def _write(folder: Path, job: Job, finished: ExportReport) -> None:
    source = job.source
    with (folder / sources.EVALUATION).open("wb") as file:
        np.savez_compressed(
            file, images=source.evaluation, labels=source.labels, scores=job.reference
        )
    (folder / report.NAME).write_text(finished.to_json(), encoding="utf-8")
