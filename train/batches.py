"""The input pipeline: which pictures each step sees, and how they are changed.

Everything is a function of the seed, the epoch and the step, so that a training which goes on
after a break sees what it would have seen without one.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from edge_runtime.preprocess import pixel_table
from edge_runtime.spec import ImageInput
from train.augment import augment
from train.config import TrainConfig
from train.datasets import Dataset, Split


def steps_per_epoch(dataset: Dataset, config: TrainConfig) -> int:
    """Batches in one pass over the training pictures."""
    return math.ceil(len(dataset.train) / config.batch_size)


def training(dataset: Dataset, config: TrainConfig, *, first_epoch: int = 0) -> Any:
    """Shuffled, perhaps augmented batches of all epochs from `first_epoch`, counted from 0.

    Returns:
        A `tf.data.Dataset` of (pictures, one-hot labels): float32 (n, height, width, channels)
        as the model wants them, and float32 (n, classes).
    """
    count, size = len(dataset.train), config.batch_size
    images, labels = _tensors(dataset.train, len(dataset.labels))
    table = tf.constant(pixel_table(dataset.image))
    seed = tf.constant([config.seed, 0], tf.int64)

    def numbered(epoch: Any) -> Any:
        epoch_seed = tf.random.fold_in(seed, epoch)
        order = tf.random.experimental.stateless_shuffle(tf.range(count), epoch_seed)
        # Shuffling positions and picking whole batches costs far less than moving single pictures.
        chosen = tf.data.Dataset.from_tensor_slices(order).batch(size).enumerate()
        return chosen.map(lambda step, positions: (tf.random.fold_in(epoch_seed, step), positions))

    def batch(step_seed: Any, positions: Any) -> tuple[Any, Any]:
        pictures = tf.gather(images, positions)
        if config.augment:
            pictures = augment(
                pictures,
                step_seed,
                mirrors=dataset.mirrors,
                pixels=config.shift,
                erased=config.erase,
            )
        return normalise(pictures, table), tf.gather(labels, positions)

    epochs = tf.data.Dataset.range(first_epoch, config.epochs, output_type=tf.int64)
    # One thread is fast enough (2 % of a small model's step).
    return epochs.flat_map(numbered).map(batch).prefetch(tf.data.AUTOTUNE)


def in_order(split: Split, image: ImageInput, classes: int, batch_size: int = 250) -> Any:
    """The pictures as they come, as batches of (pictures, one-hot labels)."""
    table = tf.constant(pixel_table(image))
    pairs = tf.data.Dataset.from_tensor_slices(_tensors(split, classes)).batch(batch_size)
    return pairs.map(lambda images, labels: (normalise(images, table), labels))


def normalise(images: Any, table: Any) -> Any:
    """`edge_runtime.preprocess.normalise` inside the pipeline, number for number."""
    pixels = tf.cast(images, tf.int32)
    channels = [tf.gather(table[c], pixels[..., c]) for c in range(table.shape[0])]
    return tf.stack(channels, axis=-1)


def _tensors(split: Split, classes: int) -> tuple[Any, Any]:
    return tf.constant(split.images), tf.one_hot(split.labels, classes)
