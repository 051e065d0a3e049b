"""Calibration and evaluation pictures: a run directory, a folder of pictures or an .npz → pixels."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from edge_runtime import image as images
from edge_runtime import preprocess
from edge_runtime.errors import InputError, UsageError
from edge_runtime.spec import ImageInput, ModelSpec

Role = Literal["calibration", "evaluation"]

SEED: Final = 0
CALIBRATION_IMAGES: Final = 500  # more does not change an integer model's ranges noticeably
_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures at the model's size, and what they show where that is known."""

    source: str  # for people: where they come from
    pixels: NDArray[np.uint8]  # 0..255, shape (n, height, width, channels), RGB or grey
    labels: NDArray[np.int64] | None  # true classes, shape (n,)
    seed: int | None = None  # of the draw, where not all pictures were taken


def find(source: Path, role: Role) -> Path:
    """The .npz or folder of pictures that is meant: a run directory holds its own.

    Raises:
        UsageError: it is neither.
    """
    if (own := source / f"{role}.npz").is_file():
        return own
    if source.is_dir() or (source.is_file() and source.suffix == ".npz"):
        return source
    if source.exists():
        raise UsageError(f"--{role} {source}: expected a run directory, a folder or an .npz file")
    raise UsageError(
        f"--{role} {source} does not exist; give a run directory, a folder of pictures or an .npz "
        "file (a data set's name means something to `python -m train` only)"
    )


def read(source: Path, role: Role, spec: ModelSpec) -> Pictures:
    """Read pictures, through the same preprocessing that devices use.

    Args:
        source: an .npz with `images`, uint8 0..255 at the model's size, shape (n, height, width,
            channels), and, where known, `labels`; or a folder of pictures, which are in
            sub-folders named like the labels where it is known what they show.
        role: what they are for; at most `CALIBRATION_IMAGES` calibrate, drawn with a fixed seed.
        spec: the model's labels and picture contract.

    Raises:
        InputError: a picture or array is missing, damaged or unfit.
    """
    if source.is_dir():
        return _from_folder(source, role, spec)
    return _from_npz(source, role, spec)


def overlap(one: Pictures, other: Pictures) -> int:
    """How many pictures of `one` are in `other` too, to the last pixel."""
    known = set(_digests(other.pixels))
    return sum(digest in known for digest in _digests(one.pixels))


def _digests(pixels: NDArray[np.uint8]) -> Iterable[int]:
    return (hash(picture.tobytes()) for picture in pixels)


# --- a folder --------------------------------------------------------------------------------


def _from_folder(folder: Path, role: Role, spec: ModelSpec) -> Pictures:
    if role == "calibration":  # what they show does not matter
        files, labels = sorted(p for p in folder.rglob("*") if _is_picture(p)), None
    else:
        files, labels = _listed(folder, spec)
    if not files:
        raise InputError(f"--{role} {folder} holds no pictures ({', '.join(_SUFFIXES)})")
    chosen, seed = _draw(len(files), role)
    pixels = [_load(files[index], spec.image) for index in chosen]
    return Pictures(folder.name, np.stack(pixels), None if labels is None else labels[chosen], seed)


def _listed(folder: Path, spec: ModelSpec) -> tuple[list[Path], NDArray[np.int64] | None]:
    """The pictures of a folder in a fixed order, with classes where its sub-folders name them."""
    folders = sorted(path for path in folder.iterdir() if path.is_dir() and _pictures(path))
    if not folders:
        return _pictures(folder), None
    unknown = [path.name for path in folders if path.name not in spec.labels]
    if unknown:
        raise InputError(
            f"{folder} has a sub-folder {unknown[0]!r}, which is no label of the model "
            f"({', '.join(spec.labels[:5])} …); rename it, or put all pictures into one folder"
        )
    files = [(path, spec.labels.index(each.name)) for each in folders for path in _pictures(each)]
    return [path for path, _ in files], np.array([label for _, label in files], dtype=np.int64)


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if _is_picture(path))


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and path.is_file()


def _load(path: Path, image: ImageInput) -> NDArray[np.uint8]:
    pixels, _ = preprocess.to_pixels(images.load(path, image), image)
    return pixels


# --- an .npz ---------------------------------------------------------------------------------


def _from_npz(path: Path, role: Role, spec: ModelSpec) -> Pictures:
    arrays = _read_arrays(path)
    pixels = _pixels(path, arrays, spec.image)
    labels = None
    if role == "evaluation" and "labels" in arrays:
        labels = _labels(path, arrays, len(pixels), len(spec.labels))
    chosen, seed = _draw(len(pixels), role)
    return Pictures(
        f"{path.parent.name}/{path.name}",
        pixels[chosen],
        None if labels is None else labels[chosen],
        seed,
    )


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        archive = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
        return {name: archive[name] for name in archive.files}
    # A lone .npy has no `files`; zipfile and zlib speak for damaged archives.
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} is not a readable .npz file: {error}; make it again") from error


def _pixels(path: Path, arrays: Mapping[str, NDArray[Any]], image: ImageInput) -> NDArray[np.uint8]:
    if "images" not in arrays:
        raise InputError(f"{path} has no array `images`; make it again")
    pixels = arrays["images"]
    if pixels.dtype != np.uint8:
        span = f" {pixels.min():g}..{pixels.max():g}" if pixels.size else ""
        raise InputError(
            f"{path}: `images` holds {pixels.dtype}{span}, expected uint8 pixels 0..255; "
            "store them as they were before any scaling"
        )
    expected = (image.height, image.width, image.channels)
    if pixels.ndim == 3 and image.channels == 1:  # as most grey data sets come
        pixels = pixels[..., None]
    if len(pixels) == 0 or pixels.shape[1:] != expected:
        raise InputError(
            f"{path}: `images` has the shape {arrays['images'].shape}, expected (n, "
            f"{', '.join(map(str, expected))}); make it again for this model"
        )
    if pixels.max() <= 1:
        raise InputError(
            f"{path}: `images` runs {pixels.min()}..{pixels.max()}, expected pixels 0..255; "
            "they were scaled before they became uint8: store them as they were before that"
        )
    return pixels


def _labels(
    path: Path, arrays: Mapping[str, NDArray[Any]], count: int, classes: int
) -> NDArray[np.int64]:
    labels = arrays["labels"]
    if labels.shape == (count, 1):  # as Keras' own data sets come
        labels = labels[:, 0]
    if not np.issubdtype(labels.dtype, np.integer) or labels.shape != (count,):
        raise InputError(
            f"{path}: `labels` is {labels.dtype} {labels.shape}, expected {count} whole numbers"
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise InputError(
            f"{path}: `labels` runs {labels.min()}..{labels.max()}, "
            f"but the model's {classes} labels are 0..{classes - 1}"
        )
    return labels.astype(np.int64)


def _draw(count: int, role: Role) -> tuple[NDArray[np.intp], int | None]:
    """Row numbers in rising order, and the seed that they were drawn with if they were."""
    if role == "evaluation" or count <= CALIBRATION_IMAGES:
        return np.arange(count), None
    order = np.random.default_rng(SEED).permutation(count)
    return np.sort(order[:CALIBRATION_IMAGES]), SEED
