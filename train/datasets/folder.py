"""A folder of pictures with a sub-folder for each class, perhaps below train/ and test/."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_runtime.errors import InputError
from edge_runtime.spec import Color, ImageInput
from train.datasets import layout, leaks, sources, store
from train.datasets.dataset import Dataset, Split, part
from train.datasets.decode import LISTED, SPLITS, Decoded, File, decode

USUAL_SIZE: Final = 96  # pixels to a side, where pictures differ or are larger
_GREY_MODES: Final = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L")


def is_one(folder: Path) -> bool:
    """Whether a folder is meant to hold pictures: all are, but those with files of numbers."""
    return not any(path.name.removesuffix(".gz").endswith("-ubyte") for path in folder.iterdir())


def load(
    folder: Path, *, size: int | None, color: Color | None, validation: int, seed: int
) -> Dataset:
    """Read all pictures; what is wrong with some is said on stderr.

    Args:
        folder: a sub-folder a class, or `train` and perhaps `validation` and `test` with those.
        size: pixels to a side; None takes the pictures' own size where all have the same and it is
            no more than USUAL_SIZE, otherwise USUAL_SIZE.
        color: None takes grey where all pictures are grey.
        validation: how many training pictures to set aside, where there is no such folder.
        seed: which ones.

    Raises:
        InputError: there are fewer than two classes, a class without pictures, or one whose name
            no model file takes.
        OutputError: the pixels need a file, and there is no room for it.
    """
    labels, files = layout.files(folder)
    wanted = _image(*_looked_at(files), size, color)
    if size is None or color is None:
        pixels = f"{wanted.width} x {wanted.height} {'grey' if wanted.channels == 1 else 'RGB'}"
        print(f"pictures become {pixels}; --size and --color change that", file=sys.stderr)
    decoded = decode(folder, files, wanted)
    classes = np.array([file.label for file in decoded.files], np.int64)
    for index, label in enumerate(labels):
        if index not in classes:
            raise InputError(
                f"{folder} has no picture of {label!r} that can be used; add some or remove it"
            )
    splits = _splits(folder, decoded, classes, validation, seed)
    for index, count in enumerate(np.bincount(classes[splits["train"]], minlength=len(labels))):
        if not count:
            raise InputError(
                f"{folder} has no training picture of {labels[index]!r}; add some or remove it"
            )
    _tell_leaks(folder, decoded, splits)
    # Whoever takes the first few pictures gets some of every class.
    mixed = {name: np.random.default_rng(seed).permutation(rows) for name, rows in splits.items()}
    made = {
        name: Split(store.take(decoded.pixels, decoded.rows[rows]), classes[rows])
        for name, rows in mixed.items()
    }
    return Dataset(
        name=sources.slug(folder.resolve().name),
        labels=labels,
        image=wanted,
        train=made["train"],
        validation=made["validation"],
        test=made["test"],
        folder=folder,
        sha256={"pictures": decoded.sha256},
        mirrors=False,
        left_out=decoded.left_out,
    )


def _splits(
    folder: Path, decoded: Decoded, classes: NDArray[np.int64], validation: int, seed: int
) -> dict[str, NDArray[np.intp]]:
    """Which rows are in which split; what the folder does not part is parted here."""
    names = np.array([file.split for file in decoded.files])
    rows = {name: np.flatnonzero(names == name) for name in SPLITS}
    if not len(rows["train"]):
        raise InputError(f"{folder} has no training picture that can be used")
    for name, count in (("test", len(rows["train"])), ("validation", validation)):
        if not len(rows[name]):
            train = rows["train"]
            kept, aside = part(folder, classes[train], count, seed)
            rows["train"], rows[name] = train[kept], train[aside]
    return rows


def _tell_leaks(folder: Path, decoded: Decoded, splits: Mapping[str, NDArray[np.intp]]) -> None:
    """Not fatal: what looks alike may still be two things, and only a person can tell."""
    split_of = {int(row): name for name, rows in splits.items() for row in rows}
    pairs = list(leaks.across(decoded.thumbnails, splits))
    for later, earlier in pairs[:LISTED]:
        paths = [decoded.files[row].path.relative_to(folder) for row in (later, earlier)]
        print(
            f"{paths[0]} ({split_of[later]}) looks like {paths[1]} ({split_of[earlier]})",
            file=sys.stderr,
        )
    counts = Counter((split_of[later], split_of[earlier]) for later, earlier in pairs)
    for (one, other), count in counts.items():
        share = count / len(splits[one])
        print(
            f"{count:,} {one} pictures ({share:.1%}) look like {other} pictures; if they are "
            "the same things, accuracy will look better than it is",
            file=sys.stderr,
        )


def _looked_at(files: Sequence[File]) -> tuple[set[tuple[int, int]], set[str]]:
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
