"""The Python that runs here: what it can install, and where."""

from __future__ import annotations

import platform
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from edge_runtime.doctor.finding import Finding

# "system" is Python as it was installed, "closed" and "open" are virtual environments, of which
# an open one also sees the system's packages.
Place = Literal["system", "closed", "open"]

MAKE_ENVIRONMENT: Final = "python3 -m venv --system-site-packages ~/edge && . ~/edge/bin/activate"
_OLDEST: Final = (3, 11)


@dataclass(frozen=True)
class Python:
    """An interpreter."""

    version: tuple[int, int, int]
    system: str  # Linux, Darwin, Windows
    processor: str  # x86_64, aarch64, armv7l, armv6l: of its programs, not of the kernel
    libc: tuple[int, int] | None  # glibc's version; None is another libc
    place: Place
    managed: bool  # by the system, so that pip refuses (PEP 668)

    @property
    def bits(self) -> int:
        """32 or 64."""
        narrow = self.processor.startswith("armv") or self.processor in ("i386", "i686", "x86")
        return 32 if narrow else 64


def here() -> Python:
    """The interpreter that runs this."""
    name, libc = platform.libc_ver()
    major, _, minor = libc.partition(".")
    return Python(
        version=sys.version_info[:3],
        system=platform.system(),
        processor=_processor(platform.machine().lower(), sys.maxsize > 2**32),
        libc=(int(major), int(minor)) if name == "glibc" and minor.isdecimal() else None,
        place=_place(),
        managed=(Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED").exists(),
    )


def findings(python: Python) -> Iterator[Finding]:
    """What there is to say about it."""
    version = ".".join(map(str, python.version))
    text = f"{version}, {python.bits}-bit, {python.processor}"
    if python.version[:2] < _OLDEST:
        yield Finding("problem", "python", f"{text}: 3.11 or newer is needed")
        return
    if python.place == "system" and python.managed:
        yield Finding(
            "note",
            "python",
            f"{text}, the system's own: pip will not install into it, so make an environment",
            MAKE_ENVIRONMENT,
        )
        return
    places: dict[Place, str] = {
        "system": "no virtual environment",
        "closed": "a virtual environment of its own",
        "open": "a virtual environment that sees the system's packages",
    }
    yield Finding("ok", "python", f"{text}, {places[python.place]}")


def _processor(machine: str, wide: bool) -> str:
    """What programs are made for: a 64-bit kernel may run 32-bit ones, as on some Raspberry Pis."""
    name = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    return name if wide else {"aarch64": "armv7l", "x86_64": "i686"}.get(name, name)


def _place() -> Place:
    if sys.prefix == sys.base_prefix:
        return "system"
    try:
        settings = (Path(sys.prefix) / "pyvenv.cfg").read_text(encoding="utf-8").lower()
    except OSError:
        return "closed"
    return "open" if "include-system-site-packages = true" in settings else "closed"
