from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.measures.blocks import Entry, Timed, time_blocks
from benchmarks.measures.latency import Timing
from benchmarks.settings import Settings
from edge_runtime.errors import ModelError

MODELS = Path(__file__).parents[1] / "models"
PICTURES = np.zeros((3, 8, 8, 1), np.uint8)
QUICK = Settings(blocks=1, rounds=2, seconds=0.01)


@pytest.mark.slow
def test_a_file_that_takes_its_block_down_is_found_and_the_others_are_timed() -> None:
    good = Entry(MODELS / "halves.int8.tflite", PICTURES)
    bad = Entry(MODELS / "gone.tflite", PICTURES)
    timed = time_blocks([good, bad], QUICK)
    timing, failure = timed.entries
    yardstick = timed.yardstick
    assert isinstance(timing, Timing)
    assert isinstance(failure, ModelError)
    assert "gone.tflite" in str(failure)
    assert isinstance(yardstick, Timing)
    assert len(timing.round_p50_ms) == len(yardstick.round_p50_ms) == 2


def test_a_planted_slowdown_is_in_every_call() -> None:
    path = MODELS / "halves.int8.onnx"
    entries = [Entry(path, PICTURES), Entry(path, PICTURES, planted_slowdown=3.0)]
    plain, slowed = time_blocks(entries, QUICK).entries
    assert isinstance(plain, Timing)
    assert isinstance(slowed, Timing)
    assert slowed.min_ms > 2 * plain.min_ms


def test_nothing_to_time_is_no_error() -> None:
    assert time_blocks([], QUICK) == Timed(())
