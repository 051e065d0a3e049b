"""A report for reading: as plain text and as Markdown."""

from __future__ import annotations

from benchmarks.report import BenchmarkReport
from benchmarks.views.table import markdown_table, plain_table
from benchmarks.views.tables import tables
from benchmarks.views.words import engines, machine_lines, method_lines, remarks, verdict


def plain(report: BenchmarkReport) -> str:
    """The report as text for a terminal of 100 columns, its verdict last."""
    parts = ["\n".join(plain_table(table)) for table in tables(report)]
    told = [f"Engines: {engines(report)}"] if engines(report) else []
    parts.append("\n".join([*told, *remarks(report), f"{verdict(report)}."]))
    return "\n\n".join(parts)


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
        ("Remarks", remarks(report)),
        ("Machine", machine_lines(report)),
        ("How it was measured", method_lines(report)),
    ):
        if facts:
            lines += ["", f"## {title}", "", *(f"- {fact}" for fact in facts)]
    return "\n".join(lines) + "\n"
