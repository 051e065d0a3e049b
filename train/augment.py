"""Changing training pictures so that they show the same thing but are never the same twice.

Each picture is changed in its own way, yet every step works on a whole batch at once.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

SHIFT_PIXELS = 2
ERASE_PROBABILITY = 0.25
ERASE_AREA = (0.02, 0.25)  # share of the picture
ERASE_ASPECT = (0.3, 1 / 0.3)  # height by width


def augment(images: Any, *, mirrors: bool) -> Any:
    """Mirror half of the pictures, shift all, erase a rectangle of some.

    Args:
        images: uint8 0..255, shape (n, height, width, channels).
        mirrors: a mirrored picture still shows the same class.

    Returns:
        uint8 0..255, same shape.
    """
    if mirrors:
        images = mirror(images)
    return erase(shift(images))


def mirror(images: Any) -> Any:
    """Swap left and right in every other picture, at random."""
    chosen = tf.random.uniform((tf.shape(images)[0], 1, 1, 1)) < 0.5
    return tf.where(chosen, tf.reverse(images, axis=[2]), images)


def shift(images: Any) -> Any:
    """Move each picture by up to SHIFT_PIXELS to any side; black moves in."""
    count, height, width = _sizes(images)
    margin = [SHIFT_PIXELS, SHIFT_PIXELS]
    padded = tf.pad(images, [[0, 0], margin, margin, [0, 0]])
    places = 2 * SHIFT_PIXELS + 1
    for axis, size in ((1, height), (2, width)):
        start = tf.random.uniform((count, 1), maxval=places, dtype=tf.int32)
        padded = tf.gather(padded, start + tf.range(size), axis=axis, batch_dims=1)
    return padded


def erase(images: Any) -> Any:
    """Fill a rectangle of some pictures with noise (Zhong et al. 2017, "Random Erasing")."""
    count, height, width = _sizes(images)
    area = tf.random.uniform((count,), *ERASE_AREA)
    aspect = tf.exp(tf.random.uniform((count,), *map(math.log, ERASE_ASPECT)))
    chosen = tf.cast(tf.random.uniform((count,)) < ERASE_PROBABILITY, tf.float32)
    rows = _span(height, chosen * tf.sqrt(area * aspect))
    columns = _span(width, chosen * tf.sqrt(area / aspect))
    hidden = rows[:, :, None, None] & columns[:, None, :, None]
    noise = tf.random.uniform(tf.shape(images), maxval=256, dtype=tf.int32)
    return tf.where(hidden, tf.cast(noise, tf.uint8), images)


def _span(size: Any, share: Any) -> Any:
    """A run of `share` (n,) of `size` pixels at a random place, as a mask of shape (n, size)."""
    pixels = tf.cast(size, tf.float32)
    length = tf.minimum(share, 1.0) * pixels
    start = tf.random.uniform(tf.shape(share)) * (pixels - length)
    place = tf.range(pixels)[None] + 0.5
    return (place >= start[:, None]) & (place < (start + length)[:, None])


def _sizes(images: Any) -> tuple[Any, Any, Any]:
    count, height, width, _ = tf.unstack(tf.shape(images))
    return count, height, width
