"""Golden samples: a few pictures and the original model's scores, replayed on the device."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime import npz
from edge_runtime.classifier import Classifier
from edge_runtime.engines import EngineChoice
from edge_runtime.errors import ModelError
from edge_runtime.modelfile import ModelFile
from edge_runtime.spec import ModelSpec, Variant

_MAX_BYTES: Final = 64 * 2**20  # unpacked; a damaged or hostile file may claim any size


@dataclass(frozen=True)
class GoldenReport:
    """How a model file, on this machine, compares with the original on its golden samples."""

    samples: int
    agreeing: int  # samples with the same best label
    max_score_difference: float  # of any probability, 0..1
    tolerance: float

    @property
    def passed(self) -> bool:
        """Every label agrees, and no probability differs by more than the tolerance."""
        return self.agreeing == self.samples and self.max_score_difference <= self.tolerance

    def __str__(self) -> str:
        return (
            f"{self.agreeing}/{self.samples} agree, largest score difference "
            f"{self.max_score_difference:.4f} (tolerance {self.tolerance:.4f})"
        )


def pack(images: NDArray[np.uint8], scores: NDArray[np.float32]) -> bytes:
    """Golden samples as the bytes of an .npz, the same bytes for the same samples.

    Args:
        images: uint8 0..255, shape (n, height, width, channels).
        scores: the original's probabilities, float32, shape (n, classes).
    """
    # numpy's savez stamps no time of day into its entries, so equal arrays give equal bytes.
    file = io.BytesIO()
    np.savez_compressed(file, images=images, scores=scores.astype(np.float32))
    return file.getvalue()


def check(file: ModelFile, *, backend: EngineChoice = "auto", num_threads: int = 1) -> GoldenReport:
    """Replay the golden samples inside a model file.

    Raises:
        ModelError: the file holds no golden samples, or none that can be read and fit its spec.
        EngineError: no engine for its format is installed.
    """
    if file.golden is None or file.spec is None:
        raise ModelError(
            f"{file.path} holds no golden samples; export its original with `python -m export`"
        )
    classifier = Classifier.from_file(file, backend=backend, num_threads=num_threads)
    images, expected = _unpack(file.path, file.golden, classifier.spec)
    actual = classifier.scores(images)
    variant = classifier.spec.variant or Variant
    return GoldenReport(
        samples=len(images),
        agreeing=int(np.sum(actual.argmax(axis=1) == expected.argmax(axis=1))),
        max_score_difference=float(np.max(np.abs(actual - expected))),
        tolerance=variant.golden_tolerance,
    )


def _unpack(
    path: Path, golden: bytes, spec: ModelSpec
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    try:
        samples = npz.read(io.BytesIO(golden), "images", "scores", max_bytes=_MAX_BYTES)
        images, scores = samples["images"], samples["scores"]
    except (ValueError, KeyError) as error:
        raise ModelError(f"{path}: its golden samples are not readable: {error}") from error
    shape = (spec.image.height, spec.image.width, spec.image.channels)
    fitting = (
        images.dtype == np.uint8
        and images.shape == (len(scores), *shape)
        and scores.shape == (len(scores), len(spec.labels))
        and len(scores) > 0
    )
    if not fitting:
        raise ModelError(f"{path}: its golden samples do not fit its spec; export it again")
    return images, scores
