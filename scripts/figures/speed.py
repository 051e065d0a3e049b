"""How quick the reference model's files are, and other ways to classify beside them."""

from __future__ import annotations

from benchmarks import report as benchmark_report
from benchmarks.peers.report import PeersReport
from benchmarks.peers.table import peers_table, skipped
from benchmarks.views.table import markdown_table
from benchmarks.views.tables import tables
from benchmarks.views.words import engines
from scripts import reports


def reference_benchmark() -> str:
    """The benchmark of the reference model's files."""
    report = benchmark_report.read(reports.REPORTS / "small" / "benchmarks.json")
    lines: list[str] = []
    for table in tables(report):
        if table.title.startswith(("Accuracy", "Speed", "Start-up")):
            lines += [f"**{table.title}**", "", *markdown_table(table), ""]
    machine = report.machine
    where = (machine.cpu, f"{machine.cores} cores", engines(report), report.started[:10])
    return "\n".join(
        [
            *lines,
            f"{', '.join(filter(None, where))}.",
            *(f"- {note}" for note in report.notes),
            "",
        ]
    )


def peers() -> str:
    """This runtime beside the other ways to classify a picture."""
    path = reports.REPORTS / "small" / "peers.json"
    report = PeersReport.from_json(path.read_text(encoding="utf-8"))
    return "\n".join(
        [
            *markdown_table(peers_table(report)),
            "",
            *(f"- {line}" for line in skipped(report)),
            (
                f"One thread (Keras takes what it likes), {report.pictures:,} pictures, "
                f"load {report.load_1min:.1f} on {report.machine.cores} cores; {report.machine.cpu}, {report.started[:10]}."
            ),
            "",
        ]
    )
