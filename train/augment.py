"""Changing training pictures so that they show the same thing but are hardly ever the same twice.

Each picture is changed in its own way, yet every step works on a whole batch at once. All chance
comes from the seed that is passed in, so the same seed always makes the same changes.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

ERASE_AREA = (0.02, 0.25)  # share of the picture
ERASE_ASPECT = (0.3, 1 / 0.3)  # height by width


def augment(images: Any, seed: Any, *, mirrors: bool, pixels: int, erased: float) -> Any:
    """Mirror half of the pictures, shift all, erase a rectangle of some.

    Args:
        images: uint8 0..255, shape (n, height, width, channels).
        seed: two whole numbers, shape (2,).
        mirrors: a mirrored picture still shows the same class.
        pixels: how far a picture moves at most.
        erased: share of the pictures that lose a rectangle, 0..1.

    Returns:
        uint8 0..255, same shape.
    """
    seeds = tf.random.split(seed, 3)
    if mirrors:
        images = mirror(images, seeds[0])
    if pixels:
        images = shift(images, seeds[1], pixels)
    return erase(images, seeds[2], erased) if erased else images


def mirror(images: Any, seed: Any) -> Any:
    """Swap left and right in every other picture, at random."""
    chosen = tf.random.stateless_uniform((tf.shape(images)[0], 1, 1, 1), seed) < 0.5
    return tf.where(chosen, tf.reverse(images, axis=[2]), images)


def shift(images: Any, seed: Any, pixels: int) -> Any:
    """Move each picture by up to so many pixels to any side; black moves in."""
    count, height, width = _sizes(images)
    padded = tf.pad(images, [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]])
    starts = tf.random.stateless_uniform((2, count, 1), seed, maxval=2 * pixels + 1, dtype=tf.int32)
    for axis, size in ((1, height), (2, width)):
        places = starts[axis - 1] + tf.range(size)
        padded = tf.gather(padded, places, axis=axis, batch_dims=1)
    return padded


def erase(images: Any, seed: Any, probability: float) -> Any:
    """Fill a rectangle of some pictures with noise (Zhong et al. 2017, "Random Erasing")."""
    count, height, width = _sizes(images)
    seeds = tf.random.split(seed, 2)
    chances = tf.random.stateless_uniform((5, count), seeds[0])
    area = _between(chances[0], *ERASE_AREA)
    aspect = tf.exp(_between(chances[1], *map(math.log, ERASE_ASPECT)))
    chosen = tf.cast(chances[2] < probability, tf.float32)
    rows = _span(height, chosen * tf.sqrt(area * aspect), chances[3])
    columns = _span(width, chosen * tf.sqrt(area / aspect), chances[4])
    hidden = rows[:, :, None, None] & columns[:, None, :, None]
    noise = tf.random.stateless_uniform(tf.shape(images), seeds[1], maxval=256, dtype=tf.int32)
    return tf.where(hidden, tf.cast(noise, tf.uint8), images)


def mix(images: Any, labels: Any, seed: Any, alpha: float) -> tuple[Any, Any]:
    """Blend each picture and its label with another's (Zhang et al. 2018, "mixup").

    Args:
        images: float32, shape (n, height, width, channels).
        labels: one-hot, float32 (n, classes).
        seed: two whole numbers, shape (2,).
        alpha: of the Beta distribution that shares come from: small values hardly blend, 1 makes
            all shares equally likely.

    Returns:
        Both, blended; the larger share is always the picture's own.
    """
    seeds = tf.random.split(tf.random.fold_in(seed, 3), 3)  # augment() takes the first three
    count = tf.shape(images)[0]
    # A quotient of Gamma variables is a Beta variable.
    ours, theirs = (tf.random.stateless_gamma((count,), seeds[place], alpha) for place in (0, 1))
    share = ours / tf.maximum(ours + theirs, 1e-12)
    share = tf.maximum(share, 1 - share)
    partners = tf.random.experimental.stateless_shuffle(tf.range(count), seeds[2])

    def blended(values: Any, share: Any) -> Any:
        return share * values + (1 - share) * tf.gather(values, partners)

    return blended(images, share[:, None, None, None]), blended(labels, share[:, None])


def _between(chance: Any, low: float, high: float) -> Any:
    return low + (high - low) * chance


def _span(size: Any, share: Any, chance: Any) -> Any:
    """A run of `share` (n,) of `size` pixels at a place by `chance`, as a mask (n, size)."""
    pixels = tf.cast(size, tf.float32)
    length = tf.minimum(share, 1.0) * pixels
    start = chance * (pixels - length)
    place = tf.range(pixels)[None] + 0.5
    return (place >= start[:, None]) & (place < (start + length)[:, None])


def _sizes(images: Any) -> tuple[Any, Any, Any]:
    count, height, width, _ = tf.unstack(tf.shape(images))
    return count, height, width
