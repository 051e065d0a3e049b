"""The pictures that show an integer model which values its tensors take."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime import preprocess, spec
from edge_runtime.errors import InputError
from edge_runtime.spec import ImageInput
from export.source.pictures import Pictures

UNSTABLE: Final = 0.2  # above it there are too few pictures (Google's advice for its quantizer)
_NARROW: Final = 4  # times: no honest draw spans so much less, but 0..1 taken for 0..255 does
_BATCH: Final = 32


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

    @property
    def too_few(self) -> bool:
        """Another draw of as many pictures would give noticeably other ranges."""
        return (self.manifest.instability or 0) > UNSTABLE


def required(calibration: CalibrationSet | None) -> CalibrationSet:
    """The pictures, where ranges cannot be had without; `export.export` asks for them in time."""
    if calibration is None:
        raise ValueError("its ranges need calibration pictures, and there are none")
    return calibration


def manifest(pictures: Pictures) -> spec.Calibration:
    """What the model file will say about its calibration pictures."""
    pixels = pictures.pixels
    return spec.Calibration(
        source=pictures.source,
        images=len(pixels),
        sha256=hashlib.sha256(pixels.tobytes()).hexdigest(),
        seed=pictures.seed,
        pixel_range=(int(pixels.min()), int(pixels.max())),
    )


def refuse_another_range(shown: NDArray[np.uint8], judged: NDArray[np.uint8]) -> None:
    """Refuse calibration pictures whose values span far less or more than the evaluation's.

    Raises:
        InputError: one of the two was scaled, and the other was not.
    """
    spans = [float(np.subtract(*np.percentile(pixels, (99.9, 0.1)))) for pixels in (shown, judged)]
    if min(spans) * _NARROW < max(spans):
        raise InputError(
            f"the calibration pictures' pixels span {spans[0]:.0f} of 255 values, the evaluation "
            f"pictures' {spans[1]:.0f}; one of them was scaled: store both as they were before"
        )


def with_instability(calibration: CalibrationSet, model: Any) -> CalibrationSet:
    """Add to the manifest how far the ranges of one half of the pictures are from the other's.

    A tensor's change is a share of its range; the figure is what one tensor in ten exceeds. Models
    whose layers cannot be seen, such as a SavedModel, are judged by their scores alone.
    """
    half = len(calibration.pixels) // 2
    if half == 0:
        return replace(calibration, manifest=replace(calibration.manifest, instability=1.0))
    inner = _all_tensors(model)
    one, other = (_ranges(inner, calibration.pixels[each::2], calibration.image) for each in (0, 1))
    widths = np.maximum(one[:, 1] - one[:, 0], other[:, 1] - other[:, 0])
    change = np.abs(one - other).max(axis=1)[widths > 0] / widths[widths > 0]
    instability = float(np.percentile(change, 90)) if len(change) else 0.0
    return replace(
        calibration, manifest=replace(calibration.manifest, instability=round(instability, 4))
    )


def _all_tensors(model: Any) -> Any:
    import keras

    inner = [
        layer.output
        for layer in getattr(model, "layers", [])
        # A nested model's `output` is that of its own graph, not of this one.
        if isinstance(getattr(layer, "output", None), keras.KerasTensor)
        and not hasattr(layer, "layers")
    ]
    return keras.Model(model.inputs, [*inner, *model.outputs]) if model.inputs else model


def _ranges(model: Any, pixels: NDArray[np.uint8], image: ImageInput) -> NDArray[np.float64]:
    """The smallest and largest value of every output, shape (outputs, 2)."""
    found = []
    for start in range(0, len(pixels), _BATCH):
        batch = preprocess.normalise(pixels[start : start + _BATCH], image)
        outputs = model.predict_on_batch(batch)
        values = outputs if isinstance(outputs, list | tuple) else [outputs]
        found.append([(np.min(value), np.max(value)) for value in values])
    bounds = np.array(found, dtype=np.float64)
    return np.stack([bounds[..., 0].min(axis=0), bounds[..., 1].max(axis=0)], axis=-1)
