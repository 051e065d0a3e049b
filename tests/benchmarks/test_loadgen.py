"""MLPerf's LoadGen, an optional package, as referee of our own figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.measures import loadgen
from benchmarks.settings import Scenario, Settings

pytestmark = pytest.mark.slow

MODEL = Path("edge_runtime/models/fashion-mnist.int8.tflite")


@pytest.mark.parametrize("scenario", ["single-stream", "offline"])
def test_a_run_is_valid_by_loadgens_own_word(scenario: Scenario) -> None:
    pytest.importorskip("mlperf_loadgen", reason="needs the package mlcommons-loadgen")
    pictures = np.random.default_rng(0).integers(0, 256, (64, 28, 28, 1), np.uint8)
    found = loadgen.run(MODEL, pictures, scenario, Settings(loadgen_seconds=1.0))
    assert found.verdict == "VALID"
    assert found.samples > 1000
    assert (found.p90_ms is None) == (scenario == "offline")
    assert (found.images_per_second is None) == (scenario == "single-stream")
