from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from benchmarks.evaluation import load
from edge_runtime.errors import InputError

IMAGES = np.zeros((40, 4, 4, 1), np.uint8)
LABELS = np.repeat(np.arange(4), 10)
SCORES = np.full((40, 4), 0.25, np.float32)


def save(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


def test_a_set_with_scores_is_read_whole(tmp_path: Path) -> None:
    found = load(save(tmp_path / "e.npz", images=IMAGES, labels=LABELS, scores=SCORES))
    assert found.images.shape == (40, 4, 4, 1)
    assert found.labels.tolist() == LABELS.tolist()
    assert found.scores is not None
    assert found.scores.dtype == np.float32


def test_scores_are_optional(tmp_path: Path) -> None:
    assert load(save(tmp_path / "e.npz", images=IMAGES, labels=LABELS)).scores is None


def test_a_limit_draws_from_every_class_of_a_sorted_set_and_the_same_each_time(
    tmp_path: Path,
) -> None:
    path = save(tmp_path / "e.npz", images=IMAGES, labels=LABELS, scores=SCORES)
    first, again = (load(path, limit=20, seed=7) for _ in range(2))
    assert len(first.images) == len(first.labels) == 20
    assert first.scores is not None
    assert len(first.scores) == 20
    assert set(first.labels.tolist()) == {0, 1, 2, 3}
    assert first.labels.tolist() == again.labels.tolist()


def test_a_limit_above_the_size_takes_all(tmp_path: Path) -> None:
    path = save(tmp_path / "e.npz", images=IMAGES, labels=LABELS)
    assert len(load(path, limit=1000).images) == 40


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"labels": LABELS}, "no array `images`"),
        ({"images": IMAGES}, "no array `labels`"),
        ({"images": IMAGES.astype(np.float32), "labels": LABELS}, "`images` is float32"),
        ({"images": IMAGES[..., 0], "labels": LABELS}, "expected uint8"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, "`images` is uint8 (0, 4, 4, 1)"),
        ({"images": IMAGES, "labels": LABELS[:9]}, "expected 40 whole numbers"),
        ({"images": IMAGES, "labels": LABELS - 1}, "`labels`"),
        ({"images": IMAGES, "labels": LABELS + 0.5}, "`labels` is float64"),
        ({"images": IMAGES, "labels": LABELS, "scores": SCORES[:9]}, "expected floats (40"),
        ({"images": IMAGES, "labels": LABELS, "scores": SCORES * np.nan}, "`scores`"),
        ({"images": IMAGES, "labels": LABELS, "scores": SCORES * 9}, "probabilities 0..1"),
        ({"images": IMAGES, "labels": LABELS, "scores": -SCORES}, "probabilities 0..1"),
        ({"images": np.array([{}], object), "labels": LABELS}, "not a readable .npz"),
    ],
)
def test_a_wrong_array_is_named(tmp_path: Path, arrays: dict[str, np.ndarray], words: str) -> None:
    path = save(tmp_path / "e.npz", **arrays)
    with pytest.raises(InputError) as caught:
        load(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_set_says_which_flag_names_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--evaluation"):
        load(tmp_path / "none.npz")


@pytest.mark.parametrize("damage", ["empty", "text", "truncated", "only begun"])
def test_a_file_that_is_no_npz_is_told(tmp_path: Path, damage: str) -> None:
    path = save(tmp_path / "e.npz", images=IMAGES, labels=LABELS)
    match damage:
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("images, labels")
        case "truncated":
            path.write_bytes(path.read_bytes()[:-100])
        case "only begun":
            path.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(InputError, match=r"not a readable \.npz file"):
        load(path)


def test_wherever_a_file_is_damaged_it_is_one_line(tmp_path: Path) -> None:
    # Of an array this large NumPy reads the header before zipfile has seen all for its checksum.
    images = np.zeros((30, 20, 20, 1), np.uint8)
    path = save(tmp_path / "e.npz", images=images, labels=np.arange(30) % 3)
    whole = path.read_bytes()
    for place in range(200):
        path.write_bytes(whole[:place] + b"(" + whole[place + 1 :])
        with suppress(InputError):
            load(path)


def test_the_file_of_a_single_array_is_no_npz(tmp_path: Path) -> None:
    np.save(tmp_path / "e.npy", IMAGES)
    with pytest.raises(InputError, match="no zip archive"):
        load(tmp_path / "e.npy")
