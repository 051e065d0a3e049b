from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from benchmarks import fresh
from benchmarks.measures.accuracy import ORIGINAL
from benchmarks.report import BenchmarkReport
from benchmarks.run import benchmark
from benchmarks.settings import Settings
from benchmarks.sources import model_files
from benchmarks.views.table import plain_table
from benchmarks.views.tables import tables
from benchmarks.views.text import markdown, plain
from benchmarks.views.words import method_lines, verdict
from edge_runtime import modelfile
from edge_runtime.engines import installed
from edge_runtime.errors import EngineError, InputError, UsageError

EACH = ("float32.onnx", "int8.tflite")  # engine, and each arithmetic

Folder = Callable[..., Path]


def test_a_folder_of_good_files_is_measured_whole(folder: Folder, quick: Settings) -> None:
    home = folder(*EACH)
    report = benchmark([home], quick)
    assert report.passed
    assert verdict(report) == "2 of 2 files within tolerance"
    assert [row.variant for row in report.measurements] == list(EACH)
    for row in report.measurements:
        assert row.size_bytes == Path(row.file).stat().st_size
        assert row.accuracy is not None
        assert row.accuracy.accuracy == 1.0
        assert row.accuracy.reference == ORIGINAL
        assert row.accuracy.agreement == 1.0
        assert row.startup is not None
        assert 0 < row.startup.load_ms < 5000
        assert row.memory is not None
        assert 10e6 < row.memory.runtime_bytes <= row.memory.peak_bytes
        assert row.timing is not None
        assert 0 < row.timing.min_ms <= row.timing.p50_ms <= row.timing.p90_ms <= row.timing.p99_ms
        assert len(row.timing.round_p50_ms) == quick.rounds * quick.blocks

    assert BenchmarkReport.from_json(report.to_json()) == report, "JSON holds every figure"
    for document in (plain(report), markdown(report)):
        for name in EACH:
            assert f"halves.{name}" in document
        assert "100.00" in document
        assert "p99, µs" in document
    assert max(map(len, tables_with_long_names(report))) <= 100


def test_every_file_names_the_engine_that_ran_it(folder: Folder, untimed: Settings) -> None:
    report = benchmark([folder(*EACH)], untimed)
    named = [f"{package} {version(package)}" for package in ("onnxruntime", "ai-edge-litert")]
    assert [row.engine for row in report.measurements] == named
    told = f"Engines: .onnx by {named[0]}, .tflite by {named[1]}"
    assert told in plain(report)
    assert told in markdown(report)


def test_a_chosen_engine_runs_its_own_files_and_one_that_is_not_there_ends_all_at_once(
    folder: Folder, untimed: Settings
) -> None:
    home = folder(*EACH)
    chosen = dataclasses.replace(untimed, backend="litert")
    assert benchmark([home], chosen).passed
    missing = next(one for one in ("tflite-runtime", "tensorflow") if one not in installed())
    with pytest.raises(EngineError, match=f"{missing} is not installed"):
        benchmark([home], dataclasses.replace(untimed, backend=missing))


def tables_with_long_names(report: BenchmarkReport) -> list[str]:
    """The lines of a report's tables as they are where files have our exporter's usual names."""
    rows = tuple(
        dataclasses.replace(row, file=row.file.replace("halves", "fashion-mnist"))
        for row in report.measurements
    )
    renamed = dataclasses.replace(report, measurements=rows)
    return [line for table in tables(renamed) for line in plain_table(table)]


def test_what_was_not_timed_is_not_said_to_be(folder: Folder, untimed: Settings) -> None:
    report = benchmark([folder("int8.onnx")], untimed)
    told = [line.partition(":")[0] for line in method_lines(report)]
    assert not {"Latency", "Images per second", "Start-up and memory"} & set(told)
    timed = dataclasses.replace(report, settings=dataclasses.replace(untimed, timing=True))
    assert any(line.startswith("Latency: ") for line in method_lines(timed))


def test_files_that_all_failed_are_not_said_to_lack_a_reference(
    tmp_path: Path, untimed: Settings
) -> None:
    assert verdict(benchmark([tmp_path / "gone.onnx"], untimed)) == "0 of 1 file measured"


def test_a_corrupt_file_among_several_is_a_row_with_its_reason(
    folder: Folder, untimed: Settings
) -> None:
    home = folder("float32.tflite", "int8.tflite")
    flipped = bytearray((home / "halves.int8.tflite").read_bytes())
    flipped[1000] ^= 1
    (home / "halves.int8.tflite").write_bytes(flipped)
    missing = home / "halves.int8.onnx"
    report = benchmark([home, missing], untimed)
    good, corrupt, absent = report.measurements
    assert not report.passed
    assert good.verdict == "ok"
    assert good.accuracy is not None
    assert corrupt.verdict == absent.verdict == "failed"
    assert "digest does not match" in (corrupt.failure or "")
    assert "No such file" in (absent.failure or "")
    assert absent.size_bytes is None
    for document in (plain(report), markdown(report)):
        assert "digest does not match" in document
        assert "1 of 3 files within tolerance" in document
    assert BenchmarkReport.from_json(report.to_json()) == report


def test_a_file_that_the_engine_refuses_is_a_row_with_its_reason(
    folder: Folder, untimed: Settings
) -> None:
    home = folder("int8.tflite")
    good = modelfile.read(home / "halves.int8.tflite")
    assert good.spec is not None
    head = bytearray(good.data[: good.data.index(b"PK\x03\x04")])
    head[100:700] = b"\xff" * 600
    broken = bytes(head) + modelfile.SEAL_MARK.encode()
    (home / "broken.tflite").write_bytes(modelfile.seal_tflite(broken, good.spec, None))
    bad, fine = benchmark([home], untimed).measurements
    assert bad.verdict == "failed"
    assert "cannot load the model" in (bad.failure or "")
    assert fine.verdict == "ok"


def test_a_process_that_dies_leaves_the_name_of_its_signal() -> None:
    died = subprocess.run(
        [sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"],
        capture_output=True,
        text=True,
        check=False,
    )
    reason = fresh.last_words("model.tflite", died.returncode, died.stderr)
    assert reason == "the engine died of SIGSEGV on model.tflite; export or copy it again"


def test_an_answer_that_differs_from_the_original_is_outside_the_tolerance(
    folder: Folder, untimed: Settings
) -> None:
    scores = np.zeros((200, 4), np.float32)
    scores[:, 0] = 1.0
    home = folder("int8.tflite", scores=scores, labels=np.zeros(200, np.int64))
    report = benchmark([home], untimed)
    (row,) = report.measurements
    assert not report.passed
    assert row.verdict == "outside"
    assert row.outside == (
        "accuracy is 75.00 points below the reference, 0.50 are allowed",
        "25.00 % of the pictures agree with the reference, 99.00 % are wanted",
    )
    assert f"halves.int8.tflite: {row.outside[0]}" in plain(report)
    lenient = dataclasses.replace(untimed, max_accuracy_drop_points=80, min_agreement=0.2)
    assert benchmark([home], lenient).passed


def test_without_an_evaluation_set_accuracy_is_left_out_and_the_report_says_why(
    folder: Folder, untimed: Settings
) -> None:
    home = folder("int8.tflite", images=None)
    report = benchmark([home], untimed)
    (row,) = report.measurements
    assert report.passed
    assert row.accuracy is None
    assert row.verdict == "unjudged"
    text = plain(report)
    assert f"no accuracy: {home} has no evaluation.npz" in text
    assert "--evaluation" in text
    assert "agreement" not in text.partition("\n\n")[2].partition("Speed")[0]
    assert "1 of 1 file measured, with nothing to compare with." in text


def test_without_scores_the_float32_file_is_the_reference_and_the_report_says_so(
    folder: Folder, untimed: Settings
) -> None:
    home = folder("float32.tflite", "int8.tflite", scores=None)
    report = benchmark([home], untimed)
    float32, int8 = report.measurements
    assert float32.accuracy is not None
    assert int8.accuracy is not None
    assert int8.accuracy.reference == float32.accuracy.reference == float32.file
    assert int8.accuracy.agreement == 1.0
    assert "the reference" in plain(report)
    assert any(f"the reference is {float32.file}" in note for note in report.notes)


def test_without_scores_and_float32_file_agreement_is_left_out(
    folder: Folder, untimed: Settings
) -> None:
    home = folder("int8.tflite", scores=None)
    report = benchmark([home], untimed)
    (row,) = report.measurements
    assert row.accuracy is not None
    assert (row.accuracy.accuracy, row.accuracy.agreement) == (1.0, None)
    assert any(note.startswith("no agreement") for note in report.notes)
    assert report.passed


def test_each_file_is_judged_by_the_set_of_its_own_folder(
    folder: Folder, untimed: Settings
) -> None:
    home = folder("int8.onnx")
    colours = Path(__file__).parents[1] / "models" / "colours.int8.onnx"
    report = benchmark([home, colours], untimed)
    own, other = report.measurements
    assert own.accuracy is not None
    assert other.accuracy is None
    named = benchmark([colours], untimed, evaluation=home / "evaluation.npz")
    assert "(8, 8, 1), the model takes (8, 8, 3)" in (named.measurements[0].failure or "")
    assert named.measurements[0].timing is None


def test_a_limit_takes_fewer_pictures(folder: Folder, untimed: Settings) -> None:
    home = folder("int8.onnx")
    report = benchmark([home], dataclasses.replace(untimed, limit=50))
    (row,) = report.measurements
    assert row.accuracy is not None
    assert row.accuracy.pictures == 50


def test_a_folder_means_its_model_files_in_order_and_none_twice(folder: Folder) -> None:
    home = folder("int8.tflite", "float32.onnx")
    names = [path.name for path in model_files([home / "halves.int8.tflite", home])]
    assert names == ["halves.int8.tflite", "halves.float32.onnx"]


def test_folders_without_models_say_what_makes_them(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no \.tflite or \.onnx file"):
        model_files([tmp_path])
    with pytest.raises(UsageError, match="python -m export"):
        model_files([tmp_path / "none"])


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "7", "{}", '{"schema": 1}', '{"schema": "a"}', '{"schema": 99}']
)
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        BenchmarkReport.from_json(text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rounds": 0},
        {"seconds": 0.0},
        {"loadgen_seconds": 3601.0},
        {"seconds": float("nan")},
        {"limit": 0},
        {"num_threads": 0},
        {"min_agreement": 1.1},
        {"max_accuracy_drop_points": -1.0},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong)).removesuffix("_points")):
        Settings(**wrong)  # type: ignore[arg-type]
