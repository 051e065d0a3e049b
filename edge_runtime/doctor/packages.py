"""numpy and Pillow, which every engine's pictures go through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from edge_runtime.doctor.finding import Finding
from edge_runtime.doctor.python import Python
from edge_runtime.engines import Engine

Version = Callable[[str], str | None]  # a package's name → its version, if it is installed


def findings(python: Python, installed: Sequence[Engine], version: Version) -> Iterator[Finding]:
    """What there is to say about them."""
    numpy, pillow = version("numpy"), version("pillow")
    missing = [name for name, found in (("numpy", numpy), ("pillow", pillow)) if found is None]
    if missing:
        command = f"pip install {' '.join(missing)}"
        if python.bits == 32:
            # PyPI has none for 32-bit Raspberry Pis, so pip would compile them for an hour.
            command = "sudo apt install python3-numpy python3-pil"
        yield Finding("problem", "packages", f"{' and '.join(missing)} missing", command)
        return
    if "tflite-runtime" in installed and not str(numpy).startswith("1."):
        level: str = f"numpy {numpy}: tflite-runtime was built against NumPy 1 and needs it"
        only = [engine for engine in installed if engine != "tflite-runtime"] == []
        yield Finding("problem" if only else "note", "packages", level, "pip install 'numpy<2'")
        return
    yield Finding("ok", "packages", f"numpy {numpy}, pillow {pillow}")
