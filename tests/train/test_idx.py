"""IDX files: whole ones are read, all others are named with what is wrong."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_runtime.errors import InputError
from train.datasets import idx

IdxBytes = Callable[[np.ndarray], bytes]
PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@given(hnp.arrays(np.uint8, hnp.array_shapes(max_dims=4, min_side=0, max_side=5)), st.booleans())
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, idx_bytes: IdxBytes, values: np.ndarray, zipped: bool
) -> None:
    data = idx_bytes(values)
    path = tmp_path_factory.getbasetemp() / "values"
    path.write_bytes(gzip.compress(data) if zipped else data)

    file = idx.read(path)

    assert np.array_equal(file.values, values)
    assert file.values.shape == values.shape
    assert file.sha256 == hashlib.sha256(data).hexdigest()


def test_the_digest_is_of_the_decompressed_bytes(tmp_path: Path, idx_bytes: IdxBytes) -> None:
    digest = hashlib.sha256(idx_bytes(PIXELS)).hexdigest()
    for level in (1, 9):
        path = tmp_path / f"level-{level}.gz"
        path.write_bytes(gzip.compress(idx_bytes(PIXELS), level))
        assert idx.read(path, sha256=digest).sha256 == digest


def test_a_wrong_digest_says_both(tmp_path: Path, idx_bytes: IdxBytes) -> None:
    path = tmp_path / "images"
    path.write_bytes(idx_bytes(PIXELS))
    found = hashlib.sha256(idx_bytes(PIXELS)).hexdigest()
    with pytest.raises(InputError, match=f"is {found}, expected {'0' * 64}; replace or delete it"):
        idx.read(path, sha256="0" * 64)


@pytest.mark.parametrize("kept", [3, 15, 30, -1])
def test_a_gzip_cut_short_is_named(tmp_path: Path, idx_bytes: IdxBytes, kept: int) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx_bytes(PIXELS))[:kept])
    with pytest.raises(InputError, match=r"images\.gz is (cut short|damaged)"):
        idx.read(path)


def test_a_gzip_with_a_flipped_byte_is_named(tmp_path: Path, idx_bytes: IdxBytes) -> None:
    data = bytearray(gzip.compress(idx_bytes(PIXELS)))
    data[-6] ^= 0xFF  # inside the checksum
    path = tmp_path / "images.gz"
    path.write_bytes(data)
    with pytest.raises(InputError, match="is damaged"):
        idx.read(path)


@pytest.mark.parametrize(
    "data",
    [b"", b"\0\0", b"\x89PNG\r\n\x1a\n", b"\0\0\x0d\x01" + b"\0" * 8],
    ids=["empty", "two bytes", "a PNG", "IDX of floats"],
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "images"
    path.write_bytes(data)
    with pytest.raises(InputError, match="is no IDX file of uint8 values"):
        idx.read(path)


@pytest.mark.parametrize("change", [b"x", None], ids=["a byte too many", "a byte too few"])
def test_a_size_that_does_not_fit_is_named(
    tmp_path: Path, idx_bytes: IdxBytes, change: bytes | None
) -> None:
    data = idx_bytes(PIXELS)
    path = tmp_path / "images"
    path.write_bytes(data[:-1] if change is None else data + change)
    with pytest.raises(InputError, match=r"says it holds values of shape \(2, 3, 4\)"):
        idx.read(path)


def test_a_header_cut_short_is_named(tmp_path: Path, idx_bytes: IdxBytes) -> None:
    path = tmp_path / "images"
    path.write_bytes(idx_bytes(PIXELS)[:9])
    with pytest.raises(InputError, match="has 9 bytes"):
        idx.read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*images: No such file"):
        idx.read(tmp_path / "images")
