"""This project beside the other ways to classify a picture: the same model, the same pictures."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import monotonic_ns
from typing import Any, Final, Literal

import numpy as np

from benchmarks import fresh, machine
from benchmarks.documents import build
from benchmarks.evaluation import EvaluationSet
from benchmarks.machine import Machine
from benchmarks.tables import Table, digits
from edge_runtime import modelfile
from edge_runtime.errors import EdgeError, InputError, ModelError

Kind = Literal["tflite", "onnx", "keras", "rgb"]


@dataclass(frozen=True)
class Rival:
    """One way to classify a picture: its name, what it needs, and which file it runs."""

    name: str
    module: str  # that must be importable
    packages: tuple[str, ...]  # that a user installs for it
    kind: Kind


RIVALS: Final = (
    Rival("edgeproof", "ai_edge_litert", ("pillow", "ai-edge-litert"), "tflite"),
    Rival("LiteRT by hand", "ai_edge_litert", ("ai-edge-litert",), "tflite"),
    Rival("litert-benchmark", "ai_edge_litert.tools", ("ai-edge-litert",), "tflite"),
    Rival("TensorFlow's Interpreter", "tensorflow", ("tensorflow",), "tflite"),
    Rival("edgeproof, ONNX", "onnxruntime", ("pillow", "onnxruntime"), "onnx"),
    Rival("ONNX Runtime by hand", "onnxruntime", ("onnxruntime",), "onnx"),
    Rival("Keras predict", "tensorflow", ("tensorflow", "keras"), "keras"),
    Rival("Keras predict_on_batch", "tensorflow", ("tensorflow", "keras"), "keras"),
    Rival("MediaPipe ImageClassifier", "mediapipe", ("mediapipe",), "rgb"),
)


@dataclass(frozen=True)
class Peer:
    """What one way of classifying takes; None is what was not measured."""

    name: str
    file: str | None = None
    version: str | None = None
    p50_ms: float | None = None  # one picture, in memory at the model's size
    p90_ms: float | None = None
    start_ms: float | None = None  # from the start of the process to the first prediction
    start_cpu_ms: float | None = None
    peak_bytes: int | None = None  # of memory, at the first prediction
    installed_bytes: int | None = None  # of its packages and all that they need
    accuracy: float | None = None  # share of the pictures, 0..1
    skipped: str | None = None  # why it was not measured


@dataclass(frozen=True)
class PeersReport:
    """All of them, on one machine."""

    started: str  # ISO 8601, UTC
    pictures: int
    load_1min: float | None  # before
    machine: Machine
    peers: tuple[Peer, ...]

    def to_json(self) -> str:
        """The report as JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> PeersReport:
        """Read what `to_json` wrote.

        Raises:
            InputError: the text is no such report.
        """
        try:
            report: PeersReport = build(cls, json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"not a report of peers ({error}); make one with `peers`") from error
        return report


def measure(
    files: Mapping[Kind, Path],
    evaluation: EvaluationSet,
    *,
    rivals: Sequence[Rival] = RIVALS,
    rounds: int = 3,
    seconds: float = 0.5,
    progress: Callable[[str, int, int], None] = lambda _stage, _done, _total: None,
) -> PeersReport:
    """Measure every way for which there are a file and an installed package, in turns.

    Args:
        files: the files of one model; the `.tflite` is needed, it says what the pictures are to be.
        evaluation: labelled pictures at the model's size.
        rivals: the ways to measure.
        rounds: in each, every way has a fresh process.
        seconds: of timed calls in each process.
        progress: told what is being done.
    """
    started, before = datetime.now(UTC), machine.state()
    samples: dict[str, list[dict[str, Any]]] = {}
    reasons = {rival.name: _why_not(rival, files) for rival in rivals}
    alive = [rival for rival in rivals if reasons[rival.name] is None]
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        pictures = Path(folder) / "pictures.npz"
        np.savez(pictures, images=evaluation.images, labels=evaluation.labels)
        for turn in range(rounds):
            for index, rival in enumerate(alive):
                progress(
                    "each peer in a fresh process", turn * len(alive) + index, rounds * len(alive)
                )
                if reasons[rival.name] is not None:
                    continue
                job = {**_contract(files), "pictures": str(pictures), "seconds": seconds}
                job |= {"name": rival.name, "file": str(files[rival.kind]), "judge": turn == 0}
                try:
                    samples.setdefault(rival.name, []).append(_sample(rival, job, Path(folder)))
                except EdgeError as error:
                    reasons[rival.name] = str(error)
    return PeersReport(
        started=started.isoformat(timespec="seconds"),
        pictures=len(evaluation.images),
        load_1min=before.load_1min,
        machine=machine.describe(),
        peers=tuple(
            Peer(rival.name, skipped=reason)
            if (reason := reasons[rival.name]) is not None
            else _peer(rival, files[rival.kind], samples[rival.name])
            for rival in rivals
        ),
    )


def table(report: PeersReport) -> Table:
    """The peers as a table; those that were skipped are left to `skipped`."""

    def cell(value: float | None, scale: float = 1.0) -> str:
        return "-" if value is None else digits(value * scale)

    rows = [
        (
            peer.name,
            Path(peer.file or "").name,
            cell(peer.p50_ms, 1000),
            cell(peer.p90_ms, 1000),
            cell(peer.start_ms),
            cell(peer.start_cpu_ms),
            cell(peer.peak_bytes, 1e-6),
            cell(peer.installed_bytes, 1e-6),
            "-" if peer.accuracy is None else f"{100 * peer.accuracy:.2f}",
        )
        for peer in report.peers
        if peer.skipped is None
    ]
    headers = ("peer", "file", "p50, µs", "p90, µs", "start, ms", "CPU, ms", "memory, MB")
    return Table(
        f"Side by side: one thread, {report.pictures:,} pictures",
        (*headers, "installed, MB", "right, %"),
        tuple(rows),
    )


def skipped(report: PeersReport) -> list[str]:
    """A line for each peer that was not measured."""
    return [f"{peer.name}: not measured, {peer.skipped}" for peer in report.peers if peer.skipped]


def _why_not(rival: Rival, files: Mapping[Kind, Path]) -> str | None:
    flags = {"onnx": "an .onnx file", "keras": "--keras FILE.keras", "rgb": "--rgb FILE.tflite"}
    if find_spec(rival.module.partition(".")[0]) is None or find_spec(rival.module) is None:
        return f"{rival.packages[-1]} is not installed"
    if rival.kind not in files:
        return f"no file for it was given ({flags[rival.kind]})"
    return None


def _contract(files: Mapping[Kind, Path]) -> dict[str, Any]:
    spec = modelfile.read(files["tflite"]).spec
    if spec is None:
        raise ModelError(f"{files['tflite']} has no spec; export it with `python -m export`")
    return {"mean": spec.image.mean, "std": spec.image.std, "labels": spec.labels}


def _sample(rival: Rival, job: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    started_ns = monotonic_ns()
    if rival.name == "litert-benchmark":
        return _litert_benchmark(job, folder / "litert-benchmark.json")
    answer = fresh.run("benchmarks.rivals", job, about=rival.name)
    p50, p90 = np.percentile(answer["durations_ns"], (50, 90)).tolist()
    return {
        "p50_ms": p50 / 1e6,
        "p90_ms": p90 / 1e6,
        "start_ms": (answer["done_ns"] - started_ns) / 1e6,
        "start_cpu_ms": answer["cpu_ns"] / 1e6,
        "peak_bytes": answer["peak_bytes"],
        "accuracy": answer["accuracy"],
    }


def _litert_benchmark(job: Mapping[str, Any], result: Path) -> dict[str, Any]:
    """LiteRT's own tool, which times the bare engine and tells hundredths of a millisecond."""
    module = "ai_edge_litert.tools.benchmark_litert_model"
    flags = ["--model", job["file"], "--num_threads", "1", "--num_runs", "2000"]
    done = subprocess.run(  # noqa: S603  our own interpreter, an installed tool
        [sys.executable, "-m", module, *flags, "--result_json", str(result)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=120,
    )
    if done.returncode != 0 or not result.exists():
        raise ModelError(fresh.last_words("litert-benchmark", done))
    latency = json.loads(result.read_text())["latency"]
    return {"p50_ms": latency["median_ms"]}


def _peer(rival: Rival, file: Path, samples: Sequence[Mapping[str, Any]]) -> Peer:
    def middle(key: str) -> Any:
        known = [sample[key] for sample in samples if sample.get(key) is not None]
        return median(known) if known else None

    peak = middle("peak_bytes")
    return Peer(
        name=rival.name,
        file=str(file),
        version=metadata.version(rival.packages[-1]),
        p50_ms=middle("p50_ms"),
        p90_ms=middle("p90_ms"),
        start_ms=middle("start_ms"),
        start_cpu_ms=middle("start_cpu_ms"),
        peak_bytes=None if peak is None else int(peak),
        installed_bytes=_installed_bytes(("numpy", *rival.packages)),
        accuracy=middle("accuracy"),
    )


def _installed_bytes(packages: Sequence[str]) -> int:
    """The size of packages and of all that they need, as pip would install them."""
    left, seen, total = list(packages), set(), 0
    while left:
        name = re.sub(r"[-_.]+", "-", left.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # needed on other systems only
            continue
        paths = [Path(str(file.locate())) for file in found.files or ()]
        total += sum(path.stat().st_size for path in paths if path.is_file())
        needed = [one for one in found.requires or () if "extra ==" not in one]
        left += re.findall(r"^[\w.-]+", "\n".join(needed), re.MULTILINE)
    return total
