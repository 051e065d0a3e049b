"""MLPerf's LoadGen, an optional package, as referee of our own figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.measures import loadgen
from benchmarks.notes import loadgen_notes
from benchmarks.report import Measurement
from benchmarks.settings import Scenario, Settings

MODEL = Path("edge_runtime/models/fashion-mnist.int8.tflite")


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["single-stream", "offline"])
def test_a_run_is_valid_by_loadgens_own_word(scenario: Scenario) -> None:
    pytest.importorskip("mlperf_loadgen", reason="needs the package mlcommons-loadgen")
    pictures = np.random.default_rng(0).integers(0, 256, (64, 28, 28, 1), np.uint8)
    found = loadgen.run(MODEL, pictures, scenario, Settings(loadgen_seconds=1.0))
    assert found.verdict == "VALID"
    assert found.samples > 1000
    assert (found.p90_ms is None) == (scenario == "offline")
    assert (found.images_per_second is None) == (scenario == "single-stream")


def test_a_run_that_loadgen_does_not_call_valid_is_a_note() -> None:
    summary = "Result is : {}\n90.0th percentile latency (ns) : 79000\n"
    good, bad = (
        Measurement(name, loadgen=loadgen._result("single-stream", summary.format(verdict)))
        for name, verdict in (("good.tflite", "VALID"), ("bad.tflite", "INVALID"))
    )
    (note,) = loadgen_notes([good, bad, Measurement("none.tflite")])
    assert note == (
        "LoadGen calls its run of bad.tflite INVALID: its figures are no result; "
        "give it more --loadgen-seconds, on a machine at rest"
    )
