"""Data sets in one or two files of numbers: NumPy's `.npz` as Keras has it, and Kaggle's CSV."""

from __future__ import annotations

import codecs
import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime import npz
from edge_runtime.errors import InputError

SUFFIXES: Final = (".npz", ".csv")

Pairs = tuple[NDArray[Any], NDArray[Any]]  # pictures and classes, as they are in the file


@dataclass(frozen=True, eq=False)
class Arrays:
    """Training and test pictures with their classes, not checked yet."""

    train: Pairs
    test: Pairs
    sha256: Mapping[str, str]  # of each file


def read(path: Path) -> Arrays:
    """Read `x_train`, `y_train`, `x_test` and `y_test` of an `.npz`, or two CSV files.

    Args:
        path: the `.npz`; or the CSV with `train` in its name, beside which lies the same with
            `test`. A CSV has perhaps a heading, then a line a picture: its class, its pixels 0..255.

    Raises:
        InputError: a file cannot be read, or holds something else.
    """
    return _npz(path) if path.suffix == ".npz" else _csv(path)


def members(path: Path, names: Sequence[str], *, remedy: str) -> list[NDArray[Any]]:
    """Arrays of an `.npz` file, in the order of their names.

    Args:
        path: the file.
        names: which arrays.
        remedy: what to do where it is of no use, for the message.

    Raises:
        InputError: it cannot be read, is damaged, or lacks one of them.
    """
    try:
        with path.open("rb") as file:
            found = npz.read(file, *names)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is no readable .npz file: {error}; {remedy}") from error
    if lacking := [name for name in names if name not in found]:
        raise InputError(f"{path} lacks the arrays {', '.join(lacking)}; {remedy}")
    return [found[name] for name in names]


def _npz(path: Path) -> Arrays:
    digest = _digest(path, _bytes(path))
    names = ("x_train", "y_train", "x_test", "y_test")
    x_train, y_train, x_test, y_test = members(path, names, remedy="make it again")
    return Arrays((x_train, y_train), (x_test, y_test), digest)


def _csv(path: Path) -> Arrays:
    if "train" not in path.name:
        raise InputError(f"{path}: name the CSV that has `train` in its name; `test` lies beside")
    other = path.with_name("test".join(path.name.rsplit("train", 1)))
    contents = {file: _bytes(file) for file in (path, other)}
    train, test = (_table(file, data) for file, data in contents.items())
    return Arrays(train, test, _digest(path, contents[path]) | _digest(other, contents[other]))


def _table(path: Path, data: bytes) -> Pairs:
    data = data.removeprefix(codecs.BOM_UTF8)
    first = io.BytesIO(data).readline().strip().split(b",")
    # Files without a heading are about, too; so is 0,1,2… for one, as pandas numbers columns.
    numbered = first == [b"%d" % column for column in range(len(first))]
    lines = int(numbered or not all(cell.strip().isdigit() for cell in first))
    try:
        table = np.loadtxt(io.BytesIO(data), np.int64, delimiter=",", skiprows=lines, ndmin=2)
    except ValueError as error:
        raise InputError(f"{path} is no CSV of whole numbers below a heading: {error}") from error
    classes, pixels = table[:, 0], table[:, 1:]
    side = math.isqrt(pixels.shape[1])
    if side == 0 or side * side != pixels.shape[1]:
        raise InputError(
            f"{path} has {pixels.shape[1]} pixels a line, which is no square; "
            "expected label,pixel1…pixel784 or another square picture"
        )
    if pixels.min() < 0 or pixels.max() > 255:
        raise InputError(f"{path} has pixels {pixels.min()}..{pixels.max()}, expected 0..255")
    return pixels.astype(np.uint8).reshape(-1, side, side), classes


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the path") from error


def _digest(path: Path, data: bytes) -> dict[str, str]:
    return {path.name: hashlib.sha256(data).hexdigest()}
