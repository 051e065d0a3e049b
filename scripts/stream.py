"""How much quicker `Classifier.stream` is than one picture at a time, on JPEGs of 640 x 480.

All ways do the same pictures in turns, round by round, so that what else the machine does falls on
all alike; the ratios of their times are what counts. On a machine without idle cores they are near
1: the load is in the report.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np
from PIL import Image

from edge_runtime import Classifier, console, parallel
from edge_runtime.files import write_atomically
from edge_runtime.models import default_model

SIZE: Final = (640, 480)
ROUNDS: Final = 4


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and save the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/reports/runtime/stream.json"))
    parser.add_argument("--model", type=Path, help="default: the model inside")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=parallel.cores())
    arguments = parser.parse_args(argv)
    return console.run("stream", lambda: _measure(arguments))


def _measure(arguments: argparse.Namespace) -> int:
    classifier = Classifier.open(arguments.model or default_model())
    with tempfile.TemporaryDirectory() as folder:
        pictures = write_photographs(Path(folder), arguments.count)
        workers = arguments.workers
        ways: dict[str, Callable[[list[str]], object]] = {
            "one_at_a_time": lambda some: [classifier.classify(picture) for picture in some],
            "threads": lambda some: list(classifier.stream(some, workers=workers)),
            "processes": lambda some: list(
                classifier.stream(some, workers=workers, processes=True)
            ),
        }
        for way in ways.values():  # whatever is loaded late, is loaded now
            way(pictures[:8])
        wall_s, cpu_s = _in_turns(ways, pictures)
    one = sum(wall_s["one_at_a_time"])
    times_as_quick = {way: one / sum(wall_s[way]) for way in ("threads", "processes")}
    report = {
        "pictures": len(pictures),
        "rounds": ROUNDS,
        "size": SIZE,
        "workers": workers,
        "cores": parallel.cores(),
        "load_1min": round(os.getloadavg()[0], 1),
        "wall_ms_a_picture": {way: _ms_a_picture(s, pictures) for way, s in wall_s.items()},
        "cpu_ms_a_picture": {way: _ms_a_picture(s, pictures) for way, s in cpu_s.items()},
        "times_as_quick": times_as_quick,
    }
    write_atomically(arguments.out, _json(report), overwrite=True)
    print(
        f"stream is {times_as_quick['threads']:.2f} times as quick on {workers} threads and "
        f"{times_as_quick['processes']:.2f} on {workers} processes, their start included "
        f"({len(pictures):,} JPEGs of {SIZE[0]} x {SIZE[1]}, load {report['load_1min']})"
    )
    return 0


def _ms_a_picture(seconds: list[float], pictures: list[str]) -> float:
    return 1e3 * sum(seconds) / len(seconds) / len(pictures)


def write_photographs(folder: Path, count: int, distinct: int = 100) -> list[str]:
    """JPEGs with the detail and size of photographs; beyond `distinct`, links to the first ones."""
    random = np.random.default_rng(0)
    paths: list[str] = []
    for index in range(count):
        path = folder / f"{index:06}.jpg"
        if index < distinct:
            coarse = random.integers(0, 256, (24, 32, 3), dtype=np.uint8)
            smooth = Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC)
            noisy = np.asarray(smooth) + random.normal(0, 6, (SIZE[1], SIZE[0], 3))
            Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(path, quality=85)
        else:
            path.hardlink_to(paths[index % distinct])
        paths.append(str(path))
    return paths


def _in_turns(
    ways: dict[str, Callable[[list[str]], object]], pictures: list[str]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds on the wall and of the processor for each way and round."""
    wall: dict[str, list[float]] = {way: [] for way in ways}
    cpu: dict[str, list[float]] = {way: [] for way in ways}
    for index in range(ROUNDS):
        for way in sorted(ways, reverse=index % 2 == 1):  # none always comes first
            started, started_cpu = perf_counter(), _cpu_s()
            ways[way](pictures)
            wall[way].append(perf_counter() - started)
            cpu[way].append(_cpu_s() - started_cpu)
    return wall, cpu


def _cpu_s() -> float:
    """Of this process and those that it started and saw end."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _json(report: dict[str, Any]) -> bytes:
    return (json.dumps(report, indent=2) + "\n").encode()


if __name__ == "__main__":
    raise SystemExit(main())
