"""Labelled pictures in three splits, whatever they were read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError, UsageError
from edge_runtime.spec import Color, ImageInput
from train.datasets import arrays, idx, sources
from train.datasets import folder as pictures
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

    def counts(self, classes: int) -> list[int]:
        """How many pictures of each class there are."""
        return [int(count) for count in np.bincount(self.labels, minlength=classes)]

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
    size: int | None = None,
    color: Color | None = None,
    validation: int = 5000,
    seed: int = SPLIT_SEED,
) -> Dataset:
    """Read a data set.

    Args:
        source: "fashion-mnist", "mnist", a folder with the four files, gzipped or not, and
            perhaps a labels.txt with one class name a line; a folder of pictures with a sub-folder
            a class; an `.npz` or `.csv` file.
        data_dir: the folder of a known data set's files; None looks in Keras' cache, then in
            /usr/share/datasets, then downloads them.
        size: of a folder's pictures, pixels to a side; None chooses.
        color: of a folder's pictures; None chooses.
        validation: how many training pictures to set aside for choosing, at most a fifth of them.
        seed: which pictures those are.

    Raises:
        UsageError: there is no such data set.
        InputError: its files cannot be had, are damaged, or do not fit together.
    """
    path = Path(source)
    if source not in sources.KNOWN and path.is_dir() and pictures.is_one(path):
        return _of_pictures(path, size, color, validation, seed)
    if size is not None or color is not None:
        raise UsageError(f"--size and --color are for folders of pictures, not for {source}")
    if path.suffix in arrays.SUFFIXES and path.is_file():
        known, folder = Source(sources.slug(path.stem)), path.parent
        found = arrays.read(path)
        everything, test = (_checked(path, *pairs) for pairs in (found.train, found.test))
        sha256 = found.sha256
    else:
        known, folder = sources.find(source, data_dir)
        files = {name: _read(folder, name, known) for name in sources.FILES}
        everything, test = (
            _checked(folder / names[0], *(files[name].values for name in names))
            for names in (sources.FILES[:2], sources.FILES[2:])
        )
        sha256 = {name: file.sha256 for name, file in files.items()}
    if everything.images.shape[1:] != test.images.shape[1:]:
        raise InputError(
            f"{folder}: training pictures are {everything.images.shape[1:]}, test pictures "
            f"{test.images.shape[1:]} (height, width, channels); they must be alike"
        )
    train, aside = _part(folder, everything, validation, seed)
    return Dataset(
        name=known.name,
        labels=_names(known, folder, everything, test),
        image=_image(known, everything),
        train=train,
        validation=aside,
        test=test,
        folder=folder,
        sha256=sha256,
        mirrors=known.mirrors,
    )


def _of_pictures(
    folder: Path, size: int | None, color: Color | None, validation: int, seed: int
) -> Dataset:
    found = pictures.read(folder, size=size, color=color)
    splits = {name: Split(*pairs) for name, pairs in found.splits.items()}
    if "train" not in splits:
        raise InputError(f"{folder} has no training picture that can be used")
    train = splits["train"]
    if "test" not in splits:
        train, splits["test"] = _part(folder, train, len(train), seed)
    if "validation" not in splits:
        train, splits["validation"] = _part(folder, train, validation, seed)
    return Dataset(
        name=sources.slug(folder.resolve().name),
        labels=found.labels,
        image=found.image,
        train=train,
        validation=splits["validation"],
        test=splits["test"],
        folder=folder,
        sha256={"pictures": found.sha256},
        mirrors=False,
    )


def _part(folder: Path, split: Split, count: int, seed: int) -> tuple[Split, Split]:
    """Set some pictures aside, a fifth at most, of each class in proportion to its size."""
    if len(split) < 5:
        raise InputError(f"{folder} has {len(split)} training pictures; expected 5 or more")
    aside = np.zeros(len(split), bool)
    aside[stratified(split.labels, min(count, len(split) // 5), seed)] = True
    return split.take(np.flatnonzero(~aside)), split.take(np.flatnonzero(aside))


def _read(folder: Path, name: str, known: Source) -> idx.IdxFile:
    path = sources.path_of(folder, name)
    assert path is not None, "find() saw all four files"
    return idx.read(path, sha256=known.sha256.get(name))


def _checked(where: Path, images: NDArray[Any], labels: NDArray[Any]) -> Split:
    pictures = images[..., None] if images.ndim == 3 else images
    if pictures.ndim != 4 or pictures.shape[3] not in (1, 3) or pictures.size == 0:
        raise InputError(
            f"{where} holds values of shape {images.shape}, "
            "expected pictures: (n, height, width) or (n, height, width, 3)"
        )
    if pictures.dtype != np.uint8:
        raise InputError(
            f"{where} holds {pictures.dtype} from {pictures.min():g} to {pictures.max():g}, "
            "expected uint8 pixels 0..255; store the pictures as they were before any scaling"
        )
    classes = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if classes.shape != pictures.shape[:1]:
        raise InputError(
            f"{where} holds {len(pictures)} pictures but the labels have shape "
            f"{labels.shape}; expected one label a picture"
        )
    if not np.issubdtype(classes.dtype, np.integer) or classes.min() < 0:
        raise InputError(
            f"{where}: the labels are {classes.dtype} from {classes.min():g}, "
            "expected whole numbers from 0"
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
