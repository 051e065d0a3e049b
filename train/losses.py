"""What training makes small: the distance from the labels and from the teacher's answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from train.config import TrainConfig


def balance(labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """What a picture of each class must count so that all classes count alike: (classes,)."""
    counts = np.maximum(np.bincount(labels, minlength=classes), 1)
    weights: NDArray[np.float32] = (len(labels) / (classes * counts)).astype(np.float32)
    return weights


def loss(
    logits: Any, labels: Any, taught: Any | None, config: TrainConfig, weights: Any = 1.0
) -> Any:
    """The mean loss of a batch.

    Args:
        logits: of the model that is trained, float32 (n, classes).
        labels: one-hot, float32 (n, classes).
        taught: the teacher's logits, float32 (n, classes); None where there is no teacher.
        config: label smoothing, and how much the teacher counts.
        weights: how much a picture of each class counts, float32 (classes,).
    """
    classes = logits.shape[-1]
    smooth = labels * (1 - config.label_smoothing) + config.label_smoothing / classes
    losses = tf.nn.softmax_cross_entropy_with_logits(smooth, logits)
    hard = tf.reduce_mean(losses * tf.reduce_sum(labels * weights, axis=-1))
    if taught is None:
        return hard
    return (1 - config.teacher_weight) * hard + config.teacher_weight * _soft(
        logits, taught, config.temperature
    )


def _soft(logits: Any, taught: Any, temperature: float) -> Any:
    """The Kullback-Leibler divergence of softened probabilities.

    Gradients of softened logits shrink with the temperature's square (Hinton et al. 2015), which
    is put back so that the temperature does not change how much the teacher counts.
    """
    theirs = tf.nn.log_softmax(taught / temperature)
    ours = tf.nn.log_softmax(logits / temperature)
    divergences = tf.reduce_sum(tf.exp(theirs) * (theirs - ours), axis=-1)
    return temperature**2 * tf.reduce_mean(divergences)
