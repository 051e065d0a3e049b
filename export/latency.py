"""How long one picture takes in each file, measured in turns so that all meet the same weather."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.classifier import Classifier

_ROUNDS: Final = 5
_ROUND_SECONDS: Final = 0.04  # per file
_LEAST: Final = 3  # pictures per round, however slow
_PICTURES: Final = 64  # different ones


def measure(files: Sequence[Path], pixels: NDArray[np.uint8]) -> dict[str, float]:
    """The median time of one picture, engine and pre- and postprocessing included.

    Enough to order files on this machine; `python -m benchmarks` measures for the record.

    Args:
        files: model files of the same model.
        pixels: uint8 0..255, shape (n, height, width, channels).

    Returns:
        File name → milliseconds, on one thread.
    """
    classifiers = {path.name: Classifier.open(path) for path in files}
    for classifier in classifiers.values():  # the first call of an engine plans its memory
        classifier.scores(fitting(pixels[:1], classifier))
    rounds: dict[str, list[float]] = {name: [] for name in classifiers}
    for _ in range(_ROUNDS):
        for name, classifier in classifiers.items():
            rounds[name].append(_round(classifier, fitting(pixels[:_PICTURES], classifier)))
    return {name: median(times) for name, times in rounds.items()}


def fitting(pixels: NDArray[np.uint8], classifier: Classifier) -> NDArray[np.uint8]:
    """Grey pictures as the RGB that one of the files may take."""
    channels = classifier.spec.image.channels
    return pixels if pixels.shape[-1] == channels else np.repeat(pixels, channels, axis=-1)


def _round(classifier: Classifier, pixels: NDArray[np.uint8]) -> float:
    times: list[float] = []
    ends = perf_counter() + _ROUND_SECONDS
    while len(times) < _LEAST or perf_counter() < ends:
        place = len(times) % len(pixels)
        picture = pixels[place : place + 1]
        started = perf_counter()
        classifier.scores(picture)
        times.append(1000 * (perf_counter() - started))
    return median(times)
