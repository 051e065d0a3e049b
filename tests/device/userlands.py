"""What is installed on a Raspberry Pi with the 64-bit and with the 32-bit operating system."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_runtime.spec import Format
from tests.device import boards
from tests.device.boards import Board

REPOSITORY: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Userland:
    """What is installed on one kind of Raspberry Pi OS."""

    name: str  # as Debian calls the architecture
    qemu: str  # as QEMU calls it
    packages: tuple[str, ...]  # Debian's
    wheels: tuple[str, ...]  # what pip adds
    platforms: tuple[str, ...]  # the kinds of wheel that pip accepts there
    formats: tuple[Format, ...]  # of the model files that the engines there can run
    boards: tuple[Board, ...]  # the first is where all is tried


def asked_for(*extras: str) -> tuple[str, ...]:
    """What this package's own pyproject.toml asks for, without conditions on the Python."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(name for extra in extras for name in optional[extra])]
    return tuple(name.split(";")[0] for name in wanted)


ARM64: Final = Userland(
    name="arm64",
    qemu="aarch64",
    packages=("base-files", "python3", "libstdc++6", "libgomp1"),
    wheels=asked_for("litert", "onnx"),
    platforms=tuple(f"manylinux_2_{minor}_aarch64" for minor in (28, 27, 17)),
    formats=("tflite", "onnx"),
    boards=(boards.PI_3, boards.PI_4, boards.PI_5),
)
ARMHF: Final = Userland(
    name="armhf",
    qemu="arm",
    # NumPy and Pillow have no wheels for it, so they are Debian's, as on such a Pi.
    packages=("base-files", "python3", "libstdc++6", "python3-numpy", "python3-pil"),
    wheels=tuple(name for name in asked_for("tflite") if name.startswith("tflite-runtime")),
    platforms=("manylinux_2_34_armv7l",),
    formats=("tflite",),
    boards=(boards.PI_2,),
)
USERLANDS: Final = (ARM64, ARMHF)
