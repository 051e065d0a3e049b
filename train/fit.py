"""Training: the input pipeline, the optimizer, and the epochs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from edge_runtime.errors import UsageError
from edge_runtime.preprocess import pixel_table
from edge_runtime.spec import ImageInput
from train.augment import augment
from train.config import TrainConfig
from train.datasets import Dataset, Split

MOMENTUM = 0.9
WARM_UP = 0.25  # share of the steps in which a one-cycle schedule climbs
STEPS_PER_CALL = 20  # Python is asked back so seldom, which small models feel


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training pictures brought."""

    epoch: int  # from 1
    loss: float  # cross-entropy, while the weights still changed
    accuracy: float  # share of pictures, 0..1, augmented where they are
    validation_loss: float
    validation_accuracy: float  # 0..1


@dataclass(frozen=True)
class Fitted:
    """How the training went; the model holds the weights of `kept`."""

    epochs: tuple[Epoch, ...]
    kept: Epoch


@dataclass(frozen=True)
class Listener:
    """Who is told how far the training is."""

    on_step: Callable[[int], None]  # steps done in this epoch
    on_epoch: Callable[[Epoch], None]


def fit(model: keras.Model, dataset: Dataset, config: TrainConfig, listener: Listener) -> Fitted:
    """Train the model in place.

    The weights of the epoch with the best validation accuracy are kept: with a falling learning
    rate that is nearly the last one, with a constant rate it may be an earlier, better one.

    Raises:
        UsageError: the loss is no number any more.
    """
    steps = steps_per_epoch(dataset, config)
    model.compile(
        optimizer=_optimizer(model, config, steps * config.epochs),
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=config.label_smoothing
        ),
        metrics=["accuracy"],
        steps_per_execution=min(STEPS_PER_CALL, steps),
        jit_compile=False,  # XLA makes these models train slower on CPUs
    )
    best = keras.callbacks.EarlyStopping(
        monitor="val_accuracy", mode="max", patience=config.epochs, restore_best_weights=True
    )
    history: list[Epoch] = []
    model.fit(
        training_batches(dataset, config),
        validation_data=batches(dataset.validation, dataset.image, len(dataset.labels)),
        epochs=config.epochs,
        callbacks=[best, _callback(history, listener, config)],
        shuffle=False,  # the batches are shuffled already
        verbose=0,
    )
    return Fitted(tuple(history), history[best.best_epoch])


def predict(model: keras.Model, split: Split, image: ImageInput) -> Any:
    """The model's logits: float32, shape (n, classes)."""
    return model.predict(batches(split, image, model.output_shape[-1]), verbose=0)


def steps_per_epoch(dataset: Dataset, config: TrainConfig) -> int:
    """Batches in one pass over the training pictures."""
    return math.ceil(len(dataset.train) / config.batch_size)


def training_batches(dataset: Dataset, config: TrainConfig) -> Any:
    """Shuffled, perhaps augmented batches of (pictures, one-hot labels)."""
    count = len(dataset.train)
    # Shuffling positions and picking whole batches costs far less than moving single pictures.
    positions = tf.data.Dataset.range(count).shuffle(count).batch(config.batch_size)
    images, labels = _tensors(dataset.train, len(dataset.labels))
    table = tf.constant(pixel_table(dataset.image))

    def batch(chosen: Any) -> tuple[Any, Any]:
        pictures = tf.gather(images, chosen)
        if config.augment:
            pictures = augment(pictures, mirrors=dataset.mirrors)
        return _normalise(pictures, table), tf.gather(labels, chosen)

    # One thread is fast enough (2 % of a small model's step), and draws the same numbers each time.
    return positions.map(batch).prefetch(tf.data.AUTOTUNE)


def batches(split: Split, image: ImageInput, classes: int, batch_size: int = 250) -> Any:
    """The pictures in order, as batches of (pictures, one-hot labels)."""
    table = tf.constant(pixel_table(image))
    pairs = tf.data.Dataset.from_tensor_slices(_tensors(split, classes)).batch(batch_size)
    return pairs.map(lambda images, labels: (_normalise(images, table), labels))


def _tensors(split: Split, classes: int) -> tuple[Any, Any]:
    return tf.constant(split.images), tf.one_hot(split.labels, classes)


def _normalise(images: Any, table: Any) -> Any:
    """`edge_runtime.preprocess.normalise` inside the pipeline, number for number."""
    pixels = tf.cast(images, tf.int32)
    channels = [tf.gather(table[c], pixels[..., c]) for c in range(table.shape[0])]
    return tf.stack(channels, axis=-1)


def _optimizer(model: keras.Model, config: TrainConfig, steps: int) -> Any:
    settings = {"learning_rate": schedule(config, steps), "weight_decay": config.weight_decay}
    if config.optimizer == "adam":
        optimizer = keras.optimizers.AdamW(**settings)
    else:
        optimizer = keras.optimizers.SGD(**settings, momentum=MOMENTUM, nesterov=True)
    # Decay pulls kernels towards 0; biases and batch normalisation need their size.
    optimizer.exclude_from_weight_decay([v for v in model.trainable_variables if v.ndim == 1])
    return optimizer


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


def _callback(history: list[Epoch], listener: Listener, config: TrainConfig) -> Any:
    def on_epoch_end(epoch: int, logs: dict[str, float]) -> None:
        names = ("loss", "accuracy", "val_loss", "val_accuracy")
        done = Epoch(epoch + 1, *(round(logs[name], 6) for name in names))
        if not math.isfinite(done.loss):
            raise UsageError(
                f"the loss is {done.loss} in epoch {done.epoch}: the steps are too large; "
                f"try --learning-rate {config.learning_rate / 10:g}"
            )
        history.append(done)
        listener.on_epoch(done)

    def on_train_batch_end(batch: int, logs: Any = None) -> None:  # noqa: ARG001  Keras names it
        listener.on_step(batch + 1)

    return keras.callbacks.LambdaCallback(
        on_train_batch_end=on_train_batch_end, on_epoch_end=on_epoch_end
    )


def curves(epochs: Sequence[Epoch]) -> dict[str, list[float]]:
    """The history column by column."""
    names = ("loss", "accuracy", "validation_loss", "validation_accuracy")
    return {name: [getattr(epoch, name) for epoch in epochs] for name in names}
