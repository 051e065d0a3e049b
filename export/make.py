"""One file: convert and quantize → annotate → verify → seal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import RLock
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime import golden, modelfile, spec
from edge_runtime.spec import Format, ModelSpec
from export import colour, repair, tools
from export.calibration import CalibrationSet
from export.formats import converter
from export.formats.fake_quant import is_fake_quantized
from export.formats.layers import Layer
from export.golden import OTHER_MACHINE, choose
from export.limits import Limits
from export.report import VariantReport
from export.source import Source
from export.tell import Tell
from export.variants import Variant
from export.verify import Answers, measure


@dataclass(frozen=True, eq=False)
class Job:
    """What every file is made from and judged by."""

    source: Source
    spec: ModelSpec  # of every file, but for its variant
    model: Any  # the original, a keras.Model
    reference: NDArray[np.float32]  # its probabilities of the evaluation pictures, (n, classes)
    calibration: CalibrationSet | None
    limits: Limits
    repair: bool = True  # what to do about integer files outside the limits
    asked: tuple[Variant, ...] = ()  # all variants that are made
    answers: dict[str, Answers] = field(default_factory=dict)  # of every measured file, by name
    # Keras and the converters keep their state in the process: one conversion at a time.
    converting: RLock = field(default_factory=RLock)

    @cached_property
    def rounds(self) -> bool:
        """The original was trained with rounding in it."""
        return is_fake_quantized(self.model)


def file_name(variant: Variant, job: Job) -> str:
    """For example `fashion-mnist.int8.tflite`."""
    return f"{job.spec.name}.{variant.name}"


def make(variant: Variant, job: Job, folder: Path, tell: Tell) -> VariantReport:
    """Make one file in `folder`; one outside the limits is repaired, or taken away again."""
    if variant.needs_calibration:
        return _integers(variant, job, folder, tell)
    with job.converting:
        started = _started(variant, job, tell)
        model = converter(variant.format).convert(job.model, variant, job.spec)
    return _finish(_Conversion(model, started), variant, job, folder, tell)


def _integers(variant: Variant, job: Job, folder: Path, tell: Tell) -> VariantReport:
    with job.converting:
        started = _started(variant, job, tell)
        job = _in_rgb(job) if variant.rgb else job
        shown = job.calibration
        quantizer = converter(variant.format).quantizer(job.model, variant, job.spec, shown)
        used = shown.manifest if shown and quantizer.calibrated else None
        first = _Conversion(quantizer.quantize(), started, used)
        layers = quantizer.layers()
    made = replace(_finish(first, variant, job, folder, tell), layers=repair.titles(layers))
    if made.published or variant.precision != "int8" or not job.repair:
        return made

    def keeping(chosen: Sequence[Layer]) -> VariantReport:
        with job.converting:
            started = _started(variant, job, tell)
            model, kept = quantizer.quantize(repair.names(chosen)), tuple(repair.titles(chosen))
        again = _finish(_Conversion(model, started, used, kept), variant, job, folder, tell)
        return replace(again, layers=made.layers)

    mended = repair.mended(made, layers, keeping)
    if mended.published or job.rounds:  # any other precision would be this file again
        return mended
    others = repair.substitutes(variant, job.asked)
    return repair.replaced(mended, others, lambda other: make(other, job, folder, tell))


def _started(variant: Variant, job: Job, tell: Tell) -> float:
    tell(f"{file_name(variant, job)}: converting")
    return perf_counter()


@dataclass(frozen=True, eq=False)
class _Conversion:
    """A converted model, and how it came about."""

    model: bytes
    started: float  # seconds, by perf_counter
    calibration: spec.Calibration | None = None
    kept_float: tuple[str, ...] = ()


def _finish(
    made: _Conversion, variant: Variant, job: Job, folder: Path, tell: Tell
) -> VariantReport:
    """Annotate, verify and seal; a file outside the limits is taken away again."""
    path, format_ = folder / file_name(variant, job), converter(variant.format)
    needs = format_.needs(made.model)
    own = _of_format(job.spec, variant.format)
    model = format_.annotate(made.model, own)
    converted = perf_counter()

    tell(f"{path.name}: verifying")
    about = spec.Variant(
        format=variant.format,
        precision=variant.precision,
        calibration=made.calibration,
        golden_tolerance=1.0,
        option=variant.option,
        kept_float=made.kept_float,
        min_runtime=needs.runtime,
    )
    path.write_bytes(format_.seal(model, replace(own, variant=about), None))
    source = job.source
    file = modelfile.read(path)
    answers = measure(file, source.evaluation, source.labels, job.reference, slow=variant.slow)
    verified, job.answers[path.name] = perf_counter(), answers

    # Sealed once more, now that the figures and the samples are known.
    reference = job.reference[answers.rows]
    samples = choose(reference, answers.scores)
    largest = float(np.max(np.abs(answers.scores - reference)[samples], initial=0))
    about = replace(about, parity=answers.parity, golden_tolerance=largest + OTHER_MACHINE)
    final = replace(own, variant=about)
    path.write_bytes(format_.seal(model, final, _golden(job, answers.rows[samples])))
    file = modelfile.read(path)
    problems = job.limits.problems(answers.parity) + _replay(file)
    if problems:
        path.unlink()
    return VariantReport(
        file=path.name,
        format=variant.format,
        precision=variant.precision,
        option=variant.option,
        published=not problems,
        problems=problems,
        parity=answers.parity,
        size_bytes=len(file.data),
        model_bytes=len(model),
        sha256=None if problems else file.sha256,
        golden_samples=len(samples),
        golden_tolerance=largest + OTHER_MACHINE,
        convert_seconds=converted - made.started,
        verify_seconds=verified - converted,
        operations=needs.operations,
        min_runtime=needs.runtime,
    )


def _of_format(said: ModelSpec, format_: Format) -> ModelSpec:
    """The spec for files in one format: it names no tools of another's."""
    made_with = tools.used_for(format_, said.provenance.versions)
    return replace(said, provenance=replace(said.provenance, versions=made_with))


def _in_rgb(job: Job) -> Job:
    """The same job for RGB pictures, with a model that turns them into grey."""
    return replace(
        job,
        source=replace(job.source, evaluation=colour.repeated(job.source.evaluation)),
        spec=replace(job.spec, image=colour.as_rgb(job.spec.image)),
        model=colour.with_luma(job.model),
        calibration=job.calibration and colour.shown_in_rgb(job.calibration),
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
