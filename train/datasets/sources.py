"""Where the files of a data set are looked for, and what is known of them beforehand."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edge_runtime.errors import InputError, UsageError
from edge_runtime.spec import Polarity, Resampling
from train import framework

TRAIN_IMAGES: Final = "train-images-idx3-ubyte"
TRAIN_LABELS: Final = "train-labels-idx1-ubyte"
TEST_IMAGES: Final = "t10k-images-idx3-ubyte"
TEST_LABELS: Final = "t10k-labels-idx1-ubyte"
FILES: Final = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)


@dataclass(frozen=True)
class Source:
    """A data set of four IDX files, before any of it is read."""

    name: str
    labels: tuple[str, ...] | None = None  # None: the class numbers, or labels.txt beside the files
    sha256: Mapping[str, str] = field(default_factory=dict)  # of the decompressed files, if known
    url: str | None = None  # the files are at url + name + ".gz"
    package: str | None = None  # of Debian, Ubuntu and Raspberry Pi OS
    resampling: Resampling = "lanczos"
    polarity: Polarity = "any"
    trim: bool = False  # its pictures have no margins
    level: bool = False  # their background is black, and something in them nearly white
    mirrors: bool = False  # a mirrored picture still shows the same class


KNOWN: Final = {
    "fashion-mnist": Source(
        name="fashion-mnist",
        labels=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        sha256={
            TRAIN_IMAGES: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            TRAIN_LABELS: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            TEST_IMAGES: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            TEST_LABELS: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
        url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        package="dataset-fashion-mnist",
        # Zalando trimmed each photograph, shrank its longer side to 28 pixels, sharpened it,
        # padded the other side and made it a negative (Xiao et al. 2017, arXiv 1708.07747).
        polarity="light-on-dark",
        trim=True,
        level=True,
        mirrors=True,
    ),
    "mnist": Source(
        name="mnist",
        labels=tuple("0123456789"),
        url="https://storage.googleapis.com/cvdf-datasets/mnist/",
        polarity="light-on-dark",
    ),
}

Download = Callable[[Source, Path], None]


def find(source: str, data_dir: Path | None) -> tuple[Source, Path]:
    """What is known of a data set, and the folder that holds its files.

    Args:
        source: the name of a known data set, or a folder.
        data_dir: the folder of a known data set's files; None looks where they usually are, and
            downloads them last.

    Raises:
        UsageError: there is no such data set.
        InputError: its files cannot be had.
    """
    if source not in KNOWN:
        return _own(source)
    known = KNOWN[source]
    if data_dir is None:
        return known, locate(known, usual_places(source), download)
    _require_files(data_dir)
    return known, data_dir


def usual_places(name: str) -> tuple[Path, ...]:
    """Where a known data set may be: Keras' cache first, then where Debian installs it."""
    home = os.environ.get("KERAS_HOME")
    cache = Path(home) if home else Path.home() / ".keras"
    return cache / "datasets" / name, Path("/usr/share/datasets") / name


def locate(source: Source, places: Sequence[Path], fetch: Download) -> Path:
    """The first place that has all four files; else they are fetched into the first place.

    Raises:
        InputError: no place has them and they cannot be fetched.
    """
    for place in places:
        if not missing(place):
            return place
    try:
        fetch(source, places[0])
    except Exception as error:  # whatever a network can do: the answer is the same
        package = f"`sudo apt-get install {source.package}`; " if source.package else ""
        raise InputError(
            f"{source.name} is not on this machine and cannot be downloaded "
            f"({' '.join(str(error).split())}). Any of these helps: {package}a network; "
            f"`python -m train --dataset {source.name} --data DIR` with a folder that has "
            f"{', '.join(f'{name}.gz' for name in FILES)}"
        ) from error
    return places[0]


def download(source: Source, folder: Path) -> None:
    """Fetch the four files as Keras does, to where Keras keeps them."""
    framework.load(verbose=False)
    import keras

    folder.mkdir(parents=True, exist_ok=True)
    # A download that is cut short must not look like a whole file next time.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as temporary:
        with redirect_stdout(sys.stderr):  # Keras shows its progress; stdout is for results
            for name in FILES:
                keras.utils.get_file(
                    f"{name}.gz", f"{source.url}{name}.gz", cache_dir=temporary, cache_subdir=""
                )
        for file in Path(temporary).iterdir():
            file.replace(folder / file.name)


def path_of(folder: Path, name: str) -> Path | None:
    """One of the four files, gzipped or not; None where it is missing."""
    return next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None)


def missing(folder: Path) -> list[str]:
    """Which of the four files a folder lacks."""
    return [name for name in FILES if path_of(folder, name) is None]


def _own(source: str) -> tuple[Source, Path]:
    folder = Path(source)
    if not folder.is_dir():
        raise UsageError(
            f"there is no data set {source!r}; expected {', '.join(KNOWN)}, "
            f"a .npz, a .csv, a folder with a sub-folder of pictures for each class, or one with "
            f"{', '.join(FILES)}"
        )
    _require_files(folder)
    return Source(slug(folder.resolve().name)), folder


def slug(name: str) -> str:
    """A name that a model may have, of the name of a folder or file."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:100] or "pictures"


def _require_files(folder: Path) -> None:
    if lacking := missing(folder):
        raise InputError(
            f"{folder} lacks {', '.join(lacking)} (each may end in .gz); "
            "name a folder that has all four files"
        )
