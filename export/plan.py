"""What an export makes, and with what, found out without TensorFlow; `--dry-run` says it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_runtime.description import Description, model_name
from edge_runtime.files import refuse_existing
from edge_runtime.spec import ImageInput, ModelSpec
from export import report, tools
from export import source as sources
from export.source import Given, Origin, Places, Source
from export.variants import Variant, fitting


@dataclass(frozen=True, eq=False)
class Plan:
    """All that is known before the model is loaded."""

    origin: Origin
    places: Places
    source: Source | None  # model and pictures; None where only the model itself completes its spec
    variants: tuple[Variant, ...]  # what can be made, as far as the origin says it


def plan(
    model: Any,
    out: Path,
    *,
    spec: ModelSpec | None = None,
    description: Description,
    trusted: bool = False,
    evaluation: Given | None,
    calibration: Given | None,
    variants: Sequence[Variant],
    overwrite: bool,
) -> Plan:
    """Check all that can be checked before TensorFlow is loaded; see `export.export`.

    Raises:
        EdgeError: what `export.export` raises for the same reasons.
    """
    refuse_existing(out, overwrite=overwrite, mark=report.NAME)
    origin = sources.find(model, description, spec=spec, trusted=trusted)
    rounds = origin.rounds
    made = fitting(variants, origin.color, rounds=rounds)
    places = sources.places(
        origin,
        evaluation=evaluation,
        calibration=calibration,
        # What was trained with rounding in it brings its ranges.
        calibrate=not rounds and any(each.needs_calibration for each in made),
    )
    tools.require(made)
    source = None if origin.spec is None else sources.gather(origin, origin.spec, places)
    return Plan(origin, places, source, made)


def left_out(asked: Sequence[Variant], made: Sequence[Variant], *, rounds: bool) -> Iterator[str]:
    """Why files that were asked for are not made, in words."""
    names = [variant.name for variant in asked if variant not in made]
    if rounds and names:
        yield (
            f"{', '.join(names)} not made: the model was trained with rounding in it, so any of "
            "them would be the int8 file again"
        )


def not_raw(made: Sequence[Variant], image: ImageInput) -> Iterator[str]:
    """Which integer files raw pixels cannot go into, and what to do about it, in words."""
    names = [each.name for each in made if each.precision == "int8" and each.io != "float32"]
    if names and len({*zip(image.mean, image.std, strict=True)}) > 1:
        yield (
            f"raw pixels cannot go into {', '.join(names)}: mean and std differ between channels, "
            "and the input has one scale for all; edge_runtime looks each channel up by itself, "
            "other programs have to normalise and quantize pixels themselves"
        )


def lines(planned: Plan, out: Path, asked: Sequence[Variant]) -> Iterator[str]:
    """What an export into `out` would do, for a person who asked for these variants."""
    origin, places, source = planned.origin, planned.places, planned.source
    yield f"model        {origin.path} ({origin.kind}), sha256 {origin.sha256[:12]}"
    notes = [*left_out(asked, planned.variants, rounds=origin.rounds)]
    if origin.spec is None or source is None:
        yield "spec         from the flags and the model, which is not loaded now"
        name = origin.description.name or model_name(origin.path)
    else:
        yield f"spec         inside the model: {origin.spec.name}, {len(origin.spec.labels)} labels"
        yield f"pictures     {len(source.evaluation):,} to judge by, " + (
            "none to calibrate"
            if source.calibration is None
            else f"{len(source.calibration):,} to calibrate"
        )
        notes += not_raw(planned.variants, origin.spec.image)
        notes += source.remarks
        name = origin.spec.name
    yield f"evaluation   {places.evaluation}"
    if places.calibration:
        yield f"calibration  {places.calibration}"
    yield f"folder       {out}"
    for variant in planned.variants:
        yield f"file         {name}.{variant.name}: {variant.summary}"
    made_with = tools.versions(planned.variants)
    yield f"made with    {', '.join(f'{package} {made_with[package]}' for package in made_with)}"
    yield from (f"note         {note}" for note in notes)
