"""Killing a training again and again: it must end as if nothing had happened."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from train.checkpoint import Checkpoints, State
from train.cli import main

pytestmark = pytest.mark.slow

KILLS = 4


def command(idx_folder: Path, out: Path) -> list[str]:
    taught = ["--teacher", str(out.parent / "teacher"), "--versions", "7"]
    shape = ["--model", "resnet", "--widths", "16,8", "--augment", "--average", "0.9"]
    training = ["--epochs", "60", "--batch-size", "8", "--optimizer", "muon", "--seed", "3"]
    return ["--dataset", str(idx_folder), *taught, *shape, *training, "--out", str(out), "--resume"]


def kill_after(epoch: int, arguments: list[str], delay_s: float) -> None:
    """Start a training, and end it the hard way a moment after it reports this epoch."""
    whole = [sys.executable, "-m", "train", *arguments]
    with subprocess.Popen(whole, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(f"epoch {epoch:2}/60"):
                break
        time.sleep(delay_s)
        process.kill()
        process.stderr.read()
    assert process.returncode == -9


def result(out: Path) -> tuple[list[Any], str, dict[str, Any]]:
    """The weights, the history, and what train.json says but for times and places."""
    import keras

    summary = json.loads((out / "train.json").read_text())
    for key in ("seconds", "cpu_seconds", "command"):
        del summary[key]
    model = keras.saving.load_model(out / "model.keras")
    return model.get_weights(), (out / "history.csv").read_text(), summary


def test_a_training_killed_several_times_ends_like_an_unbroken_one(
    idx_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unbroken, killed, work = (tmp_path / name for name in ("unbroken", "killed", "killed.work"))
    teacher = ["--dataset", str(idx_folder), "--epochs", "2", "--out", str(tmp_path / "teacher")]
    assert main(teacher) == 0
    assert main(command(idx_folder, unbroken)) == 0
    moments = np.random.default_rng(1)
    for kill in range(KILLS):
        kill_after(1 + 12 * kill, command(idx_folder, killed), moments.uniform(0, 0.1))
        assert not killed.exists()
        (newest,) = sorted(work.glob("*.checkpoint"))[-1:]
        last = newest.read_bytes()
        if kill == 1:  # and a bad block on the disk
            newest.write_bytes(newest.read_bytes()[:-100])
            answers = newest.with_name("teacher-000003.logits")
            answers.write_bytes(answers.read_bytes()[:-1])

    assert main(["--dataset", str(idx_folder), "--out", str(killed)]) == 2
    assert "add --resume to go on with it, or --overwrite" in capsys.readouterr().err
    assert main([*command(idx_folder, killed), "--epochs", "61"]) == 2
    assert "epochs was 60, now 61" in capsys.readouterr().err

    assert main(command(idx_folder, killed)) == 0

    ours, theirs = result(killed), result(unbroken)
    assert all(np.array_equal(a, b) for a, b in zip(ours[0], theirs[0], strict=True))
    assert ours[1:] == theirs[1:]
    assert not list(tmp_path.glob("*.work"))

    # As a kill leaves it that comes when all is written.
    work.mkdir()
    (work / newest.name).write_bytes(last)
    capsys.readouterr()
    assert main(command(idx_folder, killed)) == 0
    assert capsys.readouterr().out == f"{killed} is finished already.\n"
    assert not work.exists()

    assert main([*teacher, "--seed", "5", "--overwrite"]) == 0
    assert main(command(idx_folder, killed)) == 2  # the same settings, but of another teacher
    assert f"{killed} exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    "given",
    [
        "--model mlp --units 16,8 --schedule constant --mixup 0.2 --augment --class-weights",
        "--model ds-cnn --widths 8,8 --optimizer sgd --schedule one-cycle --weight-decay 0.01",
        "--model transfer --weights none --frozen 2 --learning-rate 0.01",
        "--quantize first --optimizer adam --average 0.9",
    ],
)
def test_a_training_of_any_kind_goes_on_as_if_it_had_not_been_interrupted(
    given: str, idx_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pictures = ["--dataset", str(idx_folder), "--batch-size", "16", "--epochs", "4"]
    first = ["--model", "cnn", "--epochs", "1", "--out", "first"]
    assert "first" not in given or main([*pictures, *first]) == 0
    command = [*pictures, *given.split()]
    assert main([*command, "--out", "unbroken"]) == 0
    save = Checkpoints.save

    def interrupted(self: Checkpoints, state: State) -> None:
        save(self, state)
        if len(state.history) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoints, "save", interrupted)
    assert main([*command, "--out", "broken"]) == 130
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert main([*command, "--out", "broken", "--resume"]) == 0

    ours, theirs = result(Path("broken")), result(Path("unbroken"))
    assert all(np.array_equal(a, b) for a, b in zip(ours[0], theirs[0], strict=True))
    assert ours[1:] == theirs[1:]
