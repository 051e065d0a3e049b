"""A picture to the model's pixels, quickly: what `Classifier.classify` does before the engine."""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter_ns
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_runtime import image, preprocess

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_runtime.image import ImageSource
    from edge_runtime.spec import ImageInput

_UINT8 = np.dtype(np.uint8)


class Prepared(NamedTuple):
    """What a result says of a picture besides its scores."""

    source: str | None
    warnings: tuple[str, ...]
    decode_ms: float
    preprocess_ms: float


_AS_IT_IS = Prepared(None, (), 0.0, 0.0)


def preparer(wanted: ImageInput) -> Callable[[ImageSource], tuple[NDArray[np.uint8], Prepared]]:
    """What prepares pictures: `image.load`, then `preprocess.to_pixels`.

    Args:
        wanted: the model's picture contract.

    Returns:
        A function of a picture that gives uint8 pixels 0..255 of shape (1, height, width, channels)
        and what there is to tell of them; it raises InputError as `image.load` does.
    """
    height, width, channels = wanted.height, wanted.width, wanted.channels
    batch_of_one = (1, height, width, channels)
    # The shapes of an array that is the model's pixels as it stands.
    ready = {(height, width, channels)} | ({(height, width)} if channels == 1 else set())

    def prepare(picture: ImageSource) -> tuple[NDArray[np.uint8], Prepared]:
        # Already the model's pixels: Pillow has nothing to do.
        if isinstance(picture, np.ndarray) and picture.shape in ready and picture.dtype == _UINT8:
            return picture.reshape(batch_of_one), _AS_IT_IS
        started = perf_counter_ns()
        upright = image.load(picture, wanted)
        decoded = perf_counter_ns()
        pixels, warnings = preprocess.to_pixels(upright, wanted)
        preprocess_ms = (perf_counter_ns() - decoded) / 1e6
        told = Prepared(source_of(picture), warnings, (decoded - started) / 1e6, preprocess_ms)
        return pixels[None], told

    return prepare


def source_of(picture: ImageSource) -> str | None:
    """A picture's name, where it has one: its path, or what its file is called."""
    if isinstance(picture, str | os.PathLike):
        return os.fspath(picture)
    name = getattr(picture, "name", None) or getattr(picture, "filename", None)
    return name if isinstance(name, str) else None
