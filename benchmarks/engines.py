"""The engines by hand, for what a model file of this project is not needed for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from edge_runtime.backends.base import ENGINES
from edge_runtime.quiet import native_output_hidden

_NAMES: Final = {"ai_edge_litert": "LiteRT", "tflite_runtime": "tflite-runtime"}


def tflite() -> Any | None:
    """The module with `Interpreter` of the first TFLite engine that starts here; None without one."""
    for package in ENGINES["tflite"]:
        # A package can be there and not start: tflite-runtime under NumPy 2, say.
        with suppress(Exception):
            return importlib.import_module(f"{package}.interpreter")
    return None


def tflite_call(model: bytes, num_threads: int) -> tuple[str, Callable[[], object]]:
    """A TFLite engine's name, and a function that computes a model once.

    Raises:
        LookupError: there is no such engine.
    """
    module = tflite()
    if module is None:
        raise LookupError("no TFLite engine")
    with native_output_hidden():
        interpreter = module.Interpreter(model_content=model, num_threads=num_threads)
        interpreter.allocate_tensors()
    return _NAMES[module.__name__.partition(".")[0]], interpreter.invoke


def onnx_call(model: bytes, num_threads: int) -> tuple[str, Callable[[], object]]:
    """ONNX Runtime's name, and a function that computes a model once on zeros.

    Raises:
        ImportError: ONNX Runtime is not installed.
    """
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (tensor,) = session.get_inputs()
    zeros = np.zeros(tensor.shape, np.uint8 if "uint8" in tensor.type else np.float32)
    return "ONNX Runtime", lambda: session.run(None, {tensor.name: zeros})
