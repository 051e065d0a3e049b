"""Models that are one large product of square matrices, for every engine: what a machine can do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.measures.macs import Arithmetic
from benchmarks.synthetic import onnx, tflite
from benchmarks.synthetic.tflite import Tensor


def tflite_product(arithmetic: Arithmetic, side: int) -> bytes:
    """A TFLite model: float32, or int8 whose sums are brought back to int8."""
    dtype = np.int8 if arithmetic == "int8" else np.float32
    scale = 0.01 if arithmetic == "int8" else None
    weights = Tensor.constant("weights", _weights(side).astype(dtype), scale)
    given = Tensor("x", (side, side), dtype, scale=scale)
    answer = Tensor("y", (side, side), dtype, scale=scale and 1.0)
    return tflite.model([tflite.dense((given, weights, None), answer)])


def onnx_product(arithmetic: Arithmetic, side: int) -> bytes:
    """An ONNX model: float32, or uint8 by int8 whose sums are int32."""
    whole = arithmetic == "int8"
    weights = _weights(side).astype(np.int8 if whole else np.float32)
    return onnx.model(
        [onnx.node("MatMulInteger" if whole else "MatMul", ["x", "weights"], "y")],
        [onnx.constant("weights", weights)],
        onnx.tensor("x", np.uint8 if whole else np.float32, (side, side)),
        onnx.tensor("y", np.int32 if whole else np.float32, (side, side)),
    )


def _weights(side: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(-100, 100, (side, side))
