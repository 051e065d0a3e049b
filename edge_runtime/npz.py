"""Arrays from an `.npz` file that nobody has checked yet."""

from __future__ import annotations

import zipfile
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray


def read(file: BinaryIO, *names: str, max_bytes: int | None = None) -> dict[str, NDArray[Any]]:
    """Those of the named arrays that the file holds.

    Args:
        file: open for reading, and seekable.
        names: which arrays; others are not unpacked.
        max_bytes: more than this is not unpacked, since a hostile file may claim any size.

    Raises:
        ValueError: the file is damaged or no `.npz`, or unpacks to more than `max_bytes`.
    """
    try:
        return _read(file, names, max_bytes)
    except Exception as error:  # damage lets zipfile, zlib and NumPy's parser raise anything
        raise ValueError(str(error) or type(error).__name__) from error


def _read(file: BinaryIO, names: tuple[str, ...], max_bytes: int | None) -> dict[str, NDArray[Any]]:
    if not zipfile.is_zipfile(file):  # np.load would speak of pickled data
        raise ValueError("it is no zip archive, or was cut short")
    file.seek(0)
    with np.load(file, allow_pickle=False) as archive:
        size = sum(entry.file_size for entry in archive.zip.infolist())
        if max_bytes is not None and size > max_bytes:
            raise ValueError(f"it unpacks to more than {max_bytes:,} bytes")
        found = {name: archive[name] for name in names if name in archive.files}
    for name, value in found.items():
        if not isinstance(value, np.ndarray):  # NumPy hands over the bytes of any other member
            raise TypeError(f"its {name} is no array")
    return found
