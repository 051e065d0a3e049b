"""Work done in a fresh process of its own, which its crash cannot leave and its past cannot spoil."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from edge_runtime.errors import EdgeError, ModelError

_TIMEOUT_SECONDS: Final = 600
_NOTHING: Final[Mapping[str, str]] = {}


def run(
    module: str, job: Mapping[str, Any], *, about: str, environment: Mapping[str, str] = _NOTHING
) -> dict[str, Any]:
    """Have a module of this package do a job in a fresh process.

    Args:
        module: its full name; run as a program it calls `serve`.
        job: what to do; goes there as JSON.
        about: what the job is about, for messages: a model file, say.
        environment: variables to add to this process's own.

    Returns:
        The answer, from JSON.

    Raises:
        ModelError: the process failed or died.
    """
    # -P and PYTHONPATH: the child runs this very package, whatever lies in the working folder.
    packages = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    try:
        child = subprocess.run(  # noqa: S603  our own interpreter and module
            [sys.executable, "-P", "-m", module],
            env={**os.environ, **environment, "PYTHONPATH": packages.rstrip(os.pathsep)},
            input=json.dumps(job),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except OSError as error:
        raise ModelError(f"{about}: cannot start a process for it: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{about}: no answer after {_TIMEOUT_SECONDS} s") from error
    if child.returncode != 0:
        raise ModelError(last_words(about, child))
    answer: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
    return answer


def last_words(about: str, child: subprocess.CompletedProcess[str]) -> str:
    """Why a process failed, in one line."""
    if child.returncode < 0:
        with suppress(ValueError):
            name = signal.Signals(-child.returncode).name
            return f"the engine died of {name} on {about}; export or copy it again"
    lines = child.stderr.strip().splitlines() or [f"exit code {child.returncode}, no message"]
    return lines[-1]


def serve(work: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> int:
    """In the fresh process: read the job, do it, print the answer; return the exit code."""
    try:
        print(json.dumps(work(json.loads(sys.stdin.read()))))
    except EdgeError as error:
        print(" ".join(str(error).split()), file=sys.stderr)  # the one line that is handed on
        return error.exit_code
    return 0


def pin(cores: Sequence[int] | None) -> None:
    """Keep this process, and the threads it starts from now on, on these cores; None is on all."""
    if cores is not None:
        os.sched_setaffinity(0, cores)
