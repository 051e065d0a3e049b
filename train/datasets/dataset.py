"""A data set in memory or in a file: labelled pictures in three splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError, SpecError, UsageError
from edge_runtime.spec import ImageInput, ModelSpec
from train.datasets import store
from train.datasets.split import stratified

SPLIT_SEED: Final = 0  # fixed, so that all runs are judged on the same validation pictures


@dataclass(frozen=True, eq=False)
class Split:
    """Pictures and their classes."""

    images: NDArray[np.uint8]  # 0..255, shape (n, height, width, channels), grey or RGB
    labels: NDArray[np.int64]  # shape (n,)

    def __len__(self) -> int:
        return len(self.labels)

    def counts(self, classes: int) -> list[int]:
        """How many pictures of each class there are."""
        return [int(count) for count in np.bincount(self.labels, minlength=classes)]

    def take(self, positions: NDArray[np.intp]) -> Split:
        """The pictures at these positions, in this order."""
        return Split(store.take(self.images, positions), self.labels[positions])

    def sample(self, count: int, seed: int = SPLIT_SEED) -> Split:
        """At most `count` pictures at random, each class in proportion to its size."""
        return self.take(stratified(self.labels, min(count, len(self)), seed))


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set, ready to train on. The test split must never choose anything."""

    name: str
    labels: tuple[str, ...]  # the name of each class
    image: ImageInput  # the contract of its pictures, and of the model trained on them
    train: Split
    validation: Split
    test: Split
    folder: Path  # where it was read from
    sha256: Mapping[str, str]  # of each file's decompressed bytes, labels.txt among them
    mirrors: bool  # a mirrored picture still shows the same class
    left_out: tuple[str, ...] = ()  # what is wrong with each file that is no picture

    def limited(self, count: int) -> Dataset:
        """The same data set with at most `count` pictures to train on.

        Raises:
            UsageError: that is less than one picture a class.
        """
        if count < len(self.labels):
            raise UsageError(
                f"--limit is {count}, expected one per class or more: {len(self.labels)}"
            )
        return replace(self, train=self.train.take(_of_each(self.train.labels, count)))


def _of_each(labels: NDArray[np.int64], count: int) -> NDArray[np.intp]:
    """Draw `count` positions: one of each class, and of the rest each class in proportion."""
    firsts = np.unique(labels, return_index=True)[1]
    rest = np.setdiff1d(np.arange(len(labels)), firsts)
    wanted = min(count - len(firsts), len(rest))
    return np.sort(np.append(firsts, rest[stratified(labels[rest], wanted, SPLIT_SEED)]))


def require_names(where: Path, names: tuple[str, ...]) -> None:
    """Refuse class names that a model file would refuse, which is written after the training.

    Args:
        where: what they were read from, for the message.
        names: of all classes.

    Raises:
        InputError: they are fewer than two, or alike, or one is too long or cannot be printed.
    """
    image = ImageInput(1, 1, "gray", mean=(0.0,), std=(1.0,))  # any will do
    try:
        ModelSpec("any", names, image, "logits")
    except SpecError as error:
        raise InputError(f"{where}: {error}; choose other names") from error


def part(
    folder: Path, labels: NDArray[np.int64], count: int, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Set some pictures aside, a fifth at most, of each class in proportion to its size.

    Args:
        folder: where they are from, for the message.
        labels: the class of each picture, shape (n,).
        count: how many to set aside.
        seed: which ones.

    Returns:
        The positions of those that stay, and of those set aside.

    Raises:
        InputError: there are too few to part.
    """
    if len(labels) < 5:
        raise InputError(f"{folder} has {len(labels)} training pictures; expected 5 or more")
    aside = np.zeros(len(labels), bool)
    aside[stratified(labels, min(count, len(labels) // 5), seed)] = True
    return np.flatnonzero(~aside), np.flatnonzero(aside)
