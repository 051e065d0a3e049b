"""What this machine says of itself: board, system, memory, heat. None is what it does not say.

Every function reads below `root`, where /proc and /sys are, and asks programs through `ask`, so
that another machine can be shown to it.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

Ask = Callable[..., str | None]  # a program and its arguments → what it printed, if it is there

ROOT: Final = Path("/")

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


def ask_here(program: str, *arguments: str) -> str | None:
    """What a program of this system prints; None where it is not there, or fails."""
    found = shutil.which(program)
    if found is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603  the system's own program
            [found, *arguments], capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def board(root: Path = ROOT) -> str | None:
    """The board, for example "Raspberry Pi 4 Model B Rev 1.4"."""
    model = text(root / "proc/device-tree/model")
    return model or text(root / "sys/firmware/devicetree/base/model")


def system(root: Path = ROOT) -> str:
    """Distribution and kernel, for example "Debian GNU/Linux 12 (bookworm), Linux 6.6.31 aarch64"."""
    kernel = f"{platform.system()} {platform.release()} {platform.machine()}"
    name = field(root / "etc/os-release", "PRETTY_NAME", separator="=")
    return ", ".join([name.strip('"'), kernel]) if name else kernel


def memory_bytes(root: Path = ROOT, kind: str = "MemTotal") -> int | None:
    """Memory in all; what can still be had, where `kind` is "MemAvailable"."""
    total = field(root / "proc/meminfo", kind)
    return int(total.split()[0]) * 1024 if total else None


def temperature_celsius(root: Path = ROOT) -> float | None:
    """The processor's temperature; the hottest zone's where none is named after it."""
    zones = {}
    for zone in sorted((root / "sys/class/thermal").glob("thermal_zone*")):
        reading = text(zone / "temp")
        if reading and reading.removeprefix("-").isdecimal():  # one that is asleep says nothing
            zones[text(zone / "type") or zone.name] = int(reading) / 1000
    processor = [celsius for kind, celsius in zones.items() if "cpu" in kind or "x86_pkg" in kind]
    return max(processor or zones.values(), default=None)


def throttle_flags(root: Path = ROOT, ask: Ask | None = None) -> tuple[str, ...] | None:
    """What holds a Raspberry Pi's clock down, now or since its start; empty when all is well."""
    answer = text(root / "sys/devices/platform/soc/soc:firmware/get_throttled")
    if answer is None:  # newer systems have no file for it
        ask = ask or (ask_here if root == ROOT else _ask_nobody)
        answer = ask("vcgencmd", "get_throttled")
    try:
        bits = int((answer or "").rpartition("=")[2], 16)
    except ValueError:
        return None
    return tuple(name for bit, name in _THROTTLE_FLAGS.items() if bits >> bit & 1)


def field(path: Path, name: str, separator: str = ":") -> str | None:
    """The value of the first `name separator value` line of a file."""
    for line in (text(path) or "").splitlines():
        key, found, value = line.partition(separator)
        if found and key.strip() == name:
            return value.strip()
    return None


def text(path: Path) -> str | None:
    """What is in a file of the system; None where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return None


def _ask_nobody(*_: str) -> None:
    """There are no programs on a machine of which only files are shown."""
