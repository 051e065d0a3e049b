"""The engines: what each is called, and by hand, for what no model file of this project is needed for."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any, Final

from edge_runtime import engines
from edge_runtime.engines import ENGINES, Engine, EngineChoice
from edge_runtime.quiet import native_output_hidden
from edge_runtime.spec import Format

_NAMES: Final[dict[Engine, str]] = {
    "litert": "LiteRT",
    "tflite-runtime": "tflite-runtime",
    "tensorflow": "TensorFlow",
    "onnxruntime": "ONNX Runtime",
}


def running(form: Format, choice: EngineChoice = "auto") -> str:
    """What runs files of a format here: package and version, such as "ai-edge-litert 2.3.0".

    Raises:
        UsageError: the engine that was chosen runs another format.
        EngineError: no engine is installed, or none starts.
    """
    package = ENGINES[engines.start(form, choice)[0]]
    # Installed under another name, as tensorflow-cpu is, only the module tells.
    module = sys.modules[package.module.partition(".")[0]]
    number = engines.installed_version(package.distribution) or getattr(module, "__version__", "")
    return f"{package.distribution} {number}".strip()


def interpreter(model: bytes, num_threads: int = 1) -> tuple[Engine, Any]:
    """The first TFLite engine that starts here, and its interpreter of a model, ready to run.

    Raises:
        EngineError: there is no such engine.
    """
    engine, module = engines.start("tflite")
    with native_output_hidden(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's announces that it will be gone
        made = module.Interpreter(model_content=model, num_threads=num_threads)
        made.allocate_tensors()
    return engine, made


def tflite_call(model: bytes, num_threads: int) -> tuple[str, Callable[[], object]]:
    """A TFLite engine's name, and a function that computes a model once.

    Raises:
        EngineError: there is no such engine.
    """
    engine, made = interpreter(model, num_threads)
    return _NAMES[engine], made.invoke


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
    return _NAMES["onnxruntime"], lambda: session.run(None, {tensor.name: zeros})
