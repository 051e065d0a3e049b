"""The machine that figures were measured on, and the state it was in: what a reader must know."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from benchmarks import emulation
from edge_runtime import __version__
from edge_runtime.backends.base import ENGINES

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

# Raspberry Pi documentation, vcgencmd get_throttled. Bits 16 to 19 say the same of the time since
# the start of the system.
_THROTTLE_FLAGS: Final = {
    0: "under-voltage",
    1: "clock capped",
    2: "throttled",
    3: "soft temperature limit",
    16: "under-voltage since start",
    17: "clock capped since start",
    18: "throttled since start",
    19: "soft temperature limit since start",
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
        system=_system(root),
        board=_text(root / "proc/device-tree/model")
        or _text(root / "sys/firmware/devicetree/base/model"),
        cpu=_cpu(root),
        cores=cores(),
        memory_bytes=_memory_bytes(root),
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
    load = _text(root / "proc/loadavg")
    return MachineState(
        load_1min=float(load.split()[0]) if load else None,
        temperature_celsius=_temperature_celsius(root),
        throttle_flags=_throttle_flags(root),
        governor=_text(root / _CLOCK / "scaling_governor"),
        clock_mhz=_clock_mhz(root),
    )


def _system(root: Path) -> str:
    kernel = f"{platform.system()} {platform.release()} {platform.machine()}"
    name = _field(root / "etc/os-release", "PRETTY_NAME", separator="=")
    return ", ".join([name.strip('"'), kernel]) if name else kernel


def _cpu(root: Path) -> str | None:
    cpuinfo = root / "proc/cpuinfo"
    told = _field(cpuinfo, "model name") or _CORES.get(_field(cpuinfo, "CPU part") or "")
    return told or platform.processor() or None


def cores() -> int:
    """How many cores this process may use."""
    # Not every system has affinities; sched_getaffinity also sees a container's or taskset's limit.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_bytes(root: Path) -> int | None:
    total = _field(root / "proc/meminfo", "MemTotal")
    return int(total.split()[0]) * 1024 if total else None


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
    told = _field(cpuinfo, "flags") or _field(cpuinfo, "Features") or ""
    return tuple(sorted(_FEATURES.intersection(told.split())))


def _clock_mhz(root: Path) -> float | None:
    kilohertz = _text(root / _CLOCK / "scaling_cur_freq")
    if kilohertz:
        return int(kilohertz) / 1000
    megahertz = _field(root / "proc/cpuinfo", "cpu MHz")
    return float(megahertz) if megahertz else None


def _temperature_celsius(root: Path) -> float | None:
    """The processor's temperature; the hottest zone's where none is named after it."""
    zones = {}
    for zone in sorted((root / "sys/class/thermal").glob("thermal_zone*")):
        reading = _text(zone / "temp")
        if reading is not None:
            zones[_text(zone / "type") or zone.name] = int(reading) / 1000
    processor = [celsius for kind, celsius in zones.items() if "cpu" in kind or "x86_pkg" in kind]
    return max(processor or zones.values(), default=None)


def _throttle_flags(root: Path) -> tuple[str, ...] | None:
    text = _text(root / "sys/devices/platform/soc/soc:firmware/get_throttled") or _vcgencmd(root)
    if text is None:
        return None
    try:
        bits = int(text.rpartition("=")[2], 16)
    except ValueError:
        return None
    return tuple(name for bit, name in _THROTTLE_FLAGS.items() if bits >> bit & 1)


def _vcgencmd(root: Path) -> str | None:
    """The firmware's answer through its tool: newer systems have no file for it."""
    tool = shutil.which("vcgencmd")
    if tool is None or root != _ROOT:
        return None
    try:
        answer = subprocess.run(  # noqa: S603  the system's tool
            [tool, "get_throttled"], capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def _field(path: Path, name: str, separator: str = ":") -> str | None:
    """The value of the first `name separator value` line of a file."""
    for line in (_text(path) or "").splitlines():
        key, found, value = line.partition(separator)
        if found and key.strip() == name:
            return value.strip()
    return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return None
