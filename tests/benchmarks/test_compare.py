from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cli import main
from benchmarks.compare import Change, compare
from benchmarks.machine import MachineState, describe
from benchmarks.measures.accuracy import Accuracy
from benchmarks.measures.latency import Timing
from benchmarks.report import BenchmarkReport, Measurement
from benchmarks.run import benchmark
from benchmarks.settings import Limits, Settings
from benchmarks.views.changes import change_remarks, change_verdict, changes_markdown
from edge_runtime.errors import InputError, UsageError

Folder = Callable[..., Path]
IDLE = MachineState(None, None, None)


def timing(latency_ms: float, seed: int = 0) -> Timing:
    noise = np.random.default_rng(seed).normal(0, 0.002, 96)
    return Timing(1, 0, latency_ms, 0, 0, 1, tuple((latency_ms * np.exp(noise)).tolist()), 12)


def report(*rows: Measurement, **changed: object) -> BenchmarkReport:
    fields = {
        "started": "2026-11-22T00:00:00+00:00",
        "duration_seconds": 1.0,
        "settings": Settings(),
        "machine": describe(),
        "before": IDLE,
        "after": IDLE,
        "measurements": rows,
        "yardstick": timing(0.03, seed=9),
        **changed,
    }
    return BenchmarkReport(**fields)  # type: ignore[arg-type]


def row(file: str = "m.int8.tflite", latency_ms: float = 1.0, seed: int = 0) -> Measurement:
    return Measurement(file, 1000, timing=timing(latency_ms, seed))


def only(before: BenchmarkReport, after: BenchmarkReport, limits: Limits | None = None) -> Change:
    (change,) = compare(before, after, limits)
    return change


def test_a_file_of_the_same_path_is_its_like_whatever_others_are_called() -> None:
    before = report(row("small/m.tflite", 1.0))
    changes = compare(before, report(row("nano/m.tflite", 0.5), row("small/m.tflite", 1.0)))
    assert [(each.file, each.before is None) for each in changes] == [
        ("nano/m.tflite", True),
        ("small/m.tflite", False),
    ]


def test_of_two_files_of_a_name_neither_is_taken_for_the_other() -> None:
    before = report(row("old/m.tflite"), row("same.tflite"))
    after = report(row("a/m.tflite"), row("b/m.tflite"), row("same.tflite"))
    changes = compare(before, after)
    assert [each.before is None for each in changes] == [True, True, False, False]
    assert changes[-1].after is None


def test_a_drop_of_just_what_is_allowed_breaks_no_limit() -> None:
    before, after = (
        report(dataclasses.replace(row(), accuracy=Accuracy("e.npz", 10_000, share)))
        for share in (0.95, 0.945)
    )
    assert only(before, after, Limits(max_accuracy_drop_points=0.5)).exceeded == ()
    assert only(before, after, Limits(max_accuracy_drop_points=0.49)).exceeded != ()


def test_a_limit_of_accuracy_needs_both_files_judged() -> None:
    judged = dataclasses.replace(row(), accuracy=Accuracy("e.npz", 10, 0.9))
    change = only(report(judged), report(row(seed=1)), Limits(max_accuracy_drop_points=1))
    assert change.exceeded == ("accuracy is not compared: one of the two files was not judged",)


@pytest.mark.parametrize(
    ("latency_ms", "verdict"),
    [(1.0, "no difference shown"), (1.03, "slower"), (0.97, "faster")],
)
def test_each_file_is_faster_slower_or_shows_no_difference(latency_ms: float, verdict: str) -> None:
    change = only(report(row()), report(row("new/m.int8.tflite", latency_ms, seed=1)))
    assert change.speed is not None
    assert change.speed.verdict == verdict
    assert verdict in changes_markdown([change])


def test_a_limit_is_broken_by_more_than_it_allows_and_only_by_what_is_shown() -> None:
    before, slower = report(row()), report(row(latency_ms=1.05, seed=1))
    assert only(before, slower, Limits(max_slowdown=0.10)).exceeded == ()
    (told,) = only(before, slower, Limits(max_slowdown=0.02)).exceeded
    assert "slower, 2 % are allowed" in told
    grown = report(dataclasses.replace(row(seed=1), size_bytes=1100))
    assert only(before, grown, Limits(max_size_growth=0.10)).exceeded == ()
    assert only(before, grown, Limits(max_size_growth=0.05)).exceeded == (
        "10.0 % larger, 5 % are allowed",
    )


def test_times_of_another_machine_are_not_compared_and_a_limit_says_so() -> None:
    before = report(row())
    other = dataclasses.replace(describe(), cpu="Cortex-A76")
    change = only(before, report(row(seed=1), machine=other), Limits(max_slowdown=0.1))
    assert change.speed is None
    assert change.exceeded == ("times are not compared: another processor",)
    assert only(before, report(row(seed=1), machine=other)).exceeded == ()


def test_another_engine_is_told_and_times_are_compared_all_the_same() -> None:
    old, new = (dataclasses.replace(row(), engine=f"ai-edge-litert 2.{n}.0") for n in (2, 3))
    change = only(report(old), report(new))
    assert change.speed is not None
    assert change.remarks == (
        "the engine was ai-edge-litert 2.2.0 and is ai-edge-litert 2.3.0: what changed may be its doing",
    )
    (remark,) = only(report(row()), report(new)).remarks
    assert remark.startswith("the engine was not named and is ai-edge-litert 2.3.0")
    assert only(report(new), report(new)).remarks == ()


def test_a_report_from_before_engines_were_named_is_read() -> None:
    document = json.loads(report(row()).to_json())
    del document["measurements"][0]["engine"], document["settings"]["backend"]
    earlier = BenchmarkReport.from_json(json.dumps(document))
    assert earlier.measurements[0].engine is None
    assert only(earlier, report(row())).remarks == ()


def test_reports_without_enough_blocks_or_a_yardstick_compare_no_times() -> None:
    short = dataclasses.replace(timing(0.03), blocks=3)
    assert "fewer than" in only(report(row()), report(row(), yardstick=short)).remarks[-1]
    assert "no yardstick" in only(report(row()), report(row(), yardstick=None)).remarks[-1]


def test_files_that_came_went_or_failed_are_rows_of_their_own() -> None:
    gone, failed = row("gone.onnx"), Measurement("m.onnx", failure="m.onnx is damaged")
    changes = compare(report(row(), gone, row("m.onnx")), report(row(), row("new.onnx"), failed))
    told = {change.file: change for change in changes}
    assert told["new.onnx"].remarks == ("new: not in the first report",)
    assert told["gone.onnx"].remarks == ("gone from the second report",)
    assert told["gone.onnx"].exceeded == ()
    assert told["m.onnx"].exceeded == ("m.onnx is damaged",)
    assert "1 beyond a limit" in change_verdict(changes)
    assert "new.onnx: new: not in the first report" in change_remarks(changes)


def test_reports_without_a_file_in_common_are_refused() -> None:
    with pytest.raises(InputError, match="no file is in both"):
        compare(report(row("a.onnx")), report(row("b.onnx")))


def test_a_limit_below_zero_is_refused() -> None:
    with pytest.raises(UsageError, match="max_slowdown"):
        Limits(max_slowdown=-0.1)


def test_accuracy_is_compared_picture_by_picture_across_reports(
    folder: Folder, untimed: Settings
) -> None:
    home = folder("int8.onnx")
    before = benchmark([home], untimed)
    arrays = dict(np.load(home / "evaluation.npz"))
    fewer = {name: array[20:] for name, array in arrays.items()}
    np.savez(home / "evaluation.npz", **fewer)
    others = only(before, benchmark([home], untimed))
    assert others.accuracy is not None
    assert others.accuracy.mcnemar_p is None
    assert "different pictures" in others.remarks[0]
    (measured,) = before.measurements
    assert measured.accuracy is not None
    worse = dataclasses.replace(
        measured.accuracy,
        accuracy=0.92,
        right_bits="AAD" + (measured.accuracy.right_bits or "")[3:],
    )
    dropped = dataclasses.replace(
        before, measurements=(dataclasses.replace(measured, accuracy=worse),)
    )
    change = only(before, dropped, Limits(max_accuracy_drop_points=5))
    assert change.accuracy is not None
    assert change.accuracy.mcnemar_p is not None
    assert change.accuracy.mcnemar_p < 0.001
    assert change.accuracy.interval_points is not None
    assert change.accuracy.interval_points[1] < 0
    assert "8.00 points lower" in change.exceeded[0]


@pytest.mark.slow
def test_files_of_a_baseline_are_measured_in_the_same_run(
    folder: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, old = folder("int8.onnx"), tmp_path / "old"
    shutil.copytree(home, old)
    flags = ["--baseline", str(old), "--blocks", "6", "--rounds", "2", "--seconds", "0.05"]
    assert main([str(home), *flags, "--max-size-growth", "0"]) == 0
    printed = capsys.readouterr().out
    assert "Of 1 file: 1 with no difference of speed shown." in printed, printed


def test_a_report_of_a_machine_with_more_cores_is_read() -> None:
    theirs = report(row(), settings=Settings(cores=(900,)))
    assert BenchmarkReport.from_json(theirs.to_json()) == theirs


def test_two_reports_are_compared_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = tmp_path / "a.json", tmp_path / "b.json"
    before.write_text(report(row()).to_json())
    after.write_text(report(row(latency_ms=1.05, seed=1)).to_json())
    assert main(["compare", str(before), str(after)]) == 0
    assert "slower" in capsys.readouterr().out
    limited = ["compare", str(before), str(after), "--max-slowdown", "3", "--format", "markdown"]
    assert main(limited) == 1
    assert "beyond a limit" in capsys.readouterr().out
    assert main(["compare", str(before), str(tmp_path / "none.json")]) == 2
