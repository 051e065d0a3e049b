"""ONNX models. Numbers of fields are those of onnx.proto."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.synthetic.protobuf import message

_IR_VERSION: Final = 8
_OPSET: Final = 13
_TYPES: Final = {
    np.dtype(np.float32): 1,
    np.dtype(np.uint8): 2,
    np.dtype(np.int8): 3,
    np.dtype(np.int32): 6,
}
_INTS: Final = 7  # AttributeProto.AttributeType

Shape = Sequence[int | str]  # text is a size that is left open


def node(kind: str, inputs: Sequence[str], output: str, **attributes: Sequence[int]) -> bytes:
    """An operator, by the names of its tensors; its attributes are lists of whole numbers."""
    told = [
        message((1, name), *((8, value) for value in values), (20, _INTS))
        for name, values in attributes.items()
    ]
    return message(
        *((1, name) for name in inputs), (2, output), (4, kind), *((5, one) for one in told)
    )


def constant(name: str, values: NDArray[np.generic]) -> bytes:
    """A tensor that the file holds the values of."""
    sizes = ((1, size) for size in values.shape)
    return message(*sizes, (2, _TYPES[values.dtype]), (8, name), (9, values.tobytes()))


def tensor(name: str, dtype: type[np.generic], shape: Shape) -> bytes:
    """An input or output of the model."""
    sizes = [message((1, size) if isinstance(size, int) else (2, size)) for size in shape]
    dimensions = message(*((1, size) for size in sizes))
    kind = message((1, message((1, _TYPES[np.dtype(dtype)]), (2, dimensions))))
    return message((1, name), (2, kind))


def model(nodes: Sequence[bytes], constants: Sequence[bytes], given: bytes, answer: bytes) -> bytes:
    """The file of a model."""
    graph = message(
        *((1, one) for one in nodes),
        (2, "synthetic"),
        *((5, one) for one in constants),
        (11, given),
        (12, answer),
    )
    return message((1, _IR_VERSION), (7, graph), (8, message((1, ""), (2, _OPSET))))
