"""Training: step by step, epoch by epoch, the best epoch kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from edge_runtime.errors import UsageError
from edge_runtime.spec import ImageInput
from train import batches, losses, optimizers, simulation
from train.calibrate import cross_entropy
from train.checkpoint import State
from train.config import TrainConfig
from train.datasets import Dataset, Split
from train.history import Epoch, Listener, best
from train.teacher import Lessons

STEPS_PER_CALL = 20  # Python is asked back so seldom, which small models feel


@dataclass(frozen=True)
class Fitted:
    """How the training went; the model holds the weights of `kept`."""

    epochs: tuple[Epoch, ...]
    kept: Epoch
    seconds: float  # wall time of the epochs
    cpu_seconds: float  # processor time of the epochs, over all cores


def fit(
    model: keras.Model,
    dataset: Dataset,
    config: TrainConfig,
    listener: Listener,
    *,
    lessons: Lessons | None = None,
    start: State | None = None,
    save: Callable[[State], None] = lambda _: None,
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

    Raises:
        UsageError: the loss is no number any more.
    """
    steps = batches.steps_per_epoch(dataset, config)
    judged = _copy(model) if config.average else model
    weights = losses.balance(dataset.train.labels, len(dataset.labels))
    trainer = _Trainer(model, judged, config, steps * config.epochs, weights)
    state = start or State((), {"best": ()}, 0.0, 0.0)
    if start:
        trainer.restore(start)
    epochs = range(len(state.history), config.epochs)
    iterator = iter(batches.training(dataset, config, epochs))
    for number in range(epochs.start + 1, epochs.stop + 1):
        if _is_enough(state.history, config):
            break
        wall, processor = time.monotonic(), time.process_time()
        if lessons:
            trainer.learn_from(lessons.of(batches.version(config, number - 1)))
        loss, accuracy = trainer.epoch(number, iterator, steps, listener.on_step)
        exact = judged.get_weights()
        if config.quantize:
            simulation.settle(judged)
        logits, settled = predict(judged, dataset.validation, dataset.image), judged.get_weights()
        judged.set_weights(exact)
        done = Epoch(number, loss, accuracy, *_judge(logits, dataset.validation.labels))
        history = (*state.history, done)
        kept = settled if best(history) is done else state.weights["best"]
        state = State(
            history,
            {**trainer.weights(), "best": kept},
            state.seconds + time.monotonic() - wall,
            state.cpu_seconds + time.process_time() - processor,
        )
        save(state)
        listener.on_epoch(done)
    model.set_weights(state.weights["best"])
    return Fitted(state.history, best(state.history), state.seconds, state.cpu_seconds)


def predict(model: keras.Model, split: Split, image: ImageInput) -> Any:
    """The model's logits: float32, shape (n, classes)."""
    return model.predict(batches.in_order(split, image, model.output_shape[-1]), verbose=0)


class _Trainer:
    """The compiled step of one model, and what it counts."""

    def __init__(
        self,
        model: keras.Model,
        judged: keras.Model,
        config: TrainConfig,
        steps: int,
        weights: NDArray[np.float32],
    ) -> None:
        self._model, self._judged, self._config = model, judged, config
        self._optimizer = optimizers.optimizer(model, config, steps)
        self._weights = weights if config.class_weights else np.ones_like(weights)
        self._taught: Any = None  # the teacher's logits of every training picture
        # XLA makes these models train slower on CPUs.
        self._steps = tf.function(self._several, jit_compile=False)
        self._counts = tf.Variable(tf.zeros(3))  # pictures, sum of their losses, how many are right

    def weights(self) -> dict[str, list[NDArray[Any]]]:
        """Everything that training changes."""
        return {
            name: [variable.numpy() for variable in variables]
            for name, variables in self._variables().items()
        }

    def restore(self, state: State) -> None:
        """Set everything that training changes."""
        for name, variables in self._variables().items():
            for variable, value in zip(variables, state.weights[name], strict=True):
                variable.assign(value)
        if self._config.schedule == "constant":  # then the rate is a variable, and may be new
            self._optimizer.learning_rate = self._config.learning_rate

    def _variables(self) -> dict[str, list[Any]]:
        variables = {"model": self._model.variables, "optimizer": self._optimizer.variables}
        if self._judged is not self._model:
            variables["average"] = self._judged.variables
        return variables

    def learn_from(self, logits: NDArray[np.float16]) -> None:
        """Compare with these logits of every training picture from now on."""
        if self._taught is None:
            self._taught = tf.Variable(logits, trainable=False)
        self._taught.assign(logits)

    def epoch(
        self, number: int, iterator: Any, steps: int, on_step: Callable[[int], None]
    ) -> tuple[float, float]:
        """Take so many steps; the mean loss and the share of pictures that were right."""
        self._counts.assign(tf.zeros(3))
        pictures, loss, right = 0.0, 0.0, 0.0
        for done in range(0, steps, STEPS_PER_CALL):
            count = min(STEPS_PER_CALL, steps - done)
            self._steps(iterator, tf.constant(count))
            pictures, loss, right = self._counts.numpy().tolist()
            if not math.isfinite(loss):
                raise UsageError(
                    f"the loss is {loss} in epoch {number}: the steps are too large; "
                    f"try --learning-rate {self._config.learning_rate / 10:g}"
                )
            on_step(done + count)
        return round(loss / pictures, 6), round(right / pictures, 6)

    def _several(self, iterator: Any, count: Any) -> None:
        for _ in tf.range(count):
            self._step(*next(iterator))

    def _step(self, images: Any, labels: Any, positions: Any) -> None:
        taught = None
        if self._taught is not None:
            taught = tf.cast(tf.gather(self._taught, positions), tf.float32)
        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self._forward(images)
            loss = losses.loss(logits, labels, taught, self._config, self._weights)
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        if self._judged is not self._model:
            step = self._optimizer.iterations
            optimizers.move_average(self._judged, self._model, step, self._config.average)
        right = keras.metrics.categorical_accuracy(labels, logits)
        pictures = tf.cast(tf.shape(images)[0], tf.float32)
        self._counts.assign_add([pictures, loss * pictures, tf.reduce_sum(right)])

    def _forward(self, images: Any) -> Any:
        if not self._config.quantize:
            return self._model(images, training=True)
        with keras.StatelessScope(state_mapping=simulation.rounded_kernels(self._model)):
            return self._model(images, training=True)


def _is_enough(history: Sequence[Epoch], config: TrainConfig) -> bool:
    """Whether the last epoch reached a goal that was set."""
    if not history:
        return False
    last = history[-1]
    accurate = config.stop_accuracy is not None and last.accuracy >= config.stop_accuracy
    return accurate or (config.stop_loss is not None and last.loss <= config.stop_loss)


def _copy(model: keras.Model) -> keras.Model:
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def _judge(logits: NDArray[np.float32], actual: NDArray[np.int64]) -> tuple[float, float]:
    """The cross-entropy of logits (n, classes) with true classes (n,), and the share right."""
    right = logits.argmax(axis=1) == actual
    return round(cross_entropy(logits, actual), 6), round(float(right.mean()), 6)
