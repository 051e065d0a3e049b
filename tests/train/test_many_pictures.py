"""Pictures that memory does not hold, and pictures that are nearly the same."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge_runtime.errors import OutputError
from train.datasets import Split, leaks, load, store


def scene(number: int, side: int = 48) -> NDArray[np.uint8]:
    """A picture of soft blobs, unlike any other number's."""
    coarse = np.random.default_rng(number).integers(0, 256, (5, 5, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


def saved_again(pixels: NDArray[np.uint8], quality: int = 85) -> NDArray[np.uint8]:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(io.BytesIO(file.getvalue())))


def test_pictures_past_the_limit_lie_in_a_file_that_has_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    stored = store.blank((10, 4, 4, 1), in_memory=159)
    assert store.is_stored(stored)
    assert not store.is_stored(store.blank((10, 4, 4, 1), in_memory=160))
    assert list(tmp_path.iterdir()) == []
    stored[:] = np.arange(160, dtype=np.uint8).reshape(stored.shape)
    split = Split(stored, np.arange(10))
    taken = split.take(np.array([7, 2]))
    assert np.array_equal(taken.images, np.asarray(stored)[[7, 2]])
    assert taken.labels.tolist() == [7, 2]


def test_a_disk_without_room_for_the_pictures_is_said_before_any_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OutputError, match=r"cannot keep 160 bytes .* No space left.* set TMPDIR"):
        store.blank((10, 4, 4, 1), in_memory=0)


def test_a_copy_saved_anew_is_found_and_another_picture_is_not() -> None:
    pictures = [scene(number) for number in range(20)]
    copies = [saved_again(pictures[3]), (scene(5) * 0.8 + 20).astype(np.uint8)]
    rows = np.stack([leaks.thumbnail(each) for each in (*pictures, *copies)])
    splits = {"train": np.arange(10), "test": np.arange(10, 22)}
    assert list(leaks.across(rows, splits)) == [(20, 3), (21, 5)]


def test_pictures_of_one_colour_are_not_alike() -> None:
    flat = np.stack([leaks.thumbnail(np.full((20, 20, 1), value, np.uint8)) for value in (9, 9)])
    assert not list(leaks.across(flat, {"train": np.array([0]), "test": np.array([1])}))


def test_look_alikes_across_splits_are_named_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for index, split in enumerate(("train", "validation", "test")):
        for label in ("a", "b"):
            (tmp_path / split / label).mkdir(parents=True)
            for number in range(6):
                shown = scene(1000 * index + 100 * (label == "b") + number)
                Image.fromarray(shown).save(tmp_path / split / label / f"{number}.png")
    copy = tmp_path / "test" / "b" / "copy.jpg"
    Image.fromarray(scene(100)).save(copy, quality=90)
    dataset = load(str(tmp_path))
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [12, 12, 13]
    told = capsys.readouterr().err
    assert "test/b/copy.jpg (test) looks like train/b/0.png (train)" in told
    assert "1 test pictures (7.7%) look like train pictures" in told


@pytest.mark.slow
def test_a_training_from_a_file_is_the_one_from_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from train.cli import main

    for index, label in enumerate(("a", "b")):
        (tmp_path / "two" / label).mkdir(parents=True)
        for number in range(30):
            Image.fromarray(scene(100 * index + number, 16)).save(
                tmp_path / "two" / label / f"{number}.png"
            )
    given = ["--dataset", str(tmp_path / "two"), "--units", "8", "--epochs", "2", "--augment"]
    assert main([*given, "--out", str(tmp_path / "memory")]) == 0
    monkeypatch.setattr(store.blank, "__kwdefaults__", {"in_memory": 1000})
    assert main([*given, "--out", str(tmp_path / "file")]) == 0
    one, other = ((tmp_path / run / "history.csv").read_text() for run in ("memory", "file"))
    assert one == other
