"""TFLite models of float32 and int8 operators. Numbers of fields are those of TFLite's schema.fbs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.synthetic.flatbuffer import Numbers, Scalar, Table, Tables, serialize

_SCHEMA_VERSION: Final = 3
_TYPES: Final = {np.dtype(np.float32): 0, np.dtype(np.int32): 2, np.dtype(np.int8): 9}


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor by its shape and type, or a constant by its values; no two are the same."""

    name: str
    shape: tuple[int, ...]
    dtype: type[np.generic] = np.float32
    values: NDArray[np.generic] | None = None
    scale: float | None = None  # of an integer tensor; its zero point is 0

    @classmethod
    def constant(cls, name: str, values: NDArray[np.generic], scale: float | None = None) -> Tensor:
        """A tensor that the file holds the values of."""
        return cls(name, values.shape, values.dtype.type, values, scale)


@dataclass(frozen=True)
class Operator:
    """A step of the model."""

    code: int  # BuiltinOperator
    options_type: int  # BuiltinOptions
    options: Table
    inputs: tuple[Tensor | None, ...]
    output: Tensor


def convolution(inputs: tuple[Tensor, Tensor, Tensor], output: Tensor, stride: int) -> Operator:
    """CONV_2D with "same" padding and ReLU: picture, weights (out, height, width, in), bias."""
    options = {1: Scalar("i", stride), 2: Scalar("i", stride), 3: Scalar("b", 1)}
    return Operator(3, 1, options, inputs, output)


def average_pool(given: Tensor, output: Tensor) -> Operator:
    """AVERAGE_POOL_2D over the whole picture."""
    _, height, width, _ = given.shape
    sizes = (width, height, width, height)  # of the strides and of the window
    options = {0: Scalar("b", 1), **{slot: Scalar("i", size) for slot, size in enumerate(sizes, 1)}}
    return Operator(1, 5, options, (given,), output)


def dense(inputs: tuple[Tensor, Tensor, Tensor | None], output: Tensor) -> Operator:
    """FULLY_CONNECTED: (n, in), weights (out, in), bias."""
    return Operator(9, 8, {}, inputs, output)


def model(operators: Sequence[Operator]) -> bytes:
    """The file of a model whose steps follow each other; the first has the model's input first."""
    tensors = list(
        dict.fromkeys(
            tensor
            for operator in operators
            for tensor in (*operator.inputs, operator.output)
            if tensor is not None
        )
    )
    place = {tensor: index for index, tensor in enumerate(tensors)}
    codes = sorted({operator.code for operator in operators})
    steps: list[Table] = [
        {
            0: Scalar("I", codes.index(operator.code)),
            1: Numbers("i", [-1 if one is None else place[one] for one in operator.inputs]),
            2: Numbers("i", [place[operator.output]]),
            3: Scalar("B", operator.options_type),
            4: operator.options,
        }
        for operator in operators
    ]
    graph: Table = {
        0: Tables([_tensor(tensor, index) for index, tensor in enumerate(tensors, 1)]),
        1: Numbers("i", [0]),
        2: Numbers("i", [place[operators[-1].output]]),
        3: Tables(steps),
    }
    known: list[Table] = [
        {0: Scalar("b", code), 2: Scalar("i", 1), 3: Scalar("i", code)} for code in codes
    ]
    root: Table = {
        0: Scalar("I", _SCHEMA_VERSION),
        1: Tables(known),
        2: Tables([graph]),
        4: Tables([{}, *map(_buffer, tensors)]),  # the first is empty, by agreement
    }
    return serialize(root, b"TFL3")


def _tensor(tensor: Tensor, buffer: int) -> Table:
    fields: Table = {
        0: Numbers("i", tensor.shape),
        1: Scalar("b", _TYPES[np.dtype(tensor.dtype)]),
        2: Scalar("I", buffer),
        3: tensor.name,
    }
    if tensor.scale is None:
        return fields
    return {**fields, 4: {2: Numbers("f", [tensor.scale]), 3: Numbers("q", [0])}}


def _buffer(tensor: Tensor) -> Table:
    return {} if tensor.values is None else {0: tensor.values.tobytes()}
