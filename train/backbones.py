"""Transfer learning: a network that knows photographs, from `keras.applications`, and a new head.

| backbone | pictures from | int8 |
|---|---|---|
| mobilenetv2, resnet50v2 | 32 pixels | quantizes well: ReLU and ReLU6 only |
| mobilenetv3small, mobilenetv3large | 32 pixels | loses some: hard-swish, squeeze-and-excite |
| efficientnetv2b0 | 32 pixels | loses most: swish, squeeze-and-excite |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import keras
from keras import layers

from edge_runtime.errors import InputError
from edge_runtime.spec import ImageInput
from train.config import BackboneName, TrainConfig

SMALLEST: Final = 32  # pixels to a side; smaller pictures are enlarged inside
_DROPOUT: Final = 0.2


@dataclass(frozen=True)
class Backbone:
    """How one of `keras.applications` wants its pixels."""

    make: str  # the function in keras.applications
    mean: float = 127.5  # of pixels 0..255, all channels alike
    std: float = 127.5
    options: Mapping[str, Any] = field(default_factory=dict)


# Pixels are scaled once: outside, where all channels are scaled alike, and inside EfficientNetV2,
# which does it channel by channel. (The first EfficientNet scales otherwise when its weights come
# from a file, so it is none of them.)
BACKBONES: Final[Mapping[BackboneName, Backbone]] = {
    "mobilenetv2": Backbone("MobileNetV2"),
    "mobilenetv3small": Backbone("MobileNetV3Small", options={"include_preprocessing": False}),
    "mobilenetv3large": Backbone("MobileNetV3Large", options={"include_preprocessing": False}),
    "efficientnetv2b0": Backbone("EfficientNetV2B0", mean=0, std=1),
    "resnet50v2": Backbone("ResNet50V2"),
}


def image(config: TrainConfig, ours: ImageInput) -> ImageInput:
    """The contract of pictures with the pixel range that the backbone was trained on."""
    wanted = BACKBONES[config.chosen_backbone]
    return replace(
        ours, mean=(float(wanted.mean),) * ours.channels, std=(float(wanted.std),) * ours.channels
    )


def features(config: TrainConfig, inputs: Any) -> Any:
    """What the backbone makes of pictures, float32 (n, height, width, 1 or 3): (n, features).

    Raises:
        InputError: its weights cannot be had, or are of another network.
    """
    x = inputs
    if inputs.shape[-1] == 1:
        x = layers.Concatenate(name="three_channels")([x, x, x])
    times = -(-SMALLEST // min(inputs.shape[1:3]))
    if times > 1:
        x = layers.UpSampling2D(times, name="larger")(x)
    backbone = _backbone(config, x.shape[1:])
    x = layers.GlobalAveragePooling2D()(backbone(x))
    return layers.Dropout(_DROPOUT)(x)


def _backbone(config: TrainConfig, shape: tuple[int, ...]) -> keras.Model:
    wanted = BACKBONES[config.chosen_backbone]
    # A run to start from has its own.
    source = config.weights or ("none" if config.start else "imagenet")
    if source not in ("imagenet", "none") and not Path(source).is_file():
        raise InputError(f"there is no file {source}; --weights takes imagenet, none or a file")
    try:
        model = getattr(keras.applications, wanted.make)(
            input_shape=shape,
            include_top=False,
            weights=None if source == "none" else source,
            **wanted.options,
        )
    except Exception as error:  # a download, HDF5 and Keras may all fail in their own ways
        reason = str(error).strip().partition("\n")[0]
        help_ = (
            "it downloads them once; --weights takes a file of them too, or none"
            if source == "imagenet"
            else f"expected those of {wanted.make} with include_top=False, as Keras saves them"
        )
        raise InputError(f"cannot use the weights {source}: {reason}; {help_}") from error
    if config.weights != "none":
        # Statistics of many photographs are better than those of a few batches of ours.
        for layer in model.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.trainable = False
    return model
