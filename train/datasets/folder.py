"""A folder of pictures with a sub-folder for each class, perhaps below train/ and test/."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_runtime.errors import InputError
from edge_runtime.sources import SUFFIXES, named_as_picture
from edge_runtime.spec import Color, ImageInput
from train.datasets import leaks, sources, store
from train.datasets.dataset import Dataset, Split, part, require_names
from train.datasets.decode import LISTED, SPLITS, Decoded, File, decode

USUAL_SIZE: Final = 96  # pixels to a side, where pictures differ or are larger
# Also with what some put behind: test_set, Training-images.
_SPLIT_NAME: Final = re.compile(
    r"(?:(?P<train>train(?:ing)?)|(?P<validation>val(?:id(?:ation)?)?)|(?P<test>test(?:ing)?))"
    r"(?:[-_ ]?(?:set|images|data))?",
    re.IGNORECASE,
)
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
    labels, files = _files(folder)
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


def _roots(folder: Path) -> dict[str, Path]:
    """Where the classes of each split are; all in the folder itself where it has no train/."""
    parts = {path.name: _split_named(path.name) for path in _folders(folder)}
    if "train" not in parts.values():
        for name in (name for name, split in parts.items() if split):
            below = {path.name for path in _folders(folder / name)}
            if below & parts.keys():  # a class may well be called valid
                raise InputError(
                    f"{folder} has a sub-folder {name} with the same classes in it, but none called "
                    f"train; put the classes of the training pictures into one, or move {name} "
                    "elsewhere"
                )
        return {"train": folder}
    roots: dict[str, Path] = {}
    for name, split in parts.items():
        if split is None or split in roots:
            raise InputError(
                f"{folder} has a sub-folder {name} beside those of its splits; expected train, and "
                "perhaps validation and test, once each: move it elsewhere"
            )
        roots[split] = folder / name
    return roots


def _split_named(name: str) -> str | None:
    """The split that a folder of this name holds, as far as a name tells."""
    found = _SPLIT_NAME.fullmatch(name)
    return found.lastgroup if found else None


def _files(folder: Path) -> tuple[tuple[str, ...], list[File]]:
    roots = _roots(folder)
    labels = tuple(sorted({path.name for root in roots.values() for path in _folders(root)}))
    if not labels:
        raise _not_sorted(roots["train"])
    if len(labels) < 2:
        raise InputError(
            f"{folder} has {len(labels)} class(es) ({', '.join(labels)}); expected a sub-folder "
            "for each of two classes or more"
        )
    require_names(folder, labels)
    files = [
        File(path, split, index)
        for split, root in roots.items()
        for index, label in enumerate(labels)
        for path in sorted((root / label).rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    ]
    pictures = [file for file in files if named_as_picture(file.path.name)]
    others = (file.path for file in files if not named_as_picture(file.path.name))
    beside = (path for root in {folder, *roots.values()} for path in root.iterdir())
    strays = [path for path in beside if named_as_picture(path.name) and path.is_file()]
    _tell_left_out(others, strays)
    _tell_deeper(folder, [path for root in roots.values() for path in _folders(root)])
    return labels, pictures


def _not_sorted(folder: Path) -> InputError:
    """What to do about a folder without sub-folders."""
    if count := sum(named_as_picture(path.name) for path in folder.iterdir()):
        return InputError(
            f"{folder} has {count:,} pictures but no sub-folder for each class; "
            "sort them into one folder a class"
        )
    return InputError(
        f"{folder} has no pictures; name a folder that has a sub-folder of them for each class, "
        f"one that has {', '.join(sources.FILES)}, or a .npz or .csv file"
    )


def _tell_left_out(others: Iterable[Path], beside: Sequence[Path]) -> None:
    """What lies in a class's folder and is no picture, and pictures that lie in none."""
    if beside:
        print(f"left out: {len(beside):,} pictures that are in no class's folder", file=sys.stderr)
    if counts := Counter(path.suffix.lower() for path in others):
        kinds = ", ".join(
            f"{count:,} {suffix or 'without one'}" for suffix, count in counts.items()
        )
        endings = ", ".join(SUFFIXES)
        print(f"left out, for pictures end in {endings}: {kinds}", file=sys.stderr)


def _tell_deeper(folder: Path, classes: Sequence[Path]) -> None:
    """Folders inside a class's folder: whoever meant them as classes has one level too many."""
    deeper = [below for path in classes for below in _folders(path)]
    if deeper:
        print(
            f"folders inside a class's folder are no classes ({len(deeper):,}): pictures in "
            f"{deeper[0].relative_to(folder)} count as {deeper[0].parent.name}",
            file=sys.stderr,
        )


def _folders(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


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
