"""The machine that figures were measured on, and the state it was in: what a reader must know."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from benchmarks import emulation
from edge_runtime import __version__
from edge_runtime import machine as here
from edge_runtime.backends.base import ENGINES
from edge_runtime.parallel import cores

_ROOT: Final = Path("/")
_CLOCK: Final = "sys/devices/system/cpu/cpu0/cpufreq"

# As Linux names them in /proc/cpuinfo: vectors and dot products, of x86 and of Arm.
_FEATURES: Final = frozenset(
    [
        "sse4_1",
        "avx",
        "avx2",
        "fma",
        "f16c",
        "avx_vnni",
        "avx512f",
        "avx512bw",
        "avx512vl",
        "avx512_vnni",
        "avx512_bf16",
        "avx512_fp16",
        "amx_int8",
        "amx_bf16",
        "neon",
        "vfpv4",
        "asimd",
        "fphp",
        "asimdhp",
        "asimddp",
        "asimdfhm",
        "i8mm",
        "bf16",
        "sve",
        "sve2",
        "sme",
    ]
)

# Arm's numbers for the cores of Raspberry Pis; Linux tells no names.
_CORES: Final = {
    "0xb76": "Arm1176",
    "0xc07": "Arm Cortex-A7",
    "0xd03": "Arm Cortex-A53",
    "0xd08": "Arm Cortex-A72",
    "0xd0b": "Arm Cortex-A76",
}


@dataclass(frozen=True)
class Machine:
    """What stays the same during a benchmark. None is what the system does not say."""

    system: str  # for example "Debian GNU/Linux 12 (bookworm), Linux 6.6.31 aarch64"
    board: str | None  # for example "Raspberry Pi 4 Model B Rev 1.4"
    cpu: str | None
    cores: int  # that this process may use
    memory_bytes: int | None
    python: str
    versions: Mapping[str, str]  # package → version, of this project, numpy, Pillow and the engines
    features: tuple[str, ...] = ()  # instructions that engines choose their kernels by
    emulator: str | None = (
        None  # the program that imitates the processor, which is then no real one
    )


@dataclass(frozen=True)
class MachineState:
    """What may change during a benchmark. None is what the system does not say."""

    load_1min: float | None  # processes that ran or wanted to, averaged over a minute
    temperature_celsius: float | None
    throttle_flags: tuple[str, ...] | None  # Raspberry Pi only; empty when all is well
    governor: str | None = None  # of the first core's clock; "performance" is the steadiest
    clock_mhz: float | None = None  # of the first core, at this moment

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
        system=here.system(root),
        board=here.board(root),
        cpu=_cpu(root),
        cores=cores(),
        memory_bytes=here.memory_bytes(root),
        python=platform.python_version(),
        versions=_versions(),
        features=_features(root),
        emulator=emulation.emulator(root),
    )


def state(root: Path = _ROOT) -> MachineState:
    """Read this machine's load, temperature, clock and throttle flags.

    Args:
        root: where /proc and /sys are.
    """
    load = here.text(root / "proc/loadavg")
    return MachineState(
        load_1min=float(load.split()[0]) if load else None,
        temperature_celsius=here.temperature_celsius(root),
        throttle_flags=here.throttle_flags(root),
        governor=here.text(root / _CLOCK / "scaling_governor"),
        clock_mhz=_clock_mhz(root),
    )


def _cpu(root: Path) -> str | None:
    cpuinfo = root / "proc/cpuinfo"
    told = here.field(cpuinfo, "model name") or _CORES.get(here.field(cpuinfo, "CPU part") or "")
    return told or platform.processor() or None


def _versions() -> dict[str, str]:
    found = {"edgeproof": __version__}
    for package in ("numpy", "pillow", *(name for names in ENGINES.values() for name in names)):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _features(root: Path) -> tuple[str, ...]:
    cpuinfo = root / "proc/cpuinfo"
    told = here.field(cpuinfo, "flags") or here.field(cpuinfo, "Features") or ""
    return tuple(sorted(_FEATURES.intersection(told.split())))


def _clock_mhz(root: Path) -> float | None:
    kilohertz = here.text(root / _CLOCK / "scaling_cur_freq")
    if kilohertz:
        return int(kilohertz) / 1000
    megahertz = here.field(root / "proc/cpuinfo", "cpu MHz")
    return float(megahertz) if megahertz else None
