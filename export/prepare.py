"""Model, spec and pictures → the job that every file is made from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from edge_runtime import spec
from edge_runtime.postprocess import probabilities
from export import calibration as calibrations
from export import doubt
from export import source as sources
from export.calibration import CalibrationSet
from export.limits import Limits
from export.make import Job
from export.source import Origin, Places, Source
from export.tell import Tell
from export.verify import reference_scores


def prepare(
    origin: Origin,
    places: Places,
    source: Source | None,
    *,
    limits: Limits,
    versions: dict[str, str],
    tell: Tell,
) -> tuple[Job, tuple[str, ...]]:
    """Load the Keras model and ask it about all pictures.

    Args:
        origin: the model.
        places: where the pictures are.
        source: model and pictures, where the spec was known before the model was loaded.
        limits: of every file.
        versions: package → version of what files are made with.
        tell: is told of two steps.

    Returns:
        The job, and what was found out about model and pictures, in words.

    Raises:
        UsageError, InputError, ModelError, EngineError: as `export.export` says.
    """
    tell("loading TensorFlow and the Keras model")
    model, trained, remarks = sources.load(origin)
    tell("asking the Keras model")
    source = source or sources.gather(origin, trained, places)
    if origin.told:
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
    known = trained.reference or measured(job)
    return replace(job, spec=replace(job.spec, reference=known)), (
        *remarks,
        *source.remarks,
        *_doubts(job),
    )


def measured(job: Job) -> spec.Reference | None:
    """How well the original does on the evaluation pictures of this export."""
    source = job.source
    if source.labels is None:
        return None
    right = job.reference.argmax(axis=1) == source.labels
    return spec.Reference(float(np.mean(right)), len(right), source.evaluated_on)


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
