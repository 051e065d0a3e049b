"""A report's figures as tables of text, which plain text, Markdown and a terminal then draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.compare import Change
from benchmarks.latency import Timing
from benchmarks.memory import Memory
from benchmarks.report import BenchmarkReport, Measurement

_MISSING: Final = "-"

Column = Callable[[Measurement], str | None]


@dataclass(frozen=True)
class Table:
    """A titled table; the first column is text, the others are figures."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(report: BenchmarkReport) -> list[Table]:
    """Accuracy and size of every file, then speed and memory of those that were measured."""
    rows = report.measurements
    measured = [row for row in rows if row.failure is None]
    names = dict(
        zip([row.file for row in rows], short_names([row.file for row in rows]), strict=True)
    )
    threads = report.settings.num_threads
    found = [
        _table(_accuracy_title(rows), _ACCURACY, rows, names),
        _table(
            f"Speed: one picture at a time, {threads} thread{'s' if threads > 1 else ''}",
            _speed_columns(report),
            measured,
            names,
        ),
    ]
    return [table for table in found if table.rows]


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
    return f"{_digits(before.p50_ms * scale)} → {_digits(after.p50_ms * scale)} {unit}"


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


_ACCURACY: Final[Mapping[str, Column]] = {
    "size, kB": _size,
    "accuracy, %": _accuracy,
    "difference [95 %]": _difference,
    "agreement, %": _agreement,
    "verdict": lambda row: row.verdict,
}


def _speed_columns(report: BenchmarkReport) -> dict[str, Column]:
    """Load time, latency in the unit that suits these files, share of the limit, and memory."""
    rows = report.measurements
    medians_ms = [row.timing.p50_ms for row in rows if row.timing is not None]
    unit, scale = ("µs", 1000) if max(medians_ms, default=0) < 1 else ("ms", 1)

    def load(row: Measurement) -> str | None:
        return None if row.startup is None else f"{row.startup.load_ms:.2f}"

    def timing(figure: Callable[[Timing], float]) -> Column:
        return lambda row: None if row.timing is None else _digits(figure(row.timing))

    def limit(row: Measurement) -> str | None:
        share = report.share_of_limit(row)
        return None if share is None else f"{100 * share:.0f}"

    def memory(figure: Callable[[Memory], int]) -> Column:
        return lambda row: None if row.memory is None else f"{figure(row.memory) / 1e6:.1f}"

    return {
        "load, ms": load,
        f"p50, {unit}": timing(lambda timing: timing.p50_ms * scale),
        f"p90, {unit}": timing(lambda timing: timing.p90_ms * scale),
        f"p99, {unit}": timing(lambda timing: timing.p99_ms * scale),
        "images/s": timing(lambda timing: timing.images_per_second),
        "% of limit": limit,
        "memory, MB": memory(lambda memory: memory.peak_bytes),
        "runtime's": memory(lambda memory: memory.runtime_bytes),
    }


def _digits(value: float) -> str:
    """Three digits below a hundred, whole numbers from there on."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
