"""`make reference-check`: the shipped int8 files against their goals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime import models
from edge_runtime.errors import ModelError
from export import reference
from scripts.reference_check import GOALS, Score, check, score, table
from train.datasets import Split

SMALL = models.FOLDER / "fashion-mnist.int8.tflite"
MET = Score("small", SMALL, parameters=100_000, size_bytes=128_000, accuracy=0.948)


def test_a_shipped_file_is_known_and_scored() -> None:
    with np.load(reference.folder("small") / "evaluation.npz") as pictures:
        some = Split(pictures["images"], pictures["labels"])
    scored = score(SMALL, some)
    assert scored.name == "small"
    assert 90_000 < scored.parameters <= GOALS["small"].parameters
    assert scored.parameters < scored.size_bytes < SMALL.stat().st_size
    assert scored.accuracy > 0.92  # of a sample
    turned = Split(some.images[:, ::-1], some.labels)
    assert score(SMALL, turned).accuracy < 0.5


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "met"),
        ({"parameters": 100_001}, "MISSED"),
        ({"size_bytes": 128_001}, "MISSED"),
        ({"accuracy": 0.9479}, "MISSED"),
    ],
)
def test_a_goal_is_met_as_a_whole_or_missed(change: dict[str, Any], verdict: str) -> None:
    assert table([replace(MET, **change)])[-1].split(" | ")[-1] == f"{verdict} |"


def test_a_folder_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no int8 \.tflite file is in "):
        check([tmp_path], data=None)
