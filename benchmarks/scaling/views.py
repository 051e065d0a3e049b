"""Scaling for people: a table and a plot of each, and the page of Markdown that shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.scaling.report import Model, Pictures, ScalingReport, Threads
from benchmarks.views import svg
from benchmarks.views.curves import Axis, Series, curves
from benchmarks.views.table import MISSING, Table, digits, markdown_table

_GREY: Final = 7
ENGINES: Final = {"tflite": "TFLite", "onnx": "ONNX"}


def tables(report: ScalingReport) -> list[Table]:
    """Pictures, models and threads."""
    emulated = "" if report.machine.emulator is None else " (emulated)"
    return [
        Table(
            f"More pictures: {report.model}, one after the other{emulated}",
            (
                *("pictures", "from", "whole process, s", "CPU, s", "pictures, s"),
                *("a picture, µs", "memory, MB"),
            ),
            tuple(_picture_row(one) for one in _in_order(report.pictures)),
        ),
        Table(
            f"Larger models: float32, one thread{emulated}",
            (
                *("format", "parameters", "million MACs", "file, kB", "load, ms", "p50, µs"),
                *("p90, µs", "% of limit", "memory, MB"),
            ),
            tuple(_model_row(one, report) for one in report.models),
        ),
        Table(
            f"More threads: float32{emulated}",
            ("format", "parameters", "threads", "p50, µs", "p90, µs", "times as fast"),
            tuple(_thread_row(one, report.threads) for one in report.threads),
        ),
    ]


def plots(report: ScalingReport) -> dict[str, str]:
    """The three plots as SVG files, by what grows in them."""
    found = {
        "pictures": _pictures_plot(report.pictures),
        "models": _models_plot(report),
        "threads": _threads_plot(report.threads),
    }
    return {name: svg.standalone(drawn) for name, drawn in found.items()}


def markdown(report: ScalingReport, name: str) -> str:
    """The page.

    Args:
        report: what was measured.
        name: the beginning of the names of the plots' files, which lie beside it.
    """
    machine, state = report.machine, report.before
    known = (machine.board, machine.cpu, f"{machine.cores} cores", *report.engines)
    where = ", ".join(filter(None, known))
    load = "" if state.load_1min is None else f", load {state.load_1min:.1f}"
    lines = [
        "# Scaling",
        "",
        "What happens to the cost as the work grows, by `python -m benchmarks scaling`.",
        f"{where}{load}, {report.started[:10]}.",
    ]
    if machine.emulator is not None:
        lines += ["", "**This processor is imitated: the times are the emulator's.**"]
    for table, (kind, told) in zip(tables(report), _TOLD.items(), strict=True):
        title = table.title.partition(":")[0]
        lines += ["", f"## {title}", "", told, "", f"![{title}]({name}-{kind}.svg)", ""]
        lines += [f"{table.title}:", "", *markdown_table(table)]
    return "\n".join(lines) + "\n"


_TOLD: Final[Mapping[str, str]] = {
    "pictures": "A fresh process opens the model and classifies pictures one after the other, "
    "from pixels in memory or from PNG files.\nStarting Python, numpy and the engine is all that "
    "the first picture costs; memory does not grow with the pictures.",
    "models": "Nets of three convolutions with random weights, written for this measurement.\n"
    "The dashed line is what this machine's measured peak of float32 multiply-accumulates "
    "allows.",
    "threads": "The same nets on more threads of the engine, timed in turns in the same "
    "processes.\nThe dashed line would be perfect.",
}


def _in_order(pictures: Sequence[Pictures]) -> list[Pictures]:
    return sorted(pictures, key=lambda one: one.from_files)


def _picture_row(one: Pictures) -> tuple[str, ...]:
    return (
        f"{one.pictures:,}",
        _source(one),
        digits(one.process_seconds),
        digits(one.cpu_seconds),
        f"{one.classifying_seconds:.4f}"
        if one.classifying_seconds < 1
        else digits(one.classifying_seconds),
        digits(1e6 * one.classifying_seconds / one.pictures),
        MISSING if one.peak_bytes is None else f"{one.peak_bytes / 1e6:.1f}",
    )


def _source(one: Pictures) -> str:
    return "PNG files" if one.from_files else "memory"


def _model_row(one: Model, report: ScalingReport) -> tuple[str, ...]:
    limit_ms = _limit_ms(one, report)
    return (
        ENGINES[one.kind],
        f"{one.parameters:,}",
        MISSING if one.macs is None else digits(one.macs / 1e6),
        f"{one.size_bytes / 1000:,.1f}",
        digits(one.load_ms),
        digits(1000 * one.p50_ms),
        digits(1000 * one.p90_ms),
        MISSING if limit_ms is None else f"{100 * limit_ms / one.p50_ms:.0f}",
        MISSING if one.memory_bytes is None else f"{one.memory_bytes / 1e6:.1f}",
    )


def _limit_ms(one: Model, report: ScalingReport) -> float | None:
    peaks = [peak.macs_per_second for peak in report.peaks if peak.arithmetic == "float32"]
    return 1000 * one.macs / peaks[0] if peaks and one.macs else None


def _thread_row(one: Threads, every: Sequence[Threads]) -> tuple[str, ...]:
    return (
        ENGINES[one.kind],
        f"{one.parameters:,}",
        str(one.num_threads),
        digits(1000 * one.p50_ms),
        digits(1000 * one.p90_ms),
        f"{_times_as_fast(one, every):.2f}",
    )


def _times_as_fast(one: Threads, every: Sequence[Threads]) -> float:
    (alone,) = (
        other
        for other in every
        if (other.kind, other.parameters, other.num_threads) == (one.kind, one.parameters, 1)
    )
    return alone.p50_ms / one.p50_ms


def _pictures_plot(pictures: Sequence[Pictures]) -> str:
    series = []
    for colour, source in enumerate(("PNG files", "memory")):
        mine = [one for one in pictures if _source(one) == source]
        whole = [(one.pictures, one.process_seconds) for one in mine]
        alone = [(one.pictures, one.classifying_seconds) for one in mine]
        series.append(Series(f"from {source}, whole process", whole, colour))
        series.append(Series(f"from {source}, pictures alone", alone, colour, dashed=True))
    return curves(
        "Pictures against seconds",
        Axis("pictures", lambda value: f"{value:,.0f}"),
        Axis("time", lambda value: svg.duration(1000 * value)),
        series,
    )


def _models_plot(report: ScalingReport) -> str:
    kinds = dict.fromkeys(one.kind for one in report.models)
    series = [
        Series(
            ENGINES[kind],
            [(one.parameters, one.p50_ms) for one in report.models if one.kind == kind],
            colour,
        )
        for colour, kind in enumerate(kinds)
    ]
    limits = {one.parameters: _limit_ms(one, report) for one in report.models}
    known = [(parameters, limit) for parameters, limit in limits.items() if limit]
    if known:
        series.append(Series("the limit of this machine", known, _GREY, dashed=True))
    return curves(
        "Parameters against the time of one picture",
        Axis("parameters", _parameters),
        Axis("p50 of one picture", svg.duration),
        series,
    )


def _threads_plot(every: Sequence[Threads]) -> str:
    lines = dict.fromkeys((one.kind, one.parameters) for one in every)
    series = [
        Series(
            f"{ENGINES[kind]}, {_parameters(parameters)}",
            [
                (one.num_threads, _times_as_fast(one, every))
                for one in every
                if (one.kind, one.parameters) == (kind, parameters)
            ],
            colour % _GREY,
        )
        for colour, (kind, parameters) in enumerate(lines)
    ]
    counts = sorted({one.num_threads for one in every})
    series.append(Series("perfect", [(count, count) for count in counts], _GREY, dashed=True))
    return curves(
        "Threads against speed",
        Axis("threads", svg.number, ticks=counts),
        Axis("times as fast as on one thread", svg.number, logarithmic=False),
        series,
    )


def _parameters(value: float) -> str:
    return f"{value / 1e6:.3g} M" if value >= 1e6 else f"{value / 1000:.3g} k"
