"""What a `.tflite` file shows of itself. Numbers are those of TensorFlow's schema.fbs."""

from __future__ import annotations

from typing import Final

from edge_runtime.foreign import metadata
from edge_runtime.modelfile import flatbuffer
from edge_runtime.modelfile.flatbuffer import Table
from edge_runtime.modelfile.tensors import Graph, Operation, Tensor, TensorType

_TYPES: Final[dict[int, TensorType]] = {
    0: "float32",
    1: "float16",
    3: "uint8",
    7: "int16",
    9: "int8",
}
_OPERATIONS: Final[dict[int, Operation]] = {
    25: "softmax",
    50: "log-softmax",
    14: "sigmoid",
    9: "linear",  # FULLY_CONNECTED
    3: "linear",  # CONV_2D
    0: "linear",  # ADD
}
# They change how scores are written, not what they are: DEQUANTIZE, QUANTIZE, RESHAPE, SQUEEZE.
_TRANSPARENT: Final = (6, 114, 22, 43)


def graph(data: bytes) -> Graph:
    """Read it.

    Raises:
        ValueError: the bytes are no whole TFLite model.
        InputError: the labels packed inside cannot be read.
    """
    model = flatbuffer.root(data)
    subgraphs = model.tables(2)
    if not subgraphs:
        raise ValueError("no graph inside")
    main = subgraphs[0]
    tensors = main.tables(0)
    inputs, outputs = (main.numbers(field, "i") for field in (1, 2))
    if not all(0 <= index < len(tensors) for index in (*inputs, *outputs)):
        raise ValueError("an input or output that is no tensor")
    return Graph(
        inputs=tuple(_tensor(tensors[index]) for index in inputs),
        outputs=tuple(_tensor(tensors[index]) for index in outputs),
        last=_last(model, main, outputs[0]) if outputs else None,
        said=metadata.read(data, model),
    )


def _tensor(table: Table) -> Tensor:
    shape = table.numbers(0, "i")
    signature = table.numbers(7, "i")
    if len(signature) == len(shape):  # where there is one, -1 in it is free
        shape = signature
    kind = _TYPES.get(table.number(1, "b"), "other")
    quantization = table.table(4)
    scales = quantization.numbers(2, "f") if quantization else ()
    zero_points = quantization.numbers(3, "q") if quantization else ()
    scaled = len(scales) == len(zero_points) == 1 and scales[0] > 0
    return Tensor(
        name=table.text(3) or "without a name",
        shape=tuple(None if size < 0 else size for size in shape),
        type=kind,
        quantization=(scales[0], zero_points[0]) if scaled and not kind.startswith("f") else None,
    )


def _last(model: Table, main: Table, output: int) -> Operation | None:
    """The operation that an output comes from, behind what only rewrites it."""
    codes = [max(code.number(0, "b"), code.number(3, "i")) for code in model.tables(1)]
    for operator in reversed(main.tables(3)):  # in the order in which they are computed
        if output not in operator.numbers(2, "i"):
            continue
        index = operator.number(0, "I")
        code = codes[index] if index < len(codes) else None
        if code not in _TRANSPARENT:
            return None if code is None else _OPERATIONS.get(code)
        output = next(iter(operator.numbers(1, "i")), -1)
    return None
