"""The input pipeline: which pictures each step sees, and how they are changed.

Everything is a function of the seed, the epoch and the step, so that a training which goes on
after a break sees what it would have seen without one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from edge_runtime.preprocess import pixel_table
from edge_runtime.spec import ImageInput
from train.augment import augment, mix
from train.config import TrainConfig
from train.datasets import Dataset, Split, store


def steps_per_epoch(dataset: Dataset, config: TrainConfig) -> int:
    """Batches in one pass over the training pictures."""
    return math.ceil(len(dataset.train) / config.batch_size)


def version(config: TrainConfig, epoch: Any) -> Any:
    """Which of the changed versions of the pictures an epoch, from 0, shows."""
    if not config.teacher:
        return epoch
    return epoch % config.versions if config.augment else 0 * epoch


def training(
    dataset: Dataset, config: TrainConfig, epochs: range, *, image: ImageInput | None = None
) -> Any:
    """Shuffled, perhaps augmented batches.

    Args:
        dataset: its training pictures.
        config: how they are changed.
        epochs: of which epochs, from 0.
        image: the contract of the model that they are for; None takes the data set's.

    Returns:
        A `tf.data.Dataset` of (pictures, one-hot labels, positions): float32 (n, height, width,
        channels) as the model wants them, float32 (n, classes), and int32 (n,) in the training
        split.
    """
    count, size = len(dataset.train), config.batch_size
    pick, labels = _picker(dataset.train.images), _one_hot(dataset.train, len(dataset.labels))
    table = tf.constant(pixel_table(image or dataset.image))
    version_seed, order_seed = tf.unstack(
        tf.random.split(tf.constant([config.seed, 0], tf.int64), 2)
    )

    def numbered(epoch: Any) -> Any:
        """The seed and the positions of each batch: a changed version's are always the same."""
        drawn = version(config, epoch) if config.augment else epoch
        seed = tf.random.fold_in(version_seed, drawn)
        numbers = tf.range(steps_per_epoch(dataset, config))
        numbers = _shuffled(numbers, tf.random.fold_in(order_seed, epoch))
        # Shuffling positions and picking whole batches costs far less than moving single pictures.
        order = _shuffled(tf.range(count), seed)
        return tf.data.Dataset.from_tensor_slices(numbers).map(
            lambda number: (
                tf.random.fold_in(seed, number),
                order[number * size : (number + 1) * size],
            )
        )

    def batch(seed: Any, positions: Any) -> tuple[Any, Any, Any]:
        pictures, classes = pick(positions), tf.gather(labels, positions)
        if not config.augment:
            return normalise(pictures, table), classes, positions
        pictures = augment(
            pictures, seed, mirrors=dataset.mirrors, pixels=config.shift, erased=config.erase
        )
        inputs = normalise(pictures, table)
        if config.mixup:
            inputs, classes = mix(inputs, classes, seed, config.mixup)
        return inputs, classes, positions

    numbers = tf.data.Dataset.range(epochs.start, epochs.stop, output_type=tf.int64)
    # One thread is fast enough (2 % of a small model's step).
    return numbers.flat_map(numbered).map(batch).prefetch(tf.data.AUTOTUNE)


def in_order(split: Split, image: ImageInput, classes: int, batch_size: int = 250) -> Any:
    """The pictures as they come, as batches of (pictures, one-hot labels)."""
    table = tf.constant(pixel_table(image))
    pick, labels = _picker(split.images), _one_hot(split, classes)
    positions = tf.data.Dataset.range(len(split)).batch(batch_size)
    return positions.map(
        lambda places: (normalise(pick(places), table), tf.gather(labels, places))
    ).prefetch(1)


def normalise(images: Any, table: Any) -> Any:
    """`edge_runtime.preprocess.normalise` inside the pipeline, number for number."""
    pixels = tf.cast(images, tf.int32)
    channels = [tf.gather(table[c], pixels[..., c]) for c in range(table.shape[0])]
    return tf.stack(channels, axis=-1)


def _shuffled(values: Any, seed: Any) -> Any:
    return tf.random.experimental.stateless_shuffle(values, seed)


def _one_hot(split: Split, classes: int) -> Any:
    return tf.one_hot(split.labels, classes)


def _picker(images: NDArray[np.uint8]) -> Callable[[Any], Any]:
    """A function: positions (n,) → those pictures. Pictures in a file stay there until then."""
    if not store.is_stored(images):
        pixels = tf.constant(images)
        return lambda positions: tf.gather(pixels, positions)

    def pick(positions: Any) -> Any:
        picked = tf.numpy_function(lambda places: images[places], [positions], tf.uint8)
        picked.set_shape((None, *images.shape[1:]))
        return picked

    return pick
