"""What a terminal shows: progress while files are made, and a table of them at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TextIO

from edge_runtime.spec import Parity
from export.recommend import next_commands, why
from export.report import LOG, NAME, PAGE, ExportReport, VariantReport
from export.tell import Tell

if TYPE_CHECKING:
    from rich.table import Table

_HEADERS: Final = (
    "variant",
    "size\nkB",
    "agrees",
    "accuracy difference,\npoints (95 % interval)",
    "score\ngap",
    "ms",
    "verdict",
)
_STYLES: Final = {"published": "green", "substitute": "yellow", "left out": "bold red"}


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

    drawn = Table(
        title=f"{report.name}: {_original(report)}",
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
        drawn.add_row(
            variant.name,
            _kilobytes(variant.size_bytes),
            *_figures(variant.parity),
            "" if variant.latency_ms is None else f"{variant.latency_ms:.2f}",
            Text(variant.verdict, _STYLES[variant.verdict]),
        )
    return drawn


def remarks(report: ExportReport, out: Path) -> list[str]:
    """What the table leaves to say, one line each."""
    published = report.published
    lines = [
        f"{variant.file} is left out: {'; '.join(variant.problems)}"
        for variant in report.variants
        if not variant.published
    ]
    lines += [f"{variant.file} {variant.repair}" for variant in report.variants if variant.repair]
    lines += [f"Note: {remark}" for remark in report.remarks]
    if oldest := _oldest(published):
        lines.append(f"They need {oldest}, or newer")
    there = [name for name in (NAME, PAGE, LOG) if name == NAME or (out / name).exists()]
    lines.append(
        f"{len(published)} of {len(report.variants)} files are in {out}, with {_joined(there)} "
        f"({report.seconds:.0f} s, {report.overhead:.0%} of it beyond converting)"
    )
    if report.recommended is not None:
        lines.append(f"Take {report.recommended}, the {why(report.recommended_for)} of them. Next:")
        lines += [f"  {command}" for command in next_commands(report, out)]
    return lines


def _oldest(published: Sequence[VariantReport]) -> str:
    """The engines that run all files, for example `TensorFlow Lite 2.4.0 and ONNX Runtime 1.12`."""
    versions: dict[str, tuple[int, ...]] = {}
    for each in published:
        name, _, version = (each.min_runtime or "").rpartition(" ")
        if name:
            parts = tuple(map(int, version.split(".")))
            versions[name] = max(versions.get(name, ()), parts)
    return _joined([f"{name} {'.'.join(map(str, parts))}" for name, parts in versions.items()])


def _original(report: ExportReport) -> str:
    if report.reference is None:
        return f"judged by agreement with Keras on {report.evaluation_images:,} pictures"
    return (
        f"Keras is right on {report.reference.accuracy:.2%} of {report.reference.images:,} pictures"
    )


def _joined(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


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
