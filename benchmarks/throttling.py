"""Whether the firmware of a Raspberry Pi holds its clock down."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from benchmarks.proc import text

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


def throttle_flags(root: Path) -> tuple[str, ...] | None:
    """The flags that are up; None where there is no such firmware.

    Args:
        root: where /sys is.
    """
    told = text(root / "sys/devices/platform/soc/soc:firmware/get_throttled") or _vcgencmd(root)
    if told is None:
        return None
    try:
        bits = int(told.rpartition("=")[2], 16)
    except ValueError:
        return None
    return tuple(name for bit, name in _THROTTLE_FLAGS.items() if bits >> bit & 1)


def _vcgencmd(root: Path) -> str | None:
    """The firmware's answer through its tool: newer systems have no file for it."""
    tool = shutil.which("vcgencmd")
    if tool is None or root != Path("/"):
        return None
    try:
        answer = subprocess.run(  # noqa: S603  the system's tool
            [tool, "get_throttled"], capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
