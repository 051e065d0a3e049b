"""A Keras picture classifier in; verified TFLite and ONNX files, each with its spec inside, out.

>>> from export import export
>>> export(Path("runs/mlp")).passed  # or a keras.Model, its spec and pictures
True
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from edge_runtime.description import Description
from export.limits import Limits
from export.report import ExportReport, VariantReport
from export.variants import VARIANTS, Variant

if TYPE_CHECKING:
    from export.pipeline import export

__all__ = [
    "VARIANTS",
    "Description",
    "ExportReport",
    "Limits",
    "Variant",
    "VariantReport",
    "export",
]


def __getattr__(name: str) -> Any:
    # Fetched when first used, so that `python -m export --help` loads not even numpy.
    if name != "export":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module("export.pipeline").export
