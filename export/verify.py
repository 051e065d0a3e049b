"""The original against each file, through the runtime that devices use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime import modelfile, parity, preprocess
from edge_runtime.classifier import Classifier
from edge_runtime.spec import ImageInput, Parity
from export.report import VariantReport

STRANGER: Final = 1e-4  # of any probability: more is no rounding but another computation

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
    labels: NDArray[np.int64] | None,
    reference: NDArray[np.float32],
) -> tuple[Parity, NDArray[np.float32]]:
    """Run a sealed model file over the evaluation pictures.

    Args:
        path: the file.
        pixels: uint8 0..255, shape (n, height, width, channels), RGB or grey.
        labels: the true classes, shape (n,); without them only agreement is measured.
        reference: the original's probabilities, shape (n, classes).

    Returns:
        How it compares, and its probabilities, shape (n, classes).

    Raises:
        ModelError: the engine refuses the file.
    """
    scores = Classifier.from_file(modelfile.read(path)).scores(pixels)
    return parity.compare(reference, scores, labels), scores


def without_strangers(
    made: tuple[VariantReport, ...], scores: Mapping[str, NDArray[np.float32]]
) -> tuple[VariantReport, ...]:
    """Compare the float32 files of all formats with each other, to the last picture.

    They hold the same numbers, so what differs by more than `STRANGER` is a fault of a converter or
    an engine, which rounding of the original could hide. The one further from it is not published.

    Args:
        made: all files.
        scores: file name → its probabilities of the evaluation pictures, shape (n, classes).
    """
    floats = [each for each in made if each.precision == "float32" and each.published]
    if len(floats) < 2:
        return made
    closest, *others = sorted(floats, key=_distance)
    strange = {}
    for other in others:
        largest = float(np.max(np.abs(scores[other.file] - scores[closest.file])))
        if largest > STRANGER:
            strange[other.file] = (
                f"a probability differs by {largest:.2g} from {closest.file}'s, "
                f"more than {STRANGER:g}"
            )
    return tuple(
        replace(each, published=False, sha256=None, problems=(*each.problems, strange[each.file]))
        if each.file in strange
        else each
        for each in made
    )


def _distance(variant: VariantReport) -> float:
    return variant.parity.max_score_difference if variant.parity else 1.0
