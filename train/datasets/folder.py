"""A folder of pictures with a sub-folder for each class, perhaps below train/ and test/."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_runtime import image as pictures
from edge_runtime.errors import InputError
from edge_runtime.preprocess import to_pixels
from edge_runtime.spec import Color, ImageInput

SPLITS: Final = ("train", "validation", "test")
USUAL_SIZE: Final = 96  # pixels to a side, where pictures differ or are larger
_LISTED: Final = 10  # bad files that are named; more are counted
_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")
_GREY_MODES: Final = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L")

Pairs = tuple[NDArray[np.uint8], NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class Pictures:
    """All pictures of a folder at one size; splits that it does not have are missing."""

    labels: tuple[str, ...]
    image: ImageInput
    splits: dict[str, Pairs]  # pixels uint8 0..255 (n, height, width, channels), classes (n,)
    sha256: str  # of all names and pixels


@dataclass(frozen=True)
class _File:
    path: Path
    split: str
    label: int


def is_one(folder: Path) -> bool:
    """Whether a folder holds folders of pictures and not files of numbers."""
    return any(True for _ in _folders(folder)) and not any(
        path.name.removesuffix(".gz").endswith("-ubyte") for path in folder.iterdir()
    )


def read(folder: Path, *, size: int | None, color: Color | None) -> Pictures:
    """Read all pictures; those that cannot be read are named on stderr and left out.

    Args:
        folder: a sub-folder a class, or `train` and perhaps `validation` and `test` with those.
        size: pixels to a side; None takes the pictures' own size where all have the same and it is
            no more than USUAL_SIZE, otherwise USUAL_SIZE.
        color: None takes grey where all pictures are grey.

    Raises:
        InputError: there are fewer than two classes, or a class without pictures.
    """
    labels, files = _files(folder)
    shapes, modes = _looked_at(files)
    wanted = _image(shapes, modes, size, color)
    pixels, readable = _decoded(files, wanted)
    kept = _without_repeats(pixels, readable)
    for index, label in enumerate(labels):
        if not any(readable[place].label == index for place in kept):
            raise InputError(
                f"{folder} has no picture of {label!r} that can be used; add some or remove it"
            )
    digest = hashlib.sha256()
    for place in kept:
        digest.update(str(readable[place].path.relative_to(folder)).encode("utf-8", "replace"))
        digest.update(pixels[place].tobytes())
    return Pictures(
        labels=labels,
        image=wanted,
        splits={
            split: _arrays(
                [place for place in kept if readable[place].split == split], pixels, readable
            )
            for split in dict.fromkeys(readable[place].split for place in kept)
        },
        sha256=digest.hexdigest(),
    )


def _arrays(
    places: Sequence[int], pixels: Sequence[NDArray[np.uint8]], files: Sequence[_File]
) -> Pairs:
    classes = np.array([files[place].label for place in places], np.int64)
    return np.stack([pixels[place] for place in places]), classes


def _files(folder: Path) -> tuple[tuple[str, ...], list[_File]]:
    named = [folder / split for split in SPLITS if (folder / split).is_dir()]
    roots = {path.name: path for path in named} if folder / "train" in named else {"train": folder}
    labels = tuple(sorted({path.name for root in roots.values() for path in _folders(root)}))
    if len(labels) < 2:
        raise InputError(
            f"{folder} has {len(labels)} class(es) ({', '.join(labels)}); expected a sub-folder "
            "for each of two classes or more"
        )
    files = [
        _File(path, split, index)
        for split, root in roots.items()
        for index, label in enumerate(labels)
        for path in sorted((root / label).rglob("*"))
        if path.suffix.lower() in _SUFFIXES and path.is_file()
    ]
    return labels, files


def _folders(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _looked_at(files: Sequence[_File]) -> tuple[set[tuple[int, int]], set[str]]:
    """The sizes and modes there are; unreadable files have none."""
    shapes, modes = set(), set()
    for file in files:
        try:
            with Image.open(file.path) as image:
                shapes.add(image.size)
                modes.add(image.mode)
        except Exception:  # noqa: BLE001, S112  decoders raise anything; decoding will name it
            continue
    return shapes, modes


def _image(
    shapes: set[tuple[int, int]], modes: set[str], size: int | None, color: Color | None
) -> ImageInput:
    width = height = size or USUAL_SIZE
    if size is None and len(shapes) == 1:
        ((own_width, own_height),) = shapes
        if max(own_width, own_height) <= USUAL_SIZE:
            width, height = own_width, own_height
    chosen = color or ("gray" if modes <= set(_GREY_MODES) else "rgb")
    channels = 1 if chosen == "gray" else 3
    return ImageInput(
        height=height,
        width=width,
        color=chosen,
        mean=(0.0,) * channels,
        std=(255.0,) * channels,
        fit="pad",
        resampling="lanczos",
    )


def _decoded(
    files: Sequence[_File], wanted: ImageInput
) -> tuple[list[NDArray[np.uint8]], list[_File]]:
    pixels: list[NDArray[np.uint8]] = []
    readable: list[_File] = []
    bad: list[str] = []
    for file in files:
        try:
            pixels.append(to_pixels(pictures.load(file.path, wanted), wanted)[0])
            readable.append(file)
        except InputError as error:
            bad.append(str(error))
    for reason in bad[:_LISTED]:
        print(f"left out: {reason}", file=sys.stderr)
    if len(bad) > _LISTED:
        print(f"left out: {len(bad) - _LISTED} more pictures", file=sys.stderr)
    return pixels, readable


def _without_repeats(pixels: Sequence[NDArray[np.uint8]], files: Sequence[_File]) -> list[int]:
    """The places of pictures that stay: of equal ones, one in the split that matters most.

    A test picture that was trained on proves nothing, so the test split keeps it.
    """
    first: dict[bytes, int] = {}
    order = sorted(range(len(files)), key=lambda place: -SPLITS.index(files[place].split))
    repeats: Counter[str] = Counter()
    for place in order:
        digest = hashlib.sha256(pixels[place].tobytes()).digest()
        earlier = first.setdefault(digest, place)
        if earlier != place:
            known, file = files[earlier], files[place]
            repeats[f"{file.split} pictures that are in {known.split} too"] += 1
            if known.label != file.label:
                print(
                    f"{file.path} and {known.path} are the same picture in two classes",
                    file=sys.stderr,
                )
    for words, count in repeats.items():
        print(f"left out: {count:,} {words}", file=sys.stderr)
    return sorted(first.values())
