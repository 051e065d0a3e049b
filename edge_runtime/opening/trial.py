"""A model file without a digest is loaded and run once in a process of its own.

Engines crash and hang on damaged and on hostile models, whatever they check themselves. A child
that dies or hangs is a sentence here. Run as a program, this module is that child.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime import engines, errors, fresh
from edge_runtime.backends import LoadedModel, open_backend
from edge_runtime.engines import EngineChoice
from edge_runtime.errors import EdgeError, EngineError, ModelError
from edge_runtime.modelfile import ModelFile
from edge_runtime.modelfile.tensors import Arrangement
from edge_runtime.quiet import is_verbose
from edge_runtime.spec import ImageInput

LIMIT_S: Final = 9  # to load and to run; with the start of the process it stays within ten
_START_LIMIT_S: Final = 60  # to import an engine: a small board reads it from a slow card
_SAMPLES: Final = 4


def in_a_child(
    file: ModelFile,
    image: ImageInput,
    *,
    engine: EngineChoice,
    num_threads: int,
    arrangement: Arrangement,
) -> NDArray[np.float32]:
    """Try a model file in a process of its own.

    Returns:
        Its scores of `samples`, float32, shape (n, classes).

    Raises:
        ModelError: the engine refuses it, dies of it, or does not come to an end.
        EngineError: there is no engine for it.
    """
    job = {
        "format": file.format,
        "image": asdict(image),
        "engine": engine,
        "num_threads": num_threads,
        "arrangement": asdict(arrangement),
    }
    try:
        child = fresh.run(
            __name__,
            json.dumps(job).encode() + b"\n" + file.data,
            timeout_s=_START_LIMIT_S + LIMIT_S,
        )
    except TimeoutError as error:
        raise ModelError(f"{file.path} was tried in a process of its own: {error}") from error
    if is_verbose():
        sys.stderr.write(child.stderr.decode(errors="replace"))
    if child.returncode != 0:
        raise ModelError(_last_words(file, child.returncode, child.stderr))
    try:
        answer = json.loads(child.stdout)
    except ValueError as error:
        raise ModelError(f"{file.path} was tried, and its engine ended early") from error
    if "error" in answer:
        raise getattr(errors, answer["error"])(f"{file.path}: {answer['message']}")
    scores: NDArray[np.float32] = np.array(answer["scores"], np.float32)
    return scores


def samples(image: ImageInput) -> NDArray[np.uint8]:
    """Black, white and noise: uint8 0..255, shape (n, height, width, channels)."""
    shape = (_SAMPLES, image.height, image.width, image.channels)
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    pixels[0], pixels[1] = 0, 255
    return pixels


def _last_words(file: ModelFile, returncode: int, stderr: bytes) -> str:
    name = fresh.signal_name(returncode)
    if name == "SIGALRM":
        return (
            f"{file.path} was tried, and did not come to an end within {LIMIT_S} s; "
            "if it is only large, and you know who made it, add --trust"
        )
    if name is not None:
        return (
            f"{file.path} was tried, and the engine died of {name}: the file is damaged, or not "
            "made for this engine; copy it again, or choose another --backend"
        )
    lines = stderr.decode(errors="replace").strip().splitlines()
    reason = lines[-1] if lines else f"exit code {returncode}"
    return f"{file.path} was tried, and failed: {reason}; copy it again"


# --- the child -----------------------------------------------------------------------------------


def main() -> int:
    """Read a job, do it within limits, print the answer as JSON."""
    # What the engine prints goes to stderr, and only the answer to stdout.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    header, _, data = sys.stdin.buffer.read().partition(b"\n")
    job = json.loads(header)
    try:
        engines.start(job["format"], job["engine"])
        _limit()
        answer: dict[str, Any] = {"scores": _run(job, data).tolist()}
    except EdgeError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    json.dump(answer, answers)
    answers.close()
    # An engine that has been given nonsense may crash when it is taken down; that hurts nobody.
    os._exit(0)


def _run(job: dict[str, Any], data: bytes) -> NDArray[np.float32]:
    image = job["image"]
    image = ImageInput(**{**image, "mean": tuple(image["mean"]), "std": tuple(image["std"])})
    file = ModelFile(Path("model"), job["format"], data, "", sealed=False, spec=None, golden=None)
    model: LoadedModel = open_backend(
        file,
        image,
        engine=job["engine"],
        num_threads=job["num_threads"],
        arrangement=Arrangement(**job["arrangement"]),
    )
    try:
        return model.run(samples(image))
    except EngineError as error:  # the engine started, so it is the model
        raise ModelError(str(error)) from error


def _limit() -> None:
    """Die rather than hang, and rather than take what the whole machine has."""
    if hasattr(signal, "alarm"):
        # Not a handler of Python's, which an engine's endless loop would never let run.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(LIMIT_S)
    with suppress(ImportError, OSError, ValueError):  # Linux
        import resource

        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # Where memory runs out all the same, this process goes first.
        Path("/proc/self/oom_score_adj").write_text("1000")


if __name__ == "__main__":
    raise SystemExit(main())
