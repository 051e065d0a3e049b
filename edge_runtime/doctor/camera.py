"""Cameras: what is plugged in, and what could read it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from edge_runtime.doctor.finding import Finding
from edge_runtime.doctor.python import MAKE_ENVIRONMENT, Python

# Where Debian keeps the packages that a closed environment does not see.
_SYSTEM_PACKAGES: Final = "usr/lib/python3/dist-packages"
_PROGRAMS: Final = ("rpicam-jpeg", "libcamera-jpeg")


def findings(
    root: Path,
    python: Python,
    has_module: Callable[[str], bool],
    has_program: Callable[[str], bool],
) -> Iterator[Finding]:
    """What there is to say about them. None is needed to classify files."""
    nodes = sorted((root / "dev").glob("video*"))
    devices = f"{len(nodes)} video device{'' if len(nodes) == 1 else 's'}"
    closed = [node for node in nodes if not os.access(node, os.R_OK | os.W_OK)]
    programs = [name for name in _PROGRAMS if has_program(name)][:1]
    readers = [name for name in ("picamera2", "cv2") if has_module(name)] + programs
    if closed and len(closed) == len(nodes):
        yield Finding(
            "note",
            "camera",
            f"{closed[0].name} may not be read by you",
            "sudo usermod -aG video $USER  # then log in again",
        )
    elif readers:
        names = ", ".join(readers)
        found = f"{devices}, read by {names}" if nodes else f"no video device; there is {names}"
        yield Finding("ok", "camera", found)
    elif nodes:
        yield Finding(
            "note",
            "camera",
            f"{devices}, but nothing to read {'it' if len(nodes) == 1 else 'them'} with",
            "sudo apt install python3-picamera2"
            if _is_pi(root)
            else "pip install opencv-python-headless",
        )
    else:
        yield Finding("ok", "camera", "none, and none is needed for files")
    hidden = (root / _SYSTEM_PACKAGES / "picamera2").exists() and "picamera2" not in readers
    if hidden and python.place == "closed":
        yield Finding(
            "note",
            "camera",
            "picamera2 is installed, but this environment does not see the system's packages",
            MAKE_ENVIRONMENT,
        )


def _is_pi(root: Path) -> bool:
    model = root / "proc/device-tree/model"
    return model.exists() and "Raspberry Pi" in model.read_text(errors="replace")
