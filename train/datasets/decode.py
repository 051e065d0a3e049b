"""Picture files to pixels of one size: each is decoded once, whatever it is and however many."""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime import image as pictures
from edge_runtime.errors import InputError
from edge_runtime.preprocess import to_pixels
from edge_runtime.spec import ImageInput
from train.datasets import leaks, store

SPLITS: Final = ("train", "validation", "test")  # those to the right matter more
LISTED: Final = 10  # files that are named; more are counted
_PATIENCE_S: Final = 10  # in which nothing need be said


@dataclass(frozen=True)
class File:
    """A picture that was found."""

    path: Path
    split: str
    label: int


@dataclass(frozen=True, eq=False)
class Decoded:
    """Readable pictures, each once; rows of all arrays belong together."""

    files: tuple[File, ...]
    pixels: NDArray[np.uint8]  # 0..255, shape (files or more, height, width, channels)
    rows: NDArray[np.intp]  # where each file's pixels are, shape (files,)
    thumbnails: NDArray[np.uint8]  # of each file, for `leaks`
    sha256: str  # of all names and pixels
    left_out: tuple[str, ...]  # what is wrong with each unreadable one, its path first


def decode(folder: Path, files: Sequence[File], wanted: ImageInput) -> Decoded:
    """Decode all pictures; unreadable ones are named on stderr and left out, as are repeats.

    Args:
        folder: to which names are relative in the digest.
        files: what was found.
        wanted: size and colour; the pixels are made as `edge_runtime` makes them.

    Raises:
        OutputError: the pixels need a file, and there is no room for it.
    """
    pixels = store.blank((len(files), wanted.height, wanted.width, wanted.channels))
    digests: dict[int, bytes] = {}
    thumbnails: dict[int, NDArray[np.uint8]] = {}
    bad: list[str] = []
    told = time.monotonic()
    for row, file in enumerate(files):
        if time.monotonic() - told > _PATIENCE_S:
            print(f"{row:,} of {len(files):,} pictures are read", file=sys.stderr)
            told = time.monotonic()
        try:
            picture = to_pixels(pictures.load(file.path, wanted), wanted)[0]
        except InputError as error:
            bad.append(str(error))
            continue
        pixels[row] = picture
        digests[row] = hashlib.sha256(picture.tobytes()).digest()
        thumbnails[row] = leaks.thumbnail(picture)
    _tell("left out: ", bad, "pictures; a run's train.json names them all")
    rows = _without_repeats(digests, files)
    digest = hashlib.sha256()
    for row in rows:
        digest.update(str(files[row].path.relative_to(folder)).encode("utf-8", "replace"))
        digest.update(pixels[row].tobytes())
    return Decoded(
        files=tuple(files[row] for row in rows),
        pixels=pixels,
        rows=np.array(rows, np.intp),
        thumbnails=np.array([thumbnails[row] for row in rows], np.uint8),
        sha256=digest.hexdigest(),
        left_out=tuple(bad),
    )


def _tell(start: str, lines: Sequence[str], things: str) -> None:
    for line in lines[:LISTED]:
        print(f"{start}{line}", file=sys.stderr)
    if len(lines) > LISTED:
        print(f"{start}{len(lines) - LISTED:,} more {things}", file=sys.stderr)


def _without_repeats(digests: dict[int, bytes], files: Sequence[File]) -> list[int]:
    """The rows of pictures that stay: of equal ones, one in the split that matters most.

    A test picture that was trained on proves nothing, so the test split keeps it.
    """
    first: dict[bytes, int] = {}
    repeats: Counter[str] = Counter()
    torn: list[str] = []
    for row in sorted(digests, key=lambda row: -SPLITS.index(files[row].split)):
        kept = first.setdefault(digests[row], row)
        if kept == row:
            continue
        known, file = files[kept], files[row]
        repeats[f"{file.split} pictures that are in {known.split} too"] += 1
        if known.label != file.label:
            torn.append(f"{file.path} and {known.path} are the same picture in two classes")
    _tell("", torn, "pairs of the same picture in two classes")
    for words, count in repeats.items():
        print(f"left out: {count:,} {words}", file=sys.stderr)
    return sorted(first.values())
