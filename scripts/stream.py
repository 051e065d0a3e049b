"""How much quicker `Classifier.stream` is than one picture at a time, on JPEGs of 640 x 480.

Both do the same pictures in turns, block by block, so that what else the machine does falls on
both alike; the ratio of their times is what counts. On a machine without idle cores it is near 1:
the load is in the report.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final

import numpy as np
from PIL import Image

from edge_runtime import Classifier, console, parallel
from edge_runtime.files import write_atomically
from edge_runtime.models import default_model

SIZE: Final = (640, 480)
BLOCK: Final = 250  # pictures in a turn


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
        ways: dict[str, Callable[[list[str]], object]] = {
            "one_at_a_time": lambda block: [classifier.classify(picture) for picture in block],
            "stream": lambda block: list(classifier.stream(block, workers=arguments.workers)),
        }
        blocks = [pictures[start : start + BLOCK] for start in range(0, len(pictures), BLOCK)]
        for way in ways.values():  # whatever is loaded late, is loaded now
            way(pictures[:8])
        wall_s, cpu_s = _in_turns(ways, blocks)
    ratios = [one / many for one, many in zip(*wall_s.values(), strict=True)]
    report = {
        "pictures": len(pictures),
        "size": SIZE,
        "workers": arguments.workers,
        "cores": parallel.cores(),
        "load_1min": round(os.getloadavg()[0], 1),
        "wall_ms_a_picture": {way: 1e3 * sum(s) / len(pictures) for way, s in wall_s.items()},
        "cpu_ms_a_picture": {way: 1e3 * sum(s) / len(pictures) for way, s in cpu_s.items()},
        "times_as_quick": sum(wall_s["one_at_a_time"]) / sum(wall_s["stream"]),
        "times_as_quick_median_of_blocks": statistics.median(ratios),
    }
    write_atomically(arguments.out, _json(report), overwrite=True)
    print(
        f"stream is {report['times_as_quick']:.2f} times as quick on {arguments.workers} threads "
        f"({len(pictures):,} JPEGs of {SIZE[0]} x {SIZE[1]}, load {report['load_1min']})"
    )
    return 0


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
    ways: dict[str, Callable[[list[str]], object]], blocks: list[list[str]]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds on the wall and of the processor for each way and block."""
    wall: dict[str, list[float]] = {way: [] for way in ways}
    cpu: dict[str, list[float]] = {way: [] for way in ways}
    for index, block in enumerate(blocks):
        for way in sorted(ways, reverse=index % 2 == 1):  # neither always comes first
            started, started_cpu = perf_counter(), process_time()
            ways[way](block)
            wall[way].append(perf_counter() - started)
            cpu[way].append(process_time() - started_cpu)
    return wall, cpu


def _json(report: dict[str, Any]) -> bytes:
    return (json.dumps(report, indent=2) + "\n").encode()


if __name__ == "__main__":
    raise SystemExit(main())
