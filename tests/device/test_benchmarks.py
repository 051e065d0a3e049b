"""A benchmark on an emulated Pi: accuracy counts, times are marked and compared with nothing."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from benchmarks.report import read
from benchmarks.run import benchmark
from benchmarks.settings import Settings
from edge_runtime import modelfile
from tests.device.lab import Pi

pytestmark = [pytest.mark.slow, pytest.mark.device]

QUICK = ["--blocks", "1", "--rounds", "2", "--seconds", "0.01", "--peak-seconds", "0"]


@pytest.fixture(scope="session")
def folder(pi: Pi, models: Path) -> Path:
    """Tiny models for the Pi's engines, and their own golden samples as evaluation set."""
    home = pi.home / "benchmark"
    home.mkdir()
    chosen = [f"halves.int8.{kind}" for kind in pi.userland.formats]
    for name in chosen:
        shutil.copy(models / name, home)
    golden = modelfile.read(models / chosen[0]).golden
    assert golden is not None
    with np.load(io.BytesIO(golden)) as arrays:
        images, scores = arrays["images"], arrays["scores"]
    np.savez(home / "evaluation.npz", images=images, labels=scores.argmax(axis=1), scores=scores)
    return home


@pytest.fixture(scope="session")
def measured(pi: Pi, folder: Path) -> CompletedProcess[str]:
    """The benchmark's words, and its report in report.json."""
    report = folder / "report.json"
    return pi.python("-m", "benchmarks", folder, "--report", report, *QUICK)


def test_accuracy_is_that_of_a_desktop(measured: CompletedProcess[str], folder: Path) -> None:
    assert measured.returncode == 0, measured.stdout + measured.stderr
    here = benchmark([folder], Settings(timing=False)).measurements
    there = read(folder / "report.json").measurements
    assert [row.verdict for row in there] == ["ok"] * len(here)
    for one, other in zip(here, there, strict=True):
        assert one.accuracy is not None
        assert other.accuracy is not None
        assert one.accuracy.right_bits == other.accuracy.right_bits


def test_times_and_memory_are_marked_as_the_emulators(
    measured: CompletedProcess[str], folder: Path, pi: Pi, report: Callable[[str], None]
) -> None:
    found = read(folder / "report.json")
    assert found.machine.emulator == f"/usr/bin/qemu-{pi.userland.qemu}-static"
    marked = {
        title.partition(":")[0]: title.endswith("(emulated)") for title in _titles(measured.stdout)
    }
    assert marked == {
        "Accuracy": False,
        "Speed": True,
        "Answers, more closely": False,
        "Start-up and memory": True,
        "From a PNG file to a prediction, µs (emulated)": True,
        "Size by part, kB": False,
    }
    assert "times and memory are the emulator's" in measured.stdout
    report(f"{pi}: a benchmark runs, {found.notes[0]}")


def test_times_are_compared_with_nothing(
    pi: Pi, measured: CompletedProcess[str], folder: Path
) -> None:
    assert measured.returncode == 0
    told = folder / "report.json"
    same = pi.python("-m", "benchmarks", "compare", told, told, "--max-slowdown", "5")
    assert same.returncode == 1, "a limit that cannot be looked at is not kept"
    assert "times are not compared: the processor is imitated" in same.stdout


def test_the_description_of_the_board_is_in_the_report(
    pi: Pi, measured: CompletedProcess[str], folder: Path
) -> None:
    assert measured.returncode == 0
    machine = json.loads((folder / "report.json").read_text())["machine"]
    assert machine["board"] == pi.boards[0].name
    assert machine["cpu"].lower().endswith(pi.boards[0].cpu.lower())
    assert machine["features"]


def _titles(text: str) -> Sequence[str]:
    """A table's title stands alone in its paragraph."""
    return [part for part in text.split("\n\n") if "\n" not in part]
