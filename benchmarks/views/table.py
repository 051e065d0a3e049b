"""A table of text: what it is, and how it is drawn in plain text, Markdown and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MISSING: Final = "-"


@dataclass(frozen=True)
class Table:
    """A titled table; the first column is text, the others are figures."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def plain_table(table: Table) -> list[str]:
    """A table's lines as plain text, figures to the right."""
    widths = [max(map(len, column)) for column in zip(table.headers, *table.rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
        for row in (table.headers, *table.rows)
    ]
    return [table.title, "", lines[0], "-" * len(lines[0]), *lines[1:]]


def markdown_table(table: Table) -> list[str]:
    """A table's lines as Markdown, figures to the right."""
    rule = ["---", *["---:"] * (len(table.headers) - 1)]
    rows = [table.headers, rule, *table.rows]
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in escaped]


def csv_text(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows as RFC 4180 has them, but with the line ends of this system's tools; None is empty."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([headers, *rows])
    return file.getvalue()


def short_names(files: Sequence[str]) -> list[str]:
    """The files by as few trailing parts of their paths as tell them apart."""
    parts = [Path(file).parts for file in files]
    for depth in range(1, max(map(len, parts), default=1) + 1):
        names = ["/".join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return list(files)


def digits(value: float) -> str:
    """Three digits below a hundred, whole numbers from there on."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def threads(count: int) -> str:
    """A number of threads in words."""
    return f"{count} thread{'s' if count > 1 else ''}"
