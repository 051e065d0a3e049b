"""A report for spreadsheets: CSV, a row a file, with every figure that is one number or word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Final

from benchmarks.report import BenchmarkReport, Measurement
from benchmarks.views.table import csv_text

# The name comes first; and which pictures were right is for `--baseline`, not for people.
_NO_FIGURES: Final = ("file", "accuracy.right_bits")


def flat(report: BenchmarkReport) -> str:
    """The report as CSV; columns are named as in the JSON, with a dot for each level."""
    rows = [dict(_figures(report, row)) for row in report.measurements]
    headers = list(dict.fromkeys(name for row in rows for name in row))
    return csv_text(headers, [[row.get(name) for name in headers] for row in rows])


def _figures(report: BenchmarkReport, row: Measurement) -> Iterator[tuple[str, object]]:
    yield "file", row.file
    yield "verdict", row.verdict
    yield from (one for one in _leaves("", row) if one[0] not in _NO_FIGURES)
    yield "share_of_limit", report.share_of_limit(row)
    for rate in row.rates:
        place = f"rates.batch_{rate.batch_size}.threads_{rate.num_threads}"
        yield f"{place}.images_per_second", rate.images_per_second
        yield f"{place}.from_disk_per_second", rate.from_disk_per_second
    yield "emulated", report.machine.emulator is not None


def _leaves(place: str, value: Any) -> Iterator[tuple[str, object]]:
    """All single figures in a dataclass; of tuples, intervals and sentences."""
    match value:
        case _ if is_dataclass(value):
            for field in fields(value):
                inside = f"{place}.{field.name}" if place else field.name
                yield from _leaves(inside, getattr(value, field.name))
        case (float() as low, float() as high) if "interval" in place:  # not two rounds
            yield f"{place}.low", low
            yield f"{place}.high", high
        case (str(), *_):
            yield place, "; ".join(value)
        case str() | bool() | int() | float():
            yield place, value
        case _:  # lists of what has a place of its own: classes, rounds, pictures
            pass
