"""The models, each short enough to read whole.

All take float32 pictures (height, width, channels), normalised as the spec says, through an
input named "image", and give logits, shape (classes,). Batch normalisation folds into the
convolution before it and ReLU into the one behind it, so they lose next to nothing as int8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import keras
from keras import layers

from edge_runtime.errors import UsageError
from edge_runtime.spec import ImageInput
from train import backbones
from train.config import TrainConfig

Block = Callable[[Any, int, int], Any]  # of what comes in, channels and stride

LAST = "logits"  # the last layer, the only one that depends on the classes

_SMALLEST_CNN: Final = 4  # pixels to a side

# Keras' momentum of 0.99 averages over more steps than a short training has.
STATISTICS_MOMENTUM = 0.9


def build(config: TrainConfig, image: ImageInput, classes: int) -> keras.Model:
    """A new model with random weights.

    Args:
        config: which of the models, and its shape.
        image: the pictures it will see.
        classes: how many logits it gives.

    Raises:
        UsageError: the pictures are too small for it.
        InputError: the weights of a backbone cannot be had, or are of another network.
    """
    inputs = keras.Input((image.height, image.width, image.channels), name="image")
    outputs = layers.Dense(classes, name=LAST)(_features(config, inputs))
    return keras.Model(inputs, outputs, name=config.model)


def _features(config: TrainConfig, inputs: Any) -> Any:
    match config.model:
        case "mlp":
            return _mlp(inputs, config.units or (128,))
        case "cnn":
            return _cnn(inputs)
        case "ds-cnn":
            return _ds_cnn(inputs, config)
        case "resnet":
            return _resnet(inputs, config)
        case "ds-resnet":
            return _resnet(inputs, config, deeper=_separable)
        case "transfer":
            return backbones.features(config, inputs)


def _mlp(inputs: Any, units: tuple[int, ...]) -> Any:
    """The network of TensorFlow's "Basic classification" tutorial, and its wider relatives."""
    x = layers.Flatten()(inputs)
    for index, count in enumerate(units):
        name = f"hidden_{index + 1}" if index else "hidden"
        x = layers.Dense(count, activation="relu", name=name)(x)
    return x


def _cnn(inputs: Any) -> Any:
    """Six convolutions, narrow at full resolution and wider as the picture shrinks."""
    if min(inputs.shape[1:3]) < _SMALLEST_CNN:
        raise UsageError(
            f"--model cnn halves pictures twice, which takes {_SMALLEST_CNN} pixels or more to a "
            "side; give a larger --size or another --model"
        )
    x = _conv(inputs, 24)
    x = _conv(x, 24)
    x = layers.MaxPooling2D()(x)
    x = _conv(x, 32)
    x = _conv(x, 48)
    x = layers.MaxPooling2D()(x)
    x = _conv(x, 64)
    x = _conv(x, 64)
    return layers.GlobalAveragePooling2D()(x)


def _ds_cnn(inputs: Any, config: TrainConfig) -> Any:
    """Depthwise-separable blocks (Howard et al. 2017, "MobileNets"): few weights, little work."""
    x = None
    for _, width, stride in _blocks(config):
        if x is None:
            x = _conv(inputs, width)
        x = _conv(_depthwise(x, stride), width, size=1)
    return layers.GlobalAveragePooling2D()(x)


def _resnet(inputs: Any, config: TrainConfig, *, deeper: Block | None = None) -> Any:
    """Residual blocks of two convolutions (He et al. 2015, "Deep Residual Learning").

    Args:
        inputs: the pictures.
        config: widths and blocks.
        deeper: another block for all stages but the first. At full resolution channels are few,
            and whole convolutions cost few weights and run fast; further down, separable ones
            afford several times as many channels for the same weights.
    """
    x = None
    for stage, width, stride in _blocks(config):
        x = _conv(inputs, width) if x is None else x
        x = ((stage and deeper) or _residual)(x, width, stride)
    return layers.GlobalAveragePooling2D()(x)


def _residual(x: Any, width: int, stride: int) -> Any:
    """Two convolutions beside a shortcut."""
    y = _conv(x, width, stride=stride)
    y = _conv(y, width, relu=False)
    if stride != 1:
        x = _conv(x, width, size=1, stride=stride, relu=False)
    return layers.ReLU()(layers.Add()([x, y]))


def _separable(x: Any, width: int, stride: int) -> Any:
    """A depthwise and a 1x1 convolution, beside a shortcut where the shape stays."""
    y = _depthwise(x, stride)
    y = _conv(y, width, size=1, relu=False)
    return layers.ReLU()(layers.Add()([x, y]) if x.shape == y.shape else y)


def _blocks(config: TrainConfig) -> Iterator[tuple[int, int, int]]:
    """Each block's stage, channels and stride: stages after the first begin by halving pictures."""
    widths = config.widths or (16, 32, 64)
    counts = config.blocks or (1,)
    counts = counts * len(widths) if len(counts) == 1 else counts
    for stage, (width, count) in enumerate(zip(widths, counts, strict=True)):
        for block in range(count):
            yield stage, width, 2 if stage and not block else 1


def _conv(x: Any, channels: int, *, size: int = 3, stride: int = 1, relu: bool = True) -> Any:
    """A convolution and batch normalisation, and mostly ReLU."""
    x = layers.Conv2D(
        channels, size, stride, padding="same", use_bias=False, kernel_initializer="he_normal"
    )(x)
    x = _normalised(x)
    return layers.ReLU()(x) if relu else x


def _depthwise(x: Any, stride: int) -> Any:
    """A 3x3 depthwise convolution, batch normalisation and ReLU."""
    x = layers.DepthwiseConv2D(
        3, stride, padding="same", use_bias=False, depthwise_initializer="he_normal"
    )(x)
    return layers.ReLU()(_normalised(x))


def _normalised(x: Any) -> Any:
    return layers.BatchNormalization(momentum=STATISTICS_MOMENTUM)(x)
