"""Work done in a process of its own, which its crash cannot leave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from edge_runtime.errors import EngineError

_NOTHING: Final[Mapping[str, str]] = {}


def run(
    module: str, job: bytes, *, timeout_s: float | None, environment: Mapping[str, str] = _NOTHING
) -> subprocess.CompletedProcess[bytes]:
    """Run a module as a program, with this very package and whatever else can be imported here.

    Args:
        module: its full name.
        job: what it reads from its standard input.
        timeout_s: how long it may take; None is as long as it likes.
        environment: variables to add to this process's own.

    Raises:
        EngineError: no process can be started.
        TimeoutError: it took longer, and was ended.
    """
    # -P and PYTHONPATH: the same packages, whatever lies in the working folder.
    places = (str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH"), *sys.path)
    packages = os.pathsep.join(filter(None, places))
    try:
        return subprocess.run(  # noqa: S603  our own interpreter and module
            [sys.executable, "-P", "-m", module],
            env={**os.environ, **environment, "PYTHONPATH": packages},
            input=job,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except OSError as error:
        raise EngineError(f"cannot start a process of its own: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"no answer after {timeout_s:g} s") from error


def signal_name(returncode: int) -> str | None:
    """The signal that a process died of, such as SIGSEGV; None where it ended by itself."""
    with suppress(ValueError):
        return signal.Signals(-returncode).name
    return None
