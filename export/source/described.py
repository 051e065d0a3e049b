"""The spec of a model made elsewhere: what it shows of itself, and what flags say of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from edge_runtime.errors import UsageError
from edge_runtime.spec import ImageInput, ModelSpec, Scores
from export.description import Description, InputRange
from export.source import labels as label_files

Inside = Literal["nothing", "from 0..255", "from 0..1"]

_RANGES: Final[dict[InputRange, tuple[float, float]]] = {  # mean and std in pixel units
    "0..1": (0.0, 255.0),
    "-1..1": (127.5, 127.5),
    "0..255": (0.0, 1.0),
}


@dataclass(frozen=True)
class Facts:
    """What a model shows of itself."""

    height: int
    width: int
    channels: int
    classes: int
    scores: Scores
    inside: Inside  # what its own first layers normalise


def spec_of(path: Path, facts: Facts, description: Description) -> ModelSpec:
    """The spec of a model made elsewhere.

    Raises:
        UsageError: a flag is missing, or contradicts the model or another flag.
        InputError: the labels cannot be read.
    """
    if description.labels is None:
        raise missing_labels(path)
    labels = label_files.read(description.labels)
    if len(labels) != facts.classes:
        raise UsageError(
            f"{path} gives {facts.classes} scores, --labels {description.labels} has "
            f"{len(labels)} labels; give one label per score, in the order of training"
        )
    mean, std = _normalisation(path, facts, description)
    return ModelSpec(
        name=description.name or _name(path),
        labels=labels,
        image=ImageInput(
            height=facts.height,
            width=facts.width,
            color="gray" if facts.channels == 1 else "rgb",
            mean=mean,
            std=std,
            fit=description.fit or "stretch",
        ),
        scores=facts.scores,
    )


def check(path: Path, facts: Facts, spec: ModelSpec) -> None:
    """Compare a spec that was told, as a whole, with what the model shows.

    Raises:
        UsageError: the two contradict each other.
    """
    if len(spec.labels) != facts.classes:
        raise UsageError(
            f"{path} gives {facts.classes} scores but is told {len(spec.labels)} labels; "
            "give one label per score, in the order of training"
        )
    if spec.scores != facts.scores:
        raise UsageError(f"{path} gives {facts.scores}, but is told to give {spec.scores}")
    as_it_is = spec.image.mean == _spread((0.0,), facts) and spec.image.std == _spread(
        (1.0,), facts
    )
    if facts.inside == "from 0..255" and not as_it_is:
        raise UsageError(
            f"{path} scales pixels 0..255 in its own first layers, so mean {spec.image.mean} and "
            f"std {spec.image.std} would scale them twice; give mean 0 and std 1"
        )


def missing_labels(path: Path) -> UsageError:
    """The first thing that a model made elsewhere has to be told."""
    return UsageError(
        f"{path} does not say what its scores mean; add --labels FILE, one label a line"
    )


def _normalisation(
    path: Path, facts: Facts, description: Description
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and std per channel, in pixel units."""
    outside = description.input_range, description.mean
    if facts.inside == "from 0..255":
        scales = description.std is not None or description.input_range not in (None, "0..255")
        if scales:
            raise UsageError(
                f"{path} scales pixels 0..255 in its own first layers, so "
                f"{'--std' if description.std else '--input-range'} would scale them twice; "
                "leave it out"
            )
        return _spread((0.0,), facts), _spread((1.0,), facts)
    if outside == (None, None):
        hint = " (its Normalization layer has seen 0..1)" if facts.inside == "from 0..1" else ""
        raise UsageError(
            f"{path} has no layer that scales pixels{hint}; say what it was trained with: "
            f"--input-range {'|'.join(get_args(InputRange))}, or --mean and --std"
        )
    if description.mean is not None and description.std is not None:
        return _spread(description.mean, facts), _spread(description.std, facts)
    mean, std = _RANGES[description.input_range or "0..255"]
    return _spread((mean,), facts), _spread((std,), facts)


def _spread(values: tuple[float, ...], facts: Facts) -> tuple[float, ...]:
    if len(values) not in (1, facts.channels):
        raise UsageError(
            f"--mean and --std have {len(values)} values for {facts.channels} channel(s)"
        )
    return values * facts.channels if len(values) == 1 else values


def _name(path: Path) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", path.resolve().stem).strip("-._") or "model"
