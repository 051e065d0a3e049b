from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.cli import main
from benchmarks.report import BenchmarkReport, Measurement, read
from benchmarks.views import terminal
from benchmarks.views.flat import flat

Folder = Callable[..., Path]

ROOT = Path(__file__).parents[2]
ONNX = "tests/models/halves.int8.onnx"
QUICK = ["--blocks", "1", "--rounds", "2", "--seconds", "0.01", "--peak-seconds", "0"]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_the_report_is_written_as_json_and_markdown(
    folder: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "new" / "report.json"
    command = [str(folder("int8.tflite")), "--report", str(report), "--no-timing"]
    assert main(command) == 0
    captured = capsys.readouterr()
    assert "1 of 1 file within tolerance" in captured.out
    assert str(report) in captured.err
    assert read(report).passed
    document = json.loads(report.read_text())
    assert document["schema"] == 1
    assert document["measurements"][0]["verdict"] == "ok"
    assert report.with_suffix(".md").read_text().startswith("# Benchmark\n")

    assert main(command) == 2, "an existing report is refused"
    assert "--overwrite" in capsys.readouterr().err
    gone = str(tmp_path / "gone.onnx")
    assert main([gone, *command[1:], "--overwrite"]) == 1
    assert not read(report).passed
    assert sorted(path.name for path in report.parent.iterdir()) == [
        "report.csv",
        "report.html",
        "report.json",
        "report.md",
    ]


def test_figures_can_be_printed_as_csv(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    home = folder("int8.onnx")
    assert main([str(home), "--format", "csv", "--no-timing"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["file"].endswith("halves.int8.onnx")
    assert row["accuracy.accuracy"] == "1.0"
    assert float(row["accuracy.difference_interval_points.low"]) < 0
    assert row["emulated"] == "False"


def test_two_rounds_are_no_interval() -> None:
    measured = read(ROOT / "docs" / "reports" / "small" / "benchmarks.json")
    row = measured.measurements[0]
    assert row.timing is not None
    timing = dataclasses.replace(row.timing, round_p50_ms=(0.1, 0.2))
    short = dataclasses.replace(row, timing=timing)
    text = flat(dataclasses.replace(measured, measurements=(short,)))
    assert "difference_interval_points.low" in text
    assert "round_p50_ms" not in text


def test_what_is_printed_can_have_another_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [str(tmp_path / "gone.onnx"), "--no-timing", "--format"]
    assert main([*command, "json"]) == 1
    (row,) = BenchmarkReport.from_json(capsys.readouterr().out).measurements
    assert "No such file" in (row.failure or "")
    assert main([*command, "markdown"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("# Benchmark\n")
    assert "No such file" in told


def test_a_figure_outside_its_tolerance_is_exit_code_1_and_the_report_is_still_written(
    folder: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, report = folder("int8.onnx"), tmp_path / "report.json"
    (home / "cut.onnx").write_bytes((home / "halves.int8.onnx").read_bytes()[:2000])
    assert main([str(home), "--report", str(report), "--no-timing"]) == 1
    assert "1 of 2 files within tolerance" in capsys.readouterr().out
    assert [row.verdict for row in read(report).measurements] == ["failed", "ok"]


def test_the_report_is_kept_when_nobody_reads_what_is_printed(
    folder: Folder, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    command = ["-m", "benchmarks", str(folder("int8.onnx")), "--no-timing", "--report", str(report)]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-u", *command],
            cwd=ROOT,
            stdout=gone,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert read(report).passed


def test_a_file_whose_name_is_no_text_is_reported_like_any_other(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    assert main([os.fsdecode(b"g\xff.onnx"), "--report", str(report), "--no-timing"]) == 1
    assert "No such file" in (read(report).measurements[0].failure or "")
    assert "g\\udcff.onnx" in report.with_suffix(".md").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["none"], 2, "none does not exist"),
        (["x.tflite", "--rounds", "0"], 2, "rounds is 0"),
        (["x.tflite", "--report", "report.txt"], 2, "must end in .json"),
        (["x.tflite", "--evaluation", "none.npz"], 2, "none.npz does not exist"),
        (["compare", "none.json", "none.json"], 2, "cannot read none.json"),
        (["x.tflite", "--max-slowdown", "5"], 2, "compare with a --baseline; name one"),
        (["x.tflite", "--no-timing", "--throughput"], 2, "leave out --loadgen and --throughput"),
        (["x.tflite", "--cores", "9999"], 2, "--cores is 9999, expected some of 0"),
        (["x.tflite", "--baseline", "x.tflite"], 1, "no file is in both"),
        ([ONNX, "--backend", "litert"], 2, "runs .tflite files, and none is named"),
        (["peers", "--limit", "0"], 2, "--limit is 0"),
        (["peers", "--keras", "none.keras"], 2, "--keras none.keras does not exist"),
    ],
)
def test_a_wrong_request_is_one_line_that_says_so(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("benchmarks: error: ")
    assert words in line


@pytest.mark.slow
def test_without_rich_and_any_framework_the_same_figures_come_as_plain_text(folder: Folder) -> None:
    blocked = ("rich", "tensorflow", "keras", "onnx", "matplotlib", "train", "export")
    arguments = [str(folder("int8.tflite")), *QUICK]
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked})); "
        f"from benchmarks.cli import main; raise SystemExit(main({arguments}))"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    assert "halves.int8.tflite" in done.stdout
    assert "1 of 1 file within tolerance." in done.stdout
    assert done.stderr.splitlines() == [
        "benchmarks: opening in fresh processes",
        "benchmarks: classifying the evaluation set",
        "benchmarks: timing in turns",
        "benchmarks: following pictures from disk",
    ]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_all_within_100_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", "100")
    measured = read(ROOT / "docs" / "reports" / "small" / "benchmarks.json")
    gone = Measurement("gone.onnx", failure="cannot read gone.onnx: No such file or directory")
    report = dataclasses.replace(measured, measurements=(*measured.measurements, gone))
    stream = Terminal()
    terminal.show(report, stream)
    text = stream.getvalue()
    names = [Path(row.file).name for row in report.measurements]
    for words in (*names, "failed", "p99, µs", "memory, MB", "No such file"):
        assert words in text, text
    assert "…" not in text, "nothing is cut off"
