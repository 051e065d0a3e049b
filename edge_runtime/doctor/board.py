"""The board: system, memory, heat and power."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge_runtime import machine
from edge_runtime.doctor.finding import Finding
from edge_runtime.machine import Ask

_HOT_CELSIUS: Final = 80  # a Raspberry Pi slows down from here on
_LITTLE_MIB: Final = 150  # less does not hold numpy, an engine and a photograph


def findings(root: Path, ask: Ask) -> Iterator[Finding]:
    """What there is to say about it."""
    names = (machine.board(root), machine.system(root))
    yield Finding("ok", "system", "; ".join(filter(None, names)))
    yield from _memory(root)
    celsius = machine.temperature_celsius(root)
    if celsius is not None and celsius >= _HOT_CELSIUS:
        yield Finding("note", "heat", f"{celsius:.0f} °C: it slows down; give it a fan or some air")
    elif celsius is not None:
        yield Finding("ok", "heat", f"{celsius:.0f} °C")
    flags = machine.throttle_flags(root, ask)
    if flags:
        supply = any("voltage" in flag for flag in flags)
        advice = "; use the power supply made for this board" if supply else ""
        yield Finding("note", "power", f"{', '.join(flags)}{advice}")
    elif flags is not None:
        yield Finding("ok", "power", "never throttled since the start")


def _memory(root: Path) -> Iterator[Finding]:
    total, free = (machine.memory_bytes(root, kind) for kind in ("MemTotal", "MemAvailable"))
    if total is None or free is None:
        return
    text = f"{free >> 20:,} of {total >> 20:,} MiB free"
    if free >> 20 < _LITTLE_MIB:
        yield Finding("note", "memory", f"{text}: an engine and a photograph need {_LITTLE_MIB}")
    else:
        yield Finding("ok", "memory", text)
