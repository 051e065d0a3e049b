"""A grey model that takes RGB: the conversion becomes the model's first layer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.spec import ImageInput
from export.calibration import CalibrationSet

# ITU-R 601 luma, (0.299, 0.587, 0.114) as in Pillow's mode "L", in whole 217ths: TFLite scales the
# largest weight to 127, so these three are its integers exactly. Greys come through unchanged, and
# no colour is further than half a step of 255 from Pillow's.
LUMA: Final = np.array((65, 127, 25)) / 217


def with_luma(model: Any) -> Any:
    """A `keras.Model` from RGB, float32 (n, height, width, 3), of one that takes grey."""
    import keras

    height, width, _ = model.input_shape[1:]
    colours = keras.Input((height, width, 3), name="image")
    luma = keras.layers.Conv2D(1, 1, use_bias=False, name="luma")
    grey = luma(colours)
    luma.set_weights([LUMA.reshape(1, 1, 3, 1).astype(np.float32)])
    return keras.Model(colours, model(grey, training=False))


def as_rgb(image: ImageInput) -> ImageInput:
    """The same picture contract for RGB. Normalising first and then taking the luma is the same.

    Levelling is for grey pictures only, and those who give RGB do not level anyway.
    """
    return replace(image, color="rgb", mean=image.mean * 3, std=image.std * 3, level=False)


def repeated(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey pixels (n, height, width, 1) as RGB, shape (n, height, width, 3)."""
    return np.repeat(grey, 3, axis=-1)


def shown_in_rgb(calibration: CalibrationSet) -> CalibrationSet:
    """The same pictures and scores, as the model with luma inside takes them."""
    pixels, image = repeated(calibration.pixels), as_rgb(calibration.image)
    return replace(calibration, pixels=pixels, image=image)
