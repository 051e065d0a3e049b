"""A report in words: its verdict, what is wrong, the machine, and how it was measured."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmarks.machine import MachineState
from benchmarks.measures.latency import TIMED
from benchmarks.report import BenchmarkReport
from benchmarks.views.table import short_names


def verdict(report: BenchmarkReport) -> str:
    """The report in one sentence."""
    count = Counter(row.verdict for row in report.measurements)
    files = f"of {count.total()} file{'s' if count.total() > 1 else ''}"
    if not count["ok"] and not count["outside"]:
        alone = ", with nothing to compare with" if count["unjudged"] else ""
        return f"{count['unjudged']} {files} measured{alone}"
    unjudged = f", {count['unjudged']} with nothing to compare with" if count["unjudged"] else ""
    return f"{count['ok']} {files} within tolerance{unjudged}"


def problems(report: BenchmarkReport) -> list[str]:
    """A line for each file that could not be measured, and for each figure out of tolerance."""
    names = short_names([row.file for row in report.measurements])
    return [
        reason if row.file in reason else f"{name}: {reason}"
        for name, row in zip(names, report.measurements, strict=True)
        for reason in ((row.failure,) if row.failure else row.outside)
    ]


def engines(report: BenchmarkReport) -> str:
    """Which engine ran which files; empty for a report from before engines were named."""
    told = {
        f"{Path(row.file).suffix.lower()} by {row.engine}": None
        for row in report.measurements
        if row.engine
    }
    return ", ".join(told)


def machine_lines(report: BenchmarkReport) -> list[str]:
    """The machine and the state it was in, a fact a line."""
    machine = report.machine
    versions = {"Python": machine.python, **machine.versions}
    facts = {
        "Board": machine.board,
        "Processor": machine.cpu,
        "Cores": str(machine.cores),
        "Instructions": ", ".join(machine.features),
        "Imitated by": machine.emulator,
        "Memory": machine.memory_bytes and f"{machine.memory_bytes / 1e9:.1f} GB",
        "System": machine.system,
        "Engines": engines(report),
        "Versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
        "Before": _state(report.before),
        "After": _state(report.after),
    }
    return [f"{name}: {fact}" for name, fact in facts.items() if fact]


def method_lines(report: BenchmarkReport) -> list[str]:
    """How the figures were measured, a fact a line."""
    settings = report.settings
    judged = [row.accuracy for row in report.measurements if row.accuracy]
    sets = ", ".join(sorted({one.evaluation for one in judged}))
    references = ", ".join(sorted({one.reference for one in judged if one.reference}))
    facts = {
        "Evaluation set": sets,
        "Reference": references,
        "Difference": references
        and "file minus reference in per cent points, with the 95 % interval for the same "
        "pictures (Agresti and Min 2005).",
        "Answers": judged
        and "ECE is the expected calibration error in 15 bins (Guo et al. 2017); McNemar's p is "
        "exact and two-sided; lost and gained are pictures that only the reference, or only the "
        "file, has right.",
        "Tolerance": f"accuracy at most {settings.max_accuracy_drop_points:g} points below the "
        f"reference, agreement at least {100 * settings.min_agreement:g} %.",
        "Latency": settings.timing
        and f"{TIMED} {settings.blocks} fresh processes, each with a warm-up and "
        f"{settings.rounds} rounds of every file in an order shuffled anew (seed "
        f"{settings.seed}); {settings.seconds:g} s a file in all.",
        "Timer": _timer(report),
        "LoadGen": _loadgen(report),
        "Limit": _limit(report),
        "Images per second": settings.timing
        and "the timed calls by the time they took, one picture at a time.",
        "Start-up and memory": settings.timing
        and "medians of fresh processes. Start and CPU are from the start of a "
        "process to its first prediction, wall and processor time. Load is reading the file, checking its "
        "digest and building the engine. Of the memory, the runtime's part is that of the same "
        "process with everything imported and no file opened.",
    }
    return [f"{name}: {fact}" for name, fact in facts.items() if fact]


def _timer(report: BenchmarkReport) -> str:
    overhead_ns = report.timer_overhead_ns
    return f"a timed call of nothing takes {overhead_ns / 1000:.2f} µs." if overhead_ns else ""


def _loadgen(report: BenchmarkReport) -> str:
    if report.settings.loadgen != "single-stream":
        return ""
    return (
        "its p90 is from sending a query to its answer; ours of the same calls is what the model "
        "took of that, by our own clock; ours in turns is the p90 of the table of speed, of other "
        "calls in other minutes."
    )


def _limit(report: BenchmarkReport) -> str:
    peaks = [
        f"{peak.macs_per_second / 1e9:,.0f} billion {peak.arithmetic} multiply-accumulates a "
        f"second by {peak.by}"
        for peak in report.peaks
    ]
    if not peaks:
        return ""
    return (
        f"{', '.join(peaks)}, in products of 512 x 512 matrices. Of a model, convolutions and "
        "matrix products are counted."
    )


def remarks(report: BenchmarkReport) -> list[str]:
    """What a reader must know beside the figures."""
    return [*report.notes, *problems(report)]


def _state(state: MachineState) -> str:
    facts = []
    if state.load_1min is not None:
        facts.append(f"load {state.load_1min:.2f}")
    if state.temperature_celsius is not None:
        facts.append(f"{state.temperature_celsius:.1f} °C")
    if state.throttle_flags is not None:
        facts.append(", ".join(state.throttle_flags) or "not throttled")
    if state.clock_mhz is not None:
        facts.append(f"{state.clock_mhz:.0f} MHz")
    if state.governor is not None:
        facts.append(f"governor {state.governor}")
    return ", ".join(facts)
