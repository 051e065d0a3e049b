"""Small data sets in the real format, for tests of training."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from train.datasets import sources


def _idx_bytes(values: NDArray[np.uint8]) -> bytes:
    """uint8 values in IDX form."""
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes([0, 0, 0x08, values.ndim]) + sizes + values.tobytes()


def _write_idx_folder(folder: Path, train: int = 60, test: int = 20, classes: int = 3) -> Path:
    """Four files of 8 x 6 pixel pictures; training labels gzipped, the rest not."""
    random = np.random.default_rng(7)
    folder.mkdir(parents=True, exist_ok=True)
    for images, labels, count in (
        (sources.TRAIN_IMAGES, sources.TRAIN_LABELS, train),
        (sources.TEST_IMAGES, sources.TEST_LABELS, test),
    ):
        pixels = random.integers(0, 256, (count, 8, 6), np.uint8)
        (folder / images).write_bytes(_idx_bytes(pixels))
        actual = (np.arange(count) % classes).astype(np.uint8)
        (folder / labels).write_bytes(_idx_bytes(actual))
    plain = folder / sources.TRAIN_LABELS
    plain.with_name(f"{plain.name}.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    return folder


@pytest.fixture(scope="session")
def idx_bytes() -> Callable[[NDArray[np.uint8]], bytes]:
    """Turns uint8 values into an IDX file's bytes."""
    return _idx_bytes


@pytest.fixture
def idx_folder(tmp_path: Path) -> Path:
    """60 training and 20 test pictures of 3 classes."""
    return _write_idx_folder(tmp_path / "my pictures")


@pytest.fixture
def other_classes(tmp_path: Path) -> Path:
    """Pictures like those of `idx_folder`, of 5 classes."""
    return _write_idx_folder(tmp_path / "others", classes=5)


@pytest.fixture(scope="session")
def fashion_mnist() -> Path:
    """The folder of the real Fashion-MNIST; its tests are skipped where it is not installed."""
    for place in sources.usual_places("fashion-mnist"):
        if not sources.missing(place):
            return place
    pytest.skip("Fashion-MNIST is not here: sudo apt-get install dataset-fashion-mnist")
