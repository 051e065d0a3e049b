"""What is computed where grey models are given RGB, against Pillow."""

from __future__ import annotations

import numpy as np
from PIL import Image

from edge_runtime.preprocess import normalise
from edge_runtime.spec import ImageInput
from export.colour import LUMA, as_rgb, repeated

GREY = ImageInput(16, 256, "gray", (100.0,), (50.0,), polarity="light-on-dark", level=True)


def test_the_luma_is_pillows_within_half_a_step_and_its_rounding() -> None:
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    pillows = np.asarray(Image.fromarray(colours).convert("L"), dtype=np.float64)
    assert np.abs(colours @ LUMA - pillows).max() <= 1.0
    assert np.abs(LUMA - (0.299, 0.587, 0.114)).max() * 255 <= 0.5


def test_the_weights_are_whole_steps_of_the_largest() -> None:
    steps = LUMA / LUMA.max() * 127
    assert np.allclose(steps, np.rint(steps))


def test_greys_come_through_unchanged() -> None:
    greys = np.arange(256, dtype=np.uint8).repeat(16).reshape(1, 16, 256, 1)
    luma = normalise(repeated(greys), as_rgb(GREY)) @ LUMA
    assert np.allclose(luma, normalise(greys, GREY)[..., 0], atol=1e-5)
