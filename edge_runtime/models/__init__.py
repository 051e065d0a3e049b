"""The reference model that comes with the package: Fashion-MNIST, int8, once for each engine."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from edge_runtime import engines
from edge_runtime.engines import ENGINES, EngineChoice
from edge_runtime.errors import EngineError
from edge_runtime.spec import Format

FOLDER: Final = Path(__file__).parent


def default_model(engine: EngineChoice = "auto") -> Path:
    """The shipped model for an engine that runs here.

    Raises:
        EngineError: no engine is installed, or none starts.
    """
    if engine != "auto":
        return shipped(ENGINES[engine].format)
    formats = engines.installed_formats()
    if not formats:
        raise EngineError(
            "no engine is installed; run `pip install ai-edge-litert`, or onnxruntime, "
            "or on 32-bit Raspberry Pi OS `pip install tflite-runtime 'numpy<2'`"
        )
    # The engine is wanted next anyway. One that does not start leaves it to the other; the last
    # may say itself what is wrong.
    for form in formats[:-1]:
        try:
            engines.start(form)
        except EngineError:
            continue
        return shipped(form)
    return shipped(formats[-1])


def model_to_show() -> Path:
    """The shipped model that would be the default, without starting an engine to be sure of it."""
    return shipped(next(iter(engines.installed_formats()), "tflite"))


def shipped(form: Format) -> Path:
    """The shipped model in one format."""
    return FOLDER / f"fashion-mnist.int8.{form}"
