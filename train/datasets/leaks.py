"""Pictures that stand in two splits in slightly different shape, and so flatter the figures.

The same photograph saved twice, scaled, or taken a moment later, is another file with other pixels,
but nearly the same small picture. Small pictures of 16 by 16 pixels are compared by their
correlation, which brightness and contrast do not change, all pairs at once as a matrix product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE: Final = 16

# Of 2,000 Fashion-MNIST test pictures, 0.25 % correlate more with one of 20,000 other pictures, and
# of pictures saved as JPEG at quality 90, more than 99 % with the original.
ALIKE: Final = 0.995

_ROWS: Final = 1024  # compared at once


def thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture, uint8 (height, width, channels), as a row of few values: uint8 (values,)."""
    channels = pixels.shape[2]
    small = Image.fromarray(pixels[..., 0] if channels == 1 else pixels).resize(
        (SIDE, SIDE), Image.Resampling.BOX
    )
    return np.asarray(small, np.uint8).reshape(-1)


def across(
    thumbnails: NDArray[np.uint8], splits: Mapping[str, NDArray[np.intp]]
) -> Iterator[tuple[int, int]]:
    """Pictures of a split that look like one of a split before it, each with the most alike.

    Args:
        thumbnails: of all pictures, shape (n, values).
        splits: the rows of each split; what is trained on comes first.
    """
    rows = np.empty(0, np.intp)
    earlier = np.empty((0, thumbnails.shape[1]), np.float32)
    for members in splits.values():
        own = _directions(thumbnails[members])
        if len(rows):
            for start in range(0, len(members), _ROWS):
                likeness = own[start : start + _ROWS] @ earlier.T
                best = likeness.argmax(axis=1)
                for place in np.flatnonzero(likeness[np.arange(len(best)), best] >= ALIKE):
                    yield int(members[start + place]), int(rows[best[place]])
        rows, earlier = np.concatenate([rows, members]), np.concatenate([earlier, own])


def _directions(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Each row without its mean, at length 1: products are correlations. One colour is no picture."""
    values = thumbnails.astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    directions: NDArray[np.float32] = np.where(lengths > 1, values / np.maximum(lengths, 1), 0)
    return directions
