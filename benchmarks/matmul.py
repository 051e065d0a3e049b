"""A TFLite model that is one large matrix product, made on the spot with LiteRT's own schema."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.macs import Arithmetic


def interpreter(arithmetic: Arithmetic, side: int, num_threads: int) -> Any:
    """An interpreter that multiplies two square matrices, ready to be invoked.

    Args:
        arithmetic: float32, or int8 with sums in int32.
        side: rows and columns.
        num_threads: of the engine.

    Raises:
        ImportError: LiteRT is not installed, or comes without its schema.
    """
    from ai_edge_litert.interpreter import Interpreter

    made = Interpreter(model_content=_model(arithmetic, side), num_threads=num_threads)
    made.allocate_tensors()
    return made


def _model(arithmetic: Arithmetic, side: int) -> bytes:
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    dtype = np.int8 if arithmetic == "int8" else np.float32
    weights = np.random.default_rng(0).integers(-100, 100, (side, side)).astype(dtype)

    def tensor(name: str, buffer: int, scale: float) -> Any:
        made = schema.TensorT()
        made.name, made.shape, made.buffer = name, [side, side], buffer
        made.type = getattr(schema.TensorType, "INT8" if arithmetic == "int8" else "FLOAT32")
        if arithmetic == "int8":
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [scale], [0]
        return made

    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = [0, 1, -1], [2]
    operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    operator.builtinOptions = schema.FullyConnectedOptionsT()
    graph = schema.SubGraphT()
    graph.tensors = [tensor("x", 0, 0.01), tensor("weights", 1, 0.01), tensor("y", 0, 1.0)]
    graph.inputs, graph.outputs, graph.operators = [0], [2], [operator]
    empty, constant = schema.BufferT(), schema.BufferT()
    constant.data = weights.view(np.uint8).ravel()
    model = schema.ModelT()
    model.version, model.operatorCodes = 3, [code]
    model.subgraphs, model.buffers = [graph], [empty, constant]
    builder = flatbuffers.Builder(weights.nbytes + 4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
