"""Labelled pictures in three splits, whatever they were read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError, UsageError
from edge_runtime.spec import ImageInput
from train.datasets import idx, sources
from train.datasets.sources import Source
from train.datasets.split import stratified

SPLIT_SEED: Final = 0  # fixed, so that all runs are judged on the same validation pictures


@dataclass(frozen=True, eq=False)
class Split:
    """Pictures and their classes."""

    images: NDArray[np.uint8]  # 0..255, shape (n, height, width, channels), grey or RGB
    labels: NDArray[np.int64]  # shape (n,)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, positions: NDArray[np.intp]) -> Split:
        """The pictures at these positions, in this order."""
        return Split(self.images[positions], self.labels[positions])

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
    sha256: Mapping[str, str]  # of each file's decompressed bytes
    mirrors: bool  # a mirrored picture still shows the same class

    def limited(self, count: int) -> Dataset:
        """The same data set with at most `count` pictures to train on.

        Raises:
            UsageError: that is less than one picture a class.
        """
        if count < len(self.labels):
            raise UsageError(
                f"--limit is {count}, expected one per class or more: {len(self.labels)}"
            )
        return replace(self, train=self.train.sample(count))


def load(
    source: str,
    *,
    data_dir: Path | None = None,
    validation: int = 5000,
    seed: int = SPLIT_SEED,
) -> Dataset:
    """Read a data set of IDX files.

    Args:
        source: "fashion-mnist", "mnist", or a folder with the four files, gzipped or not, and
            perhaps a labels.txt with one class name a line.
        data_dir: the folder of a known data set's files; None looks in Keras' cache, then in
            /usr/share/datasets, then downloads them.
        validation: how many training pictures to set aside for choosing, at most a fifth of them.
        seed: which pictures those are.

    Raises:
        UsageError: there is no such data set.
        InputError: its files cannot be had, are damaged, or do not fit together.
    """
    known, folder = sources.find(source, data_dir)
    files = {name: _read(folder, name, known) for name in sources.FILES}
    everything = _pair(folder, files, sources.TRAIN_IMAGES, sources.TRAIN_LABELS)
    test = _pair(folder, files, sources.TEST_IMAGES, sources.TEST_LABELS)
    if everything.images.shape[1:] != test.images.shape[1:]:
        raise InputError(
            f"{folder}: training pictures are {everything.images.shape[1:]}, test pictures "
            f"{test.images.shape[1:]} (height, width, channels); they must be alike"
        )
    if len(everything) < 5:
        raise InputError(f"{folder} has {len(everything)} training pictures; expected 5 or more")
    aside = np.zeros(len(everything), bool)
    aside[stratified(everything.labels, min(validation, len(everything) // 5), seed)] = True
    return Dataset(
        name=known.name,
        labels=_names(known, folder, everything, test),
        image=_image(known, everything),
        train=everything.take(np.flatnonzero(~aside)),
        validation=everything.take(np.flatnonzero(aside)),
        test=test,
        folder=folder,
        sha256={name: file.sha256 for name, file in files.items()},
        mirrors=known.mirrors,
    )


def _read(folder: Path, name: str, known: Source) -> idx.IdxFile:
    path = sources.path_of(folder, name)
    assert path is not None, "find() saw all four files"
    return idx.read(path, sha256=known.sha256.get(name))


def _pair(folder: Path, files: Mapping[str, idx.IdxFile], images: str, labels: str) -> Split:
    pictures, classes = files[images].values, files[labels].values
    if pictures.ndim == 3:
        pictures = pictures[..., None]
    if pictures.ndim != 4 or pictures.shape[3] not in (1, 3) or pictures.size == 0:
        raise InputError(
            f"{folder}: {images} holds values of shape {files[images].values.shape}, "
            "expected pictures: (n, height, width) or (n, height, width, 3)"
        )
    if classes.shape != pictures.shape[:1]:
        raise InputError(
            f"{folder}: {images} holds {len(pictures)} pictures but {labels} has shape "
            f"{classes.shape}; expected one label a picture"
        )
    return Split(pictures, classes.astype(np.int64))


def _image(known: Source, split: Split) -> ImageInput:
    _, height, width, channels = split.images.shape
    return ImageInput(
        height=height,
        width=width,
        color="gray" if channels == 1 else "rgb",
        mean=(0.0,) * channels,
        std=(255.0,) * channels,
        fit="pad",
        resampling=known.resampling,
        polarity=known.polarity,
        trim=known.trim,
        level=known.level,
    )


def _names(known: Source, folder: Path, *splits: Split) -> tuple[str, ...]:
    """The classes' names: known, from labels.txt, or their numbers."""
    classes = 1 + max(int(split.labels.max()) for split in splits)
    names = known.labels or _names_beside(folder) or tuple(map(str, range(classes)))
    if len(names) < max(2, classes):
        raise InputError(
            f"{folder}: labels go up to {classes - 1} but there are {len(names)} class names; "
            "expected two classes or more, and a name for each"
        )
    return names


def _names_beside(folder: Path) -> tuple[str, ...] | None:
    path = folder / "labels.txt"
    if not path.is_file():
        return None
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}; save it as UTF-8 text") from error
    return tuple(line.strip() for line in lines if line.strip())
