"""What an export would make, and with what, found out without TensorFlow: `--dry-run`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_runtime.description import Description
from edge_runtime.files import refuse_existing
from export import report, tools
from export import source as sources
from export.source import Origin, Places
from export.variants import Variant, needing_pictures


def plan(
    model: Path,
    out: Path,
    *,
    description: Description,
    evaluation: Path | None,
    calibration: Path | None,
    variants: Sequence[Variant],
    overwrite: bool,
) -> list[str]:
    """Check all that an export checks before it converts, and say what it would do.

    Raises:
        EdgeError: what `export.export` raises for the same reasons.
    """
    refuse_existing(out, overwrite=overwrite, mark=report.NAME)
    origin = sources.find(model, description)
    places = sources.places(
        origin,
        evaluation=evaluation,
        calibration=calibration,
        calibrate=needing_pictures(variants, rounds=origin.rounds),
    )
    tools.require(variants)
    return list(_lines(origin, places, out, variants))


def _lines(origin: Origin, places: Places, out: Path, variants: Sequence[Variant]) -> Iterator[str]:
    yield f"model        {origin.path} ({origin.kind}), sha256 {origin.sha256[:12]}"
    if origin.spec is None:
        yield "spec         from the flags and the model, which is not loaded now"
        name = origin.description.name or origin.path.stem
    else:
        source = sources.gather(origin, origin.spec, places)
        yield f"spec         inside the model: {origin.spec.name}, {len(origin.spec.labels)} labels"
        yield f"pictures     {len(source.evaluation):,} to judge by, " + (
            "none to calibrate"
            if source.calibration is None
            else f"{len(source.calibration):,} to calibrate"
        )
        yield from (f"note         {remark}" for remark in source.remarks)
        name = origin.spec.name
    yield f"evaluation   {places.evaluation}"
    if places.calibration:
        yield f"calibration  {places.calibration}"
    yield f"folder       {out}"
    for variant in variants:
        yield f"file         {name}.{variant.name}: {variant.summary}"
    made_with = tools.versions(variants)
    yield f"made with    {', '.join(f'{package} {made_with[package]}' for package in made_with)}"
