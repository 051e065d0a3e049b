"""What a terminal shows: progress and tables, by rich where it is installed and can show them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, TextIO

from benchmarks.compare import Change
from benchmarks.report import BenchmarkReport, Progress
from benchmarks.views.changes import change_remarks, change_verdict, changes_table
from benchmarks.views.table import Table, plain_table
from benchmarks.views.tables import tables
from benchmarks.views.text import plain
from benchmarks.views.words import engines, problems, verdict

if TYPE_CHECKING:
    from rich.table import Table as RichTable

_STYLES: Final = {
    "ok": "green",
    "outside": "bold red",
    "failed": "bold red",
    "faster": "green",
    "slower": "bold red",
}


def show(report: BenchmarkReport, stream: TextIO) -> None:
    """Print a report: tables by rich on a terminal, plain text elsewhere and without rich."""
    if not _is_rich(stream):
        print(plain(report), file=stream)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False)
    for table in tables(report):
        console.print(_rich_table(table))
        console.print()
    if engines(report):
        console.print(Text(f"Engines: {engines(report)}"))
    for note in report.notes:
        console.print(Text(note, "yellow"))
    for problem in problems(report):
        console.print(Text(problem, "red"))
    console.print(Text(f"{verdict(report)}.", "bold green" if report.passed else "bold red"))


def show_changes(changes: Sequence[Change], stream: TextIO) -> None:
    """Print what changed; nothing where nothing was compared."""
    if not changes:
        return
    table, remarks = changes_table(changes), change_remarks(changes)
    sentence = f"{change_verdict(changes)}."
    if not _is_rich(stream):
        lines = [*plain_table(table), "", *remarks, sentence]
        print("\n".join(lines), file=stream)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False)
    console.print(_rich_table(table))
    for remark in remarks:
        console.print(Text(remark, "yellow"))
    beyond = any(change.exceeded for change in changes)
    console.print(Text(sentence, "bold red" if beyond else "bold green"))


@contextmanager
def progress(stream: TextIO | None = None) -> Iterator[Progress]:
    """A progress bar by rich on a terminal; elsewhere and without rich a line a stage.

    Args:
        stream: where to; None is stderr.
    """
    stream = stream or sys.stderr
    if not _is_rich(stream):
        yield _StageLines(stream)
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    # No refreshing in the background: a second thread would disturb what is being timed.
    with Bars(console=Console(file=stream), auto_refresh=False, transient=True) as bars:
        tasks: dict[str, int] = {}

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, refresh=True)  # type: ignore[arg-type]

        yield advance


class _StageLines:
    """Says each stage when it begins."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._stage = stream, ""

    def __call__(self, stage: str, _done: int, _total: int) -> None:
        if stage != self._stage:
            print(f"benchmarks: {stage}", file=self._stream, flush=True)
        self._stage = stage


def _is_rich(stream: TextIO) -> bool:
    return stream.isatty() and find_spec("rich") is not None


def _rich_table(table: Table) -> RichTable:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(
        title=table.title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for index, header in enumerate(table.headers):
        drawn.add_column(header, justify="right" if index else "left", no_wrap=not index)
    for row in table.rows:
        drawn.add_row(*(Text(cell, _STYLES.get(cell, "")) for cell in row))
    return drawn
