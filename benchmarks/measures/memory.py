"""How much memory a process has taken at its peak, and which part of it any model would take."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Memory:
    """Peak resident memory of a process that opens one model and classifies one picture."""

    peak_bytes: int
    runtime_bytes: int  # of it, Python, numpy, Pillow, this runtime and the engine, imported only

    @property
    def model_bytes(self) -> int:
        """What the model added to that."""
        return self.peak_bytes - self.runtime_bytes


def peak_bytes() -> int | None:
    """Peak resident memory of this process so far; None where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return _peak_by_rusage()
    # Not getrusage on Linux: there, a new program starts from the peak of whoever started it.
    kibibytes = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(kibibytes[0]) * 1024 if kibibytes else _peak_by_rusage()


def _peak_by_rusage() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
