"""Which settings of a training contradict each other, and which do nothing as they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Final

from train.settings import flag

if TYPE_CHECKING:
    from train.config import TrainConfig

_SHAPES: Final = {  # which models a setting of shape is for
    "units": ("mlp",),
    "widths": ("ds-cnn", "resnet", "ds-resnet"),
    "blocks": ("ds-cnn", "resnet", "ds-resnet"),
    "backbone": ("transfer",),
    "weights": ("transfer",),
    "frozen": ("transfer",),
    "fine_tuning": ("transfer",),
}
_PARTS: Final = {  # what a setting is a part of
    "teacher_weight": ("teacher",),
    "temperature": ("teacher",),
    "versions": ("teacher", "augment"),
    "mirror": ("augment",),
    "shift": ("augment",),
    "erase": ("augment",),
    "mixup": ("augment",),
}


def contradictions(config: TrainConfig) -> Iterator[str]:
    """What must be changed before anything can be trained, a line each."""
    yield from _of_shape(config)
    if config.quantize is not None:
        yield from _with_quantize(config)
    if config.model == "transfer" and not config.rescale:
        yield "a backbone takes pixels as it was trained; leave --no-rescale out"
    if config.start is not None and config.weights not in (None, "none"):
        yield "--start brings its run's weights; leave --weights out"
    if config.start is not None and not config.rescale:
        yield "--start takes pixels as its run does; leave --no-rescale out"
    if config.optimizer == "muon" and (
        config.model in ("mlp", "transfer") or config.quantize is not None
    ):
        yield (
            "--optimizer muon keeps the length of kernels, which only batch normalisation that "
            "learns makes up for: new models but mlp and transfer have it; take adam or sgd"
        )


def _of_shape(config: TrainConfig) -> Iterator[str]:
    for name, models in _SHAPES.items():
        if getattr(config, name) is None:
            continue
        if config.model not in models:
            yield f"{flag(name)} is for --model {', '.join(models)}, not for {config.model}"
        if config.quantize is not None:
            yield f"{flag(name)} is for a new model, not for --quantize"
    stages, blocks = len(config.widths or (0, 0, 0)), len(config.blocks or (0,))
    if blocks not in (1, stages):
        yield f"--blocks has {blocks} numbers, expected 1 or one for each of {stages} --widths"


def _with_quantize(config: TrainConfig) -> Iterator[str]:
    if config.model != "mlp":
        yield "--quantize trains its run's model; leave --model out"
    if config.start is not None:
        yield "--quantize trains its own run on; leave --start out"
    if config.scores != "logits":
        yield "--quantize rounds logits; leave --scores probabilities out"
    if not config.rescale:
        yield "--quantize takes pixels as its run does; leave --no-rescale out"


def idle(config: TrainConfig) -> Iterator[str]:
    """What was set and does nothing, a line each: a recipe with one setting off is no mistake."""
    usual = {item.name: item.default for item in fields(config)}
    for name, wholes in _PARTS.items():
        lacking = [flag(whole) for whole in wholes if not getattr(config, whole)]
        if lacking and getattr(config, name) != usual[name]:
            yield f"{flag(name)} does nothing without {' and '.join(lacking)}"
