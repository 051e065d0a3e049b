"""Pictures and labels as arrays, in an .npz file or given: checked, and brought to one shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime import npz
from edge_runtime.errors import InputError
from edge_runtime.spec import ImageInput

# What they are called here, and in the files of keras.datasets.
_NAMES: Final = {
    "calibration": (("images", "labels"), ("x_train", "y_train")),
    "evaluation": (("images", "labels"), ("x_test", "y_test")),
}


def read(path: Path, role: str) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """The pictures of an .npz file and, where they are there, their labels; not checked yet.

    Raises:
        InputError: it cannot be read, or holds no pictures.
    """
    try:
        with path.open("rb") as file:
            for images, labels in _NAMES[role]:
                found = npz.read(file, images, labels)
                if images in found:
                    return found[images], found.get(labels)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not a readable .npz file: {error}; make it again") from error
    raise InputError(f"{path} has no array `images`; make it again")


def require(where: str, images: Any, labels: Any) -> None:
    """Refuse what a program gave instead of arrays.

    Raises:
        InputError: it gave something else.
    """
    if isinstance(images, tuple):
        raise InputError(
            f"{where}: got a tuple of {len(images)}, expected the pictures, or a pair of the "
            "pictures and their classes"
        )
    for given in (images, labels):
        if given is not None and not isinstance(given, np.ndarray):
            raise InputError(
                f"{where}: expected an array, a pair of arrays or a path, got "
                f"{type(given).__name__}"
            )


def pixels(where: str, images: NDArray[Any], image: ImageInput) -> NDArray[np.uint8]:
    """Pictures of shape (n, height, width, channels), as they should be.

    Args:
        where: for messages.
        images: uint8 0..255, shape (n, height, width, channels); grey ones may lack the last axis.
        image: the model's picture contract.

    Raises:
        InputError: they are of another type, shape or range.
    """
    if images.dtype != np.uint8:
        span = f" {images.min():g}..{images.max():g}" if images.size else ""
        raise InputError(
            f"{where}: `images` holds {images.dtype}{span}, expected uint8 pixels 0..255; "
            "store them as they were before any scaling"
        )
    expected = (image.height, image.width, image.channels)
    found = images[..., None] if images.ndim == 3 and image.channels == 1 else images
    if found.size == 0 or found.shape[1:] != expected:
        raise InputError(
            f"{where}: `images` has the shape {images.shape}, expected (n, "
            f"{', '.join(map(str, expected))}); make it again for this model"
        )
    if found.max() <= 1:
        raise InputError(
            f"{where}: `images` runs {found.min()}..{found.max()}, expected pixels 0..255; "
            "they were scaled before they became uint8: store them as they were before that"
        )
    return found


def classes(where: str, labels: NDArray[Any], count: int, among: int) -> NDArray[np.int64]:
    """True classes of shape (n,), as they should be.

    Args:
        where: for messages.
        labels: whole numbers, shape (n,) or (n, 1).
        count: how many there must be.
        among: how many classes the model knows.

    Raises:
        InputError: they are of another type, shape or range.
    """
    found = labels[:, 0] if labels.shape == (count, 1) else labels  # as Keras' own data sets come
    if not np.issubdtype(found.dtype, np.integer) or found.shape != (count,):
        raise InputError(
            f"{where}: `labels` is {labels.dtype} {labels.shape}, expected {count} whole numbers"
        )
    if found.min() < 0 or found.max() >= among:
        raise InputError(
            f"{where}: `labels` runs {found.min()}..{found.max()}, "
            f"but the model's {among} labels are 0..{among - 1}"
        )
    return found.astype(np.int64)
