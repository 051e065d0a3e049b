"""What an export says about itself: export.json, and a table on the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_runtime.spec import Format, Parity, Precision, Reference
from export.verify import Limits

if TYPE_CHECKING:
    from rich.table import Table

SCHEMA: Final = 1
NAME: Final = "export.json"


@dataclass(frozen=True)
class VariantReport:
    """One file: what it is, how it compares with the original, and whether it was published."""

    file: str  # its name in the output folder, whether it is there or not
    format: Format
    precision: Precision
    published: bool
    problems: tuple[str, ...] = ()  # why not, in words
    parity: Parity | None = None  # None where it could not be converted or run
    size_bytes: int | None = None
    sha256: str | None = None  # of the published file
    golden_samples: int = 0
    golden_tolerance: float | None = None  # of a probability, 0..1
    convert_seconds: float | None = None
    verify_seconds: float | None = None


@dataclass(frozen=True)
class ExportReport:
    """One export: the original, the limits, and every file that was asked for."""

    name: str
    source: str  # the Keras file, as it was named
    source_sha256: str
    reference: Reference  # the original on the evaluation pictures of this export
    limits: Limits
    versions: Mapping[str, str]  # package → version
    seconds: float
    variants: tuple[VariantReport, ...]

    @property
    def passed(self) -> bool:
        """Everything that was asked for is published."""
        return all(variant.published for variant in self.variants)

    def to_json(self) -> str:
        """The content of export.json."""
        document = {"schema": SCHEMA, "passed": self.passed, **asdict(self)}
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def print_report(report: ExportReport, out: Path) -> None:
    """Print the figures, what was left out and why, where things are, and what is next."""
    from rich.console import Console

    # Piped into a file there is no window whose width could matter.
    Console(width=None if sys.stdout.isatty() else 120).print(table(report))
    print(*remarks(report, out), sep="\n")


def table(report: ExportReport) -> Table:
    """The figures: one row a file."""
    from rich.table import Table

    reference = report.reference
    figures = Table(
        title=f"{report.name}: Keras is right on {reference.accuracy:.2%} of {reference.images:,} pictures",
        title_justify="left",
        caption="Points: accuracy minus Keras', with its 95 % interval. Difference: largest of any probability.",
        caption_justify="left",
    )
    figures.add_column("File", no_wrap=True)
    for heading in ("Size", "Agrees", "Points", "Difference"):
        figures.add_column(heading, justify="right", no_wrap=True)
    figures.add_column("Verdict", no_wrap=True)
    for variant in report.variants:
        figures.add_row(
            variant.file,
            "" if variant.size_bytes is None else f"{variant.size_bytes / 1000:,.1f} kB",
            *_figures(variant.parity),
            "published" if variant.published else "left out",
            style=None if variant.published else "red",
        )
    return figures


def remarks(report: ExportReport, out: Path) -> list[str]:
    """What the table leaves to say, one line each."""
    published = [variant for variant in report.variants if variant.published]
    lines = [
        f"{variant.file} is left out: {'; '.join(variant.problems)}"
        for variant in report.variants
        if not variant.published
    ]
    count = f"{len(published)} of {len(report.variants)}"
    lines.append(
        f"{count} files are in {out}; the figures are in {NAME}, the converters' words in export.log"
    )
    if published:
        lines.append(f"Next: python -m edge_runtime check {out / published[-1].file}")
    return lines


def _figures(parity: Parity | None) -> tuple[str, str, str]:
    if parity is None:
        return "", "", ""
    points, interval = parity.accuracy_difference_points, parity.accuracy_difference_interval_points
    shown = "" if points is None else f"{points:+.2f}"
    if interval is not None:
        shown += f" ({interval[0]:+.2f} to {interval[1]:+.2f})"
    return f"{parity.agreement:.2%}", shown, f"{parity.max_score_difference:.4f}"
