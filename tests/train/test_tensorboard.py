"""Logs for TensorBoard, written without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from train.checkpoint import State
from train.cli import main

pytestmark = pytest.mark.slow


def events(folder: Path) -> list[Any]:
    import tensorflow as tf

    return [
        tf.compat.v1.Event.FromString(record.numpy())
        for path in sorted(folder.glob("events.out.tfevents.*"))
        for record in tf.data.TFRecordDataset(str(path))
    ]


def test_figures_and_histograms_of_every_epoch_are_logged(idx_folder: Path, tmp_path: Path) -> None:
    import tensorflow as tf

    logs = tmp_path / "logs"
    given = ["--dataset", str(idx_folder), "--epochs", "3", "--tensorboard", str(logs)]
    assert main([*given, "--out", str(tmp_path / "run")]) == 0
    values = [(event.step, value) for event in events(logs) for value in event.summary.value]
    plugins = {(v.metadata.plugin_data.plugin_name, v.tag) for _, v in values}
    assert ("scalars", "epoch/validation_accuracy") in plugins
    assert ("histograms", "hidden/kernel") in plugins
    kernels = {step: tf.make_ndarray(v.tensor) for step, v in values if v.tag == "hidden/kernel"}
    assert list(kernels) == [1, 2, 3]
    assert kernels[3].shape == (30, 3)
    assert kernels[3][:, 2].sum() == 48 * 128
    rows = (tmp_path / "run" / "history.csv").read_text().splitlines()[1:]
    losses = [float(tf.make_ndarray(v.tensor)) for _, v in values if v.tag == "epoch/loss"]
    assert losses == pytest.approx([float(row.split(",")[1]) for row in rows])


def test_no_epoch_lacks_in_the_logs_where_a_training_ends_before_it_is_logged(
    idx_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from train.tensorboard import Logs

    logs = tmp_path / "logs"
    given = ["--dataset", str(idx_folder), "--epochs", "3", "--tensorboard", str(logs)]
    write = Logs.write

    def until_the_second(self: Logs, state: State) -> None:
        if len(state.history) == 2:
            raise KeyboardInterrupt
        write(self, state)

    monkeypatch.setattr(Logs, "write", until_the_second)
    assert main([*given, "--out", str(tmp_path / "run")]) == 130
    monkeypatch.undo()
    assert main([*given, "--out", str(tmp_path / "run"), "--resume"]) == 0
    steps = [e.step for e in events(logs) if any(v.tag == "epoch/loss" for v in e.summary.value)]
    assert sorted(steps) == [1, 2, 3]


def test_a_folder_that_cannot_be_written_is_named(
    idx_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    given = ["--dataset", str(idx_folder), "--tensorboard", str(tmp_path / "file" / "logs")]
    assert main([*given, "--out", str(tmp_path / "run")]) == 2
    assert "name another place with --tensorboard" in capsys.readouterr().err


def test_a_histogram_counts_every_value() -> None:
    from train.tensorboard import histogram

    rows = histogram(np.array([[0.0, 1.0], [1.0, 3.0]], np.float32))
    assert rows[:, 2].sum() == 4
    assert (rows[0, 0], rows[-1, 1]) == (0, 3)
