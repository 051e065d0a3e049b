"""MLPerf's LoadGen as independent referee: it sends the queries, times them and says VALID or not."""

from __future__ import annotations

import array
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter_ns
from typing import Any, Final

import numpy as np

from benchmarks import fresh
from benchmarks.measures.latency import Pixels
from benchmarks.settings import Scenario, Settings
from edge_runtime.errors import EngineError, ModelError

Scores = Callable[[Pixels], object]

_BATCH: Final = 128
_NOTHING: Final = array.array("B", b"\0")  # the answers: LoadGen does not look at them here
_ADDRESS: Final = _NOTHING.buffer_info()[0]


@dataclass(frozen=True)
class LoadGenResult:
    """What LoadGen says of one model file."""

    scenario: Scenario
    verdict: str  # "VALID" or "INVALID", in LoadGen's own words
    samples: int  # pictures that were classified
    p90_ms: float | None  # single-stream: its metric
    images_per_second: float | None  # offline: its metric
    own_p90_ms: float | None = None  # single-stream: ours of the very same calls


def require_installed() -> None:
    """Refuse before any slow work.

    Raises:
        EngineError: LoadGen is not installed.
    """
    if find_spec("mlperf_loadgen") is None:
        raise EngineError("LoadGen is not installed; run `pip install mlcommons-loadgen`")


def run(path: Path, pictures: Pixels, scenario: Scenario, settings: Settings) -> LoadGenResult:
    """Have LoadGen measure a model file in a fresh process.

    Args:
        path: the model file.
        pictures: uint8 0..255, shape (n, height, width, channels).
        scenario: single-stream sends the next picture when the last is answered; offline sends all
            at once.
        settings: engine, threads, cores, and the shortest duration that is asked of LoadGen.

    Raises:
        ModelError: the process failed or died.
    """
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        np.savez(Path(folder) / "pictures.npz", pictures)
        job = {
            "path": str(path),
            "folder": folder,
            "scenario": scenario,
            "engine": settings.engine_for(path),
            "num_threads": settings.num_threads,
            "cores": settings.cores,
            "seconds": settings.loadgen_seconds,
        }
        # LoadGen makes a run longer than it is told, until it has calls enough.
        patience_s = fresh.TIMEOUT_S + 3 * settings.loadgen_seconds
        answer = fresh.run(__name__, job, about=f"LoadGen and {path}", timeout_s=patience_s)
    return LoadGenResult(**answer)


# --- in the fresh process ----------------------------------------------------------------------


def _measure(job: Mapping[str, Any]) -> dict[str, Any]:
    import mlperf_loadgen as lg

    from edge_runtime.classifier import Classifier

    fresh.pin(job["cores"])
    folder = Path(job["folder"])
    with np.load(folder / "pictures.npz") as arrays:
        (pictures,) = arrays.values()
    classifier = Classifier.open(job["path"], backend=job["engine"], num_threads=job["num_threads"])
    scores = classifier.scores
    shortest_ns = min(_nanoseconds(lambda: scores(pictures[:1])) for _ in range(50))
    settings = lg.TestSettings()
    settings.mode = lg.TestMode.PerformanceOnly
    single = job["scenario"] == "single-stream"
    settings.scenario = lg.TestScenario.SingleStream if single else lg.TestScenario.Offline
    settings.min_duration_ms = int(job["seconds"] * 1000)
    settings.min_query_count = 1024 if single else 1
    # From these LoadGen makes its queries before it starts; made too few, a run is too short.
    settings.single_stream_expected_latency_ns = int(shortest_ns * 0.8)
    settings.offline_expected_qps = 1.5e9 / shortest_ns
    durations_ns: list[int] = []
    answer = _one_by_one if single else _in_batches
    _test(lg, settings, answer(lg, scores, pictures, durations_ns), len(pictures), folder)
    result = _result(job["scenario"], (folder / "mlperf_log_summary.txt").read_text())
    own_p90_ms = float(np.percentile(durations_ns, 90)) / 1e6 if durations_ns else None
    return asdict(replace(result, own_p90_ms=own_p90_ms))


Answer = Callable[[Any], None]  # takes LoadGen's samples and tells it of each that it is done


def _one_by_one(lg: Any, scores: Scores, pictures: Pixels, durations_ns: list[int]) -> Answer:
    """One picture a query. Whatever is done beside the model is in LoadGen's figures."""
    batches = [pictures[index : index + 1] for index in range(len(pictures))]
    complete, response, clock = lg.QuerySamplesComplete, lg.QuerySampleResponse, perf_counter_ns

    def answer(samples: Any) -> None:
        (sample,) = samples
        batch = batches[sample.index]
        started = clock()
        scores(batch)
        finished = clock()
        complete([response(sample.id, _ADDRESS, 1)])
        durations_ns.append(finished - started)

    return answer


def _in_batches(lg: Any, scores: Scores, pictures: Pixels, _durations_ns: list[int]) -> Answer:
    """All pictures in one query."""

    def answer(samples: Any) -> None:
        for start in range(0, len(samples), _BATCH):
            some = samples[start : start + _BATCH]
            scores(pictures[[sample.index for sample in some]])
            lg.QuerySamplesComplete(
                [lg.QuerySampleResponse(sample.id, _ADDRESS, 1) for sample in some]
            )

    return answer


def _test(lg: Any, settings: Any, answer: Answer, pictures: int, folder: Path) -> None:
    logs = lg.LogSettings()
    logs.log_output.outdir = str(folder)
    logs.log_output.copy_summary_to_stdout = False
    logs.enable_trace = False
    system = lg.ConstructSUT(answer, lambda: None)
    library = lg.ConstructQSL(pictures, pictures, lambda _: None, lambda _: None)
    lg.StartTestWithLogSettings(system, library, settings, logs)
    lg.DestroyQSL(library)
    lg.DestroySUT(system)


def _nanoseconds(work: Callable[[], object]) -> int:
    started = perf_counter_ns()
    work()
    return perf_counter_ns() - started


def _samples(scenario: Scenario, summary: str) -> int:
    told = r"queries \((\d+)\)" if scenario == "single-stream" else r"samples_per_query : (\d+)"
    found = re.search(told, summary)
    return int(found[1]) if found else 0


def _result(scenario: Scenario, summary: str) -> LoadGenResult:
    """Read LoadGen's summary, which is text for people."""

    def figure(name: str) -> float | None:
        found = re.search(rf"^{re.escape(name)}\s*:\s*([\d.e+]+)", summary, re.MULTILINE)
        return float(found[1]) if found else None

    verdict = re.search(r"^Result is\s*:\s*(\w+)", summary, re.MULTILINE)
    if verdict is None:
        raise ModelError("LoadGen wrote no result; try more --loadgen-seconds")
    nanoseconds = figure("90.0th percentile latency (ns)") or figure(
        "90.00 percentile latency (ns)"
    )
    return LoadGenResult(
        scenario=scenario,
        verdict=verdict[1],
        samples=_samples(scenario, summary),
        p90_ms=nanoseconds / 1e6 if nanoseconds and scenario == "single-stream" else None,
        images_per_second=figure("Samples per second"),
    )


if __name__ == "__main__":
    raise SystemExit(fresh.serve(_measure))
