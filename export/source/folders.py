"""A folder of pictures, with a sub-folder for each class where it is known what they show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime import image as images
from edge_runtime import preprocess
from edge_runtime.errors import InputError
from edge_runtime.sources import SUFFIXES, pictures_below
from edge_runtime.spec import ImageInput, ModelSpec


def anywhere(folder: Path) -> tuple[list[Path], None]:
    """All pictures in a folder and below it, in a fixed order."""
    return _below(folder), None


def by_class(folder: Path, spec: ModelSpec) -> tuple[list[Path], NDArray[np.int64] | None]:
    """The pictures of a folder in a fixed order, with classes where its sub-folders name them.

    Where they do, the pictures beside them are not among these: `beside` counts them.

    Raises:
        InputError: a sub-folder is no label of the model.
    """
    below = {path.name: _below(path) for path in sorted(folder.iterdir()) if path.is_dir()}
    named = {name: pictures for name, pictures in below.items() if pictures}
    if not named:
        return _below(folder), None
    unknown = [name for name in named if name not in spec.labels]
    if unknown:
        raise InputError(
            f"{folder} has a sub-folder {unknown[0]!r}, which is no label of the model "
            f"({', '.join(spec.labels[:5])} …); rename it, or put all pictures into one folder"
        )
    files = [path for pictures in named.values() for path in pictures]
    counts = [len(pictures) for pictures in named.values()]
    return files, np.repeat([spec.labels.index(name) for name in named], counts).astype(np.int64)


def beside(folder: Path) -> int:
    """How many pictures lie in the folder itself, which is no class."""
    return sum(path.parent == folder for path in _below(folder))


def load(files: Sequence[Path], image: ImageInput) -> NDArray[np.uint8]:
    """Pictures as devices prepare them: uint8 0..255, shape (n, height, width, channels).

    Raises:
        InputError: one is damaged or outside the limits.
    """
    return np.stack([preprocess.to_pixels(images.load(file, image), image)[0] for file in files])


def empty(folder: Path, role: str) -> InputError:
    """A folder without pictures."""
    return InputError(f"--{role} {folder} holds no pictures ({', '.join(SUFFIXES)})")


def _below(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in pictures_below(str(folder))]
    except OSError as error:
        raise InputError(f"cannot read {folder}: {error.strerror}; check its rights") from error
