"""A report's figures as tables of text, which plain text, Markdown and a terminal then draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.compare import Change
from benchmarks.latency import Timing
from benchmarks.loadgen import LoadGenResult
from benchmarks.memory import Memory
from benchmarks.mistakes import ClassFigures
from benchmarks.pipeline import Stages
from benchmarks.report import BenchmarkReport, Measurement
from benchmarks.size import Size
from benchmarks.startup import Startup

_MISSING: Final = "-"

Column = Callable[[Measurement], str | None]


@dataclass(frozen=True)
class Table:
    """A titled table; the first column is text, the others are figures."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(report: BenchmarkReport) -> list[Table]:
    """Accuracy and size of every file, then what running those takes that were measured."""
    rows = report.measurements
    measured = [row for row in rows if row.failure is None]
    names = dict(
        zip([row.file for row in rows], short_names([row.file for row in rows]), strict=True)
    )
    found = [
        _table(_accuracy_title(rows), _ACCURACY, rows, names),
        _table(
            f"Speed: one picture at a time, {_threads(report.settings.num_threads)}",
            _speed_columns(report),
            measured,
            names,
        ),
        _table("Answers, more closely", _ANSWERS, [row for row in measured if row.accuracy], names),
        _table("Start-up and memory: a fresh process", _START, measured, names),
        _table("From a PNG file to a prediction, µs", _STAGES, measured, names),
        _table("Size by part, kB", _PARTS, measured, names),
        _table("MLPerf LoadGen", _LOADGEN, [row for row in measured if row.loadgen], names),
        *_rate_tables([row for row in measured if row.rates], names),
    ]
    return [table for table in found if table.rows and table.headers[1:]]


def changes_table(changes: Sequence[Change]) -> Table:
    """What became of every file between two benchmarks."""
    names = short_names([change.file for change in changes])
    rows = (
        (
            name,
            _latencies(change),
            _speed(change),
            change.speed.verdict if change.speed else _MISSING,
            _points(change),
            _MISSING if change.size_growth is None else f"{100 * change.size_growth:+.1f}",
        )
        for name, change in zip(names, changes, strict=True)
    )
    headers = ("file", "p50", "time, % [95 %]", "speed", "accuracy, points [95 %]", "size, %")
    return Table("Changes", headers, tuple(rows))


def _latencies(change: Change) -> str:
    before, after = (row.timing if row else None for row in (change.before, change.after))
    if before is None or after is None:
        return _MISSING
    unit, scale = ("µs", 1000) if max(before.p50_ms, after.p50_ms) < 1 else ("ms", 1)
    return f"{digits(before.p50_ms * scale)} → {digits(after.p50_ms * scale)} {unit}"


def _speed(change: Change) -> str:
    if change.speed is None:
        return _MISSING
    low, high = change.speed.interval
    return f"{100 * change.speed.share:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def _points(change: Change) -> str:
    accuracy = change.accuracy
    if accuracy is None:
        return _MISSING
    if accuracy.interval_points is None:
        return f"{accuracy.points:+.2f}"
    low, high = accuracy.interval_points
    return f"{accuracy.points:+.2f} [{low:+.2f}, {high:+.2f}]"


def short_names(files: Sequence[str]) -> list[str]:
    """The files by as few trailing parts of their paths as tell them apart."""
    parts = [Path(file).parts for file in files]
    for depth in range(1, max(map(len, parts), default=1) + 1):
        names = ["/".join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return list(files)


def _table(
    title: str, columns: Mapping[str, Column], rows: Sequence[Measurement], names: Mapping[str, str]
) -> Table:
    """Lay out the rows; a column with nothing in it is left out."""
    cells = {header: [column(row) for row in rows] for header, column in columns.items()}
    cells = {header: column for header, column in cells.items() if any(column)}
    return Table(
        title,
        headers=("file", *cells),
        rows=tuple(
            (names[row.file], *(column[index] or _MISSING for column in cells.values()))
            for index, row in enumerate(rows)
        ),
    )


def _accuracy_title(rows: Sequence[Measurement]) -> str:
    pictures = sorted({row.accuracy.pictures for row in rows if row.accuracy})
    if not pictures:
        return "Files"
    counts = " or ".join(f"{count:,}" for count in pictures)
    return f"Accuracy: {counts} pictures, differences in per cent points"


def _size(row: Measurement) -> str | None:
    return None if row.size_bytes is None else f"{row.size_bytes / 1000:,.1f}"


def _accuracy(row: Measurement) -> str | None:
    return None if row.accuracy is None else f"{100 * row.accuracy.accuracy:.2f}"


def _difference(row: Measurement) -> str | None:
    accuracy = row.accuracy
    if accuracy is None or accuracy.difference_points is None:
        return None
    if accuracy.reference == row.file:
        return "the reference"
    low, high = accuracy.difference_interval_points or (0.0, 0.0)
    return f"{accuracy.difference_points:+.2f} [{low:+.2f}, {high:+.2f}]"


def _agreement(row: Measurement) -> str | None:
    agreement = None if row.accuracy is None else row.accuracy.agreement
    return None if agreement is None else f"{100 * agreement:.2f}"


def _mcnemar(row: Measurement) -> str | None:
    chance = None if row.accuracy is None else row.accuracy.mcnemar_p
    return None if chance is None else f"{chance:.2g}"


def _top5(row: Measurement) -> str | None:
    top5 = None if row.accuracy is None else row.accuracy.top5_accuracy
    return None if top5 is None else f"{100 * top5:.2f}"


def _flips(figure: Callable[[ClassFigures], int | None]) -> Column:
    """Pictures that only the reference, or only the file, has right."""

    def column(row: Measurement) -> str | None:
        if row.accuracy is None or row.accuracy.reference is None:
            return None
        return str(sum(figure(one) or 0 for one in row.accuracy.classes))

    return column


def _score_difference(row: Measurement) -> str | None:
    largest = None if row.accuracy is None else row.accuracy.max_score_difference
    return None if largest is None else f"{largest:.4f}"


def _calibration(row: Measurement) -> str | None:
    error = None if row.accuracy is None else row.accuracy.calibration_error
    return None if error is None else f"{100 * error:.2f}"


_ACCURACY: Final[Mapping[str, Column]] = {
    "size, kB": _size,
    "accuracy, %": _accuracy,
    "difference [95 %]": _difference,
    "agreement, %": _agreement,
    "verdict": lambda row: row.verdict,
}


_ANSWERS: Final[Mapping[str, Column]] = {
    "top-5, %": _top5,
    "ECE, %": _calibration,
    "McNemar p": _mcnemar,
    "lost": _flips(lambda one: one.lost),
    "gained": _flips(lambda one: one.gained),
    "largest score difference": _score_difference,
}


def _speed_columns(report: BenchmarkReport) -> dict[str, Column]:
    """Latency in the unit that suits these files, rate and share of the limit."""
    medians_ms = [row.timing.p50_ms for row in report.measurements if row.timing is not None]
    unit, scale = ("µs", 1000) if max(medians_ms, default=0) < 1 else ("ms", 1)

    def timing(figure: Callable[[Timing], float]) -> Column:
        return lambda row: None if row.timing is None else digits(figure(row.timing))

    def limit(row: Measurement) -> str | None:
        share = report.share_of_limit(row)
        return None if share is None else f"{100 * share:.0f}"

    return {
        f"min, {unit}": timing(lambda timing: timing.min_ms * scale),
        f"p50, {unit}": timing(lambda timing: timing.p50_ms * scale),
        f"p90, {unit}": timing(lambda timing: timing.p90_ms * scale),
        f"p99, {unit}": timing(lambda timing: timing.p99_ms * scale),
        "images/s": timing(lambda timing: timing.images_per_second),
        "% of limit": limit,
    }


def _startup(figure: Callable[[Startup], float | None]) -> Column:
    def column(row: Measurement) -> str | None:
        value = None if row.startup is None else figure(row.startup)
        return None if value is None else digits(value)

    return column


def _memory(figure: Callable[[Memory], int]) -> Column:
    return lambda row: None if row.memory is None else f"{figure(row.memory) / 1e6:.1f}"


def _part(figure: Callable[[Size], int]) -> Column:
    return lambda row: None if row.size is None else f"{figure(row.size) / 1000:,.1f}"


def _stage(figure: Callable[[Stages], float]) -> Column:
    return lambda row: None if row.stages is None else digits(1000 * figure(row.stages))


_START: Final[Mapping[str, Column]] = {
    "start, ms": _startup(lambda startup: startup.process_ms),
    "CPU, ms": _startup(lambda startup: startup.process_cpu_ms),
    "load, ms": _startup(lambda startup: startup.load_ms),
    "first, ms": _startup(lambda startup: startup.first_prediction_ms),
    "memory, MB": _memory(lambda memory: memory.peak_bytes),
    "runtime's": _memory(lambda memory: memory.runtime_bytes),
}

_PARTS: Final[Mapping[str, Column]] = {
    "model": _part(lambda size: size.model_bytes),
    "metadata": _part(lambda size: size.metadata_bytes),
    "golden samples": _part(lambda size: size.golden_bytes),
}

_STAGES: Final[Mapping[str, Column]] = {
    "decode": _stage(lambda stages: stages.decode_ms),
    "preprocess": _stage(lambda stages: stages.preprocess_ms),
    "inference": _stage(lambda stages: stages.inference_ms),
    "postprocess": _stage(lambda stages: stages.postprocess_ms),
    "whole": _stage(lambda stages: stages.total_ms),
}


def _loadgen(figure: Callable[[LoadGenResult], str | None]) -> Column:
    return lambda row: None if row.loadgen is None else figure(row.loadgen)


_LOADGEN: Final[Mapping[str, Column]] = {
    "scenario": _loadgen(lambda result: result.scenario),
    "pictures": _loadgen(lambda result: f"{result.samples:,}"),
    "p90, µs": _loadgen(lambda result: digits(1000 * result.p90_ms) if result.p90_ms else None),
    "our p90": lambda row: (
        digits(1000 * row.timing.p90_ms)
        if row.timing and row.loadgen and row.loadgen.p90_ms
        else None
    ),
    "images/s": _loadgen(
        lambda result: digits(result.images_per_second) if result.images_per_second else None
    ),
    "result": _loadgen(lambda result: result.verdict),
}


def _rate_tables(rows: Sequence[Measurement], names: Mapping[str, str]) -> list[Table]:
    """Pictures a second, a table for each number of threads."""
    threads = sorted({rate.num_threads for row in rows for rate in row.rates})
    found = []
    for count in threads:
        cells = [
            (
                names[row.file],
                *(
                    f"{rate.images_per_second:,.0f} / {rate.from_disk_per_second:,.0f}"
                    for rate in row.rates
                    if rate.num_threads == count
                ),
            )
            for row in rows
        ]
        sizes = [rate.batch_size for rate in rows[0].rates if rate.num_threads == count]
        found.append(
            Table(
                f"Images a second, from memory / from disk: {_threads(count)}",
                ("file", *(f"batch {size}" for size in sizes)),
                tuple(cells),
            )
        )
    return found


def _threads(count: int) -> str:
    return f"{count} thread{'s' if count > 1 else ''}"


def digits(value: float) -> str:
    """Three digits below a hundred, whole numbers from there on."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
