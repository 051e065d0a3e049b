"""Classify pictures on a small device with numpy, Pillow and one engine.

>>> from edge_runtime import Classifier
>>> Classifier.open("fashion-mnist.int8.tflite").classify("boot.png").best.label
'Ankle boot'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_runtime.classifier import Classifier
    from edge_runtime.description import Description
    from edge_runtime.errors import (
        DamagedModelError,
        DeviceError,
        EdgeError,
        EngineError,
        Failure,
        InputError,
        ModelError,
        OutputError,
        SpecError,
        ToleranceError,
        UsageError,
    )
    from edge_runtime.postprocess import Prediction
    from edge_runtime.result import Result
    from edge_runtime.spec import ModelSpec

__version__ = "0.1.0"

# Names are fetched when first used, so that `--help` and `spec` load neither numpy nor Pillow.
_HOMES = {
    "Classifier": "classifier",
    "DamagedModelError": "errors",
    "Description": "description",
    "DeviceError": "errors",
    "EdgeError": "errors",
    "EngineError": "errors",
    "Failure": "errors",
    "InputError": "errors",
    "ModelError": "errors",
    "ModelSpec": "spec",
    "OutputError": "errors",
    "Prediction": "postprocess",
    "Result": "result",
    "SpecError": "errors",
    "ToleranceError": "errors",
    "UsageError": "errors",
}

__all__ = [
    "Classifier",
    "DamagedModelError",
    "Description",
    "DeviceError",
    "EdgeError",
    "EngineError",
    "Failure",
    "InputError",
    "ModelError",
    "ModelSpec",
    "OutputError",
    "Prediction",
    "Result",
    "SpecError",
    "ToleranceError",
    "UsageError",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
