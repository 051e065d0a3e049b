"""Data sets as `.npz` and CSV files, and what is wrong with some."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.errors import InputError
from train.cli import main
from train.datasets import load

RANDOM = np.random.default_rng(0)
ARRAYS: dict[str, Any] = {
    "x_train": RANDOM.integers(0, 256, (30, 5, 5), np.uint8),
    "y_train": np.arange(30).reshape(30, 1) % 3,
    "x_test": RANDOM.integers(0, 256, (9, 5, 5), np.uint8),
    "y_test": np.arange(9, dtype=np.uint8) % 3,
}


def npz(folder: Path, **changes: Any) -> str:
    path = folder / "my set.npz"
    np.savez(path, **{k: v for k, v in {**ARRAYS, **changes}.items() if v is not None})
    return str(path)


def csv(folder: Path, change: str = "") -> str:
    for name in ("train", "test"):
        table = np.column_stack([ARRAYS[f"y_{name}"], ARRAYS[f"x_{name}"].reshape(-1, 25)])
        lines = [",".join(["label", *(f"pixel{i + 1}" for i in range(25))])]
        lines += [",".join(map(str, row)) for row in table.tolist()]
        text = "\n".join(lines) + "\n" + change
        (folder / f"clothes_{name}.csv").write_text(text)
    return str(folder / "clothes_train.csv")


@pytest.mark.parametrize("make", [npz, csv])
def test_both_kinds_of_file_give_the_same_pictures(make: Any, tmp_path: Path) -> None:
    dataset = load(make(tmp_path))
    assert dataset.name in ("my-set", "clothes_train")
    assert (len(dataset.train), len(dataset.validation)) == (24, 6)
    assert np.array_equal(dataset.test.images[..., 0], ARRAYS["x_test"])
    assert dataset.test.labels.tolist() == ARRAYS["y_test"].tolist()
    assert all(len(digest) == 64 for digest in dataset.sha256.values())


@pytest.mark.slow
@pytest.mark.parametrize("make", [npz, csv])
def test_both_kinds_of_file_can_be_trained_on(make: Any, tmp_path: Path) -> None:
    path, out = make(tmp_path), tmp_path / "run"
    assert main(["--dataset", path, "--units", "8", "--epochs", "1", "--out", str(out)]) == 0
    summary = json.loads((out / "train.json").read_text())
    assert summary["dataset"]["sha256"] == load(path).sha256


@pytest.mark.parametrize("heading", ["", "\ufeff", ",".join(map(str, range(26))) + "\n"])
def test_whatever_heading_a_csv_has_or_none_it_keeps_its_first_picture(
    heading: str, tmp_path: Path
) -> None:
    path = Path(csv(tmp_path))
    whole = load(str(path))
    for file in tmp_path.glob("*.csv"):
        file.write_text(heading + file.read_text().partition("\n")[2], encoding="utf-8")
    bare = load(str(path))
    assert np.array_equal(bare.train.images, whole.train.images)
    assert np.array_equal(bare.test.images, whole.test.images)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y_test": None}, "lacks the arrays y_test"),
        ({"x_train": ARRAYS["x_train"] / 255}, "holds float64 from 0 to 1, expected uint8 pixels"),
        ({"y_train": ARRAYS["y_train"] - 1}, "has labels from -1 to 1; expected whole numbers"),
        ({"y_train": ARRAYS["y_train"][:7]}, "holds 30 pictures but the labels have shape"),
        ({"x_test": ARRAYS["x_test"][..., :4]}, "they must be alike"),
        ({"x_train": ARRAYS["x_train"][0]}, "expected pictures"),
    ],
)
def test_what_is_wrong_with_an_npz_is_said(
    changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        load(npz(tmp_path, **changes))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("1,2,3\n", "is no CSV of whole numbers below a heading"),
        ("1" + ",x" * 25, "is no CSV of whole numbers below a heading"),
        ("1" + ",256" * 25, r"has pixels 0\.\.256, expected 0\.\.255"),
    ],
)
def test_what_is_wrong_with_a_csv_is_said(change: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        load(csv(tmp_path, change))


def test_a_csv_needs_its_other_half_and_square_pictures(tmp_path: Path) -> None:
    path = Path(csv(tmp_path))
    with pytest.raises(InputError, match="name the CSV that has `train` in its name"):
        load(str(path.with_name("clothes_test.csv")))
    path.with_name("clothes_test.csv").unlink()
    with pytest.raises(InputError, match=r"cannot read .*clothes_test\.csv"):
        load(str(path))
    path.write_text("label,a,b\n0,1,2\n")
    path.with_name("clothes_test.csv").write_text("label,a,b\n0,1,2\n")
    with pytest.raises(InputError, match="has 2 pixels a line, which is no square"):
        load(str(path))


def test_a_damaged_npz_is_named(tmp_path: Path) -> None:
    path = Path(npz(tmp_path))
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(InputError, match=r"is no readable \.npz file"):
        load(str(path))


def test_wherever_an_npz_is_damaged_it_is_one_line(tmp_path: Path) -> None:
    # Of an array this large NumPy reads the header before zipfile has seen all for its checksum.
    path = Path(npz(tmp_path, x_train=np.zeros((30, 20, 20), np.uint8)))
    whole = path.read_bytes()
    for place in range(200):
        path.write_bytes(whole[:place] + b"(" + whole[place + 1 :])
        with suppress(InputError):
            load(str(path))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.arange(20) % 4 + 1, "labels go from 1 to 4, but no training picture has label 0"),
        (np.arange(20) % 4 - 1, "has labels from -1 to 2; expected whole numbers from 0, one for"),
        (np.arange(20) * 10**9, "go from 0 to 19000000000, but no training picture has label 1"),
        (np.full(20, 2**63, np.uint64), "has labels from 9223372036854775808 to"),
        (np.array(["cat", "dog"] * 10), "has labels such as 'cat'; expected whole numbers from 0"),
        (np.array([b"cat", b"dog"] * 10), "has labels such as b'cat'; expected whole numbers"),
        (np.arange(20) % 4 / 2, r"has labels such as 0\.0; expected whole numbers from 0"),
        (np.arange(20) % 2 == 1, "has labels such as False; expected whole numbers from 0"),
        (np.eye(4)[np.arange(20) % 4], r"shape \(20, 4\); expected one class number a picture"),
    ],
)
def test_labels_out_of_range_are_answered_with_the_right_range(
    labels: NDArray[Any], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.npz"
    pixels = np.zeros((20, 4, 4), np.uint8)
    np.savez(path, x_train=pixels, y_train=labels, x_test=pixels, y_test=labels)
    with pytest.raises(InputError, match=words):
        load(str(path))
