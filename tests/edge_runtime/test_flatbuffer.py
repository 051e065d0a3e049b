from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime import flatbuffer
from edge_runtime.foreign import tflite

MODELS = Path(__file__).parents[1] / "models"
FILES = [*sorted(MODELS.glob("*.tflite")), *sorted(MODELS.glob("foreign/*.tflite"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_read_is_what_the_official_schema_reads(path: Path) -> None:
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
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
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
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


@given(st.binary(max_size=200))
def test_junk_is_a_value_error_or_a_table(data: bytes) -> None:
    try:
        table = flatbuffer.root(data)
        table.number(0, "i")
        table.tables(1)
        table.numbers(2, "q")
        table.text(3)
        table.table(4)
    except ValueError:
        pass


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "byte 0 of 0"),
        (b"\xff\xff\xff\xff", "byte 4294967295 of 4"),
        (b"\4\0\0\0\0\0\0\x80", "of 8"),
    ],
)
def test_damage_is_named_by_its_place(data: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        flatbuffer.root(data)


def test_a_list_that_claims_to_be_endless_is_refused() -> None:
    # root → table at 12 with its vtable at 4: one field, a vector of 2**31 entries
    vtable = (6).to_bytes(2, "little") + (8).to_bytes(2, "little") + (4).to_bytes(2, "little")
    table = (8).to_bytes(4, "little") + (4).to_bytes(4, "little") + (2**31).to_bytes(4, "little")
    data = (12).to_bytes(4, "little") + vtable + b"\0\0" + table
    with pytest.raises(ValueError, match="a list of 2147483648 entries that passes the end"):
        flatbuffer.root(data).numbers(0, "i")
