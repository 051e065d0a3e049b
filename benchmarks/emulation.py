"""Whether another program imitates the processor, so that no time means anything."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

_HEADER_BYTES: Final = 20  # of an ELF file, up to the number of the processor that it is for
_MACHINE: Final = slice(18, 20)


def emulator(root: Path = Path("/")) -> str | None:
    """The program that imitates the processor, as a path; None where none is found.

    QEMU's user mode, box64 and their like answer for the system in what names the processor:
    uname, /proc/cpuinfo, /proc/self/exe. They leave /proc/thread-self alone, where the system
    tells which program it runs. That is Python, unless something else runs Python; and a program
    for another processor than Python's is an emulator.

    An emulated machine with a system of its own does not show by this.

    Args:
        root: where /proc is.
    """
    running = root / "proc/thread-self/exe"
    real, ours = _processor(running), _processor(Path(sys.executable))
    if real is None or ours is None or real == ours:
        return None
    return str(running.readlink())


def _processor(program: Path) -> bytes | None:
    """The number of the processor that an ELF file is for; None where it is no such file."""
    try:
        with program.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError:
        return None
    return header[_MACHINE] if header[:4] == b"\x7fELF" else None
