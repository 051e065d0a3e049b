"""A report for reading: as plain text and as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from benchmarks.compare import Change
from benchmarks.latency import TIMED
from benchmarks.machine import MachineState
from benchmarks.report import BenchmarkReport
from benchmarks.tables import Table, changes_table, short_names, tables


def plain(report: BenchmarkReport) -> str:
    """The report as text for a terminal of 100 columns, its verdict last."""
    parts = ["\n".join(plain_table(table)) for table in tables(report)]
    parts.append("\n".join([*_remarks(report), f"{verdict(report)}."]))
    return "\n\n".join(parts)


def plain_table(table: Table) -> list[str]:
    """A table's lines as plain text, figures to the right."""
    widths = [max(map(len, column)) for column in zip(table.headers, *table.rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
        for row in (table.headers, *table.rows)
    ]
    return [table.title, "", lines[0], "-" * len(lines[0]), *lines[1:]]


def markdown(report: BenchmarkReport) -> str:
    """The report as a Markdown document, its verdict first."""
    lines = [
        "# Benchmark",
        "",
        f"**{verdict(report)}.** {report.started}, {report.duration_seconds:.0f} s.",
    ]
    for table in tables(report):
        lines += ["", f"## {table.title}", "", *markdown_table(table)]
    for title, facts in (
        ("Remarks", _remarks(report)),
        ("Machine", machine_lines(report)),
        ("How it was measured", method_lines(report)),
    ):
        if facts:
            lines += ["", f"## {title}", "", *(f"- {fact}" for fact in facts)]
    return "\n".join(lines) + "\n"


def markdown_table(table: Table) -> list[str]:
    """A table's lines as Markdown, figures to the right."""
    rule = ["---", *["---:"] * (len(table.headers) - 1)]
    rows = [table.headers, rule, *table.rows]
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in escaped]


def changes_markdown(changes: Sequence[Change]) -> str:
    """What changed as Markdown; empty where nothing was compared."""
    if not changes:
        return ""
    table, remarks = changes_table(changes), change_remarks(changes)
    lines = ["", f"## {table.title}", "", *markdown_table(table)]
    if remarks:
        lines += ["", *(f"- {remark}" for remark in remarks)]
    return "\n".join([*lines, "", f"**{change_verdict(changes)}.**", ""])


def change_remarks(changes: Sequence[Change]) -> list[str]:
    """What a reader must know beside the changes; what holds for all files is said once."""
    names = short_names([change.file for change in changes])
    told = [
        (name, remark)
        for name, change in zip(names, changes, strict=True)
        for remark in dict.fromkeys((*change.remarks, *change.exceeded))
    ]
    counts = Counter(remark for _, remark in told)
    lines = [
        remark if counts[remark] == len(changes) > 1 else f"{name}: {remark}"
        for name, remark in told
    ]
    return list(dict.fromkeys(lines))


def change_verdict(changes: Sequence[Change]) -> str:
    """The comparison in one sentence."""
    speeds = Counter(change.speed.verdict for change in changes if change.speed)
    told = [f"{speeds[kind]} {kind}" for kind in ("faster", "slower") if speeds[kind]]
    same = speeds["no difference shown"]
    if same:
        told.append(f"{same} with no difference of speed shown")
    beyond = sum(bool(change.exceeded) for change in changes)
    if beyond:
        told.append(f"{beyond} beyond a limit")
    files = f"{len(changes)} file{'s' if len(changes) > 1 else ''}"
    return f"Of {files}: {', '.join(told) or 'no times compared'}"


def verdict(report: BenchmarkReport) -> str:
    """The report in one sentence."""
    count = Counter(row.verdict for row in report.measurements)
    files = f"of {count.total()} file{'s' if count.total() > 1 else ''}"
    if not count["ok"] and not count["outside"]:
        return f"{count['unjudged']} {files} measured, with nothing to compare with"
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


def machine_lines(report: BenchmarkReport) -> list[str]:
    """The machine and the state it was in, a fact a line."""
    machine = report.machine
    versions = {"Python": machine.python, **machine.versions}
    facts = {
        "Board": machine.board,
        "Processor": machine.cpu,
        "Cores": str(machine.cores),
        "Clock governor": machine.governor,
        "Memory": machine.memory_bytes and f"{machine.memory_bytes / 1e9:.1f} GB",
        "System": machine.system,
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
        "Latency": f"{TIMED} {settings.blocks} fresh processes, each with a warm-up and "
        f"{settings.rounds} rounds of every file in an order shuffled anew (seed "
        f"{settings.seed}); {settings.seconds:g} s a file in all.",
        "Limit": _limit(report),
        "Images per second": "the timed calls by the time they took, one picture at a time.",
        "Start-up and memory": "medians of fresh processes. Start and CPU are from the start of a "
        "process to its first prediction, wall and processor time. Load is reading the file, checking its "
        "digest and building the engine. Of the memory, the runtime's part is that of the same "
        "process with everything imported and no file opened.",
    }
    return [f"{name}: {fact}" for name, fact in facts.items() if fact]


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


def _remarks(report: BenchmarkReport) -> list[str]:
    return [*report.notes, *problems(report)]


def _state(state: MachineState) -> str:
    facts = []
    if state.load_1min is not None:
        facts.append(f"load {state.load_1min:.2f}")
    if state.temperature_celsius is not None:
        facts.append(f"{state.temperature_celsius:.1f} °C")
    if state.throttle_flags is not None:
        facts.append(", ".join(state.throttle_flags) or "not throttled")
    return ", ".join(facts)
