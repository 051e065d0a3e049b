"""Data sets whose classes are numbers: IDX files, `.npz` and CSV, checked before they are trusted."""

from __future__ import annotations

import hashlib
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import InputError
from edge_runtime.spec import ImageInput
from train.datasets import arrays, idx, sources
from train.datasets.dataset import Dataset, Split, part, require_names
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
    names, digest = _names(known, folder, everything, test)
    kept, aside = part(folder, everything.labels, validation, seed)
    return Dataset(
        name=known.name,
        labels=names,
        image=_image(known, everything),
        train=everything.take(kept),
        validation=everything.take(aside),
        test=test,
        folder=folder,
        sha256={**sha256, **digest},
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
    if not np.issubdtype(classes.dtype, np.integer):
        raise _wrong_labels(where, f"such as {shortened(classes[0].item())}")
    numbers = classes.astype(np.int64)
    if numbers.min() < 0:  # those of uint64 that are too large become so
        raise _wrong_labels(where, f"from {classes.min()} to {classes.max()}")
    return Split(pictures, numbers)


def _wrong_labels(where: Path, found: str) -> InputError:
    return InputError(
        f"{where} has labels {found}; expected whole numbers from 0, one for each class"
    )


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


def _names(
    known: Source, folder: Path, train: Split, test: Split
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The classes' names: known, from labels.txt, or their numbers; and labels.txt's digest."""
    classes = 1 + max(int(split.labels.max()) for split in (train, test))
    path, digest = folder / "labels.txt", dict[str, str]()
    if known.labels:
        names = known.labels
    elif path.is_file():
        names, digest = _names_in(path)
    else:
        _require_all(folder, train, classes)
        names = tuple(map(str, range(classes)))
    if len(names) < max(2, classes):
        raise InputError(
            f"{folder}: labels go up to {classes - 1} but there are {len(names)} class names; "
            "expected numbers from 0, two classes or more, and a name for each"
        )
    require_names(path, names)
    return names, digest


def _require_all(folder: Path, train: Split, classes: int) -> None:
    """Where nothing but the numbers names the classes, a gap is a mistake in the numbers."""
    there = set(train.labels.tolist())
    # The search ends at the first gap, however large a wrong number is.
    lacking = next((number for number in range(classes) if number not in there), None)
    if lacking is not None:
        raise InputError(
            f"{folder}: labels go from {min(there)} to {classes - 1}, but no training "
            f"picture has label {lacking}; expected 0, 1, 2 … without a gap: number the classes "
            "anew, or name all of them in a labels.txt beside"
        )


def _names_in(path: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    try:
        data = path.read_bytes()
        lines = data.decode("utf-8-sig").splitlines()  # Windows may begin with a byte-order mark
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}; save it as UTF-8 text") from error
    names = tuple(line.strip() for line in lines if line.strip())
    return names, {path.name: hashlib.sha256(data).hexdigest()}
