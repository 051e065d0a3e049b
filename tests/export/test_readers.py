"""The runtime reads models without their packages; the packages, which are here, read the same."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_runtime import Classifier, foreign, modelfile
from edge_runtime.description import Description
from edge_runtime.errors import ModelError, UsageError
from edge_runtime.foreign import tflite

MODELS = Path(__file__).parents[1] / "models"
FILES = [*sorted(MODELS.glob("*.tflite")), *sorted(MODELS.glob("foreign/*.tflite"))]
HALVES = ("top", "bottom", "left", "right")
COLOURS = ("red", "green", "blue")


@pytest.fixture
def folder() -> Path:
    return MODELS / "foreign"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_read_is_what_the_official_schema_reads(path: Path) -> None:
    data = path.read_bytes()
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    graph = model.subgraphs[0]
    read = tflite.graph(data)
    for ours, theirs in ((read.inputs, graph.inputs), (read.outputs, graph.outputs)):
        assert len(ours) == len(theirs)
        for tensor, index in zip(ours, theirs, strict=True):
            expected = graph.tensors[index]
            assert tensor.name.encode() == expected.name
            free = expected.shapeSignature if expected.shapeSignature is not None else ()
            shape = list(free) or list(expected.shape)
            assert [-1 if size is None else size for size in tensor.shape] == shape
            if tensor.quantization is not None:
                scale, zero_point = tensor.quantization
                assert scale == pytest.approx(expected.quantization.scale[0])
                assert zero_point == expected.quantization.zeroPoint[0]


def test_the_operations_numbers_are_the_schemas() -> None:
    names = {number: name for name, number in vars(schema.BuiltinOperator).items()}
    named = {names[number]: kind for number, kind in tflite._OPERATIONS.items()}
    assert named == {
        "SOFTMAX": "softmax",
        "LOG_SOFTMAX": "log-softmax",
        "LOGISTIC": "sigmoid",
        "FULLY_CONNECTED": "linear",
        "CONV_2D": "linear",
        "ADD": "linear",
    }
    transparent = {names[number] for number in tflite._TRANSPARENT}
    assert transparent == {"DEQUANTIZE", "QUANTIZE", "RESHAPE", "SQUEEZE"}


def test_weights_in_another_file_are_refused(folder: Path, tmp_path: Path) -> None:
    model = onnx.load(folder / "uint8.onnx")
    path = tmp_path / "model.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights", size_threshold=0)
    with pytest.raises(ModelError, match="keeps its weights in another file"):
        foreign.describe(modelfile.read(path), Description(labels=HALVES))


def test_answers_tell_probabilities_where_the_last_operation_does_not(folder: Path) -> None:
    opened = Classifier.open(
        folder / "any-size.onnx",
        description=Description(labels=COLOURS, input_range="0..1", size=(12, 16)),
        trusted=True,
    )
    assert opened.spec.scores == "probabilities"
    assert "so its answers to black, white and noise look" in opened.notes[-1]
    with pytest.raises(UsageError, match="do not sum to 1; add --scores probabilities, or"):
        Classifier.open(
            folder / "hard-sigmoid.onnx",
            description=Description(labels=HALVES, input_range="0..1"),
            trusted=True,
        )
