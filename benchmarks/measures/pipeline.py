"""What a picture costs from its file on: each stage apart, and pictures a second in batches."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import fresh
from benchmarks.measures.latency import Pixels
from edge_runtime.engines import EngineChoice

STAGES: Final = ("decode", "preprocess", "inference", "postprocess")
BATCH_SIZES: Final = (1, 8, 32, 128)


@dataclass(frozen=True)
class Stages:
    """Medians of classifying a PNG file of the model's own size."""

    decode_ms: float  # reading and decoding the file, turning it upright
    preprocess_ms: float  # to the model's pixels
    inference_ms: float
    postprocess_ms: float
    total_ms: float


@dataclass(frozen=True)
class Rate:
    """Pictures a second at one batch size and number of threads."""

    batch_size: int
    num_threads: int
    images_per_second: float  # from pixels in memory
    from_disk_per_second: float  # from PNG files, read one after the other


def measure(
    path: Path,
    pictures: Pixels,
    *,
    batch_sizes: Sequence[int],
    engine: EngineChoice,
    num_threads: int,
    cores: Sequence[int] | None,
    seconds: float,
) -> tuple[Stages, tuple[Rate, ...]]:
    """Classify pictures from disk in a fresh process.

    Args:
        path: the model file.
        pictures: uint8 0..255, shape (n, height, width, channels); written as PNG files.
        batch_sizes: to measure pictures a second at; none is left out.
        engine: that is to run it.
        num_threads: of the engine.
        cores: that the process is kept on; None is on all.
        seconds: for each figure.

    Raises:
        ModelError: the process failed or died.
    """
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        for index, pixels in enumerate(pictures):
            image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
            image.save(Path(folder) / f"{index}.png")
        job = {
            "path": str(path),
            "folder": folder,
            "batch_sizes": list(batch_sizes),
            "engine": engine,
            "num_threads": num_threads,
            "cores": cores,
            "seconds": seconds,
        }
        answer = fresh.run(__name__, job, about=str(path))
    return Stages(**answer["stages"]), tuple(Rate(**rate) for rate in answer["rates"])


# --- in the fresh process ----------------------------------------------------------------------


def _measure(job: Mapping[str, Any]) -> dict[str, Any]:
    from edge_runtime import image, preprocess
    from edge_runtime.classifier import Classifier

    fresh.pin(job["cores"])
    classifier = Classifier.open(job["path"], backend=job["engine"], num_threads=job["num_threads"])
    contract = classifier.spec.image
    files = sorted(Path(job["folder"]).iterdir())

    def read(path: Path) -> NDArray[np.uint8]:
        return preprocess.to_pixels(image.load(path, contract), contract)[0]

    def read_all(paths: Sequence[Path]) -> Pixels:
        return np.stack([read(path) for path in paths])

    turn = cycle(files)
    found: list[dict[str, float]] = []
    _repeat(job["seconds"], lambda: found.append(classifier.classify(next(turn)).timing_ms))
    stages = {f"{name}_ms": median(one[name] for one in found) for name in STAGES}
    total_ms = median(sum(one.values()) for one in found)
    rates = []
    for size in job["batch_sizes"]:
        paths = [next(turn) for _ in range(size)]
        in_memory = partial(classifier.scores, read_all(paths))
        from_disk = partial(lambda paths: classifier.scores(read_all(paths)), paths)
        rates.append(
            {
                "batch_size": size,
                "num_threads": job["num_threads"],
                "images_per_second": size / _repeat(job["seconds"], in_memory),
                "from_disk_per_second": size / _repeat(job["seconds"], from_disk),
            }
        )
    return {"stages": {**stages, "total_ms": total_ms}, "rates": rates}


def _repeat(seconds: float, work: Callable[[], object]) -> float:
    """Call again and again, and return the median duration in seconds."""
    work()
    durations_ns: list[int] = []
    until = perf_counter_ns() + int(seconds * 1e9)
    while not durations_ns or perf_counter_ns() < until:
        started = perf_counter_ns()
        work()
        durations_ns.append(perf_counter_ns() - started)
    return median(durations_ns) / 1e9


if __name__ == "__main__":
    raise SystemExit(fresh.serve(_measure))
