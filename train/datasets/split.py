"""Drawing pictures so that every class keeps its share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def stratified(labels: NDArray[np.integer], count: int, seed: int) -> NDArray[np.intp]:
    """Draw `count` of the pictures at random, each class in proportion to its size.

    Args:
        labels: the class of each picture, shape (n,).
        count: how many to draw, 0..n.
        seed: the same seed draws the same pictures.

    Returns:
        Their positions in `labels`, ascending, shape (count,).
    """
    random = np.random.default_rng(seed)
    classes, sizes = np.unique(labels, return_counts=True)
    drawn = [
        random.permutation(np.flatnonzero(labels == index))[:share]
        for index, share in zip(classes, _shares(sizes, count), strict=True)
    ]
    return np.sort(np.concatenate(drawn)) if drawn else np.empty(0, np.intp)


def _shares(sizes: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Split `count` in proportion to `sizes`; what rounding leaves goes to the largest remainders."""
    exact = sizes * count / max(1, sizes.sum())
    shares: NDArray[np.intp] = np.floor(exact).astype(np.intp)
    missing = count - int(shares.sum())
    shares[np.argsort(shares - exact, kind="stable")[:missing]] += 1
    return shares
