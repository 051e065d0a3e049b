"""What this runtime costs beyond its engine: a call, a start, a large JPEG; against code by hand.

Calls take turns in one process, a round of each; programs take turns as fresh processes. Ratios
carry to other machines, times do not. Writes docs/reports/runtime/overhead.json.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter_ns, process_time_ns
from typing import Any, Final

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from PIL import Image

from benchmarks.machine import describe
from benchmarks.measures import macs
from edge_runtime import Classifier, modelfile
from edge_runtime.files import write_atomically
from edge_runtime.models import FOLDER

ROOT: Final = Path(__file__).parents[1]
REPORT: Final = ROOT / "docs" / "reports" / "runtime" / "overhead.json"
PICTURE: Final = ROOT / "docs" / "pictures" / "bag.png"
REFERENCE: Final = FOLDER / "fashion-mnist.int8.tflite"
SMALL: Final = ROOT / "tests" / "models" / "speed" / "ds-cnn.int8.tflite"
TWELVE_MEGAPIXELS: Final = (4000, 3000)
LABELS: Final = Classifier.open(REFERENCE).spec.labels
BY_HAND: Final = f"""
import sys
import numpy as np
from PIL import Image
from ai_edge_litert.interpreter import Interpreter
labels = {LABELS!r}
interpreter = Interpreter({str(REFERENCE)!r})
interpreter.allocate_tensors()
pixels = np.asarray(Image.open(sys.argv[1]).convert("L").resize((28, 28)))
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels[None, :, :, None])
interpreter.invoke()
scores = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
print(labels[scores.argmax()])
"""
PROGRAMS: Final[Mapping[str, tuple[str, ...]]] = {
    "edge_runtime": ("-m", "edge_runtime", "classify", str(PICTURE)),
    "by_hand": ("-c", BY_HAND, str(PICTURE)),
}
# What a process is started by counts as its own until then, so that has to be small.
_STARTER: Final = """
import os, sys
nothing = os.open(os.devnull, os.O_WRONLY)
files = [(os.POSIX_SPAWN_DUP2, nothing, 1), (os.POSIX_SPAWN_DUP2, nothing, 2)]
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=files)
_, status, used = os.wait4(child, 0)
assert status == 0, sys.argv
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
TENSORFLOW: Final = ("-c", "import tensorflow")


def main() -> int:
    """Measure all, write the report, print it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--starts", type=int, default=20, help="of each program")
    parser.add_argument("--report", type=Path, default=REPORT)
    arguments = parser.parse_args()
    report = {
        "machine": {"cpu": describe().cpu, "cores": describe().cores},
        "load_1min": os.getloadavg()[0],
        "calls": [calls(path, arguments.rounds) for path in (REFERENCE, SMALL)],
        "start": starts(arguments.starts),
        "jpeg": large_jpeg(arguments.starts),
    }
    text = json.dumps(report, indent=2) + "\n"
    write_atomically(arguments.report, text.encode(), overwrite=True)
    print(text, end="")
    return 0


def calls(path: Path, rounds: int, calls_a_round: int = 50) -> dict[str, Any]:
    """`classify` of an array beside set_tensor, invoke and get_tensor: medians, in turns."""
    file = modelfile.read(path)
    classifier = Classifier.from_file(file)
    interpreter = Interpreter(model_content=file.data, num_threads=1)
    interpreter.allocate_tensors()
    (given,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
    given_index, answer_index = given["index"], answer["index"]
    picture = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    tensor = picture[None, :, :, None]

    def by_hand() -> NDArray[Any]:
        interpreter.set_tensor(given_index, tensor)
        interpreter.invoke()
        return interpreter.get_tensor(answer_index)  # type: ignore[no-any-return]

    assert classifier.classify(picture).best.index == by_hand().argmax()
    contenders: dict[str, Callable[[], object]] = {
        "by_hand": by_hand,
        "classify": lambda: classifier.classify(picture),
    }
    times: dict[str, list[int]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            for _ in range(calls_a_round):
                started = perf_counter_ns()
                contender()
                times[name].append(perf_counter_ns() - started)
    hand_us, our_us = (statistics.median(times[name]) / 1e3 for name in contenders)
    work = macs.count(file)
    return {
        "file": path.name,
        "macs": work and work.macs,
        "by_hand_p50_us": hand_us,
        "classify_p50_us": our_us,
        "ratio": our_us / hand_us,
        "difference_us": our_us - hand_us,
        "calls": len(times["by_hand"]),
    }


def starts(count: int) -> dict[str, Any]:
    """CPU time and peak memory of whole programs that classify one picture; medians, in turns."""
    with tempfile.TemporaryDirectory() as cache:
        # Compiled once, as pip does when it installs a package.
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for program in PROGRAMS.values():
            started(program, environment)
        runs: dict[str, list[tuple[float, float]]] = {
            name: [] for name in (*PROGRAMS, "tensorflow")
        }
        for _ in range(count):
            for name, program in PROGRAMS.items():
                runs[name].append(started(program, environment))
        for _ in range(min(count, 3)):
            runs["tensorflow"].append(started(TENSORFLOW, environment))
    report: dict[str, Any] = {
        name: {
            "cpu_ms": statistics.median(cpu for cpu, _ in each),
            "peak_mib": statistics.median(peak for _, peak in each),
            "runs": len(each),
        }
        for name, each in runs.items()
    }
    ours, hand = report["edge_runtime"], report["by_hand"]
    pairs = zip(runs["edge_runtime"], runs["by_hand"], strict=True)
    report["cpu_ratio"] = statistics.median(our[0] / other[0] for our, other in pairs)
    report["peak_difference_mib"] = ours["peak_mib"] - hand["peak_mib"]
    report["tensorflow_cpu_ratio"] = report["tensorflow"]["cpu_ms"] / ours["cpu_ms"]
    return report


def started(arguments: tuple[str, ...], environment: Mapping[str, str]) -> tuple[float, float]:
    """CPU milliseconds, user and system, and peak MiB of one run of Python."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", _STARTER, sys.executable, *arguments],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    cpu_s, peak_kib = map(float, done.stdout.split())
    return 1e3 * cpu_s, peak_kib / 1024


def large_jpeg(count: int) -> dict[str, Any]:
    """A 12-megapixel JPEG from bytes to answer, decoded at the size needed and decoded whole."""
    classifier = Classifier.open(REFERENCE)
    picture = photograph()

    def whole() -> object:
        image = Image.open(io.BytesIO(picture))
        image.load()  # so that nothing shrinks it on the way
        return classifier.classify(image)

    contenders: dict[str, Callable[[], object]] = {
        "classify": lambda: classifier.classify(picture),
        "decoded_whole": whole,
    }
    times: dict[str, list[int]] = {name: [] for name in contenders}
    for _ in range(count):
        for name, contender in contenders.items():
            before = process_time_ns()
            contender()
            times[name].append(process_time_ns() - before)
    ours_ms, whole_ms = (statistics.median(times[name]) / 1e6 for name in contenders)
    return {
        "pixels": TWELVE_MEGAPIXELS,
        "kilobytes": len(picture) // 1000,
        "classify_cpu_ms": ours_ms,
        "decoded_whole_cpu_ms": whole_ms,
        "ratio": whole_ms / ours_ms,
        "runs": count,
    }


def photograph() -> bytes:
    """The picture on a large sheet, with a camera's noise, as a JPEG."""
    width, height = TWELVE_MEGAPIXELS
    sheet = Image.new("L", (width, height), 0)
    with Image.open(PICTURE) as small:
        sheet.paste(small.convert("L").resize((2400, 2400)), (800, 300))
    noise = np.random.default_rng(0).normal(0, 2, (height, width))
    pixels = np.clip(240 - 0.8 * np.asarray(sheet, np.float32) + noise, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.merge("RGB", [Image.fromarray(pixels)] * 3).save(file, "JPEG", quality=92)
    return file.getvalue()


if __name__ == "__main__":
    raise SystemExit(main())
