"""The ways to classify a picture as a table, and why some are not in it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.peers.report import Peer, PeersReport
from benchmarks.views.table import MISSING, Table, digits

# What a way's own clock tells no finer than, in milliseconds.
_STEPS_MS: Final = {"litert-benchmark": 0.01}


def peers_table(report: PeersReport) -> Table:
    """The peers as a table; those that were skipped are left to `skipped`."""

    def cell(value: float | None, scale: float = 1.0) -> str:
        return MISSING if value is None else digits(value * scale)

    pictures = f"{report.pictures:,} pictures" if report.pictures else "pictures of noise"
    rows = [
        (
            peer.name,
            Path(peer.file or "").name,
            _coarse(peer) or cell(peer.p50_ms, 1000),
            cell(peer.p90_ms, 1000),
            cell(peer.start_ms),
            cell(peer.start_cpu_ms),
            cell(peer.peak_bytes, 1e-6),
            cell(peer.installed_bytes, 1e-6),
            MISSING if peer.accuracy is None else f"{100 * peer.accuracy:.2f}",
        )
        for peer in report.peers
        if peer.skipped is None
    ]
    headers = ("peer", "file", "p50, µs", "p90, µs", "start, ms", "CPU, ms", "memory, MB")
    return Table(
        f"Side by side: one thread (Keras takes what it likes), {pictures}",
        (*headers, "installed, MB", "right, %"),
        tuple(rows),
    )


def _coarse(peer: Peer) -> str | None:
    """In microseconds the p50 that a way's own clock tells; None for those timed by this one."""
    step_ms = _STEPS_MS.get(peer.name)
    if step_ms is None or peer.p50_ms is None:
        return None
    return f"{1000 * peer.p50_ms:,.0f} ± {500 * step_ms:.0f}"


def skipped(report: PeersReport) -> list[str]:
    """A line for each peer, and for all else, that was not measured."""
    lines = [f"{peer.name}: not measured, {peer.skipped}" for peer in report.peers if peer.skipped]
    if not report.pictures:
        lines.append("accuracy: not measured, there is no evaluation set; name one: --evaluation")
    return lines
