"""More than one replica: what TF_CONFIG may hold, shares of batches, workers that die."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.errors import UsageError
from train import distribute
from train.cli import main


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "reads TF_CONFIG from the environment, which is ''; expected such as"),
        ("[1]", "TF_CONFIG is no JSON object"),
        ('{"cluster": {}}', "has no task with type and index"),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
            'worker 1 of {"worker": ["a:1"]}; expected a worker of a list',
        ),
        (
            '{"cluster": {"ps": ["a:1"]}, "task": {"type": "ps", "index": 0}}',
            "names the task ps 0",
        ),
    ],
)
def test_a_wrong_tf_config_is_answered_with_a_right_one(
    text: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UsageError) as caught:
        distribute._require_cluster()
    assert words in str(caught.value)
    assert '"worker": ["host1:2222"' in str(caught.value)


def test_the_first_worker_is_the_chief(monkeypatch: pytest.MonkeyPatch) -> None:
    assert distribute.is_chief(None)
    for index in (0, 1):
        task = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": index}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(task))
        assert distribute.is_chief("multi-worker") == (index == 0)


class Replicas:
    """As much of a strategy as counts for the shares of batches."""

    def __init__(self, replicas: int) -> None:
        self.num_replicas_in_sync = replicas


def test_a_batch_with_fewer_pictures_than_replicas_is_refused() -> None:
    with pytest.raises(UsageError, match="last batch of an epoch has 1 pictures for 2 replicas"):
        distribute.require_divisible(Replicas(2), 49, 16)
    distribute.require_divisible(Replicas(2), 48, 16)
    distribute.require_divisible(Replicas(1), 49, 16)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "begins_again"),
    [
        ("UnavailableError", True),
        ("AbortedError", True),
        ("ResourceExhaustedError", False),
        ("InvalidArgumentError", False),
    ],
)
def test_a_training_begins_again_only_for_what_a_restart_may_mend(
    name: str, begins_again: bool
) -> None:
    import tensorflow as tf

    error = getattr(tf.errors, name)
    expected = distribute.WorkerLostError if begins_again else error
    with pytest.raises(expected), distribute.insisting_on_all("multi-worker"):
        raise error(None, None, "as TensorFlow says it")


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Workers:
    """Two processes on this machine that train together."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self.arguments, self.folder = arguments, folder
        self.cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
        self.errors = [folder / f"worker-{index}.txt" for index in (0, 1)]

    def start(self, index: int, *more: str) -> subprocess.Popen[bytes]:
        config = {"cluster": self.cluster, "task": {"type": "worker", "index": index}}
        with self.errors[index].open("ab") as errors:
            return subprocess.Popen(
                [sys.executable, "-m", "train", *self.arguments, *more],
                env={**os.environ, "TF_CONFIG": json.dumps(config)},
                stdout=errors,
                stderr=errors,
            )

    def wait_for(self, index: int, words: str, process: subprocess.Popen[bytes]) -> None:
        while words not in self.errors[index].read_text(errors="replace"):
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(self.errors[index].read_text(errors="replace"))


def accuracy(out: Path) -> float:
    return float(json.loads((out / "train.json").read_text())["test_accuracy"])


def replicas(out: Path) -> int:
    return int(json.loads((out / "train.json").read_text())["replicas"])


def curve(out: Path) -> NDArray[np.float64]:
    """Loss and accuracy of every epoch, on training and on validation pictures."""
    return np.loadtxt(out / "history.csv", delimiter=",", skiprows=1)


@pytest.mark.slow
def test_two_workers_learn_what_one_does_and_one_killed_and_restarted_goes_on(
    fashion_mnist: Path, tmp_path: Path
) -> None:
    # Without batch normalisation nothing depends on how a batch is shared.
    data = ["--data", str(fashion_mnist), "--limit", "1010", "--batch-size", "100", "--augment"]
    shape = ["--units", "32", "--epochs", "40", "--average", "0.9", "--mixup", "0.2"]
    one, two = tmp_path / "one", tmp_path / "two"
    assert main([*data, *shape, "--out", str(one)]) == 0

    together = ["--distribute", "multi-worker", "--out", str(two)]
    workers = Workers([*data, *shape, *together], tmp_path)
    chief, other = workers.start(0), workers.start(1)
    try:
        workers.wait_for(0, "epoch  2/40", chief)
        other.kill()
        other.wait()
        workers.wait_for(0, "begins again and waits", chief)
        other = workers.start(1, "--resume")
        assert chief.wait(300) == 0, workers.errors[0].read_text()
        assert other.wait(60) == 0, workers.errors[1].read_text()
    finally:
        for process in (chief, other):
            process.kill()
            process.wait()

    told = [path.read_text(errors="replace") for path in workers.errors]
    assert "going on after epoch" in told[0]
    assert "Test accuracy" in told[0]
    assert "worker 0 writes the run" in told[1]
    assert "Traceback" not in told[0] + told[1]
    assert (replicas(one), replicas(two)) == (1, 2)
    assert accuracy(two) == pytest.approx(accuracy(one), abs=0.005)
    assert curve(two) == pytest.approx(curve(one), abs=5e-3)
    assert not list(tmp_path.glob("*.work"))


@pytest.mark.slow
def test_workers_that_would_take_steps_of_another_size_are_refused(
    idx_folder: Path, tmp_path: Path
) -> None:
    out = ["--distribute", "multi-worker", "--out", str(tmp_path / "two")]
    workers = Workers(["--dataset", str(idx_folder), "--epochs", "1", *out], tmp_path)
    rates = ("0.001", "0.01")
    both = [workers.start(index, "--learning-rate", rate) for index, rate in enumerate(rates)]
    try:
        assert [process.wait(300) for process in both] == [2, 2]
    finally:
        for process in both:
            process.kill()
            process.wait()
    for path in workers.errors:
        assert "train: error: the workers have different settings" in path.read_text()
    assert not list(tmp_path.glob("two*"))


@pytest.mark.slow
def test_where_there_is_one_processor_mirrored_is_a_training_like_any(
    idx_folder: Path, tmp_path: Path
) -> None:
    given = ["--dataset", str(idx_folder), "--model", "ds-cnn", "--widths", "4,8", "--epochs", "2"]
    one, mirrored = tmp_path / "one", tmp_path / "mirrored"
    assert main([*given, "--out", str(one)]) == 0
    assert main([*given, "--distribute", "mirrored", "--out", str(mirrored)]) == 0
    assert (curve(mirrored) == curve(one)).all()


@pytest.mark.slow
def test_two_replicas_on_one_machine_learn_about_what_one_does(
    fashion_mnist: Path, tmp_path: Path
) -> None:
    # Batch normalisation sees half a batch at a time, so not the very same.
    code = (
        "import tensorflow as tf; from train.cli import main;"
        "cpu = tf.config.list_physical_devices('CPU')[0];"
        "tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()]*2);"
        "make = tf.distribute.MirroredStrategy;"
        "tf.distribute.MirroredStrategy = lambda: make(['CPU:0', 'CPU:1']);"
        "import sys; raise SystemExit(main(sys.argv[1:]))"
    )
    given = ["--data", str(fashion_mnist), "--limit", "600", "--batch-size", "50", "--epochs", "3"]
    shape = ["--model", "resnet", "--widths", "16,24", "--optimizer", "muon"]
    rate = ["--learning-rate", "0.05"]
    one, two = tmp_path / "one", tmp_path / "two"
    assert main([*given, *shape, *rate, "--out", str(one)]) == 0
    out = ["--distribute", "mirrored", "--out", str(two)]
    subprocess.run([sys.executable, "-c", code, *given, *shape, *rate, *out], check=True)
    assert (replicas(one), replicas(two)) == (1, 2)
    assert accuracy(two) == pytest.approx(accuracy(one), abs=0.05)
