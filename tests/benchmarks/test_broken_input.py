"""Whatever is broken is a row with its reason, and everything else is measured."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cli import main
from benchmarks.report import BenchmarkReport, read
from benchmarks.run import benchmark
from benchmarks.settings import Settings
from benchmarks.synthetic import tflite
from benchmarks.synthetic.tflite import Operator, Tensor
from edge_runtime import modelfile

Folder = Callable[..., Path]

ALL = ("float32.onnx", "float32.tflite", "int8.onnx", "int8.tflite")
QUICK = ["--blocks", "1", "--rounds", "2", "--seconds", "0.01", "--peak-seconds", "0"]


def deadly(home: Path) -> Path:
    """A file whose digest holds and on which LiteRT 2.3 dies: ADD of one tensor alone."""
    spec = modelfile.read(home / "halves.int8.tflite").spec
    assert spec is not None
    given, weights = Tensor("x", (1, 8, 8, 1)), Tensor.constant("w", np.ones((4, 64), np.float32))
    hidden, answer = Tensor("hidden", (1, 4)), Tensor("y", (1, 4))
    steps = [
        tflite.dense((given, weights, None), hidden),
        Operator(code=0, options_type=11, options={}, inputs=(hidden, None), output=answer),
    ]
    path = home / "deadly.tflite"
    path.write_bytes(modelfile.seal_tflite(tflite.model(steps), spec, None))
    return path


@pytest.mark.slow
def test_of_a_folder_with_a_corrupt_a_deadly_and_a_missing_file_the_rest_is_measured(
    folder: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ai_edge_litert", reason="the deadly file is LiteRT's")
    home, report = folder(*ALL), tmp_path / "report.json"
    dead = deadly(home)
    corrupt = home / "corrupt.tflite"
    data = bytearray((home / "halves.int8.tflite").read_bytes())
    data[1000] ^= 1
    corrupt.write_bytes(data)
    gone = home / "gone.onnx"
    assert main([str(home), str(gone), "--report", str(report), *QUICK]) == 1
    rows = {Path(row.file).name: row for row in read(report).measurements}
    for name in ALL:
        row = rows.pop(f"halves.{name}")
        assert row.verdict == "ok"
        assert row.timing is not None
        assert row.stages is not None
    told = capsys.readouterr().out
    assert "4 of 7 files within tolerance" in told
    for path, reason in (
        (dead, "died of SIGSEGV"),
        (corrupt, "digest does not match"),
        (gone, "No such file"),
    ):
        row = rows.pop(path.name)
        assert row.verdict == "failed"
        assert reason in (row.failure or "")
        assert row.timing is None
        assert reason in told
    assert not rows


def unlabelled(home: Path) -> None:
    with np.load(home / "evaluation.npz") as arrays:
        images = arrays["images"]
    np.savez(home / "evaluation.npz", images=images)


def test_files_with_an_unlabelled_set_say_so_and_are_timed_all_the_same(
    folder: Folder, quick: Settings, tmp_path: Path
) -> None:
    home = folder("int8.onnx")
    other = tmp_path / "other"
    shutil.copytree(home, other)
    unlabelled(other)
    good, broken = benchmark([home, other], quick).measurements
    assert good.verdict == "ok"
    assert broken.verdict == "failed"
    assert "has no array `labels`" in (broken.failure or "")
    for row in (good, broken):
        assert row.timing is not None
        assert row.startup is not None
    assert broken.accuracy is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"no archive at all"])
def test_a_set_that_is_no_archive_is_the_reason_of_its_files(
    folder: Folder, untimed: Settings, content: bytes
) -> None:
    home = folder("int8.onnx")
    (home / "evaluation.npz").write_bytes(content)
    report = benchmark([home], untimed)
    (row,) = report.measurements
    assert not report.passed
    assert "is not a readable .npz file" in (row.failure or "")
    assert BenchmarkReport.from_json(report.to_json()) == report


def test_a_set_named_by_hand_that_is_unlabelled_is_exit_code_1(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    home = folder("int8.onnx")
    unlabelled(home)
    evaluation = str(home / "evaluation.npz")
    assert main([str(home), "--evaluation", evaluation, "--no-timing"]) == 1
    assert "has no array `labels`" in capsys.readouterr().out
