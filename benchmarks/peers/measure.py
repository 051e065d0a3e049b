"""Measure this runtime beside the other ways to classify a picture: same model, same pictures."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import monotonic_ns
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import fresh, machine
from benchmarks.evaluation import EvaluationSet
from benchmarks.measures.answers import require_fit
from benchmarks.peers.installed import installed_bytes, version
from benchmarks.peers.report import Kind, Peer, PeersReport
from benchmarks.peers.rivals import Rival, why_not
from benchmarks.peers.rivals import rivals as known_rivals
from edge_runtime import modelfile
from edge_runtime.errors import EdgeError, ModelError, UsageError

_NOISE: Final = 64  # pictures, where there is no evaluation set


def measure(
    files: Mapping[Kind, Path],
    evaluation: EvaluationSet | None,
    *,
    among: Sequence[Rival] | None = None,
    rounds: int = 3,
    seconds: float = 0.5,
    progress: Callable[[str, int, int], None] = lambda _stage, _done, _total: None,
) -> PeersReport:
    """Measure every way for which there are a file and an installed package, in turns.

    Args:
        files: the files of one model; the `.tflite` or else the `.onnx` says what its pictures
            are to be.
        evaluation: labelled pictures at the model's size; None leaves accuracy out.
        among: the ways to measure; None is all.
        rounds: in each, every way has a fresh process.
        seconds: of timed calls in each process.
        progress: told what is being done.

    Raises:
        UsageError: there is neither.
        ModelError: it says nothing of its pictures, or others than the evaluation set has.
    """
    started, before = datetime.now(UTC), machine.state()
    rivals = known_rivals() if among is None else among
    contract = _contract(files, evaluation)
    samples: dict[str, list[dict[str, Any]]] = {}
    reasons = {rival.name: why_not(rival, files) for rival in rivals}
    alive = [rival for rival in rivals if reasons[rival.name] is None]
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        pictures = Path(folder) / "pictures.npz"
        images, labels = _pictures(evaluation, contract)
        np.savez(pictures, images=images, labels=labels)
        for turn in range(rounds):
            for index, rival in enumerate(alive):
                progress(
                    "each peer in a fresh process", turn * len(alive) + index, rounds * len(alive)
                )
                if reasons[rival.name] is not None:
                    continue
                job = {**contract, "pictures": str(pictures), "seconds": seconds}
                judge = turn == 0 and evaluation is not None
                job |= {"name": rival.name, "file": str(files[rival.kind]), "judge": judge}
                try:
                    samples.setdefault(rival.name, []).append(_sample(rival, job, Path(folder)))
                except EdgeError as error:
                    reasons[rival.name] = str(error)
    return PeersReport(
        started=started.isoformat(timespec="seconds"),
        pictures=0 if evaluation is None else len(evaluation.images),
        load_1min=before.load_1min,
        machine=machine.describe(),
        peers=tuple(
            Peer(rival.name, skipped=reason)
            if (reason := reasons[rival.name]) is not None
            else _peer(rival, files[rival.kind], samples[rival.name])
            for rival in rivals
        ),
    )


def _contract(files: Mapping[Kind, Path], evaluation: EvaluationSet | None) -> dict[str, Any]:
    path = files.get("tflite") or files.get("onnx")
    if path is None:
        raise UsageError("name a .tflite file, or an .onnx file, that is there")
    spec = modelfile.read(path).spec
    if spec is None:
        raise ModelError(f"{path} has no spec; export it with `python -m export`")
    if evaluation is not None:
        require_fit(spec, evaluation)
    image = spec.image
    shape = (image.height, image.width, image.channels)
    return {"mean": image.mean, "std": image.std, "labels": spec.labels, "shape": shape}


def _pictures(
    evaluation: EvaluationSet | None, contract: Mapping[str, Any]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    if evaluation is not None:
        return evaluation.images, evaluation.labels
    noise = np.random.default_rng(0).integers(0, 256, (_NOISE, *contract["shape"]), np.uint8)
    return noise, np.zeros(_NOISE, np.int64)


def _sample(rival: Rival, job: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    started_ns = monotonic_ns()
    if rival.name == "litert-benchmark":
        return _litert_benchmark(job, folder / "litert-benchmark.json")
    answer = fresh.run("benchmarks.peers.ways", job, about=rival.name)
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
    try:
        done = subprocess.run(  # noqa: S603  our own interpreter, an installed tool
            [sys.executable, "-m", module, *flags, "--result_json", str(result)],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=120,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError("litert-benchmark: no answer after 120 s") from error
    if done.returncode != 0 or not result.exists():
        raise ModelError(fresh.last_words("litert-benchmark", done.returncode, done.stderr))
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
        version=version(rival.packages[-1]),
        p50_ms=middle("p50_ms"),
        p90_ms=middle("p90_ms"),
        start_ms=middle("start_ms"),
        start_cpu_ms=middle("start_cpu_ms"),
        peak_bytes=None if peak is None else int(peak),
        installed_bytes=installed_bytes(("numpy", *rival.packages)),
        accuracy=middle("accuracy"),
    )
