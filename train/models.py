"""The models, each short enough to read whole.

All take float32 pictures (height, width, channels), normalised as the spec says, through an
input named "image", and give logits, shape (classes,). Batch normalisation folds into the
convolution before it and ReLU into the one behind it, so they lose next to nothing as int8.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from edge_runtime.spec import ImageInput
from train.config import ModelName


def build(name: ModelName, image: ImageInput, classes: int) -> keras.Model:
    """A new model with random weights.

    Args:
        name: which of the models.
        image: the pictures it will see.
        classes: how many logits it gives.
    """
    inputs = keras.Input((image.height, image.width, image.channels), name="image")
    outputs = layers.Dense(classes, name="logits")(_features(name, inputs))
    return keras.Model(inputs, outputs, name=name)


def _features(name: ModelName, inputs: Any) -> Any:
    match name:
        case "mlp":
            return _mlp(inputs)
        case "cnn":
            return _cnn(inputs)


def _mlp(inputs: Any) -> Any:
    """The network of TensorFlow's "Basic classification" tutorial."""
    return layers.Dense(128, activation="relu", name="hidden")(layers.Flatten()(inputs))


def _cnn(inputs: Any) -> Any:
    """Six convolutions, narrow at full resolution and wider as the picture shrinks."""
    x = _conv(inputs, 24)
    x = _conv(x, 24)
    x = layers.MaxPooling2D()(x)
    x = _conv(x, 32)
    x = _conv(x, 48)
    x = layers.MaxPooling2D()(x)
    x = _conv(x, 64)
    x = _conv(x, 64)
    return layers.GlobalAveragePooling2D()(x)


def _conv(x: Any, channels: int) -> Any:
    """A 3 x 3 convolution, batch normalisation and ReLU."""
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(
        x
    )
    # Keras' momentum of 0.99 averages over more steps than a short training has.
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.ReLU()(x)
