"""Pixels that may be more than memory holds: past a limit they lie in a file.

The file has no name, so the system frees it when the last array of it is gone, however the program
ends. It is read through the page cache, which makes small sets as fast as memory.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import OutputError

IN_MEMORY: Final = 256 * 2**20  # bytes of an array up to which a file is not worth it

_ROWS: Final = 1024  # copied at once


def blank(shape: tuple[int, ...], *, in_memory: int = IN_MEMORY) -> NDArray[np.uint8]:
    """An array to fill: in memory, or in a file where that is too much.

    Raises:
        OutputError: the disk has no room for the file.
    """
    size = int(np.prod(shape, dtype=np.int64))
    if size <= in_memory:
        return np.empty(shape, np.uint8)
    folder = _folder()
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            # Without room behind it a page that is written later would end the program.
            reserve = getattr(os, "posix_fallocate", None)  # not on macOS and Windows
            reserve(file.fileno(), 0, size) if reserve else file.truncate(size)
            return np.memmap(file, np.uint8, "r+", shape=shape)
    except OSError as error:
        raise OutputError(
            f"cannot keep {size:,} bytes of pictures in {folder}: {error.strerror}; free some "
            "space or set TMPDIR to another place"
        ) from error


def take(images: NDArray[np.uint8], positions: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Some pictures (n, …), in this order; of a file they go to a file, if they are many."""
    if not is_stored(images):
        return images[positions]
    taken = blank((len(positions), *images.shape[1:]))
    for start in range(0, len(positions), _ROWS):
        rows = slice(start, start + _ROWS)
        taken[rows] = images[positions[rows]]
    return taken


def is_stored(images: NDArray[np.uint8]) -> bool:
    """Whether the pixels lie in a file."""
    return isinstance(images, np.memmap)


def _folder() -> Path:
    # /tmp is often memory; /var/tmp is on a disk by the Filesystem Hierarchy Standard.
    named, usual = os.environ.get("TMPDIR"), Path("/var/tmp")  # noqa: S108  what it is for
    if named or not (usual.is_dir() and os.access(usual, os.W_OK)):
        return Path(tempfile.gettempdir())
    return usual
