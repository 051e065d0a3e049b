"""The pictures that show an integer model which values its tensors take."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime import preprocess, spec
from edge_runtime.spec import ImageInput


@dataclass(frozen=True, eq=False)
class CalibrationSet:
    """Training pictures, and what the original model says about them."""

    pixels: NDArray[np.uint8]  # 0..255, shape (n, height, width, channels), RGB or grey
    scores: NDArray[np.float32]  # the original's raw outputs, shape (n, classes)
    image: ImageInput
    manifest: spec.Calibration

    def inputs(self) -> Iterator[NDArray[np.float32]]:
        """The model's inputs, one picture at a time: float32, shape (1, height, width, channels)."""
        for index in range(len(self.pixels)):
            yield preprocess.normalise(self.pixels[index : index + 1], self.image)


def manifest(pixels: NDArray[np.uint8], source: str) -> spec.Calibration:
    """What the model file will say about its calibration pictures."""
    digest = hashlib.sha256(pixels.tobytes()).hexdigest()
    return spec.Calibration(source=source, images=len(pixels), sha256=digest)
