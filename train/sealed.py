"""Arrays in one file that knows whether it is whole.

The SHA-256 of the rest in hexadecimal, a line break, then an `.npz` archive.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_DIGEST_BYTES: Final = 65  # with its line break


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of a sealed file."""
    members: dict[str, Any] = dict(arrays)
    buffer = io.BytesIO()
    np.savez(buffer, **members)
    payload = buffer.getvalue()
    return _digest(payload) + payload


def unpack(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays in a sealed file.

    Raises:
        ValueError: the bytes are not those that were packed.
    """
    digest, payload = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if digest != _digest(payload):
        raise ValueError("its digest does not fit")
    with np.load(io.BytesIO(payload), allow_pickle=False) as archive:
        return dict(archive)


def _digest(payload: bytes) -> bytes:
    return hashlib.sha256(payload).hexdigest().encode() + b"\n"
