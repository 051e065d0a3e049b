"""How weights move: the optimizer, the schedule of its learning rate, and averaging."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from train.config import TrainConfig

MOMENTUM = 0.9
WARM_UP = 0.25  # share of the steps in which a one-cycle schedule climbs


def optimizer(model: keras.Model, config: TrainConfig, steps: int) -> Any:
    """The optimizer of a training of so many steps, ready to use."""
    settings = {"learning_rate": schedule(config, steps), "weight_decay": config.weight_decay}
    chosen = (
        keras.optimizers.AdamW(**settings)
        if config.optimizer == "adam"
        else keras.optimizers.SGD(**settings, momentum=MOMENTUM, nesterov=True)
    )
    # Decay pulls kernels towards 0; biases and batch normalisation need their size.
    chosen.exclude_from_weight_decay([v for v in model.trainable_variables if v.ndim == 1])
    chosen.build(model.trainable_variables)
    return chosen


def schedule(config: TrainConfig, steps: int) -> Any:
    """The learning rate of each of so many steps, or the one of all."""
    top = config.learning_rate
    match config.schedule:
        case "constant":
            return top
        case "cosine":
            return keras.optimizers.schedules.CosineDecay(top, steps)
        case "one-cycle":
            climb = max(1, round(WARM_UP * steps))
            return keras.optimizers.schedules.CosineDecay(
                top / 25, max(1, steps - climb), warmup_target=top, warmup_steps=climb
            )


def move_average(average: keras.Model, model: keras.Model, step: Any, keep: float) -> None:
    """Move an averaged model a little towards the one that is trained.

    Batch normalisation's statistics are averaged as well: those of the last step belong to the
    last step's weights, and the averaged weights lose points with them.

    Args:
        average: a model of the same shape, changed in place.
        model: the one that is trained.
        step: steps done, from 1.
        keep: the share of the average that stays, 0..1; early steps keep less, so that the random
            first weights are soon forgotten (as `tf.train.ExponentialMovingAverage` does).
    """
    done = tf.cast(step, tf.float32)
    change = 1 - tf.minimum(keep, (1 + done) / (10 + done))
    for old, new in zip(average.variables, model.variables, strict=True):
        if old.dtype == "float32":  # not the states of random generators
            old.assign_sub(change * (old - new))
