"""A Keras picture classifier in; verified TFLite and ONNX files, each with its spec inside, out.

>>> from export import export
>>> report = export(Path("runs/mlp"), Path("exported/mlp"))
>>> report.passed
True
"""

from __future__ import annotations

from export.pipeline import export
from export.report import ExportReport, VariantReport
from export.variants import VARIANTS, Variant
from export.verify import Limits

__all__ = ["VARIANTS", "ExportReport", "Limits", "Variant", "VariantReport", "export"]
