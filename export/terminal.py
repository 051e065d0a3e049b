"""What a terminal shows: progress while files are made, and a table of them at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TextIO

from edge_runtime.spec import Parity
from export.report import LOG, NAME, ExportReport
from export.tell import Tell

if TYPE_CHECKING:
    from rich.table import Table

_HEADERS: Final = (
    "variant",
    "size\nkB",
    "agrees",
    "accuracy difference,\npoints (95 % interval)",
    "largest\nscore gap",
    "verdict",
)


@contextmanager
def progress(stream: TextIO, total: int | None) -> Iterator[Tell]:
    """Show each step: as one line that is drawn again on a terminal, as lines elsewhere.

    Args:
        stream: where to.
        total: how many steps there will be; None where others print in between.
    """
    if total is None or not stream.isatty():
        yield lambda step: print(f"export: {step}", file=stream, flush=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda step: bar.update(task, description=step, advance=1)


def print_report(report: ExportReport, out: Path) -> None:
    """Print the figures, what was left out and why, where things are, and what is next."""
    from rich.console import Console

    # Piped into a file there is no window whose width could matter.
    Console(width=None if sys.stdout.isatty() else 120).print(table(report))
    print(*remarks(report, out), sep="\n")


def table(report: ExportReport) -> Table:
    """The figures: one row a file."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    reference = report.reference
    drawn = Table(
        title=f"{report.name}: Keras is right on {reference.accuracy:.2%} "
        f"of {reference.images:,} pictures",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for index, header in enumerate(_HEADERS):
        justify: Literal["left", "right"] = "right" if 0 < index < len(_HEADERS) - 1 else "left"
        drawn.add_column(header, justify=justify, no_wrap=True)
    for variant in report.variants:
        verdict = Text("published", "green") if variant.published else Text("left out", "bold red")
        drawn.add_row(
            f"{variant.precision}.{variant.format}",
            _kilobytes(variant.size_bytes),
            *_figures(variant.parity),
            verdict,
        )
    return drawn


def remarks(report: ExportReport, out: Path) -> list[str]:
    """What the table leaves to say, one line each."""
    published = [variant for variant in report.variants if variant.published]
    lines = [
        f"{variant.file} is left out: {'; '.join(variant.problems)}"
        for variant in report.variants
        if not variant.published
    ]
    there = [NAME, *([LOG] if (out / LOG).exists() else [])]
    lines.append(
        f"{len(published)} of {len(report.variants)} files are in {out}, with {' and '.join(there)}"
    )
    if published:
        lines.append(f"Next: python -m edge_runtime check {out / published[-1].file}")
    return lines


def _kilobytes(size_bytes: int | None) -> str:
    if size_bytes is None:
        return ""
    kilobytes = size_bytes / 1000
    return f"{kilobytes:,.1f}" if kilobytes < 1000 else f"{kilobytes:,.0f}"


def _figures(parity: Parity | None) -> tuple[str, str, str]:
    if parity is None:
        return "", "", ""
    points, interval = parity.accuracy_difference_points, parity.accuracy_difference_interval_points
    shown = "" if points is None else f"{points:+.2f}"
    if interval is not None:
        shown += f" ({interval[0]:+.2f} to {interval[1]:+.2f})"
    return f"{parity.agreement:.2%}", shown, f"{parity.max_score_difference:.4f}"
