"""How weights move: the optimizer, the schedule of its learning rate, and averaging."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from train.config import TrainConfig
from train.muon import Muon

MOMENTUM = 0.9
WARM_UP = 0.25  # share of the steps in which a one-cycle schedule climbs


def optimizer(model: keras.Model, config: TrainConfig, rates: Any) -> Any:
    """The optimizer of a training with these learning rates, ready to use."""
    chosen = _chosen(config, rates)
    # Decay pulls kernels towards 0; biases and batch normalisation need their size.
    chosen.exclude_from_weight_decay([v for v in model.trainable_variables if v.ndim == 1])
    chosen.build(model.trainable_variables)
    return chosen


def _chosen(config: TrainConfig, rates: Any) -> Any:
    decay = config.weight_decay
    match config.optimizer:
        case "adam":
            return keras.optimizers.AdamW(rates, weight_decay=decay)
        case "sgd":
            return keras.optimizers.SGD(rates, MOMENTUM, nesterov=True, weight_decay=decay)
        case "muon":
            return Muon(rates, decay)


def rates(config: TrainConfig, steps: int) -> Any:
    """The learning rate of a training of so many steps an epoch: of each step, or the one of all."""
    first, top = config.frozen_epochs, config.learning_rate * config.fine_tuning_share
    rest = steps * (config.epochs - first)
    if not first:
        return schedule(config, rest, top)
    return _Then(
        schedule(config, steps * first, config.learning_rate),
        steps * first,
        schedule(config, rest, top) if rest else top,
    )


def schedule(config: TrainConfig, steps: int, top: float) -> Any:
    """The learning rate of each of so many steps, of which `top` is the highest, or the one of all."""
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


class _Then(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """One learning rate or schedule, and after so many steps another."""

    def __init__(self, first: Any, steps: int, second: Any) -> None:
        self._first, self._steps, self._second = first, steps, second

    def __call__(self, step: Any) -> Any:
        step = tf.cast(step, tf.int64)
        return tf.where(
            step < self._steps,
            _rate(self._first, step),
            _rate(self._second, tf.maximum(step - self._steps, 0)),
        )


def _rate(schedule: Any, step: Any) -> Any:
    return schedule(step) if callable(schedule) else tf.constant(schedule)


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
