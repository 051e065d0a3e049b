"""Which of the published files to take, and what to type next with it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from math import inf
from pathlib import Path

from edge_runtime.spec import Parity
from export.report import ExportReport, Prefer, VariantReport


def recommended(variants: Sequence[VariantReport], prefer: Prefer) -> VariantReport | None:
    """The best of the published files; None where there is none.

    Ties in accuracy fall to the smaller file; a file without a measured latency is the slowest.
    """
    published = [variant for variant in variants if variant.published]
    keys = {"size": _size, "speed": _speed, "accuracy": _accuracy}
    return min(published, key=keys[prefer], default=None)


def why(prefer: Prefer) -> str:
    """What was looked for, as a word before "file"."""
    return {"size": "smallest", "speed": "fastest here", "accuracy": "most accurate"}[prefer]


def next_commands(report: ExportReport, folder: Path) -> Iterator[str]:
    """Copy the recommended file to the device, check there, classify there.

    Args:
        report: one that recommends a file.
        folder: where the files are.
    """
    (best,) = (each for each in report.variants if each.file == report.recommended)
    yield f"scp {shlex.quote(str(folder / best.file))} photo.jpg pi:"
    if best.golden_samples:
        yield f"ssh pi python3 -m edge_runtime check {best.file}"
    yield f"ssh pi python3 -m edge_runtime classify photo.jpg --model {best.file}"


def _size(variant: VariantReport) -> tuple[float, float]:
    return variant.size_bytes or inf, variant.latency_ms or inf


def _speed(variant: VariantReport) -> tuple[float, float]:
    return variant.latency_ms or inf, variant.size_bytes or inf


def _accuracy(variant: VariantReport) -> tuple[float, float]:
    return -_rightness(variant.parity), variant.size_bytes or inf


def _rightness(parity: Parity | None) -> float:
    if parity is None:
        return 0.0
    return parity.agreement if parity.accuracy is None else parity.accuracy
