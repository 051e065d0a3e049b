"""The original against each file, through the runtime that devices use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime import parity, preprocess
from edge_runtime.classifier import Classifier
from edge_runtime.errors import ModelError
from edge_runtime.modelfile import ModelFile
from edge_runtime.spec import ImageInput, Parity
from export.latency import fitting
from export.report import VariantReport

STRANGER: Final = 1e-4  # of any probability: more is no rounding but another computation

# A file without fast kernels is asked about so many: in seconds rather than minutes, for an interval
# three times as wide as that of 10,000 pictures.
SLOW_PICTURES: Final = 1000

_ALONE: Final = 0.05  # of any probability: even where a last digit decides on a step, it is less
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


@dataclass(frozen=True, eq=False)
class Answers:
    """What a file said of the evaluation pictures, or of some of them."""

    parity: Parity
    scores: NDArray[np.float32]  # probabilities, shape (n, classes)
    rows: NDArray[np.intp]  # which pictures, in rising order, shape (n,)


def measure(
    file: ModelFile,
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int64] | None,
    reference: NDArray[np.float32],
    *,
    slow: bool = False,
) -> Answers:
    """Run a sealed model file over the evaluation pictures; see `ask`.

    Raises:
        ModelError: the engine refuses the file, or it depends on how many pictures come at once.
    """
    return ask(Classifier.from_file(file), pixels, labels, reference, slow=slow)


def ask(
    classifier: Classifier,
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int64] | None,
    reference: NDArray[np.float32],
    *,
    slow: bool = False,
) -> Answers:
    """Compare a file's answers with the original's.

    Args:
        classifier: the file, opened.
        pixels: uint8 0..255, shape (n, height, width, channels), RGB or grey; grey ones are shown
            in RGB to a file that takes it.
        labels: the true classes, shape (n,); without them only agreement is measured.
        reference: the original's probabilities, shape (n, classes).
        slow: ask it about no more than `SLOW_PICTURES`.

    Raises:
        ModelError: its answer depends on how many pictures come at once.
    """
    rows = judging(len(pixels), slow=slow)
    shown = fitting(pixels[rows], classifier)
    scores = classifier.scores(shown)
    if not np.allclose(classifier.scores(shown[:1]), scores[:1], atol=_ALONE):
        raise ModelError(
            "a picture alone gets other scores than among others; report this as a bug"
        )
    found = parity.compare(reference[rows], scores, None if labels is None else labels[rows])
    return Answers(found, scores, rows)


def judging(count: int, *, slow: bool) -> NDArray[np.intp]:
    """The rows of the pictures that judge a file: all, or a fixed draw of them for slow files."""
    if not slow or count <= SLOW_PICTURES:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).permutation(count)[:SLOW_PICTURES])


def without_strangers(
    made: tuple[VariantReport, ...], answers: Mapping[str, Answers]
) -> tuple[VariantReport, ...]:
    """Compare the float32 files of all formats with each other, to the last picture.

    They hold the same numbers, so what differs by more than `STRANGER` is a fault of a converter or
    an engine, which rounding of the original could hide. The one further from it is not published.

    Args:
        made: all files.
        answers: file name → what it said of all evaluation pictures.
    """
    floats = [each for each in made if each.precision == "float32" and each.published]
    if len(floats) < 2:
        return made
    closest, *others = sorted(floats, key=_distance)
    strange = {}
    for other in others:
        largest = float(np.max(np.abs(answers[other.file].scores - answers[closest.file].scores)))
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
