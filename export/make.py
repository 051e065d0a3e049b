"""One file: convert and quantize → annotate → verify → seal."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime import golden, modelfile, spec
from edge_runtime.spec import ModelSpec, Parity
from export import colour
from export.calibration import CalibrationSet
from export.formats import converter
from export.golden import choose
from export.limits import Limits
from export.report import VariantReport
from export.source import Source
from export.tell import Tell
from export.variants import Variant
from export.verify import measure

# Another machine's processor rounds otherwise: a probability may differ by this much more there.
_OTHER_MACHINE: Final = 0.02


@dataclass(frozen=True, eq=False)
class Job:
    """What every file is made from and judged by."""

    source: Source
    spec: ModelSpec  # of every file, but for its variant
    model: Any  # the original, a keras.Model
    reference: NDArray[np.float32]  # its probabilities of the evaluation pictures, (n, classes)
    calibration: CalibrationSet | None
    limits: Limits
    # What every measured file said: its name → probabilities like `reference`.
    scores: dict[str, NDArray[np.float32]] = field(default_factory=dict)


def file_name(variant: Variant, job: Job) -> str:
    """For example `fashion-mnist.int8.tflite`."""
    return f"{job.spec.name}.{variant.name}"


def make(variant: Variant, job: Job, folder: Path, tell: Tell) -> VariantReport:
    """Make one file in `folder`; one outside the limits is taken away again."""
    job = _in_rgb(job) if variant.rgb else job
    path, format_ = folder / file_name(variant, job), converter(variant.format)

    tell(f"{path.name}: converting")
    started = perf_counter()
    model = format_.annotate(_convert(variant, job), job.spec)
    converted = perf_counter()

    tell(f"{path.name}: verifying")
    path.write_bytes(format_.seal(model, _spec(variant, job), None))
    parity, scores = measure(path, job.source.evaluation, job.source.labels, job.reference)
    verified, job.scores[path.name] = perf_counter(), scores

    # Sealed once more, now that the figures and the samples are known.
    samples = choose(job.reference, scores)
    largest = float(np.max(np.abs(scores - job.reference)[samples], initial=0))
    final = _spec(variant, job, parity, largest + _OTHER_MACHINE)
    path.write_bytes(format_.seal(model, final, _golden(job, samples)))
    file = modelfile.read(path)
    problems = job.limits.problems(parity) + _replay(file)
    if problems:
        path.unlink()
    return VariantReport(
        file=path.name,
        format=variant.format,
        precision=variant.precision,
        option=variant.option,
        published=not problems,
        problems=problems,
        parity=parity,
        size_bytes=len(file.data),
        sha256=None if problems else file.sha256,
        golden_samples=len(samples),
        golden_tolerance=largest + _OTHER_MACHINE,
        convert_seconds=converted - started,
        verify_seconds=verified - converted,
    )


def _convert(variant: Variant, job: Job) -> bytes:
    format_ = converter(variant.format)
    if not variant.needs_calibration:
        return format_.convert(job.model, variant, job.spec)
    if job.calibration is None:
        raise ValueError(f"{variant.name} needs calibration pictures")
    return format_.quantizer(job.model, variant, job.spec, job.calibration).quantize()


def _in_rgb(job: Job) -> Job:
    """The same job for RGB pictures, with a model that turns them into grey."""
    return replace(
        job,
        source=replace(job.source, evaluation=colour.repeated(job.source.evaluation)),
        spec=replace(job.spec, image=colour.as_rgb(job.spec.image)),
        model=colour.with_luma(job.model),
        calibration=job.calibration and colour.shown_in_rgb(job.calibration),
    )


def _spec(
    variant: Variant, job: Job, parity: Parity | None = None, golden_tolerance: float = 1.0
) -> ModelSpec:
    used = job.calibration if variant.needs_calibration else None
    return replace(
        job.spec,
        variant=spec.Variant(
            format=variant.format,
            precision=variant.precision,
            parity=parity,
            calibration=None if used is None else used.manifest,
            golden_tolerance=golden_tolerance,
            option=variant.option,
        ),
    )


def _golden(job: Job, samples: NDArray[np.intp]) -> bytes | None:
    if len(samples) == 0:
        return None
    return golden.pack(job.source.evaluation[samples], job.reference[samples])


def _replay(file: modelfile.ModelFile) -> tuple[str, ...]:
    """The finished file, read again as a device would: its samples must give what was measured."""
    if file.golden is None:
        return ()
    result = golden.check(file)
    return () if result.passed else (f"its golden samples do not replay: {result}",)
