"""IDX files: the format of MNIST and its followers, gzipped or not.

Two zero bytes, a byte for the type of the values, a byte for the number of dimensions, each
dimension as a big-endian 32-bit number, then the values (http://yann.lecun.com/exdb/mnist/).
"""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError

_GZIP_MAGIC: Final = b"\x1f\x8b"
_UINT8: Final = 0x08


@dataclass(frozen=True, eq=False)
class IdxFile:
    """The content of one IDX file."""

    values: NDArray[np.uint8]  # of any shape
    sha256: str  # of the decompressed bytes, because packagers compress them anew


def read(path: Path, *, sha256: str | None = None) -> IdxFile:
    """Read one IDX file of uint8 values.

    Args:
        path: the file, gzipped or not; its content tells.
        sha256: what the digest of the decompressed bytes must be, where that is known.

    Raises:
        InputError: the file cannot be read, is damaged, is not the file expected, or is no IDX
            file of uint8 values.
    """
    data = _decompressed(path)
    digest = hashlib.sha256(data).hexdigest()
    if sha256 is not None and digest != sha256:
        raise InputError(
            f"{path} is not the file expected: the SHA-256 of its content is {digest}, "
            f"expected {sha256}; replace or delete it"
        )
    return IdxFile(_parse(path, data), digest)


def _decompressed(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data.startswith(_GZIP_MAGIC) else data
    except EOFError as error:
        raise InputError(f"{path} is cut short; replace or delete it") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path} is damaged ({error}); replace or delete it") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the path") from error


def _parse(path: Path, data: bytes) -> NDArray[np.uint8]:
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != _UINT8:
        raise InputError(
            f"{path} is no IDX file of uint8 values: it begins with {data[:4].hex(' ')!r}, "
            "expected '00 00 08' and the number of dimensions"
        )
    header = 4 + 4 * data[3]
    shape = tuple(np.frombuffer(data[4:header], ">u4").tolist()) if len(data) >= header else ()
    if len(shape) != data[3] or len(data) != header + math.prod(shape):
        raise InputError(
            f"{path} says it holds values of shape {shape} but has {len(data)} bytes; get it again"
        )
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)
