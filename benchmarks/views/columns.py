"""Every figure of a file that tables show: its heading, and its text or None where there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final

from benchmarks.measures.accuracy import Accuracy
from benchmarks.measures.mistakes import ClassFigures
from benchmarks.report import BenchmarkReport, Measurement
from benchmarks.views.table import digits

Column = Callable[[Measurement], str | None]
Columns = Mapping[str, Column]


def _column(figure: str, show: Callable[[Any], str] = digits, scale: float = 1) -> Column:
    """The column of a figure, by its path in a `Measurement`: `timing.p50_ms`, say."""
    part, _, name = figure.partition(".")

    def column(row: Measurement) -> str | None:
        found = getattr(row, part)
        value = attrgetter(name)(found) if name and found is not None else found
        return None if value is None else show(value * scale if scale != 1 else value)

    return column


def _of_accuracy(show: Callable[[Accuracy], str | None]) -> Column:
    return lambda row: None if row.accuracy is None else show(row.accuracy)


def _two_places(value: float) -> str:
    return f"{value:.2f}"


def _one_place(value: float) -> str:
    return f"{value:,.1f}"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _difference(row: Measurement) -> str | None:
    accuracy = row.accuracy
    if accuracy is None or accuracy.difference_points is None:
        return None
    if accuracy.reference == row.file:
        return "the reference"
    low, high = accuracy.difference_interval_points or (0.0, 0.0)
    return f"{accuracy.difference_points:+.2f} [{low:+.2f}, {high:+.2f}]"


def _flips(figure: Callable[[ClassFigures], int | None]) -> Column:
    """Pictures that only the reference, or only the file, has right."""
    return _of_accuracy(
        lambda found: found.reference and str(sum(figure(one) or 0 for one in found.classes))
    )


ACCURACY: Final[Columns] = {
    "size, kB": _column("size_bytes", _one_place, 1e-3),
    "accuracy, %": _column("accuracy.accuracy", _two_places, 100),
    "difference [95 %]": _difference,
    "agreement, %": _column("accuracy.agreement", _two_places, 100),
    "verdict": lambda row: row.verdict,
}

ANSWERS: Final[Columns] = {
    "top-5, %": _column("accuracy.top5_accuracy", _two_places, 100),
    "ECE, %": _column("accuracy.calibration_error", _two_places, 100),
    "McNemar p": _column("accuracy.mcnemar_p", lambda chance: f"{chance:.2g}"),
    "lost": _flips(lambda one: one.lost),
    "gained": _flips(lambda one: one.gained),
    "largest score difference": _column(
        "accuracy.max_score_difference", lambda largest: f"{largest:.4f}"
    ),
}

START: Final[Columns] = {
    "start, ms": _column("startup.process_ms"),
    "CPU, ms": _column("startup.process_cpu_ms"),
    "load, ms": _column("startup.load_ms"),
    "first, ms": _column("startup.first_prediction_ms"),
    "memory, MB": _column("memory.peak_bytes", _one_place, 1e-6),
    "runtime": _column("memory.runtime_bytes", _one_place, 1e-6),
    "model": _column("memory.model_bytes", _one_place, 1e-6),
}

STAGES: Final[Columns] = {
    "decode": _column("stages.decode_ms", digits, 1000),
    "preprocess": _column("stages.preprocess_ms", digits, 1000),
    "inference": _column("stages.inference_ms", digits, 1000),
    "postprocess": _column("stages.postprocess_ms", digits, 1000),
    "whole": _column("stages.total_ms", digits, 1000),
}

PARTS: Final[Columns] = {
    "model": _column("size.model_bytes", _one_place, 1e-3),
    "metadata": _column("size.metadata_bytes", _one_place, 1e-3),
    "golden samples": _column("size.golden_bytes", _one_place, 1e-3),
}

LOADGEN: Final[Columns] = {
    "scenario": _column("loadgen.scenario", str),
    "pictures": _column("loadgen.samples", _whole),
    "p90, µs": _column("loadgen.p90_ms", digits, 1000),
    "ours, same calls": _column("loadgen.own_p90_ms", digits, 1000),
    "ours, in turns": lambda row: (
        digits(1000 * row.timing.p90_ms)
        if row.timing and row.loadgen and row.loadgen.p90_ms
        else None
    ),
    "images/s": _column("loadgen.images_per_second"),
    "result": _column("loadgen.verdict", str),
}


def speed(report: BenchmarkReport) -> Columns:
    """Latency in the unit that suits these files, rate and share of the limit."""
    medians_ms = [row.timing.p50_ms for row in report.measurements if row.timing is not None]
    unit, scale = ("µs", 1000) if max(medians_ms, default=0) < 1 else ("ms", 1)

    def limit(row: Measurement) -> str | None:
        share = report.share_of_limit(row)
        return None if share is None else f"{100 * share:.0f}"

    return {
        **{
            f"{name}, {unit}": _column(f"timing.{name}_ms", digits, scale)
            for name in ("min", "p50", "p90", "p99")
        },
        "images/s": _column("timing.images_per_second"),
        "% of limit": limit,
    }
