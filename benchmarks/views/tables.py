"""A report's figures as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.report import BenchmarkReport, Measurement
from benchmarks.views import columns
from benchmarks.views.columns import Columns
from benchmarks.views.table import MISSING, Table, short_names, threads


def tables(report: BenchmarkReport) -> list[Table]:
    """Accuracy and size of every file, then what running those takes that were measured.

    Where the processor is imitated, the title of each table of times or memory says so.
    """
    rows = report.measurements
    files = [row.file for row in rows]
    names = dict(zip(files, short_names(files), strict=True))
    emulated = "" if report.machine.emulator is None else " (emulated)"
    speed_title = f"Speed: one picture at a time, {threads(report.settings.num_threads)}{emulated}"
    started, timed, followed, refereed = (
        [row for row in rows if getattr(row, part) is not None]
        for part in ("startup", "timing", "stages", "loadgen")
    )
    found = [
        _table(_accuracy_title(rows), columns.ACCURACY, rows, names),
        _table(speed_title, columns.speed(report), timed, names),
        _table(
            "Answers, more closely", columns.ANSWERS, [row for row in rows if row.accuracy], names
        ),
        _table(f"Start-up and memory: a fresh process{emulated}", columns.START, started, names),
        _table(f"From a PNG file to a prediction, µs{emulated}", columns.STAGES, followed, names),
        _table("Size by part, kB", columns.PARTS, [row for row in rows if row.size], names),
        _table(f"MLPerf LoadGen{emulated}", columns.LOADGEN, refereed, names),
        *_rate_tables([row for row in rows if row.rates], names, emulated),
    ]
    return [table for table in found if table.rows and table.headers[1:]]


def _table(
    title: str, chosen: Columns, rows: Sequence[Measurement], names: Mapping[str, str]
) -> Table:
    """Lay out the rows; a column with nothing in it is left out."""
    cells = {header: [column(row) for row in rows] for header, column in chosen.items()}
    cells = {header: column for header, column in cells.items() if any(column)}
    return Table(
        title,
        headers=("file", *cells),
        rows=tuple(
            (names[row.file], *(column[index] or MISSING for column in cells.values()))
            for index, row in enumerate(rows)
        ),
    )


def _accuracy_title(rows: Sequence[Measurement]) -> str:
    pictures = sorted({row.accuracy.pictures for row in rows if row.accuracy})
    if not pictures:
        return "Files"
    counts = " or ".join(f"{count:,}" for count in pictures)
    return f"Accuracy: {counts} pictures, differences in per cent points"


def _rate_tables(
    rows: Sequence[Measurement], names: Mapping[str, str], emulated: str
) -> list[Table]:
    """Pictures a second, a table for each number of threads."""
    found = []
    for count in sorted({rate.num_threads for row in rows for rate in row.rates}):
        rates = {
            row.file: [rate for rate in row.rates if rate.num_threads == count] for row in rows
        }
        cells = tuple(
            (
                names[file],
                *(
                    f"{rate.images_per_second:,.0f} / {rate.from_disk_per_second:,.0f}"
                    for rate in mine
                ),
            )
            for file, mine in rates.items()
        )
        sizes = [rate.batch_size for rate in rates[rows[0].file]]
        title = f"Images a second, from memory / from disk: {threads(count)}{emulated}"
        found.append(Table(title, ("file", *(f"batch {size}" for size in sizes)), cells))
    return found
