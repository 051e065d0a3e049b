"""Integers for an ONNX graph of a model that was trained with rounding in it.

Every value between two layers is rounded already, and every kernel lies on 255 even steps a channel
(docs/decisions/0005), so kernels and biases are written as the integers that they are. Nothing is
measured, and nothing moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from export.formats import onnx_graph
from export.variants import Target

_STEPS: Final = 127  # of a kernel, to either side of zero
_LARGEST_BIAS: Final = 2.0**30  # an int32, with room for the sum that is added to it
_MIDDLE: Final = 128  # zero of a signed byte, as an unsigned one
# Which axis of a kernel counts output channels.
_WEIGHTED: Final = {"Conv": 0, "Gemm": 1, "MatMul": 1}


def with_integers(model: Any, target: Target) -> Any:
    """The model with kernels and biases as integers, changed in place.

    Args:
        model: a float `onnx.ModelProto`; layers that do not take rounded values stay as they are.
        target: the processor. `portable` takes unsigned kernels, which cost x86 time but overflow
            nowhere; 7-bit ones would not be those that were trained.
    """
    graph = model.graph
    if target == "arm":
        _sign_values(graph)
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    producers = onnx_graph.by_output(graph)
    nodes: list[Any] = []
    for node in graph.node:
        if node.op_type in _WEIGHTED and node.input[1] in constants:
            step = _step(producers.get(node.input[0]), producers, constants)
            if step is not None:
                nodes += _integers(graph, node, constants, step, unsigned=target == "portable")
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def _integers(
    graph: Any, node: Any, constants: Mapping[str, NDArray[Any]], step: float, *, unsigned: bool
) -> Iterator[Any]:
    """Give a layer integers, and what makes floats of them again, which engines take together."""
    kernel, *biases = (constants[name] for name in node.input[1:])
    axis = _WEIGHTED[node.op_type] ^ _is_transposed(node)
    others = tuple(other for other in range(kernel.ndim) if other != axis)
    scale = np.abs(kernel).max(axis=others) / _STEPS
    for bias in biases:  # beside which the weights of such a channel are next to nothing
        scale = np.maximum(scale, np.abs(bias) / (step * _LARGEST_BIAS))
    scale = np.where(scale, scale, 1).astype(np.float32)
    middle, kind = (_MIDDLE, np.uint8) if unsigned else (0, np.int8)
    steps = (np.rint(kernel / np.expand_dims(scale, others)) + middle).astype(kind)
    zero = np.full(len(scale), middle, kind)
    yield _dequantized(graph, node, 1, (steps, scale, zero), axis)
    for bias in biases:
        scale = (scale * step).astype(np.float32)
        sums = np.rint(bias / scale).astype(np.int32)
        yield _dequantized(graph, node, 2, (sums, scale, np.zeros_like(sums)), 0)


def _dequantized(
    graph: Any, node: Any, slot: int, constants: tuple[NDArray[Any], ...], axis: int
) -> Any:
    """Let a layer take its input from a new DequantizeLinear of these constants."""
    names = [f"{node.output[0]}.{slot}.{part}" for part in range(len(constants))]
    graph.initializer.extend(map(numpy_helper.from_array, constants, names))
    node.input[slot] = f"{node.output[0]}.{slot}"
    return helper.make_node("DequantizeLinear", names, [node.input[slot]], axis=axis)


def _step(
    node: Any, producers: Mapping[str, Any], constants: Mapping[str, NDArray[Any]]
) -> float | None:
    """The step of the rounded values that a node passes on; None where they are not rounded."""
    while node is not None and node.op_type != "DequantizeLinear":
        if node.op_type not in ("Reshape", "Squeeze", "Transpose", "Flatten"):
            return None
        node = producers.get(node.input[0])
    return None if node is None else float(constants[node.input[1]])


def _is_transposed(node: Any) -> bool:
    return any(each.name == "transB" and each.i for each in node.attribute)


def _sign_values(graph: Any) -> None:
    """Count the steps of all values from -128 instead of 0: the same values."""
    for constant in graph.initializer:
        if constant.data_type == TensorProto.UINT8:
            zero = numpy_helper.to_array(constant).astype(int) - _MIDDLE
            constant.CopyFrom(numpy_helper.from_array(zero.astype(np.int8), constant.name))
