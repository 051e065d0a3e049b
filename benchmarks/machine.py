"""The machine that figures were measured on, and the state it was in: what a reader must know."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from edge_runtime import __version__, machine
from edge_runtime.backends.base import ENGINES

_ROOT: Final = Path("/")


@dataclass(frozen=True)
class Machine:
    """What stays the same during a benchmark. None is what the system does not say."""

    system: str  # for example "Debian GNU/Linux 12 (bookworm), Linux 6.6.31 aarch64"
    board: str | None  # for example "Raspberry Pi 4 Model B Rev 1.4"
    cpu: str | None
    cores: int  # that this process may use
    memory_bytes: int | None
    governor: str | None  # of the first core's clock; "performance" gives the steadiest figures
    python: str
    versions: Mapping[str, str]  # package → version, of this project, numpy, Pillow and the engines


@dataclass(frozen=True)
class MachineState:
    """What may change during a benchmark. None is what the system does not say."""

    load_1min: float | None  # processes that ran or wanted to, averaged over a minute
    temperature_celsius: float | None
    throttle_flags: tuple[str, ...] | None  # Raspberry Pi only; empty when all is well

    @property
    def throttled(self) -> bool:
        """Whether the clock is being held down at this moment."""
        return any("since" not in flag for flag in self.throttle_flags or ())


def describe(root: Path = _ROOT) -> Machine:
    """Describe this machine.

    Args:
        root: where /proc and /sys are.
    """
    return Machine(
        system=machine.system(root),
        board=machine.text(root / "proc/device-tree/model"),
        cpu=machine.field(root / "proc/cpuinfo", "model name") or platform.processor() or None,
        cores=cores(),
        memory_bytes=machine.memory_bytes(root),
        governor=machine.text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        python=platform.python_version(),
        versions=_versions(),
    )


def state(root: Path = _ROOT) -> MachineState:
    """Read this machine's load, temperature and throttle flags.

    Args:
        root: where /proc and /sys are.
    """
    load = machine.text(root / "proc/loadavg")
    return MachineState(
        load_1min=float(load.split()[0]) if load else None,
        temperature_celsius=machine.temperature_celsius(root),
        throttle_flags=machine.throttle_flags(root),
    )


def cores() -> int:
    """How many cores this process may use."""
    # Not every system has affinities; sched_getaffinity also sees a container's or taskset's limit.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _versions() -> dict[str, str]:
    found = {"edgeproof": __version__}
    for package in ("numpy", "pillow", *(name for names in ENGINES.values() for name in names)):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
