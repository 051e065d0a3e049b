"""The engines: which are installed, and how one is opened."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from edge_runtime.backends.base import ENGINES, Backend
from edge_runtime.errors import UsageError
from edge_runtime.modelfile import ModelFile
from edge_runtime.spec import Format, ImageInput

__all__ = ["Backend", "installed_formats", "open_backend"]

_MAX_THREADS: Final = 64  # asked for a million, one engine crashes and the other hangs


def installed_formats() -> list[Format]:
    """The formats that an installed engine can run, without importing any engine."""
    return [kind for kind, packages in ENGINES.items() if any(map(find_spec, packages))]


def open_backend(model: ModelFile, image: ImageInput, *, num_threads: int = 1) -> Backend:
    """Load a checked model file into the engine for its format.

    Raises:
        UsageError: `num_threads` is out of bounds.
        EngineError: no engine for the format is installed.
        ModelError: the engine refuses the model, or it is no picture classifier.
    """
    if not 1 <= num_threads <= _MAX_THREADS:
        raise UsageError(f"num_threads is {num_threads}, expected 1 to {_MAX_THREADS}")
    # Each engine is imported here and only when its format is opened: they are large, and a
    # device has one of them.
    match model.format:
        case "tflite":
            from edge_runtime.backends.tflite import TFLiteBackend

            return TFLiteBackend(model.data, image, num_threads)
        case "onnx":
            from edge_runtime.backends.onnx import OnnxBackend

            return OnnxBackend(model.data, image, num_threads)
