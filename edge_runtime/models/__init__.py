"""The reference model that comes with the package: Fashion-MNIST, int8, once for each engine."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from edge_runtime.backends import installed_formats
from edge_runtime.errors import EngineError

FOLDER: Final = Path(__file__).parent


def default_model() -> Path:
    """The shipped model for an engine that is installed here.

    Raises:
        EngineError: no engine is installed.
    """
    formats = installed_formats()
    if not formats:
        raise EngineError(
            "no engine is installed; run `pip install ai-edge-litert`, or onnxruntime, "
            "or on 32-bit Raspberry Pi OS `pip install tflite-runtime 'numpy<2'`"
        )
    return FOLDER / f"fashion-mnist.int8.{formats[0]}"
