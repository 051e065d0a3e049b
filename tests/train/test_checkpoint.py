"""Checkpoints: what a training that was cut short goes on from."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import InputError, OutputError
from train.checkpoint import Checkpoints, State
from train.history import Epoch

PLAN = {"model": "cnn", "epochs": 9, "units": [1, 2], "data": None}


def state(epochs: int, size: int = 4) -> State:
    history = tuple(Epoch(number, 0.5, 0.6, 0.7, 0.8) for number in range(1, epochs + 1))
    random = np.random.default_rng(epochs)
    arrays = (random.random((size, 3), np.float32), np.array(epochs, np.int64))
    return State(history, {"model": arrays, "best": arrays[:1]}, 1.5 * epochs, 2.5 * epochs)


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    """Those of epochs 1, 2 and 3."""
    kept = Checkpoints(tmp_path / "run.work", PLAN)
    kept.begin(resume=False)
    for epoch in (1, 2, 3):
        kept.save(state(epoch))
    return kept


def assert_same(found: State | None, expected: State) -> None:
    assert found is not None
    assert (found.history, found.seconds) == (expected.history, expected.seconds)
    assert found.cpu_seconds == expected.cpu_seconds
    assert found.weights.keys() == expected.weights.keys()
    for name, arrays in expected.weights.items():
        for old, new in zip(arrays, found.weights[name], strict=True):
            assert (new.dtype, new.shape) == (old.dtype, old.shape)
            assert np.array_equal(new, old)


def test_the_newest_state_comes_back_as_it_was(checkpoints: Checkpoints) -> None:
    assert_same(checkpoints.latest(), state(3))


def test_two_generations_are_kept_and_cleared_at_the_end(checkpoints: Checkpoints) -> None:
    names = sorted(path.name for path in checkpoints.folder.iterdir())
    assert names == ["epoch-000002.checkpoint", "epoch-000003.checkpoint"]
    checkpoints.clear()
    assert not checkpoints.folder.exists()
    assert checkpoints.latest() is None


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    checkpoints: Checkpoints, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = checkpoints.folder / "epoch-000003.checkpoint"
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes({"cut": data[:-1], "flipped": data, "empty": b""}[damage])
    assert_same(checkpoints.latest(), state(2))
    assert "epoch-000003.checkpoint is damaged (its digest does not fit)" in capsys.readouterr().err


def test_when_no_checkpoint_is_whole_the_way_out_is_named(checkpoints: Checkpoints) -> None:
    for path in checkpoints.folder.iterdir():
        path.write_bytes(b"gone")
    with pytest.raises(InputError, match=r"no checkpoint in .* is whole; begin anew: --overwrite"):
        checkpoints.latest()


def test_a_training_with_other_settings_does_not_go_on(checkpoints: Checkpoints) -> None:
    other = Checkpoints(checkpoints.folder, {**PLAN, "epochs": 10})
    with pytest.raises(OutputError, match=r"is of another training \(epochs was 9, now 10\)"):
        other.latest()


def test_what_a_kill_left_half_written_is_cleared_away(checkpoints: Checkpoints) -> None:
    (checkpoints.folder / ".epoch-000004.checkpoint.x7.tmp").write_bytes(b"half")
    checkpoints.begin(resume=True)
    checkpoints.clear()
    assert not checkpoints.folder.exists()


def test_answers_of_a_training_without_a_checkpoint_are_never_taken_up(tmp_path: Path) -> None:
    killed = Checkpoints(tmp_path / "run.work", {**PLAN, "seed": 1})
    killed.begin(resume=False)
    answers = killed.folder / "teacher-000000.logits"
    answers.write_bytes(b"of pictures that were changed with seed 1")
    assert Checkpoints(killed.folder, PLAN).begin(resume=True) is None
    assert not answers.exists()


def test_a_worker_that_does_not_write_changes_nothing(checkpoints: Checkpoints) -> None:
    other = Checkpoints(checkpoints.folder, PLAN, writes=False)
    assert_same(other.begin(resume=True), state(3))
    other.begin(resume=False)
    other.save(state(4))
    other.clear()
    assert_same(checkpoints.latest(), state(3))


def test_a_state_that_cannot_be_written_leaves_the_last_good_one(checkpoints: Checkpoints) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # what a full disk does, nearly
    try:
        with pytest.raises(OutputError, match=r"cannot write .*; free some space"):
            checkpoints.save(state(4, size=10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert_same(checkpoints.latest(), state(3))
    assert len(list(checkpoints.folder.iterdir())) == 2
