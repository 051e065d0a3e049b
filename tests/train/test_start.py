"""Training on from an earlier run's weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.spec import ImageInput, ModelSpec
from train import prepare
from train.cli import main
from train.config import TrainConfig
from train.runs import Run

pytestmark = pytest.mark.slow


@pytest.fixture
def first(idx_folder: Path, tmp_path: Path) -> Path:
    """A short run."""
    out = tmp_path / "first"
    assert main(["--dataset", str(idx_folder), *SHAPE, "--out", str(out)]) == 0
    return out


SHAPE = ["--model", "ds-cnn", "--widths", "4,8", "--epochs", "1", "--learning-rate", "0.01"]


def weights(run: Path) -> list[Any]:
    import keras

    return keras.saving.load_model(run / "model.keras").get_weights()  # type: ignore[no-any-return]


def test_training_begins_with_the_weights_of_the_run_it_starts_from(
    idx_folder: Path, first: Path, tmp_path: Path
) -> None:
    again = ["--dataset", str(idx_folder), *SHAPE, "--seed", "9", "--out", str(tmp_path / "on")]
    # A step too small for a float to notice.
    assert main([*again, "--start", str(first), "--learning-rate", "1e-30"]) == 0
    kernels = zip(weights(first), weights(tmp_path / "on"), strict=True)
    assert all(np.array_equal(old, new) for old, new in kernels if old.ndim > 1)


def test_pictures_of_other_classes_get_a_new_last_layer(
    first: Path, tmp_path: Path, other_classes: Path
) -> None:
    on = ["--dataset", str(other_classes), *SHAPE, "--out", str(tmp_path / "on")]
    assert main([*on, "--start", str(first), "--learning-rate", "1e-30"]) == 0
    old, new = weights(first), weights(tmp_path / "on")
    assert np.array_equal(old[0], new[0])
    assert (old[-1].shape, new[-1].shape) == ((3,), (5,))


def test_a_model_of_another_shape_is_no_start(
    idx_folder: Path, first: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on = ["--dataset", str(idx_folder), *SHAPE, "--widths", "4,9", "--out", str(tmp_path / "on")]
    assert main([*on, "--start", str(first)]) == 2
    told = capsys.readouterr().err
    assert f"--start {first} holds a model of another shape" in told
    assert not list(tmp_path.glob("on*"))


def test_pictures_are_prepared_as_their_own_data_set_says(tmp_path: Path) -> None:
    ours = ImageInput(8, 6, "gray", mean=(0.0,), std=(255.0,))
    theirs = replace(ours, mean=(9.0,), std=(50.0,), trim=True)
    run = Run(tmp_path / "model.keras", ModelSpec("it", ("a", "b"), theirs, "logits"), "")
    taken = prepare.image(TrainConfig(start=tmp_path), ours, run)
    assert taken == replace(ours, mean=(9.0,), std=(50.0,))
    assert prepare.image(TrainConfig(quantize=tmp_path), ours, run) == theirs


def test_a_damaged_model_is_no_start(
    idx_folder: Path, first: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = bytearray((first / "model.keras").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (first / "model.keras").write_bytes(data)
    out = ["--start", str(first), "--out", str(tmp_path / "on")]
    assert main(["--dataset", str(idx_folder), *SHAPE, *out]) == 3
    assert "Traceback" not in capsys.readouterr().err
