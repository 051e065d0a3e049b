"""How many multiply-accumulates one picture takes, counted from what the engine reads in the file."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from benchmarks import engines
from edge_runtime.modelfile import ModelFile
from edge_runtime.quiet import native_output_hidden

Arithmetic = Literal["float32", "int8"]
Shape = Sequence[int]


@dataclass(frozen=True)
class Work:
    """What one picture takes: convolutions and matrix products; all else is small beside them."""

    macs: int
    arithmetic: Arithmetic  # of most of it


def count(file: ModelFile) -> Work | None:
    """Count a model's multiply-accumulates for one picture; None where the engine does not tell."""
    # The figure is an extra, and engines of other versions may tell it otherwise or not at all.
    with suppress(Exception), native_output_hidden():
        return _count_tflite(file.data) if file.format == "tflite" else _count_onnx(file)
    return None


# --- TFLite: the interpreter's list of operators --------------------------------------------------


def _count_tflite(data: bytes) -> Work:
    _, interpreter = engines.interpreter(data)
    tensors = {one["index"]: one for one in interpreter.get_tensor_details()}
    macs = {"int8": 0, "float32": 0}
    for operator in interpreter._get_ops_details():  # noqa: SLF001  the only one that tells
        if operator["op_name"] in _TFLITE_MACS:
            weights = tensors[int(operator["inputs"][1])]
            output = tensors[int(operator["outputs"][0])]["shape"].tolist()
            kind = "int8" if weights["dtype"] == np.int8 else "float32"
            macs[kind] += _TFLITE_MACS[operator["op_name"]](weights["shape"].tolist(), output)
    return Work(sum(macs.values()), "int8" if macs["int8"] > macs["float32"] else "float32")


# Weights are (out, kernel height, kernel width, in), (1, kernel height, kernel width, channels)
# and (out, in).
_TFLITE_MACS: Final = {
    "CONV_2D": lambda weights, output: math.prod(output) * math.prod(weights[1:]),
    "DEPTHWISE_CONV_2D": lambda weights, output: math.prod(output) * math.prod(weights[1:3]),
    "FULLY_CONNECTED": lambda weights, output: math.prod(output) * weights[-1],
}


# --- ONNX: a profile of one run without optimizations ---------------------------------------------


def _count_onnx(file: ModelFile) -> Work:
    image = file.spec.image if file.spec else None
    if image is None:
        raise LookupError("no spec")
    macs, kinds = 0, set()
    shape = (1, image.height, image.width, image.channels)
    for name, inputs, output in _profiled(file.data, shape):
        kinds.add(name)
        if name in ("Conv", "QLinearConv", "ConvInteger"):
            weights = inputs[3] if name == "QLinearConv" else inputs[1]
            macs += math.prod(output) * math.prod(weights[1:])
        elif name in ("Gemm", "MatMul", "QLinearMatMul", "MatMulInteger"):
            macs += math.prod(output) * inputs[0][-1]
    quantized = kinds & {"QuantizeLinear", "DynamicQuantizeLinear"}
    return Work(macs, "int8" if quantized else "float32")


def _profiled(data: bytes, shape: Shape) -> Iterator[tuple[str, list[Shape], Shape]]:
    """Each operator's name, the shapes of its inputs, and the shape of its output."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.enable_profiling = True
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        tensor = session.get_inputs()[0]
        dtype = np.uint8 if "uint8" in tensor.type else np.float32
        session.run(None, {tensor.name: np.zeros(shape, dtype)})
        events = json.loads(Path(session.end_profiling()).read_text())
    for event in events:
        told = event.get("args", {})
        if event.get("cat") == "Node" and "input_type_shape" in told:
            inputs = [next(iter(one.values())) for one in told["input_type_shape"]]
            (output,) = told["output_type_shape"][0].values()
            yield told["op_name"], inputs, output
