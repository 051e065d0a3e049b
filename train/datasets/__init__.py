"""Labelled pictures in three splits, whatever they were read from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_runtime.errors import InputError, UsageError
from edge_runtime.spec import Color
from train.datasets import folder, numbered, sources
from train.datasets.dataset import SPLIT_SEED, Dataset, Split

__all__ = ["SPLIT_SEED", "Dataset", "Split", "load"]


def load(
    source: str,
    *,
    data_dir: Path | None = None,
    size: int | None = None,
    color: Color | None = None,
    validation: int = 5000,
    seed: int = SPLIT_SEED,
) -> Dataset:
    """Read a data set.

    Args:
        source: "fashion-mnist", "mnist", a folder with the four files, gzipped or not, and
            perhaps a labels.txt with one class name a line; a folder of pictures with a sub-folder
            a class; an `.npz` or `.csv` file.
        data_dir: the folder of a known data set's files; None looks in Keras' cache, then in
            /usr/share/datasets, then downloads them.
        size: of a folder's pictures, pixels to a side; None chooses.
        color: of a folder's pictures; None chooses.
        validation: how many training pictures to set aside for choosing, at most a fifth of them.
        seed: which pictures those are.

    Raises:
        UsageError: there is no such data set.
        InputError: its files cannot be had, are damaged, or do not fit together.
        OutputError: a folder's pictures need a file, and there is no room for it.
    """
    path = Path(source)
    if data_dir is not None and source not in sources.KNOWN:
        raise UsageError(
            f"--data {data_dir} is for {' and '.join(sources.KNOWN)}, not for {source}"
        )
    with _locked_ones_named(source):
        if source not in sources.KNOWN and path.is_dir() and folder.is_one(path):
            return folder.load(path, size=size, color=color, validation=validation, seed=seed)
        if size is not None or color is not None:
            raise UsageError(f"--size and --color are for folders of pictures, not for {source}")
        return numbered.load(source, data_dir, validation=validation, seed=seed)


@contextmanager
def _locked_ones_named(source: str) -> Iterator[None]:
    """Whatever looks into a folder may find that it, or one in it, is not for this user."""
    try:
        yield
    except PermissionError as error:
        raise InputError(
            f"cannot read {error.filename or source}: {error.strerror}; "
            "change its permissions or name another place"
        ) from error
