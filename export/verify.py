"""The original against each file, through the runtime that devices use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime import modelfile, parity, preprocess
from edge_runtime.classifier import Classifier
from edge_runtime.errors import UsageError
from edge_runtime.spec import ImageInput, Parity

_BATCH = 256  # pictures per call: bounds the memory that a large evaluation set takes


@dataclass(frozen=True)
class Limits:
    """How far a file may differ from the original and still be published."""

    max_accuracy_drop_points: float = 0.5  # per cent points on the evaluation set
    min_agreement: float = 0.99  # share of pictures with the same best label, 0..1

    def __post_init__(self) -> None:
        if not 0 <= self.max_accuracy_drop_points <= 100:
            raise UsageError(
                f"--max-accuracy-drop is {self.max_accuracy_drop_points}, expected 0 to 100 points"
            )
        if not 0 <= self.min_agreement <= 1:
            raise UsageError(f"--min-agreement is {self.min_agreement}, expected 0 to 1")

    def problems(self, measured: Parity) -> tuple[str, ...]:
        """What is outside its limit, in words; nothing when all is well."""
        found = []
        difference = measured.accuracy_difference_points
        if difference is not None and -difference > self.max_accuracy_drop_points:
            found.append(
                f"accuracy drops by {-difference:.2f} points, "
                f"more than {self.max_accuracy_drop_points:g}"
            )
        if measured.agreement < self.min_agreement:
            found.append(
                f"agrees on {measured.agreement:.2%} of the pictures, "
                f"less than {self.min_agreement:.2%}"
            )
        return tuple(found)


def reference_scores(
    model: Any, pixels: NDArray[np.uint8], image: ImageInput
) -> NDArray[np.float32]:
    """What the original Keras model says.

    Args:
        model: a `keras.Model` from float32 (n, height, width, channels) to (n, classes).
        pixels: uint8 0..255, shape (n, height, width, channels), RGB or grey.
        image: the model's picture contract.

    Returns:
        Its raw outputs: float32, shape (n, classes).
    """
    rows = [
        np.asarray(
            model.predict_on_batch(preprocess.normalise(pixels[start : start + _BATCH], image))
        )
        for start in range(0, len(pixels), _BATCH)
    ]
    return np.concatenate(rows).astype(np.float32)


def measure(
    path: Path,
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int64],
    reference: NDArray[np.float32],
) -> tuple[Parity, NDArray[np.float32]]:
    """Run a sealed model file over the evaluation pictures.

    Args:
        path: the file.
        pixels: uint8 0..255, shape (n, height, width, channels), RGB or grey.
        labels: the true classes, shape (n,).
        reference: the original's probabilities, shape (n, classes).

    Returns:
        How it compares, and its probabilities, shape (n, classes).

    Raises:
        ModelError: the engine refuses the file.
    """
    scores = Classifier.from_file(modelfile.read(path)).scores(pixels)
    return parity.compare(reference, scores, labels), scores
