"""ONNX files whose weights are in another file, which no digest covers."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx.external_data_helper import set_external_data

from edge_runtime import Classifier
from edge_runtime.errors import ModelError


def test_weights_outside_the_file_are_not_read_even_where_they_are_there(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = onnx.load(models / "halves.int8.onnx")
    weights = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    (tmp_path / "weights.bin").write_bytes(weights.raw_data)
    set_external_data(weights, "weights.bin", offset=0, length=len(weights.raw_data))
    weights.ClearField("raw_data")
    (seal,) = (entry for entry in model.metadata_props if entry.key.endswith("sha256"))
    model.metadata_props.remove(seal)
    (tmp_path / "it.onnx").write_bytes(model.SerializeToString())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError):
        Classifier.open("it.onnx")
    with pytest.raises(ModelError):
        Classifier.open("it.onnx", trusted=True)
