"""Calibration and evaluation pictures, wherever they come from → pixels at the model's size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import UsageError
from edge_runtime.spec import ModelSpec
from export.source import arrays, datasets, folders

Role = Literal["calibration", "evaluation"]

# Where pictures are, or the pictures themselves: uint8 0..255, shape (n, height, width, channels),
# alone or with their true classes, shape (n,).
Given = Path | NDArray[np.uint8] | tuple[NDArray[np.uint8], NDArray[np.integer]]

SEED: Final = 0
CALIBRATION_IMAGES: Final = 500  # more does not change an integer model's ranges noticeably


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures at the model's size, and what they show where that is known."""

    source: str  # for people: where they come from
    pixels: NDArray[np.uint8]  # 0..255, shape (n, height, width, channels), RGB or grey
    labels: NDArray[np.int64] | None  # true classes, shape (n,)
    seed: int | None = None  # of the draw, where not all pictures were taken
    remarks: tuple[str, ...] = ()  # what was found out and should be said


def find(source: Path, role: Role) -> Path:
    """The .npz or folder that is meant: a run directory holds its own, a data set has a place.

    Raises:
        UsageError: there is nothing of that kind.
    """
    if (own := source / f"{role}.npz").is_file():
        return own
    if source.is_dir() or (source.is_file() and source.suffix == ".npz"):
        return source
    if source.exists():
        raise UsageError(f"--{role} {source}: expected a run directory, a folder or an .npz file")
    if (place := datasets.place_of(source)) is not None:
        return place
    raise UsageError(
        f"--{role} {source} does not exist; give a run directory, a folder of pictures, an .npz "
        f"file or a data set that is in {datasets.said_places()}"
    )


def read(source: Given, role: Role, spec: ModelSpec) -> Pictures:
    """Read pictures, through the same preprocessing that devices use.

    Args:
        source: an .npz with `images`, uint8 0..255 at the model's size, shape (n, height, width,
            channels), and, where known, `labels`, or Keras' `x_train`, `y_train`, `x_test` and
            `y_test`; a folder with a data set's four IDX files; a folder of pictures, which are in
            sub-folders named like the labels where it is known what they show; or arrays.
        role: what they are for. Of a data set, training pictures calibrate and test pictures
            evaluate. At most `CALIBRATION_IMAGES` calibrate, drawn with a fixed seed.
        spec: the model's labels and picture contract.

    Raises:
        InputError: a picture or array is missing, damaged or unfit.
    """
    if isinstance(source, Path) and source.is_dir() and not datasets.is_one(source):
        return _of_folder(source, role, spec)
    if isinstance(source, Path):
        images, labels = (
            datasets.read(source, role) if source.is_dir() else arrays.read(source, role)
        )
        where, short = str(source), f"{source.parent.name}/{source.name}"
    else:
        images, labels = (
            source if isinstance(source, tuple) and len(source) == 2 else (source, None)
        )
        where, short = f"{role} pictures", "arrays"
        arrays.require(where, images, labels)
    pixels = arrays.pixels(where, images, spec.image)
    classes = None
    if role == "evaluation" and labels is not None:
        classes = arrays.classes(where, labels, len(pixels), len(spec.labels))
    chosen, seed = _draw(len(pixels), role)
    return Pictures(short, pixels[chosen], None if classes is None else classes[chosen], seed)


def overlap(one: Pictures, other: Pictures) -> int:
    """How many pictures of `one` are in `other` too, to the last pixel."""
    known = set(_digests(other.pixels))
    return sum(digest in known for digest in _digests(one.pixels))


def _digests(pixels: NDArray[np.uint8]) -> Iterable[int]:
    return (hash(picture.tobytes()) for picture in pixels)


def _of_folder(folder: Path, role: Role, spec: ModelSpec) -> Pictures:
    # What calibration pictures show does not matter, nor where they lie.
    files, labels = (
        folders.anywhere(folder) if role == "calibration" else folders.by_class(folder, spec)
    )
    if not files:
        raise folders.empty(folder, role)
    chosen, seed = _draw(len(files), role)
    pixels = folders.load([files[index] for index in chosen], spec.image)
    if labels is None:
        return Pictures(folder.name, pixels, None, seed)
    return Pictures(folder.name, pixels, labels[chosen], seed, tuple(_without_class(folder)))


def _without_class(folder: Path) -> Iterator[str]:
    if count := folders.beside(folder):
        yield (
            f"{count:,} picture(s) directly in {folder} are of no class and judge nothing; "
            "move them into the folders of their classes"
        )


def _draw(count: int, role: Role) -> tuple[NDArray[np.intp], int | None]:
    """Row numbers in rising order, and the seed that they were drawn with if they were."""
    if role == "evaluation" or count <= CALIBRATION_IMAGES:
        return np.arange(count), None
    order = np.random.default_rng(SEED).permutation(count)
    return np.sort(order[:CALIBRATION_IMAGES]), SEED
