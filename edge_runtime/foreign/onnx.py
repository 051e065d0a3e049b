"""What an `.onnx` file shows of itself. Numbers are those of onnx.proto."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final

from edge_runtime import labels
from edge_runtime.description import Color, Description, InputRange
from edge_runtime.modelfile import onnx_properties, protobuf
from edge_runtime.modelfile.protobuf import Bytes
from edge_runtime.modelfile.tensors import Graph, Operation, Tensor, TensorType

_TYPES: Final[dict[int, TensorType]] = {
    1: "float32",
    2: "uint8",
    3: "int8",
    5: "int16",
    10: "float16",
}
_OPERATIONS: Final[dict[str, Operation]] = {
    "Softmax": "softmax",
    "LogSoftmax": "log-softmax",
    "Sigmoid": "sigmoid",
    "Gemm": "linear",
    "MatMul": "linear",
    "Add": "linear",
    "Conv": "linear",
    "QGemm": "linear",
    "QLinearMatMul": "linear",
}
_TRANSPARENT: Final = frozenset(
    ("Identity", "Cast", "DequantizeLinear", "QuantizeLinear", "Reshape", "Squeeze", "Flatten")
)
# The standard keys, in small letters: onnx/docs/MetadataProps.md.
_COLORS: Final[dict[str, Color]] = {"gray8": "gray", "rgb8": "rgb", "bgr8": "bgr"}
_RANGES: Final[dict[str, InputRange]] = {
    "nominalrange_0_255": "0..255",
    "normalized_0_1": "0..1",
    "normalized_1_1": "-1..1",
}


def graph(data: bytes) -> Graph:
    """Read it.

    Raises:
        ValueError: the bytes are no whole ONNX model.
        LookupError: the model keeps its weights in another file.
        InputError: the labels inside cannot be read.
    """
    found = [bytes_ for _, bytes_ in protobuf.delimited(memoryview(data), 7)]
    if not found:
        raise ValueError("no graph inside")
    (main, *_) = found
    weights = {_name(weight, 8) for weight in _initializers(main)}
    outputs = tuple(_tensor(value) for _, value in protobuf.delimited(main, 12))
    inputs = (_tensor(value) for _, value in protobuf.delimited(main, 11))
    return Graph(
        # Before IR version 4 the weights stood among the inputs.
        inputs=tuple(tensor for tensor in inputs if tensor.name not in weights),
        outputs=outputs,
        last=_last(main, outputs[0].name) if outputs else None,
        said=_said({key.lower(): value for key, value in onnx_properties(data)}),
    )


def _initializers(main: Bytes) -> Iterator[Bytes]:
    for _, weight in protobuf.delimited(main, 5):
        if any(True for _ in protobuf.delimited(weight, 13)):  # TensorProto.external_data
            raise LookupError
        yield weight


def _tensor(value: Bytes) -> Tensor:
    """A ValueInfoProto."""
    kind: TensorType = "other"
    shape: list[int | None] = []
    for _, type_ in protobuf.delimited(value, 2):
        for _, tensor in protobuf.delimited(type_, 1):
            for number, part in protobuf.read(tensor):
                if number == 1 and isinstance(part, int):
                    kind = _TYPES.get(part, "other")
                elif number == 2 and not isinstance(part, int):
                    shape = [_size(dimension) for _, dimension in protobuf.delimited(part, 1)]
    return Tensor(_name(value, 1), tuple(shape), kind)


def _size(dimension: Bytes) -> int | None:
    """A Dimension's number; None where it has a name or nothing."""
    for number, value in protobuf.read(dimension):
        if number == 1 and isinstance(value, int) and 0 < value < 1 << 31:
            return value
    return None


def _name(message: Bytes, field: int) -> str:
    names = [bytes(name) for _, name in protobuf.delimited(message, field)]
    return names[-1].decode(errors="replace") if names else ""


def _last(main: Bytes, output: str) -> Operation | None:
    """The operation that an output comes from, behind what only rewrites it."""
    makers: dict[str, tuple[str, str]] = {}  # tensor → operation, its first input
    for _, node in protobuf.delimited(main, 1):
        taken = next((bytes(name) for _, name in protobuf.delimited(node, 1)), b"")
        for _, made in protobuf.delimited(node, 2):
            name = bytes(made).decode(errors="replace")
            makers[name] = (_name(node, 4), taken.decode(errors="replace"))
    for _ in makers:  # no longer than there are nodes: a damaged file may go in circles
        operation, taken_name = makers.get(output, ("", ""))
        if operation not in _TRANSPARENT:
            return _OPERATIONS.get(operation)
        output = taken_name
    return None


def _said(properties: Mapping[str, str]) -> Description:
    return Description(
        labels=_labels(properties),
        color=_COLORS.get(properties.get("image.bitmappixelformat", "").lower()),
        input_range=_RANGES.get(properties.get("image.nominalpixelrange", "").lower()),
    )


def _labels(properties: Mapping[str, str]) -> tuple[str, ...] | None:
    """Labels as Ultralytics writes them: `names` is a Python dict from number to label, as text."""
    text = properties.get("names", "")
    if not 0 < len(text) <= labels.MAX_BYTES:
        return None
    try:
        names = ast.literal_eval(text)
        return tuple(str(names[number]) for number in range(len(names)))
    except (ValueError, SyntaxError, LookupError, TypeError, MemoryError, RecursionError):
        return None  # something else of that name
