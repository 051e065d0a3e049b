"""The measured figures that are published keep to what was promised."""

from __future__ import annotations

import pytest

from edge_runtime import modelfile
from export import reference
from scripts import reports


def test_reading_and_changing_pictures_costs_a_tenth_of_a_step_at_most() -> None:
    assert reports.read("train", "pipeline")["cost_percent"] <= 10


@pytest.mark.parametrize("name", reference.MODELS)
def test_photographs_lose_two_points_at_most(name: str) -> None:
    measured = reports.read("runtime", "photographs")["models"][name]
    assert measured["difference_points"] >= -2
    assert measured["sha256"] == modelfile.read(reference.int8(name)).sha256


def test_an_int8_file_answers_as_it_was_trained_to_and_loses_next_to_nothing() -> None:
    int8 = reports.int8(reports.read("small-int8", "export"))["parity"]
    assert int8["agreement"] >= 0.998
    floats = reports.read("small", "export")["reference"]["accuracy"]
    assert round(100 * (int8["accuracy"] - floats), 2) >= -0.05
