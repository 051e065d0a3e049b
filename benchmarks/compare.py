"""What changed between two benchmarks: speed, accuracy and size of every file, against limits."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import difference
from benchmarks.difference import Difference
from benchmarks.measures.accuracy import Accuracy
from benchmarks.report import BenchmarkReport, Measurement
from benchmarks.settings import Limits
from edge_runtime.errors import InputError
from edge_runtime.parity import mcnemar_p, paired_interval_points


@dataclass(frozen=True)
class AccuracyChange:
    """How many more pictures a file has right than it had."""

    points: float  # after minus before, per cent points
    interval_points: tuple[float, float] | None  # 95 %, paired; None for different pictures
    mcnemar_p: float | None  # likewise


@dataclass(frozen=True)
class Change:
    """What became of one file. None is what could not be compared; `remarks` say why."""

    file: str  # of the second benchmark, or of the first where it is gone
    before: Measurement | None
    after: Measurement | None
    speed: Difference | None = None
    accuracy: AccuracyChange | None = None
    size_growth: float | None = None  # as a share
    remarks: tuple[str, ...] = ()
    exceeded: tuple[str, ...] = ()  # the limits it broke, each as a sentence


def compare(
    before: BenchmarkReport, after: BenchmarkReport, limits: Limits | None = None
) -> list[Change]:
    """Compare two benchmarks, file by file.

    Args:
        before: the first.
        after: the second, usually of the same machine.
        limits: what may not be exceeded.

    Raises:
        InputError: no file is in both.
    """
    pairs = pair(before.measurements, after.measurements)
    reason = _why_times_do_not_compare(before, after)
    changes = []
    for first, second in pairs:
        change = _change(first, second)
        if change.before and change.after and before.yardstick and after.yardstick and not reason:
            old, new = change.before.timing, change.after.timing
            if old and new:
                speed = difference.between_runs(old, new, before.yardstick, after.yardstick)
                change = replace(change, speed=speed)
        changes.append(_judged(change, limits or Limits(), reason))
    return changes


def compare_within(
    report: BenchmarkReport, baseline: Sequence[str], limits: Limits | None = None
) -> list[Change]:
    """Compare files with those of a baseline that were measured in the same run.

    Args:
        report: of files and baseline together.
        baseline: which of its files are the baseline.
        limits: what may not be exceeded.

    Raises:
        InputError: no file is in both.
    """
    old = [row for row in report.measurements if row.file in baseline]
    new = [row for row in report.measurements if row.file not in baseline]
    pairs = [(first, second) for first, second in pair(old, new) if second is not None]
    reason = None if report.settings.blocks >= difference.MIN_BLOCKS else _TOO_FEW_BLOCKS
    reason = _EMULATED if report.machine.emulator else reason
    changes = []
    for first, second in pairs:
        change = _change(first, second)
        if first and first.timing and second.timing and not reason:
            change = replace(change, speed=difference.within_run(first.timing, second.timing))
        changes.append(_judged(change, limits or Limits(), reason))
    return changes


_ROUNDING: Final = 1e-9  # what a difference of two floats may be beyond a limit that it just keeps
_EMULATED: Final = "times are not compared: the processor is imitated, they are the emulator's"
_TOO_FEW_BLOCKS: Final = (
    f"times are not compared: fewer than {difference.MIN_BLOCKS} blocks; measure with more --blocks"
)


def _why_times_do_not_compare(before: BenchmarkReport, after: BenchmarkReport) -> str | None:
    def what(report: BenchmarkReport) -> dict[str, object]:
        return {
            "processor": report.machine.cpu,
            "board": report.machine.board,
            "number of threads": report.settings.num_threads,
            "numpy (the yardstick's)": report.machine.versions.get("numpy"),
        }

    if before.machine.emulator or after.machine.emulator:
        return _EMULATED
    changed = [name for name, fact in what(before).items() if fact != what(after)[name]]
    if changed:
        return f"times are not compared: another {', another '.join(changed)}"
    if before.yardstick is None or after.yardstick is None:
        return "times are not compared: one report has no yardstick; measure it again"
    if min(before.yardstick.blocks, after.yardstick.blocks) < difference.MIN_BLOCKS:
        return _TOO_FEW_BLOCKS
    return None


def pair(
    before: Sequence[Measurement], after: Sequence[Measurement]
) -> list[tuple[Measurement | None, Measurement | None]]:
    """Each file with its like: the one of the same path, or else the only one of the same name.

    Raises:
        InputError: no file is in both.
    """
    by_path = {old.file: old for old in before}
    known = {row.file: by_path[row.file] for row in after if row.file in by_path}
    old_names = _by_name(old for old in before if old.file not in known)
    new_names = _by_name(row for row in after if row.file not in known)
    for name, rows in new_names.items():
        alike = old_names.get(name, [])
        if len(rows) == len(alike) == 1:
            known[rows[0].file] = alike[0]
    if not known:
        raise InputError("no file is in both; files are matched by their paths, then their names")
    paired = {old.file for old in known.values()}
    gone = [old for old in before if old.file not in paired]
    return [*((known.get(row.file), row) for row in after), *((old, None) for old in gone)]


def _by_name(rows: Iterable[Measurement]) -> dict[str, list[Measurement]]:
    found: dict[str, list[Measurement]] = {}
    for row in rows:
        found.setdefault(Path(row.file).name, []).append(row)
    return found


def _change(before: Measurement | None, after: Measurement | None) -> Change:
    file = (after or before or Measurement("")).file
    if before is None or after is None:
        missing = (
            "new: not in the first report" if before is None else "gone from the second report"
        )
        return Change(file, before, after, remarks=(missing,))
    if after.failure is not None or before.failure is not None:
        remark = after.failure or f"it could not be measured before: {before.failure}"
        return Change(file, before, after, remarks=(remark,))
    growth = None
    if before.size_bytes and after.size_bytes:
        growth = after.size_bytes / before.size_bytes - 1
    accuracy, remarks = None, _another_engine(before, after)
    if before.accuracy and after.accuracy:
        accuracy = _accuracy_change(before.accuracy, after.accuracy)
        if accuracy.mcnemar_p is None:
            remarks.append("accuracy is of different pictures, so its difference has no interval")
    return Change(file, before, after, None, accuracy, growth, tuple(remarks))


def _another_engine(before: Measurement, after: Measurement) -> list[str]:
    if before.engine == after.engine:
        return []
    first, second = (row.engine or "not named" for row in (before, after))
    return [f"the engine was {first} and is {second}: what changed may be its doing"]


def _accuracy_change(before: Accuracy, after: Accuracy) -> AccuracyChange:
    points = 100 * (after.accuracy - before.accuracy)
    first, second = _right(before), _right(after)
    same_pictures = before.pictures_sha256 == after.pictures_sha256
    if first is None or second is None or not same_pictures:
        return AccuracyChange(points, None, None)
    lost, gained = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    interval = paired_interval_points(lost, gained, len(first))
    return AccuracyChange(points, interval, mcnemar_p(lost, gained))


def _right(accuracy: Accuracy) -> NDArray[np.bool_] | None:
    if accuracy.right_bits is None:
        return None
    packed = np.frombuffer(base64.b64decode(accuracy.right_bits), np.uint8)
    return np.unpackbits(packed, count=accuracy.pictures).astype(bool)


def _judged(change: Change, limits: Limits, reason: str | None) -> Change:
    """Add why times are not compared, and the limits that are exceeded."""
    if change.before is None or change.after is None or change.after.failure is not None:
        failed = change.after is not None and change.after.failure is not None
        gone = change.after is None and limits != Limits()
        return replace(change, exceeded=change.remarks if failed or gone else ())
    exceeded = []
    speed, allowed = change.speed, limits.max_slowdown
    if speed and allowed is not None and speed.verdict == "slower" and speed.share > allowed:
        exceeded.append(f"{100 * speed.share:.1f} % slower, {100 * allowed:g} % are allowed")
    drop, allowed = change.accuracy, limits.max_accuracy_drop_points
    if drop and allowed is not None and -drop.points > allowed + _ROUNDING:
        exceeded.append(
            f"accuracy is {-drop.points:.2f} points lower, {allowed:g} points are allowed"
        )
    judged_once = (change.before.accuracy is None) != (change.after.accuracy is None)
    if limits.max_accuracy_drop_points is not None and judged_once:
        exceeded.append("accuracy is not compared: one of the two files was not judged")
    growth, allowed = change.size_growth, limits.max_size_growth
    if growth is not None and allowed is not None and growth > allowed + _ROUNDING:
        exceeded.append(f"{100 * growth:.1f} % larger, {100 * allowed:g} % are allowed")
    if limits.max_slowdown is not None and change.speed is None:
        exceeded.append(reason or "times are not compared: a file was not timed")
    remarks = change.remarks if reason is None else (*change.remarks, reason)
    return replace(change, remarks=remarks, exceeded=tuple(exceeded))
