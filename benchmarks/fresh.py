"""Work done in a fresh process of its own, which its crash cannot leave and its past cannot spoil."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from edge_runtime import fresh
from edge_runtime.errors import EdgeError, EngineError, ModelError

TIMEOUT_S: Final = 600  # beyond what a job is told to take
_NOTHING: Final[Mapping[str, str]] = {}


def run(
    module: str,
    job: Mapping[str, Any],
    *,
    about: str,
    timeout_s: float | None = TIMEOUT_S,
    environment: Mapping[str, str] = _NOTHING,
) -> dict[str, Any]:
    """Have a module of this package do a job in a fresh process.

    Args:
        module: its full name; run as a program it calls `serve`.
        job: what to do; goes there as JSON.
        about: what the job is about, for messages: a model file, say.
        timeout_s: how long it may take; None is as long as it likes.
        environment: variables to add to this process's own.

    Returns:
        The answer, from JSON.

    Raises:
        ModelError: the process failed or died.
    """
    try:
        child = fresh.run(
            module, json.dumps(job).encode(), timeout_s=timeout_s, environment=environment
        )
    except (EngineError, TimeoutError) as error:
        raise ModelError(f"{about}: {error}") from error
    if child.returncode != 0:
        raise ModelError(last_words(about, child.returncode, child.stderr.decode(errors="replace")))
    answer: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
    return answer


def last_words(about: str, returncode: int, stderr: str) -> str:
    """Why a process failed, in one line."""
    name = fresh.signal_name(returncode)
    if name is not None:
        return f"the engine died of {name} on {about}; export or copy it again"
    lines = stderr.strip().splitlines()
    return lines[-1] if lines else f"exit code {returncode}, no message"


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
