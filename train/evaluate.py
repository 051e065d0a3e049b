"""How good a classifier is on labelled pictures, class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Confusion:
    """Pictures of one class that were taken for another."""

    actual: str
    predicted: str
    pictures: int
    of: int  # all pictures of the actual class


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a classifier makes of labelled pictures."""

    labels: tuple[str, ...]
    matrix: NDArray[np.int64]  # pictures, shape (classes, classes): actual, then predicted

    @property
    def accuracy(self) -> float:
        """Share of pictures that are right, 0..1."""
        return float(np.trace(self.matrix) / self.matrix.sum())

    def weakest(self, count: int = 3) -> list[tuple[str, float]]:
        """The classes found least often, and the share of their pictures that was, 0..1."""
        sizes = self.matrix.sum(axis=1)
        shares = np.diag(self.matrix) / np.maximum(sizes, 1)
        order = [int(index) for index in np.argsort(shares, kind="stable") if sizes[index]]
        return [(self.labels[index], float(shares[index])) for index in order[:count]]

    def most_confused(self, count: int = 3) -> list[Confusion]:
        """The most frequent mistakes, worst first."""
        mistakes = self.matrix - np.diag(np.diag(self.matrix))
        order = np.argsort(-mistakes, axis=None, kind="stable")[:count]
        pairs = [divmod(int(place), len(self.labels)) for place in order]
        return [
            Confusion(
                actual=self.labels[actual],
                predicted=self.labels[predicted],
                pictures=int(mistakes[actual, predicted]),
                of=int(self.matrix[actual].sum()),
            )
            for actual, predicted in pairs
            if mistakes[actual, predicted]
        ]


def evaluate(
    scores: NDArray[np.float32], actual: NDArray[np.int64], labels: Sequence[str]
) -> Evaluation:
    """Compare scores with the truth.

    Args:
        scores: logits or probabilities, shape (n, classes).
        actual: the true classes, shape (n,).
        labels: the name of each class.
    """
    matrix = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(matrix, (actual, scores.argmax(axis=1)), 1)
    return Evaluation(tuple(labels), matrix)
