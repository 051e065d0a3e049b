"""The last layer of an integer TFLite model, where eight bits are scarcest.

The converter spreads the 256 steps of the output over all logits it saw. A dense model's logits
easily span 75 units, most of them far below any winner, and then a step is 0.3: one picture in
a hundred has two candidates closer than that, and gets the wrong one. And the rounding of all the
weights before adds up to an error of the logits whose mean is not zero. Both are mended here with
the calibration pictures, without a new operation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_runtime.backends.tflite import TFLiteBackend
from edge_runtime.postprocess import probabilities
from edge_runtime.spec import ModelSpec
from export.calibration import CalibrationSet
from export.formats.tflite_file import pack, unpack

# What may stand between the logits and an output of another type.
_COPIES: Final = (schema.BuiltinOperator.QUANTIZE, schema.BuiltinOperator.DEQUANTIZE)
_CUTS: Final = np.arange(0, 1, 0.05)  # shares of the range that may be cut off at either end


def refine(model: bytes, spec: ModelSpec, calibration: CalibrationSet) -> bytes:
    """Take the logits' mean error out of the last bias, and give the logits a range worth having.

    Args:
        model: a fully integer TFLite model.
        spec: its spec.
        calibration: pictures, and the original's logits for them.

    Returns:
        The refined model; the same one where the last layer is not a dense layer giving logits.
    """
    unpacked = unpack(model)
    head = _find(unpacked)
    if head is None or spec.scores != "logits":
        return model
    actual = TFLiteBackend(model, spec.image, 1).run(calibration.pixels)
    _shift_bias(unpacked, head, np.mean(actual - calibration.scores, axis=0))
    _set_range(head, best_range(calibration.scores))
    return pack(unpacked)


def best_range(logits: NDArray[np.float32]) -> tuple[float, float]:
    """The range whose 256 steps change the probabilities least.

    Values outside are cut off: a logit far below the winner may as well be a little less far
    below. Measured by the mean Kullback-Leibler divergence over the pictures, because that weighs
    a confident answer that turns into another most.

    Args:
        logits: the original's, shape (n, classes).

    Returns:
        Lowest and highest value; zero lies between them, as TFLite demands.
    """
    low, high = min(0.0, float(logits.min())), max(0.0, float(logits.max()))
    ranges = [(low * (1 - below), high * (1 - above)) for below in _CUTS for above in _CUTS]
    wanted = probabilities(logits, "logits")
    return min(ranges, key=lambda limits: _divergence(wanted, _quantized(logits, limits)))


def _quantized(logits: NDArray[np.float32], limits: tuple[float, float]) -> NDArray[np.float32]:
    scale, zero_point = _parameters(limits)
    steps = np.clip(np.rint(logits / np.float32(scale)) + zero_point, -128, 127)
    values: NDArray[np.float32] = ((steps - zero_point) * scale).astype(np.float32)
    return values


def _divergence(wanted: NDArray[np.float32], logits: NDArray[np.float32]) -> float:
    actual = probabilities(logits, "logits")
    tiny = np.float32(1e-9)
    return float(np.mean(np.sum(wanted * np.log((wanted + tiny) / (actual + tiny)), axis=1)))


def _parameters(limits: tuple[float, float]) -> tuple[float, int]:
    """(scale, zero point) that spread int8 over a range around zero."""
    scale = max(limits[1] - limits[0], 1e-6) / 255
    return scale, round(-128 - limits[0] / scale)


@dataclass(frozen=True, eq=False)
class _Head:
    """The dense layer that gives the logits, as parts of an unpacked model."""

    bias: Any | None  # tensor, int32
    logits: Any  # tensor, int8
    output: Any  # the model's output tensor: the logits, or their uint8 or float copy


def _find(model: Any) -> _Head | None:
    graph = model.subgraphs[0]
    producers = {index: operator for operator in graph.operators for index in operator.outputs}
    tensors = graph.tensors
    operator = producers[graph.outputs[0]]
    if _code(model, operator) in _COPIES:
        operator = producers[operator.inputs[0]]
    if _code(model, operator) != schema.BuiltinOperator.FULLY_CONNECTED:
        return None
    if operator.builtinOptions.fusedActivationFunction != schema.ActivationFunctionType.NONE:
        return None
    if tensors[operator.outputs[0]].type != schema.TensorType.INT8:
        return None
    has_bias = len(operator.inputs) > 2 and operator.inputs[2] >= 0
    return _Head(
        bias=tensors[operator.inputs[2]] if has_bias else None,
        logits=tensors[operator.outputs[0]],
        output=tensors[graph.outputs[0]],
    )


def _code(model: Any, operator: Any) -> int:
    return int(model.operatorCodes[operator.opcodeIndex].builtinCode)


def _shift_bias(model: Any, head: _Head, error: NDArray[np.floating]) -> None:
    if head.bias is None:
        return
    buffer = model.buffers[head.bias.buffer]
    bias = np.frombuffer(bytes(buffer.data), dtype="<i4")
    shifted = bias - np.rint(error / np.asarray(head.bias.quantization.scale))
    buffer.data = shifted.astype("<i4").tobytes()


def _set_range(head: _Head, limits: tuple[float, float]) -> None:
    """Name another scale and zero point for the logits; kernels compute their factors from them."""
    scale, zero_point = _parameters(limits)
    head.logits.quantization.scale = [scale]
    head.logits.quantization.zeroPoint = [zero_point]
    if head.output.type == schema.TensorType.UINT8:  # the same steps, counted from 0
        head.output.quantization.scale = [scale]
        head.output.quantization.zeroPoint = [zero_point + 128]
