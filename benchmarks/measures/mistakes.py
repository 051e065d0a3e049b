"""Where a model file and its original part: class by class, and picture by picture."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SHOWN: Final = 12  # pictures of one file
_SIDE: Final = 96  # pixels; larger pictures are shrunk for the report


@dataclass(frozen=True)
class ClassFigures:
    """How one class fares."""

    label: str
    pictures: int
    right: int
    lost: int | None = None  # pictures that only the reference has right
    gained: int | None = None  # pictures that only the file has right


@dataclass(frozen=True)
class Mistake:
    """A picture that the reference has right and the file wrong."""

    index: int  # in the evaluation set as it was used
    label: str
    taken_for: str
    score: float  # the file's, for the wrong label, 0..1
    png_base64: str


def by_class(
    labels: Sequence[str],
    truth: NDArray[np.int64],
    answers: NDArray[np.int64],
    reference: NDArray[np.int64] | None,
) -> tuple[ClassFigures, ...]:
    """The figures of every class that the pictures show.

    Args:
        labels: the names of the classes.
        truth: the true classes, shape (n,).
        answers: the file's, same shape.
        reference: the reference's, same shape; None where there is none.
    """
    right = answers == truth
    found = []
    for index, label in enumerate(labels):
        mine = truth == index
        if not mine.any():
            continue
        lost = gained = None
        if reference is not None:
            lost = int(np.sum(mine & (reference == truth) & ~right))
            gained = int(np.sum(mine & (reference != truth) & right))
        found.append(ClassFigures(label, int(mine.sum()), int(right[mine].sum()), lost, gained))
    return tuple(found)


def confusion(
    classes: int, truth: NDArray[np.int64], answers: NDArray[np.int64]
) -> tuple[tuple[int, ...], ...]:
    """How many pictures of each true class (rows) were taken for each class (columns)."""
    # `bincount` takes the machine's own integers, and a 32-bit Pi's are shorter.
    pairs = (truth * classes + answers).astype(np.intp)
    counts = np.bincount(pairs, minlength=classes * classes)
    return tuple(map(tuple, counts.reshape(classes, classes).tolist()))


def lost_pictures(
    labels: Sequence[str],
    images: NDArray[np.uint8],
    truth: NDArray[np.int64],
    scores: NDArray[np.float32],
    reference: NDArray[np.int64],
) -> tuple[Mistake, ...]:
    """The pictures that only the reference has right, those the file is surest about first."""
    answers = scores.argmax(axis=1)
    (lost,) = np.nonzero((reference == truth) & (answers != truth))
    surest = sorted(lost.tolist(), key=lambda index: -float(scores[index].max()))
    return tuple(
        Mistake(
            index=index,
            label=labels[int(truth[index])],
            taken_for=labels[int(answers[index])],
            score=float(scores[index].max()),
            png_base64=_png(images[index]),
        )
        for index in surest[:_SHOWN]
    )


def _png(pixels: NDArray[np.uint8]) -> str:
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    image.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()
