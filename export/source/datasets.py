"""A data set by its name: found where Keras and Debian keep them, never downloaded.

Four IDX files as those of MNIST (http://yann.lecun.com/exdb/mnist/): two zero bytes, 8 for uint8,
the number of dimensions, each of them as a big-endian 32-bit number, then the values.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError

_PARTS: Final = {"calibration": "train", "evaluation": "t10k"}


def place_of(name: Path) -> Path | None:
    """The folder or .npz file of a data set that is named; None where it is not on this machine."""
    if name.name != str(name):  # more than one part: a path that does not exist
        return None
    for place in _places():
        if is_one(place / name):
            return place / name
        if (archive := place / f"{name}.npz").is_file():
            return archive
    return None


def is_one(folder: Path) -> bool:
    """Whether a folder holds the four IDX files, gzipped or not."""
    return all(_file(folder, part, kind) for part in _PARTS.values() for kind in (3, 1))


def said_places() -> str:
    """Where data sets are looked for, in words."""
    return " or ".join(map(str, _places()))


def read(folder: Path, role: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Training pictures to calibrate with, test pictures to evaluate with, and their labels.

    Raises:
        InputError: a file is damaged.
    """
    images, labels = (_file(folder, _PARTS[role], kind) for kind in (3, 1))
    assert images is not None, "is_one() saw all four files"
    assert labels is not None, "is_one() saw all four files"
    return _values(images), _values(labels)


def _places() -> tuple[Path, ...]:
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return keras / "datasets", Path("/usr/share/datasets")


def _file(folder: Path, part: str, dimensions: int) -> Path | None:
    name = f"{part}-{'images' if dimensions == 3 else 'labels'}-idx{dimensions}-ubyte"
    return next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None)


def _values(path: Path) -> NDArray[np.uint8]:
    try:
        data = path.read_bytes()
        content = gzip.decompress(data) if path.suffix == ".gz" else data
        dimensions = content[3]
        shape = tuple(np.frombuffer(content, ">u4", dimensions, offset=4).tolist())
        values = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions)
    except (OSError, EOFError, IndexError, ValueError, zlib.error) as error:
        raise InputError(f"{path} is damaged: {error}; get it again") from error
    if content[:3] != b"\0\0\x08" or len(values) != math.prod(shape):
        raise InputError(f"{path} holds {len(values)} bytes for the shape {shape}; get it again")
    return values.reshape(shape)
