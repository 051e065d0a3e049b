"""Flags that more than one command has."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.settings import Limits
from edge_runtime import __version__, console
from edge_runtime.errors import UsageError
from edge_runtime.files import refuse_existing, write_atomically

PROGRAM: Final = "benchmarks"


def parser(name: str, description: str, epilog: str | None = None) -> argparse.ArgumentParser:
    """A parser with the flags of every command; `name` is empty for the benchmark itself."""
    made = console.Parser(
        prog=f"python -m benchmarks {name}".strip(), description=description, epilog=epilog
    )
    made.add_argument("--version", action="version", version=f"edgeproof {__version__}")
    made.add_argument("--verbose", action="store_true", help="show what the engines print")
    return made


def add_report(parser: argparse.ArgumentParser, also: str) -> None:
    """Where a report goes; `also` is what is written beside it."""
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE.json",
        help=f"write the report here{also and f', and beside it as {also}'}",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing report")


def add_limits(
    group: argparse._ArgumentGroup, accuracy_drop: float | None, accuracy_help: str
) -> None:
    """How much worse a file may become."""
    group.add_argument(
        "--max-accuracy-drop",
        type=float,
        default=accuracy_drop,
        metavar="POINTS",
        help=accuracy_help,
    )
    group.add_argument(
        "--max-slowdown", type=float, metavar="PERCENT", help="of a call, against the baseline"
    )
    group.add_argument(
        "--max-size-growth", type=float, metavar="PERCENT", help="of a file, against the baseline"
    )


def limits(arguments: argparse.Namespace) -> Limits:
    """The limits that `add_limits` asks for."""

    def share(per_cent: float | None) -> float | None:
        return None if per_cent is None else per_cent / 100

    return Limits(
        max_slowdown=share(arguments.max_slowdown),
        max_accuracy_drop_points=arguments.max_accuracy_drop,
        max_size_growth=share(arguments.max_size_growth),
    )


def require_places(arguments: argparse.Namespace, *suffixes: str) -> None:
    """Refuse a report that could not be written, before the figures for it are measured.

    Args:
        arguments: with `report` and `overwrite`.
        suffixes: of the files that go beside it, after its name without `.json`.
    """
    path: Path | None = arguments.report
    if path is None:
        return
    if path.suffix.lower() != ".json":
        raise UsageError(f"--report {path} must end in .json; all else is written beside it")
    for suffix in (".json", *suffixes):
        refuse_existing(_place(path, suffix), overwrite=arguments.overwrite)


def write_report(arguments: argparse.Namespace, texts: Mapping[str, str]) -> None:
    """Write a report and what goes beside it, by suffix, and say so; the JSON comes last."""
    path: Path | None = arguments.report
    if path is None:
        return
    places = [_place(path, suffix) for suffix in texts]
    for place, text in zip(places, texts.values(), strict=True):
        # A file's name may hold bytes that are no text.
        data = text.encode(errors="backslashreplace")
        write_atomically(place, data, overwrite=arguments.overwrite)
    console.say(PROGRAM, f"wrote {', '.join(map(str, places))}")


def _place(report: Path, suffix: str) -> Path:
    return report if suffix == ".json" else report.with_name(report.stem + suffix)
