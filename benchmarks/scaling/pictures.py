"""A process that classifies ever more pictures, which come again and again from the same few."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from time import monotonic_ns, perf_counter_ns, process_time_ns
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import fresh
from benchmarks.measures.latency import Pixels
from benchmarks.measures.memory import peak_bytes
from benchmarks.scaling.report import Pictures


def measure(
    model: Path, folder: Path, pictures: int, *, from_files: bool, processes: int
) -> Pictures:
    """Classify pictures in fresh processes, and take the medians.

    Args:
        model: the model file.
        folder: with PNG files.
        pictures: how many; the files are gone through again and again.
        from_files: read each file each time; else their pixels are in memory.
        processes: how many.

    Raises:
        ModelError: a process failed or died.
    """
    job = {
        "model": str(model),
        "folder": str(folder),
        "pictures": pictures,
        "from_files": from_files,
    }
    found = [_run(job) for _ in range(processes)]

    def middle(key: str) -> Any:
        known = [one[key] for one in found if one[key] is not None]
        return median(known) if known else None

    peak = middle("peak_bytes")
    return Pictures(
        pictures=pictures,
        from_files=from_files,
        process_seconds=middle("process_ns") / 1e9,
        cpu_seconds=middle("cpu_ns") / 1e9,
        classifying_seconds=middle("classifying_ns") / 1e9,
        peak_bytes=None if peak is None else int(peak),
    )


def write(folder: Path, pixels: Pixels) -> None:
    """Write pictures as PNG files.

    Args:
        folder: where to.
        pixels: uint8 0..255, shape (n, height, width, channels).
    """
    for index, one in enumerate(pixels):
        Image.fromarray(one[:, :, 0] if one.shape[2] == 1 else one).save(folder / f"{index}.png")


def _run(job: Mapping[str, Any]) -> dict[str, Any]:
    started_ns = monotonic_ns()  # the same clock in all processes
    about = f"{job['pictures']} pictures and {job['model']}"
    answer = fresh.run(__name__, job, about=about, timeout_s=None)
    return {**answer, "process_ns": answer["done_ns"] - started_ns}


# --- in the fresh process ----------------------------------------------------------------------


def _classify(job: Mapping[str, Any]) -> dict[str, Any]:
    from edge_runtime.classifier import Classifier

    classifier = Classifier.open(job["model"])
    files = sorted(Path(job["folder"]).iterdir())
    image = classifier.spec.image
    shape = (1, image.height, image.width, image.channels)
    started = perf_counter_ns()
    if job["from_files"]:
        for path in islice(cycle(files), job["pictures"]):
            classifier.classify(path)
    else:
        batches = [np.asarray(Image.open(path)).reshape(shape) for path in files]
        started = perf_counter_ns()
        for batch in islice(cycle(batches), job["pictures"]):
            classifier.scores(batch)
    return {
        "classifying_ns": perf_counter_ns() - started,
        "done_ns": monotonic_ns(),
        "cpu_ns": process_time_ns(),
        "peak_bytes": peak_bytes(),
    }


if __name__ == "__main__":
    raise SystemExit(fresh.serve(_classify))
