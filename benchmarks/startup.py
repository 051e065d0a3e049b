"""What it takes to open a model file, measured in fresh processes, which a crash cannot hurt."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import Any

from benchmarks.memory import Memory, peak_bytes
from edge_runtime import modelfile
from edge_runtime.backends.base import ENGINES
from edge_runtime.errors import EdgeError, ModelError

_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Startup:
    """How long a process takes to be ready, with the engine's own import left out."""

    processes: int  # that opened it, one after the other; the figures are their medians
    load_ms: float  # read the file, check its digest, load it into the engine
    first_prediction_ms: float  # the first picture after that


def measure(path: Path, *, processes: int, num_threads: int = 1) -> tuple[Startup, Memory | None]:
    """Open a model file and classify one picture in fresh processes.

    Args:
        path: the model file.
        processes: how many.
        num_threads: of the engine.

    Returns:
        The medians; no memory where the system does not say it.

    Raises:
        ModelError: a process failed or died.
    """
    samples = [_in_fresh_process(path, num_threads) for _ in range(processes)]
    startup = Startup(
        processes=len(samples),
        load_ms=median(sample["load_ms"] for sample in samples),
        first_prediction_ms=median(sample["first_prediction_ms"] for sample in samples),
    )
    memories = [Memory(**sample["memory"]) for sample in samples if sample["memory"]]
    by_peak = sorted(memories, key=lambda memory: memory.peak_bytes)
    return startup, by_peak[len(by_peak) // 2] if by_peak else None


def _in_fresh_process(path: Path, num_threads: int) -> dict[str, Any]:
    # -P and PYTHONPATH: the child runs this very package, whatever lies in the working folder.
    packages = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    try:
        child = subprocess.run(  # noqa: S603  our own interpreter and module
            [sys.executable, "-P", "-m", "benchmarks.startup", str(path), str(num_threads)],
            env={**os.environ, "PYTHONPATH": packages.rstrip(os.pathsep)},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except OSError as error:
        raise ModelError(f"{path}: cannot start a process to open it: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{path} was not ready after {_TIMEOUT_SECONDS} s") from error
    if child.returncode != 0:
        raise ModelError(_last_words(path, child))
    sample: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
    return sample


def _last_words(path: Path, child: subprocess.CompletedProcess[str]) -> str:
    if child.returncode < 0:
        with suppress(ValueError):
            name = signal.Signals(-child.returncode).name
            return f"the engine died of {name} on {path}; export or copy it again"
    lines = child.stderr.strip().splitlines() or [f"exit code {child.returncode}, no message"]
    return lines[-1]


# --- in the fresh process ----------------------------------------------------------------------


def main(argv: Sequence[str]) -> int:
    """Print the figures of one opening as a line of JSON, or what went wrong on stderr."""
    path, num_threads = Path(argv[0]), int(argv[1])
    try:
        print(json.dumps(_open(path, num_threads)))
    except EdgeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _open(path: Path, num_threads: int) -> dict[str, Any]:
    import numpy as np

    from edge_runtime.classifier import Classifier

    _import_engine(path)
    runtime_bytes = peak_bytes()
    started = perf_counter_ns()
    classifier = Classifier.from_file(modelfile.read(path), num_threads=num_threads)
    loaded = perf_counter_ns()
    image = classifier.spec.image
    classifier.scores(np.zeros((1, image.height, image.width, image.channels), np.uint8))
    predicted = perf_counter_ns()
    peak = peak_bytes()
    memory = None if peak is None or runtime_bytes is None else Memory(peak, runtime_bytes)
    return {
        "load_ms": (loaded - started) / 1e6,
        "first_prediction_ms": (predicted - loaded) / 1e6,
        "memory": None if memory is None else asdict(memory),
    }


def _import_engine(path: Path) -> None:
    """Import what will run the file, so that its cost is not taken for the file's."""
    kind = path.suffix.lower().removeprefix(".")
    importlib.import_module(f"edge_runtime.backends.{kind}")
    for package in next(packages for name, packages in ENGINES.items() if name == kind):
        # The TFLite packages have theirs in a submodule. One that is missing or does not start is
        # told of when the file is opened.
        for name in (package, f"{package}.interpreter"):
            with suppress(Exception):
                importlib.import_module(name)
        if package in sys.modules:
            return


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
