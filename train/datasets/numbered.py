"""Data sets whose classes are numbers: IDX files, `.npz` and CSV, checked before they are trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError
from edge_runtime.spec import ImageInput
from train.datasets import arrays, idx, sources
from train.datasets.dataset import Dataset, Split, part
from train.datasets.sources import Source


def load(source: str, data_dir: Path | None, *, validation: int, seed: int) -> Dataset:
    """Read a data set of numbers; the arguments are those of `train.datasets.load`."""
    path = Path(source)
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
    kept, aside = part(folder, everything.labels, validation, seed)
    return Dataset(
        name=known.name,
        labels=_names(known, folder, everything, test),
        image=_image(known, everything),
        train=everything.take(kept),
        validation=everything.take(aside),
        test=test,
        folder=folder,
        sha256=sha256,
        mirrors=known.mirrors,
    )


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
            f"{labels.shape}; expected one class number a picture (of one-hot rows, the argmax)"
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


def _names(known: Source, folder: Path, train: Split, test: Split) -> tuple[str, ...]:
    """The classes' names: known, from labels.txt, or their numbers."""
    classes = 1 + max(int(split.labels.max()) for split in (train, test))
    names = known.labels or _names_beside(folder)
    if names is None:
        names = tuple(map(str, range(classes)))
        _require_all(folder, train, classes)
    if len(names) < max(2, classes):
        raise InputError(
            f"{folder}: labels go up to {classes - 1} but there are {len(names)} class names; "
            "expected numbers from 0, two classes or more, and a name for each"
        )
    return names


def _require_all(folder: Path, train: Split, classes: int) -> None:
    """Where nothing but the numbers names the classes, a gap is a mistake in the numbers."""
    if lacking := [index for index, count in enumerate(train.counts(classes)) if not count]:
        raise InputError(
            f"{folder}: labels go from {train.labels.min()} to {classes - 1}, but no training "
            f"picture has label {lacking[0]}; expected 0, 1, 2 … without a gap: number the classes "
            "anew, or name all of them in a labels.txt beside"
        )


def _names_beside(folder: Path) -> tuple[str, ...] | None:
    path = folder / "labels.txt"
    if not path.is_file():
        return None
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}; save it as UTF-8 text") from error
    return tuple(line.strip() for line in lines if line.strip())
