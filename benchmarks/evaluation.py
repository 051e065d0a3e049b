"""The pictures a benchmark judges by: an .npz of pixels, true classes and the original's scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime import npz
from edge_runtime.errors import InputError

DEFAULT_NAME: Final = "evaluation.npz"  # `python -m export` writes it beside the model files


@dataclass(frozen=True)
class EvaluationSet:
    """Pictures at the model's size, with what is known about them."""

    path: Path
    images: NDArray[np.uint8]  # 0..255, shape (n, height, width, channels), RGB or grey
    labels: NDArray[np.int64]  # true classes, shape (n,)
    scores: NDArray[np.float32] | None  # the original's probabilities, shape (n, classes)


def load(path: Path, *, limit: int | None = None, seed: int = 0) -> EvaluationSet:
    """Read an evaluation set.

    Args:
        path: an .npz with `images` uint8 (n, height, width, channels), `labels` (n,) and, if
            known, `scores` float32 (n, classes): the original's probabilities.
        limit: use no more pictures than this, drawn at random, since a file may be sorted by class.
        seed: of that draw.

    Raises:
        InputError: the file cannot be read, or an array is missing or of the wrong kind.
    """
    arrays = _read(path)
    images, labels, scores = (arrays.get(name) for name in ("images", "labels", "scores"))
    if images is None or labels is None:
        missing = "images" if images is None else "labels"
        raise InputError(
            f"{path} has no array `{missing}`; an evaluation set has images and labels"
        )
    _check(path, "images", images, "uint8 (n, height, width, channels)", _is_pictures)
    _check(path, "labels", labels, f"{len(images)} whole numbers", _is_labels, len(images))
    if scores is not None:
        expected = f"floats ({len(images)}, classes), probabilities 0..1"
        _check(path, "scores", scores, expected, _is_scores, len(images))
        scores = scores.astype(np.float32)
    chosen = _draw(len(images), limit, seed)
    return EvaluationSet(
        path,
        images[chosen],
        labels[chosen].astype(np.int64),
        None if scores is None else scores[chosen],
    )


def _read(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file:
            return npz.read(file, "images", "labels", "scores")
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist; check --evaluation") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not a readable .npz file ({error}); make it again") from error


def _check(
    path: Path,
    name: str,
    array: NDArray[Any],
    expected: str,
    test: Callable[..., bool],
    *arguments: int,
) -> None:
    if not test(array, *arguments):
        raise InputError(
            f"{path}: `{name}` is {array.dtype} {array.shape}, expected {expected}; make it again"
        )


def _is_pictures(array: NDArray[Any]) -> bool:
    return array.dtype == np.uint8 and array.ndim == 4 and array.size > 0


def _is_labels(array: NDArray[Any], pictures: int) -> bool:
    whole = bool(np.issubdtype(array.dtype, np.integer))
    return whole and array.shape == (pictures,) and int(array.min()) >= 0


def _is_scores(array: NDArray[Any], pictures: int) -> bool:
    floating = bool(np.issubdtype(array.dtype, np.floating))
    if not floating or array.shape[:-1] != (pictures,) or not array.size:
        return False
    return bool(array.min() >= 0 and array.max() <= 1.001)  # as floats round; false for NaN, too


def _draw(pictures: int, limit: int | None, seed: int) -> slice | NDArray[np.int64]:
    if limit is None or limit >= pictures:
        return slice(None)
    return np.sort(np.random.default_rng(seed).permutation(pictures)[:limit])
