"""What waiting costs: a watched folder where nothing arrives, and a camera of 20 pictures a second.

Both as shares of one core, from the processor time of this process, which other programs hardly
change. The camera is a folder that is replayed; decoding, which no classifier can avoid, is timed
by itself on the same pictures and taken off.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from time import monotonic, process_time, sleep
from typing import Final

from edge_runtime import Classifier, console, image
from edge_runtime.files import write_atomically
from edge_runtime.models import default_model
from edge_runtime.sources import cameras, steady
from edge_runtime.sources.journal import Journal
from edge_runtime.sources.watch import Watch
from scripts.stream import write_photographs

FPS: Final = 20.0
FOLDERS: Final = (0, 1_000, 10_000)  # pictures that lie in the watched folder, done long ago


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and save the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/reports/runtime/idle.json"))
    parser.add_argument("--seconds", type=float, default=20.0, help="for each (default: 20)")
    arguments = parser.parse_args(argv)
    return console.run("idle", lambda: _measure(arguments))


def _measure(arguments: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        camera = camera_percent(Path(folder), arguments.seconds)
    watched = {str(count): watch_percent(count, arguments.seconds) for count in FOLDERS}
    report = {"seconds": arguments.seconds, "camera": camera, "watch_percent_of_a_core": watched}
    write_atomically(arguments.out, (json.dumps(report, indent=2) + "\n").encode(), overwrite=True)
    print(
        f"camera at {FPS:g} Hz: {camera['percent_of_a_core']:.2f} % of a core, "
        f"{camera['beyond_decoding']:.2f} % beyond decoding"
    )
    for count, percent in watched.items():
        print(f"watching a folder of {int(count):,} pictures: {percent:.2f} % of a core")
    return 0


def camera_percent(folder: Path, seconds: float) -> dict[str, float]:
    """Shares of a core, in per cent, while a folder is replayed 20 times a second."""
    paths = write_photographs(folder, int(seconds * FPS))
    classifier = Classifier.open(default_model())
    classifier.classify(paths[0])
    # Decoding alone, at the same pace: a processor that sleeps in between is slower to wake.
    decoding = _percent_at_pace(lambda path: image.load(path, classifier.spec.image), paths)
    started, started_cpu = monotonic(), process_time()
    labels = steady.Steady(3, 5, classifier.spec.decision.threshold)
    replayed = cameras.open_camera(str(folder))
    deque(steady.answers(classifier, replayed, labels, FPS), maxlen=0)
    whole = 100 * (process_time() - started_cpu) / (monotonic() - started)
    return {
        "pictures_a_second": FPS,
        "percent_of_a_core": whole,
        "decoding": decoding,
        "beyond_decoding": whole - decoding,
    }


def _percent_at_pace(function: object, paths: list[str]) -> float:
    assert callable(function)
    cpu, started = 0.0, monotonic()
    for index, path in enumerate(paths):
        before = process_time()
        function(path)
        cpu += process_time() - before
        sleep(max(0.0, started + (index + 1) / FPS - monotonic()))
    return 100 * cpu / (monotonic() - started)


def watch_percent(count: int, seconds: float) -> float:
    """Share of a core, in per cent, that polling a folder of `count` pictures takes."""
    with tempfile.TemporaryDirectory() as name:
        folder, journal = Path(name), Journal(None)
        for index in range(count):
            (folder / f"{index:06}.jpg").write_bytes(b"done")
        watched = Watch(folder, journal)
        watched.poll()
        for path in watched.poll():
            watched.done(path)
        started, started_cpu = monotonic(), process_time()
        while monotonic() - started < seconds:
            assert watched.poll() == []
            sleep(watched.pause_s)
        return 100 * (process_time() - started_cpu) / (monotonic() - started)


if __name__ == "__main__":
    raise SystemExit(main())
