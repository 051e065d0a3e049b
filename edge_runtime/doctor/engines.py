"""The engines: which are installed and work here, and which could be.

Each is tried in a process of its own. One that was built for a newer processor ends it with an
illegal instruction, which is a sentence here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from edge_runtime import engines, fresh
from edge_runtime.doctor.finding import Finding
from edge_runtime.doctor.python import Python
from edge_runtime.engines import ENGINES, Engine
from edge_runtime.errors import EngineError
from edge_runtime.quiet import is_verbose

_TIMEOUT_S: Final = 120  # TensorFlow, from a slow card


@dataclass(frozen=True)
class Trial:
    """How an installed engine did with the model that comes with this package."""

    version: str | None
    starts: bool
    passed: bool  # the golden samples agree
    text: str  # how they agree, or why it does not start


Try = Callable[[Engine], Trial]


@dataclass(frozen=True)
class _Wheels:
    """What an engine's packages on PyPI are built for."""

    pythons: tuple[tuple[int, int], tuple[int, int]]  # oldest and newest
    processors: dict[str, tuple[str, ...]]  # system → processors
    libc: tuple[int, int]  # the oldest glibc


# As published in November 2026. TensorFlow is left out: it is no engine for a small device.
_WHEELS: Final[dict[Engine, _Wheels]] = {
    "litert": _Wheels(
        ((3, 10), (3, 14)),
        {"Linux": ("x86_64", "aarch64"), "Darwin": ("aarch64",), "Windows": ("x86_64",)},
        (2, 27),
    ),
    "onnxruntime": _Wheels(
        ((3, 11), (3, 14)),
        {"Linux": ("x86_64", "aarch64"), "Darwin": ("aarch64",), "Windows": ("x86_64",)},
        (2, 28),
    ),
    "tflite-runtime": _Wheels(
        ((3, 8), (3, 11)), {"Linux": ("x86_64", "aarch64", "armv7l")}, (2, 34)
    ),
}
_INSTALL: Final[dict[Engine, str]] = {
    "litert": "pip install ai-edge-litert",
    "onnxruntime": "pip install onnxruntime",
    "tflite-runtime": "pip install tflite-runtime 'numpy<2'",
}


def suitable(python: Python) -> list[Engine]:
    """The engines that pip can install here, best first."""
    return [engine for engine, wheels in _WHEELS.items() if _fits(python, wheels)]


def install_command(engine: Engine, python: Python) -> str:
    """What to type to install an engine here."""
    if python.place == "system" and python.managed:
        from edge_runtime.doctor.python import MAKE_ENVIRONMENT

        return f"{MAKE_ENVIRONMENT} && {_INSTALL[engine]}"
    return _INSTALL[engine]


def findings(
    python: Python, installed: Sequence[Engine], attempts: dict[Engine, Trial]
) -> Iterator[Finding]:
    """What there is to say about them."""
    fitting = suitable(python)
    works = any(attempt.starts for attempt in attempts.values())
    for engine in installed:
        yield _tried(engine, attempts[engine], python, works=works)
    if works:
        return
    if fitting:
        names = " or ".join(ENGINES[engine].distribution for engine in fitting)
        yield Finding(
            "problem",
            "engine",
            f"none runs; for this machine there is {names}",
            install_command(fitting[0], python),
        )
    else:
        yield Finding("problem", "engine", _nothing_fits(python))


def try_out(engine: Engine) -> Trial:
    """Start an engine in a process of its own, and replay the golden samples with it."""
    version = engines.installed_version(ENGINES[engine].distribution)
    try:
        child = fresh.run("edge_runtime.doctor.attempt", engine.encode(), timeout_s=_TIMEOUT_S)
    except (TimeoutError, EngineError) as error:
        return Trial(version, starts=False, passed=False, text=f"does not start: {error}")
    if is_verbose():
        sys.stderr.write(child.stderr.decode(errors="replace"))
    name = fresh.signal_name(child.returncode)
    if name is not None:
        why = "was built for another processor" if name == "SIGILL" else "crashes here"
        return Trial(version, starts=False, passed=False, text=f"{why} (it died of {name})")
    try:
        answer = json.loads(child.stdout)
        return Trial(version, answer["starts"], answer["passed"], answer["text"])
    except (ValueError, KeyError):
        last = child.stderr.decode(errors="replace").strip().splitlines()[-1:]
        text = f"does not start: {''.join(last) or 'it says nothing'}"
        return Trial(version, starts=False, passed=False, text=text)


def _tried(engine: Engine, attempt: Trial, python: Python, *, works: bool) -> Finding:
    name = f"{ENGINES[engine].distribution} {attempt.version or ''}".strip()
    if attempt.passed:
        return Finding("ok", "engine", f"{name} runs the model inside: {attempt.text}")
    if attempt.starts:
        return Finding(
            "problem", "engine", f"{name} starts, but the model inside fails: {attempt.text}"
        )
    command = None
    if engines.numpy_clash(engine):
        command = "pip install 'numpy<2'"
    elif engine in suitable(python):
        command = install_command(engine, python).replace("install ", "install --force-reinstall ")
    return Finding("note" if works else "problem", "engine", f"{name} {attempt.text}", command)


def _fits(python: Python, wheels: _Wheels) -> bool:
    oldest, newest = wheels.pythons
    return (
        oldest <= python.version[:2] <= newest
        and python.processor in wheels.processors.get(python.system, ())
        and (python.system != "Linux" or (python.libc or (0, 0)) >= wheels.libc)
    )


def _nothing_fits(python: Python) -> str:
    version = ".".join(map(str, python.version[:2]))
    if python.system == "Linux" and python.libc is None:
        return "no engine is published for a system without glibc; use Debian, not Alpine"
    if python.processor == "armv6l":
        return "no engine is published for this processor; a Raspberry Pi 2 or newer has some"
    if python.bits == 32:
        return (
            f"no engine is published for 32-bit Python {version}; install the 64-bit Raspberry Pi "
            "OS, or the 32-bit one of 2023 (bookworm), whose Python is 3.11"
        )
    return f"no engine is published for Python {version} on {python.processor}; install Python 3.13"
