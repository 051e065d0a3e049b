"""Training: step by step, epoch by epoch, the best epoch kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from edge_runtime.errors import UsageError
from edge_runtime.spec import ImageInput
from train import batches, distribute, losses, simulation
from train.calibrate import cross_entropy
from train.checkpoint import State
from train.config import TrainConfig
from train.datasets import Dataset, Split
from train.history import Epoch, Listener, best
from train.teacher import Lessons
from train.trainer import Trainer, copy, diverged


@dataclass(frozen=True)
class Fitted:
    """How the training went; the model holds the weights of `kept`."""

    epochs: tuple[Epoch, ...]
    kept: Epoch
    seconds: float  # wall time of the epochs
    cpu_seconds: float  # processor time of the epochs, over all cores
    replicas: int  # that shared each step


def fit(
    model: keras.Model,
    dataset: Dataset,
    config: TrainConfig,
    listener: Listener,
    *,
    lessons: Lessons | None = None,
    start: State | None = None,
    save: Callable[[State], None] = lambda _: None,
    strategy: Any = None,
) -> Fitted:
    """Train the model in place.

    The weights of the epoch with the best validation accuracy are kept: with a falling learning
    rate that is nearly the last one, with a constant rate it may be an earlier, better one.

    Args:
        model: as it was built.
        dataset: its training pictures teach, its validation pictures choose.
        config: how.
        listener: is told how far it is.
        lessons: what a teacher answers; None without one.
        start: where an earlier, equal call stopped; the end is the same as if it had not.
        save: takes the state after each epoch.
        strategy: of TensorFlow, where more than one replica trains.

    Raises:
        UsageError: the loss is no number any more, or the workers of a cluster do not agree where
            to go on.
    """
    strategy = strategy or tf.distribute.get_strategy()
    distribute.require_divisible(strategy, len(dataset.train), config.batch_size)
    steps = batches.steps_per_epoch(dataset, config)
    trainer = Trainer(model, config, steps, _class_weights(dataset, config), strategy)
    judged = copy(model)  # on this machine, for the validation pictures
    state = start or State((), {"best": ()}, 0.0, 0.0)
    if not distribute.agree(strategy, len(state.history)):
        raise UsageError(
            "the workers would go on after different epochs; give all of them the same --out in a "
            "folder that they share"
        )
    if start:
        trainer.restore(start)
    epochs = range(len(state.history), config.epochs)
    iterator = iter(distribute.shares(batches.training(dataset, config, epochs), strategy))
    for number in range(epochs.start + 1, epochs.stop + 1):
        if _is_enough(state.history, config):
            break
        wall, processor = time.monotonic(), time.process_time()
        if lessons:
            trainer.learn_from(lessons.of(batches.version(config, number - 1)))
        loss, accuracy = trainer.epoch(number, iterator, steps, listener.on_step)
        judged.set_weights(trainer.judged())
        if config.quantize:
            simulation.settle(judged)
        logits = predict(judged, dataset.validation, dataset.image)
        weights = trainer.weights()
        # Before they are kept, for nothing could go on from there. Logits alone do not tell: ReLU
        # makes 0 of what is no number.
        if not all(np.isfinite(each).all() for each in (logits, *chain(*weights.values()))):
            raise diverged(config, f"the model has numbers that are none after epoch {number}")
        judged_as = _judge(logits, dataset.validation.labels)
        done = Epoch(number, loss, accuracy, *judged_as, config.learning_rate)
        history = (*state.history, done)
        kept = judged.get_weights() if best(history) is done else state.weights["best"]
        state = State(
            history,
            {**weights, "best": kept},
            state.seconds + time.monotonic() - wall,
            state.cpu_seconds + time.process_time() - processor,
        )
        save(state)
        listener.on_epoch(done)
    model.set_weights(state.weights["best"])
    return Fitted(
        epochs=state.history,
        kept=best(state.history),
        seconds=state.seconds,
        cpu_seconds=state.cpu_seconds,
        replicas=strategy.num_replicas_in_sync,
    )


def predict(model: keras.Model, split: Split, image: ImageInput) -> Any:
    """The model's logits: float32, shape (n, classes)."""
    return model.predict(batches.in_order(split, image, model.output_shape[-1]), verbose=0)


def _class_weights(dataset: Dataset, config: TrainConfig) -> NDArray[np.float32]:
    weights = losses.balance(dataset.train.labels, len(dataset.labels))
    return weights if config.class_weights else np.ones_like(weights)


def _is_enough(history: Sequence[Epoch], config: TrainConfig) -> bool:
    """Whether the last epoch reached a goal that was set."""
    if not history:
        return False
    last = history[-1]
    accurate = config.stop_accuracy is not None and last.accuracy >= config.stop_accuracy
    return accurate or (config.stop_loss is not None and last.loss <= config.stop_loss)


def _judge(logits: NDArray[np.float32], actual: NDArray[np.int64]) -> tuple[float, float]:
    """The cross-entropy of logits (n, classes) with true classes (n,), and the share right."""
    right = logits.argmax(axis=1) == actual
    return round(cross_entropy(logits, actual), 6), round(float(right.mean()), 6)
