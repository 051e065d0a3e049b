from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from edge_runtime.spec import Parity, Reference
from export import ExportReport, Limits, VariantReport
from export.recommend import recommended
from export.repair import Repair
from export.report import Prefer
from export.terminal import print_report, progress, remarks, table

PARITY = Parity(
    images=1000,
    agreement=0.993,
    max_score_difference=0.0703,
    accuracy=0.8812,
    reference_accuracy=0.88,
    accuracy_difference_points=0.12,
    accuracy_difference_interval_points=(-0.01, 0.25),
)
GOOD = VariantReport(
    "it.float32.tflite",
    "tflite",
    "float32",
    published=True,
    parity=PARITY,
    size_bytes=1_418_450,
    sha256="0" * 64,
    golden_samples=16,
    golden_tolerance=0.03,
    convert_seconds=0.6,
    latency_ms=0.087,
)
BAD = replace(
    GOOD,
    file="it.int8.onnx",
    format="onnx",
    precision="int8",
    published=False,
    latency_ms=None,
    problems=("agrees on 50.00% of the pictures, less than 99.00%", "another reason"),
)
BROKEN = VariantReport(
    "it.int8.tflite", "tflite", "int8", published=False, problems=("it could not be made",)
)
REPORT = ExportReport(
    name="it",
    source="runs/it/model.keras",
    source_sha256="1" * 64,
    reference=Reference(0.88, 1000, "it/evaluation.npz"),
    limits=Limits(),
    versions={"keras": "3"},
    seconds=1.5,
    variants=(GOOD, BAD, BROKEN),
    recommended="it.float32.tflite",
    remarks=("20 calibration pictures are too few",),
)


def drawn(width: int) -> list[str]:
    file = io.StringIO()
    Console(file=file, width=width).print(table(REPORT))
    return file.getvalue().splitlines()


def test_the_json_holds_every_figure_and_a_schema_number() -> None:
    document = json.loads(REPORT.to_json())
    assert document["schema"] == 1
    assert document["passed"] is False
    assert document["limits"] == {
        "max_accuracy_drop_points": 0.5,
        "min_agreement": 0.99,
        "max_score_difference": 1.0,
    }
    first, second, third = document["variants"]
    assert first["parity"]["accuracy_difference_interval_points"] == [-0.01, 0.25]
    assert (first["published"], first["size_bytes"]) == (True, 1_418_450)
    assert second["problems"] == list(BAD.problems)
    assert third["parity"] is None


def test_an_export_has_passed_when_every_file_is_published() -> None:
    assert not REPORT.passed
    assert replace(REPORT, variants=(GOOD,)).passed


def test_a_file_in_anothers_place_is_told_from_one_that_was_asked_for(tmp_path: Path) -> None:
    instead = Repair(BAD.problems, None, 10, attempts=1, instead_of="it.int8.tflite")
    report = replace(REPORT, variants=(GOOD, replace(GOOD, file="it.other", repair=instead)))
    assert [variant.verdict for variant in report.variants] == ["published", "substitute"]
    document = json.loads(report.to_json())
    assert document["passed"] is True
    assert document["substituted"] == {"it.int8.tflite": "it.other"}
    assert json.loads(REPORT.to_json())["substituted"] == {}
    assert "it.other takes the place of it.int8.tflite: +10 bytes" in remarks(report, tmp_path)[0]


def test_a_file_that_could_not_be_repaired_says_what_was_tried(tmp_path: Path) -> None:
    tried = Repair(BAD.problems, None, 0, attempts=1, tried=("its worst layer in floats (why)",))
    report = replace(REPORT, variants=(GOOD, replace(BAD, repair=tried)))
    words = "it.int8.onnx was not mended by its worst layer in floats (why)"
    assert words in remarks(report, tmp_path)


def test_the_table_fits_a_narrow_terminal_without_losing_a_figure() -> None:
    lines = drawn(80)
    assert lines[0].strip() == "it: Keras is right on 88.00% of 1,000 pictures"
    good = next(line for line in lines if line.startswith("float32.tflite"))
    words = good.split()
    assert words == [
        *("float32.tflite", "1,418", "99.30%", "+0.12", "(-0.01", "to", "+0.25)"),
        *("0.0703", "0.09", "published"),
    ]
    assert any(line.startswith("int8.onnx") and "left out" in line for line in lines)
    assert any(line.split() == ["int8.tflite", "left", "out"] for line in lines)


def test_the_remarks_say_what_was_left_out_and_why_and_what_is_next(tmp_path: Path) -> None:
    (tmp_path / "export.log").touch()
    assert remarks(REPORT, tmp_path) == [
        f"it.int8.onnx is left out: {BAD.problems[0]}; another reason",
        "it.int8.tflite is left out: it could not be made",
        "Note: 20 calibration pictures are too few",
        (
            f"1 of 3 files are in {tmp_path}, with export.json and export.log "
            "(2 s, 20% of it beyond converting)"
        ),
        "Take it.float32.tflite, the smallest of them. Next:",
        f"  scp {tmp_path}/it.float32.tflite photo.jpg pi:",
        "  ssh pi python3 -m edge_runtime check it.float32.tflite",
        "  ssh pi python3 -m edge_runtime classify photo.jpg --model it.float32.tflite",
    ]


def test_without_true_labels_the_table_says_by_what_files_are_judged() -> None:
    judged = replace(REPORT, reference=None, evaluation_images=300)
    title = table(judged).title
    assert title == "it: judged by agreement with Keras on 300 pictures"


def test_where_nothing_is_published_nothing_is_next(tmp_path: Path) -> None:
    nothing = replace(REPORT, variants=(BROKEN,), recommended=None)
    assert remarks(nothing, tmp_path)[-1].startswith("0 of 1 files")


SMALL = replace(GOOD, file="small", size_bytes=10, latency_ms=3.0)
FAST = replace(GOOD, file="fast", size_bytes=20, latency_ms=1.0)
RIGHT = replace(
    GOOD, file="right", size_bytes=30, latency_ms=2.0, parity=replace(PARITY, accuracy=0.9)
)


@pytest.mark.parametrize(
    ("prefer", "file"), [("size", "small"), ("speed", "fast"), ("accuracy", "right")]
)
def test_the_recommended_file_is_the_best_published_one(prefer: Prefer, file: str) -> None:
    unpublished = replace(SMALL, size_bytes=1, latency_ms=0.1, published=False)
    best = recommended((unpublished, SMALL, FAST, RIGHT), prefer)
    assert best is not None
    assert best.file == file


def test_of_equally_accurate_files_the_smaller_is_recommended() -> None:
    best = recommended((FAST, SMALL), "accuracy")
    assert best is not None
    assert best.file == "small"


def test_the_report_goes_to_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_report(REPORT, tmp_path)
    out, err = capsys.readouterr()
    assert "float32.tflite" in out
    assert "Next:" in out
    assert err == ""


def test_progress_in_a_pipe_is_a_line_a_step() -> None:
    stream = io.StringIO()
    with progress(stream, total=2) as tell:
        tell("loading")
        tell("it.int8.onnx: converting")
    assert stream.getvalue() == "export: loading\nexport: it.int8.onnx: converting\n"
