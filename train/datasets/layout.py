"""Where pictures lie in a folder: which sub-folders are splits, which are classes."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from edge_runtime.errors import InputError
from edge_runtime.sources import SUFFIXES, named_as_picture
from train.datasets import sources
from train.datasets.dataset import require_names
from train.datasets.decode import File

# Also with what some put behind: test_set, Training-images.
_SPLIT_NAME: Final = re.compile(
    r"(?:(?P<train>train(?:ing)?)|(?P<validation>val(?:id(?:ation)?)?)|(?P<test>test(?:ing)?))"
    r"(?:[-_ ]?(?:set|images|data))?",
    re.IGNORECASE,
)


def files(folder: Path) -> tuple[tuple[str, ...], list[File]]:
    """The names of the classes, and what is named like a picture in each of their folders.

    What is left out, or may be meant otherwise, is said on stderr.

    Raises:
        InputError: there are fewer than two classes, one whose name no model file takes, or folders
            that cannot be told from one another.
    """
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
    found = [
        File(path, split, index)
        for split, root in roots.items()
        for index, label in enumerate(labels)
        for path in sorted((root / label).rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    ]
    pictures = [file for file in found if named_as_picture(file.path.name)]
    others = (file.path for file in found if not named_as_picture(file.path.name))
    beside = (path for root in {folder, *roots.values()} for path in root.iterdir())
    strays = [path for path in beside if named_as_picture(path.name) and path.is_file()]
    _tell_left_out(others, strays)
    _tell_deeper(folder, [path for root in roots.values() for path in _folders(root)])
    return labels, pictures


def _roots(folder: Path) -> dict[str, Path]:
    """Where the classes of each split are; all in the folder itself where it has no train/."""
    parts = {path.name: _split_named(path.name) for path in _folders(folder)}
    if "train" not in parts.values():
        for name in filter(parts.get, parts):
            # A class may well be called valid; not one with the other classes in it.
            if parts.keys() & {path.name for path in _folders(folder / name)}:
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
