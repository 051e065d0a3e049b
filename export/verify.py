"""The original against each file, through the runtime that devices use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime import modelfile, parity, preprocess
from edge_runtime.classifier import Classifier
from edge_runtime.spec import ImageInput, Parity

_BATCH = 256  # pictures per call: bounds the memory that a large evaluation set takes


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
