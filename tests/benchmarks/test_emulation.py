from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import machine
from benchmarks.emulation import emulator
from benchmarks.notes import machine_notes
from benchmarks.run import benchmark
from benchmarks.settings import Settings
from benchmarks.views.page import page
from benchmarks.views.tables import tables

Folder = Callable[..., Path]

X86_64, AARCH64 = 62, 183  # e_machine, <elf.h>


def running(root: Path, number: int) -> Path:
    """A /proc that says which program the system runs for us."""
    program = root / "usr/bin/qemu-other-static"
    program.parent.mkdir(parents=True)
    program.write_bytes(b"\x7fELF" + bytes(14) + number.to_bytes(2, sys.byteorder) + bytes(40))
    link = root / "proc/thread-self/exe"
    link.parent.mkdir(parents=True)
    link.symlink_to(program)
    return program


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_program_for_another_processor_that_runs_python_is_an_emulator(tmp_path: Path) -> None:
    header = Path(sys.executable).read_bytes()[:20]
    ours = int.from_bytes(header[18:20], sys.byteorder)
    other = AARCH64 if ours == X86_64 else X86_64
    assert emulator(tmp_path) is None, "nothing is told without /proc"
    program = running(tmp_path / "other", other)
    assert emulator(tmp_path / "other") == str(program)
    running(tmp_path / "same", ours)
    assert emulator(tmp_path / "same") is None
    assert emulator() == machine.describe().emulator


@pytest.mark.slow
def test_all_but_accuracy_and_size_is_marked(folder: Folder, quick: Settings) -> None:
    found = benchmark([folder("int8.onnx")], quick)
    here = dataclasses.replace(found.machine, emulator="/usr/bin/qemu-aarch64-static")
    report = dataclasses.replace(found, machine=here)
    marked = {
        table.title.partition(":")[0] for table in tables(report) if "(emulated)" in table.title
    }
    assert marked == {
        "Speed",
        "Start-up and memory",
        "From a PNG file to a prediction, µs (emulated)",
    }
    (note,) = machine_notes(report.measurements, here, report.before, report.after)
    assert "imitated by qemu-aarch64-static" in note
    assert "Fastest" in page(found)
    assert "Fastest" not in page(report)
