"""Everything that can be wrong with a run directory, but for the Keras model itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.errors import InputError, ModelError, SpecError, UsageError
from export import source


def spoil(path: Path, **changed: Any) -> None:
    """Write an .npz anew with other arrays; None takes one out."""
    with np.load(path) as archive:
        arrays = dict(archive) | changed
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def test_a_run_directory_is_read_as_it_was_written(shell: Path) -> None:
    read = source.read(shell, calibration=True)
    assert read.spec.labels == ("top", "bottom", "left", "right")
    assert read.evaluation.shape == (2000, 8, 8, 1)
    assert read.labels.shape == (2000,)
    assert read.calibration is not None
    assert read.seed == 1


def test_without_a_summary_there_is_no_seed(shell: Path) -> None:
    (shell / "train.json").unlink()
    assert source.read(shell, calibration=False).seed is None


def test_a_summary_that_is_no_json_is_named(shell: Path) -> None:
    (shell / "train.json").write_text("[1, 2")
    with pytest.raises(InputError, match=r"train\.json is not a JSON object"):
        source.read(shell, calibration=False)
    (shell / "train.json").write_text(json.dumps([1]))
    with pytest.raises(InputError, match=r"train\.json is not a JSON object"):
        source.read(shell, calibration=False)


def test_a_folder_without_a_model_is_no_run_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no model\.keras and no saved_model\.pb; name"):
        source.read(tmp_path, calibration=True)


def test_a_model_file_itself_comes_without_pictures(shell: Path) -> None:
    with pytest.raises(UsageError, match=r"comes without pictures; add --evaluation SOURCE"):
        source.read(shell / "model.keras", calibration=True)


def test_a_damaged_keras_file_is_named(shell: Path) -> None:
    (shell / "model.keras").write_bytes(b"PK but no more")
    with pytest.raises(ModelError, match=r"model\.keras is not a readable \.keras file"):
        source.read(shell, calibration=True)


def test_a_keras_file_without_spec_says_where_specs_come_from(shell: Path) -> None:
    np.savez(shell / "other.npz", nothing=[0])  # a zip archive without a spec
    (shell / "other.npz").replace(shell / "model.keras")
    with pytest.raises(SpecError, match=r"says nothing about its labels.*python -m train"):
        source.read(shell, calibration=True)


def test_missing_calibration_pictures_name_the_way_around(shell: Path) -> None:
    (shell / "calibration.npz").unlink()
    with pytest.raises(InputError, match=r"calibration\.npz does not exist.*--only float32"):
        source.read(shell, calibration=True)


def test_variants_without_integers_need_no_calibration_pictures(shell: Path) -> None:
    (shell / "calibration.npz").unlink()
    assert source.read(shell, calibration=False).calibration is None


def test_missing_evaluation_pictures_are_named(shell: Path) -> None:
    (shell / "evaluation.npz").unlink()
    with pytest.raises(InputError, match=r"evaluation\.npz does not exist; train again"):
        source.read(shell, calibration=True)


@pytest.mark.parametrize("name", ["calibration.npz", "evaluation.npz"])
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda images: images / np.float32(255),
            "holds float32 0..1, expected uint8 pixels 0..255",
        ),
        (
            lambda images: images.astype(np.int64),
            "holds int64 0..255, expected uint8 pixels 0..255",
        ),
        (lambda images: images // 255, r"runs 0\.\.1, expected pixels 0\.\.255; they were scaled"),
        (lambda images: images[:, :7], r"has the shape \(\d+, 7, 8, 1\), expected"),
        (lambda images: images[:0], r"has the shape \(0, 8, 8, 1\), expected"),
        (lambda _: None, "has no array `images`"),
    ],
)
def test_pictures_that_are_not_the_models_are_named(
    shell: Path, name: str, change: Callable[[Any], Any], complaint: str
) -> None:
    with np.load(shell / name) as archive:
        images = change(archive["images"])
    spoil(shell / name, images=images)
    with pytest.raises(InputError, match=complaint):
        source.read(shell, calibration=True)


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (np.arange(2000) % 5, r"runs 0\.\.4, but the model's 4 labels are 0\.\.3"),
        (np.full(2000, -1), r"runs -1\.\.-1, but the model's 4 labels are 0\.\.3"),
        (np.zeros(1999, np.int64), "expected 2000 whole numbers"),
        (np.zeros(2000), "expected 2000 whole numbers"),
    ],
)
def test_labels_that_do_not_fit_are_named(shell: Path, labels: Any, complaint: str) -> None:
    spoil(shell / "evaluation.npz", labels=labels)
    with pytest.raises(InputError, match=complaint):
        source.read(shell, calibration=True)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"no archive at all"])
def test_pictures_that_cannot_be_read_are_named(shell: Path, content: bytes) -> None:
    (shell / "calibration.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"calibration\.npz is not a readable \.npz file"):
        source.read(shell, calibration=True)


def test_a_lone_array_is_no_npz(shell: Path) -> None:
    with (shell / "calibration.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(InputError, match=r"calibration\.npz is not a readable \.npz file"):
        source.read(shell, calibration=True)
