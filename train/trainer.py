"""The compiled step of one model: forward, loss, gradient, and what moves the weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from edge_runtime.errors import UsageError
from train import losses, optimizers, simulation
from train.checkpoint import State, Weights
from train.config import TrainConfig

STEPS_PER_CALL: Final = 20  # Python is asked back so seldom, which small models feel


class DivergedError(UsageError):
    """The loss is no number any more: the same steps would lead there again."""


class Trainer:
    """A model in training, on one replica or on many."""

    def __init__(
        self,
        model: keras.Model,
        config: TrainConfig,
        steps: int,
        weights: NDArray[np.float32],
        strategy: Any,
    ) -> None:
        """Prepare the steps.

        Args:
            model: where training starts; it is trained in place if there is one replica.
            config: how to train.
            steps: of one epoch.
            weights: how much a picture of each class counts, shape (classes,).
            strategy: which replicas take part.
        """
        self._config, self._weights, self._strategy = config, weights, strategy
        self._taught: Any = None  # the teacher's logits of every training picture
        with strategy.scope():
            self._model = model if strategy.num_replicas_in_sync == 1 else copy(model)
            self._average = copy(model) if config.average else None
            self._rates = optimizers.rates(config, steps)
            self._optimizer = optimizers.optimizer(self._model, config, self._rates)
        # XLA makes these models train slower on CPUs.
        self._steps = tf.function(self._several, jit_compile=False)

    def weights(self) -> dict[str, Weights]:
        """Everything that training changes."""
        return {
            name: [variable.numpy() for variable in variables]
            for name, variables in self._variables().items()
        }

    def judged(self) -> Weights:
        """The weights that validation pictures judge: the averaged ones, if there are any."""
        chosen = self._model if self._average is None else self._average
        weights: Weights = chosen.get_weights()
        return weights

    def restore(self, state: State) -> None:
        """Set everything that training changes."""
        for name, variables in self._variables().items():
            for variable, value in zip(variables, state.weights[name], strict=True):
                variable.assign(value)
        if isinstance(self._rates, float):  # then it is one of the variables, and may be new
            self._optimizer.learning_rate = self._rates

    def learn_from(self, logits: NDArray[np.float16]) -> None:
        """Compare with these logits of every training picture from now on."""
        if self._taught is None:
            with self._strategy.scope():
                self._taught = tf.Variable(logits, trainable=False)
        self._taught.assign(logits)

    def epoch(
        self, number: int, iterator: Any, steps: int, on_step: Callable[[int], None]
    ) -> tuple[float, float]:
        """Take so many steps; the mean loss and the share of pictures that were right.

        Raises:
            DivergedError: the loss is no number any more.
        """
        frozen = number <= self._config.frozen_epochs
        counts = tf.zeros(3)  # pictures, sum of their losses, how many are right
        for done in range(0, steps, STEPS_PER_CALL):
            count = min(STEPS_PER_CALL, steps - done)
            counts = self._steps(iterator, tf.constant(count), counts, frozen)
            loss = float(counts[1])
            if not math.isfinite(loss):
                raise diverged(self._config, f"the loss is {loss} in epoch {number}")
            on_step(done + count)
        if self._strategy.num_replicas_in_sync > 1:
            self._even()
        pictures, loss, right = counts.numpy().tolist()
        return round(loss / pictures, 6), round(right / pictures, 6)

    def _variables(self) -> dict[str, list[Any]]:
        variables = {"model": self._model.variables, "optimizer": self._optimizer.variables}
        if self._average is not None:
            variables["average"] = self._average.variables
        return variables

    def _several(self, iterator: Any, count: Any, counts: Any, frozen: bool) -> Any:
        for _ in tf.range(count):
            each = self._strategy.run(self._step, args=(*next(iterator), frozen))
            counts += self._strategy.reduce("SUM", each, axis=None)
            if self._average is not None:
                step = self._optimizer.iterations
                optimizers.move_average(self._average, self._model, step, self._config.average)
        return counts

    def _step(self, images: Any, labels: Any, positions: Any, whole: Any, frozen: bool) -> Any:
        """One replica's part of a step, which has `whole` pictures."""
        taught = None
        if self._taught is not None:
            taught = tf.cast(tf.gather(self._taught, positions), tf.float32)
        variables = head(self._model) if frozen else self._model.trainable_variables
        pictures = tf.cast(tf.shape(images)[0], tf.float32)
        with tf.GradientTape() as tape:
            logits = self._forward(images)
            loss = losses.loss(logits, labels, taught, self._config, self._weights)
            part = loss
            if self._strategy.num_replicas_in_sync > 1:  # then gradients are summed
                part = loss * (pictures / tf.cast(whole, tf.float32))
        self._optimizer.apply(tape.gradient(part, variables), variables)
        right = keras.metrics.categorical_accuracy(labels, logits)
        return tf.stack([pictures, loss * pictures, tf.reduce_sum(right)])

    def _forward(self, images: Any) -> Any:
        if not self._config.quantize:
            return self._model(images, training=True)
        with keras.StatelessScope(state_mapping=simulation.rounded_kernels(self._model)):
            return self._model(images, training=True)

    def _even(self) -> None:
        """Let all replicas have the same statistics: those of the pictures that all have seen."""
        models = [self._model] if self._average is None else [self._model, self._average]
        variables = [v for model in models for v in model.non_trainable_variables]
        statistics = [variable for variable in variables if variable.dtype == "float32"]
        read = tf.function(lambda: [tf.identity(variable.value) for variable in statistics])
        own = self._strategy.run(read)
        for variable, values in zip(statistics, own, strict=True):
            variable.assign(self._strategy.reduce("MEAN", values, axis=None))


def diverged(config: TrainConfig, seen: str) -> DivergedError:
    """What to say when training has left the numbers."""
    return DivergedError(
        f"{seen}: the steps are too large; try --learning-rate {config.learning_rate / 10:g}"
    )


def copy(model: keras.Model) -> keras.Model:
    """Another model with the same weights."""
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    return other


def head(model: keras.Model) -> list[Any]:
    """The weights behind a backbone, which learn while it is frozen."""
    return [
        variable
        for layer in model.layers
        if not isinstance(layer, keras.Model)
        for variable in layer.trainable_variables
    ]
