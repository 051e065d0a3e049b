"""How a model file is loaded into an engine."""

from __future__ import annotations

from typing import Final

from edge_runtime.backends.base import Backend, LoadedModel
from edge_runtime.engines import EngineChoice
from edge_runtime.errors import UsageError
from edge_runtime.modelfile import ModelFile
from edge_runtime.modelfile.tensors import EXPORTED, Arrangement
from edge_runtime.spec import ImageInput

__all__ = ["Backend", "LoadedModel", "open_backend"]

_MAX_THREADS: Final = 64  # asked for a million, one engine crashes and the other hangs


def open_backend(
    model: ModelFile,
    image: ImageInput,
    *,
    engine: EngineChoice = "auto",
    num_threads: int = 1,
    arrangement: Arrangement = EXPORTED,
) -> LoadedModel:
    """Load a checked model file into an engine for its format.

    Args:
        model: the file, read and checked.
        image: the picture that it takes.
        engine: which engine; "auto" is the first that starts.
        num_threads: of the engine.
        arrangement: how pixels lie in its input, where that is not NHWC and RGB.

    Raises:
        UsageError: `num_threads` is out of bounds, or the engine runs another format.
        EngineError: the engine is not installed, or does not start.
        ModelError: the engine refuses the model, or it is no picture classifier.
    """
    if not 1 <= num_threads <= _MAX_THREADS:
        raise UsageError(f"num_threads is {num_threads}, expected 1 to {_MAX_THREADS}")
    # Each backend is imported here and only when its format is opened, and with it its engine.
    match model.format:
        case "tflite":
            from edge_runtime.backends.tflite import TFLiteBackend

            return TFLiteBackend(
                model.data, image, num_threads, engine=engine, arrangement=arrangement
            )
        case "onnx":
            from edge_runtime.backends.onnx import OnnxBackend

            return OnnxBackend(
                model.data, image, num_threads, engine=engine, arrangement=arrangement
            )
