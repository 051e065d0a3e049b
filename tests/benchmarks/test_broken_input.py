"""Whatever is broken is a row with its reason, and everything else is measured."""

from __future__ import annotations

import dataclasses
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
from benchmarks.synthetic.tflite import Tensor
from edge_runtime import modelfile

Folder = Callable[..., Path]

ALL = ("float32.onnx", "float32.tflite", "int8.onnx", "int8.tflite")
QUICK = ["--blocks", "1", "--rounds", "2", "--seconds", "0.01", "--peak-seconds", "0"]


# Real files that kill an engine do it by chance, so here the engine is LiteRT with one habit more.
ENGINE = """
import os, signal
__path__ = [{real!r}]
from ai_edge_litert import interpreter

class Mortal(interpreter.Interpreter):
    def __init__(self, *arguments, model_content, **settings):
        if b"deadly" in model_content:
            os.kill(os.getpid(), signal.SIGSEGV)
        super().__init__(*arguments, model_content=model_content, **settings)

interpreter.Interpreter = Mortal
"""


@pytest.fixture
def deadly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Path]:
    """A function: a folder → a good file in it on which the engine of fresh processes dies."""
    litert = pytest.importorskip("ai_edge_litert", reason="the engine that dies is made of LiteRT")
    package = tmp_path / "engine" / "ai_edge_litert"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(ENGINE.format(real=litert.__path__[0]))
    monkeypatch.setenv("PYTHONPATH", str(package.parent))

    def make(home: Path) -> Path:
        spec = modelfile.read(home / "halves.int8.tflite").spec
        assert spec is not None
        given, answer = Tensor("x", (1, 8, 8, 1)), Tensor("y", (1, 4))
        weights = Tensor.constant("w", np.ones((4, 64), np.float32))
        model = tflite.model([tflite.dense((given, weights, None), answer)])
        path = home / "deadly.tflite"
        named = dataclasses.replace(spec, name="deadly")
        path.write_bytes(modelfile.seal_tflite(model, named, None))
        return path

    return make


@pytest.mark.slow
def test_of_a_folder_with_a_corrupt_a_deadly_and_a_missing_file_the_rest_is_measured(
    folder: Folder,
    deadly: Callable[[Path], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
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


@pytest.mark.slow
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


def test_a_set_that_is_no_archive_is_the_reason_of_its_files(
    folder: Folder, untimed: Settings
) -> None:
    home = folder("int8.onnx")
    (home / "evaluation.npz").write_bytes(b"no archive at all")
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
