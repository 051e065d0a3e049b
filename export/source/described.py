"""The spec of a model made elsewhere: what it shows of itself, and what flags say of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from edge_runtime import labels as label_files
from edge_runtime.description import Description, InputRange, Normalisation, model_name
from edge_runtime.errors import UsageError
from edge_runtime.spec import ImageInput, ModelSpec, Scores

Inside = Literal["nothing", "from 0..255", "from 0..1"]


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
    given = description.labels
    labels = label_files.read(given) if isinstance(given, Path) else given
    if len(labels) != facts.classes:
        raise UsageError(
            f"{path} gives {facts.classes} scores, --labels {description.labels} has "
            f"{len(labels)} labels; give one label per score, in the order of training"
        )
    mean, std = _normalisation(path, facts, description)
    return ModelSpec(
        name=description.name or model_name(path),
        labels=label_files.told_apart(labels),
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
    scales = (spec.image.mean, spec.image.std) != _as_they_are(facts)
    if facts.inside == "from 0..255" and scales:
        raise UsageError(
            f"{path} scales pixels 0..255 in its own first layers, so mean {spec.image.mean} and "
            f"std {spec.image.std} would scale them twice; give mean 0 and std 1"
        )


def missing_labels(path: Path) -> UsageError:
    """The first thing that a model made elsewhere has to be told."""
    return UsageError(
        f"{path} does not say what its scores mean; add --labels FILE, one label a line"
    )


def _normalisation(path: Path, facts: Facts, description: Description) -> Normalisation:
    """Mean and std per channel, in pixel units."""
    if facts.inside == "from 0..255":
        scales = description.std is not None or description.input_range not in (None, "0..255")
        if scales:
            raise UsageError(
                f"{path} scales pixels 0..255 in its own first layers, so "
                f"{'--std' if description.std else '--input-range'} would scale them twice; "
                "leave it out"
            )
        return _as_they_are(facts)
    said = description.normalisation(facts.channels)
    if said is None:
        hint = " (its Normalization layer has seen 0..1)" if facts.inside == "from 0..1" else ""
        raise UsageError(
            f"{path} has no layer that scales pixels{hint}; say what it was trained with: "
            f"--input-range {'|'.join(get_args(InputRange))}, or --mean and --std"
        )
    return said


def _as_they_are(facts: Facts) -> Normalisation:
    """What leaves pixels 0..255."""
    return (0.0,) * facts.channels, (1.0,) * facts.channels
