"""The formats: what each module beside this one can do, and which is whose."""

from __future__ import annotations

from typing import Any, Protocol

from edge_runtime.spec import Format, ModelSpec, Precision
from export.calibration import CalibrationSet


class Converter(Protocol):
    """One format's module: Keras model → file content that engines load → sealed file."""

    def convert(
        self, model: Any, precision: Precision, spec: ModelSpec, calibration: CalibrationSet | None
    ) -> bytes:
        """Convert, and quantize where the precision asks for it.

        Args:
            model: a `keras.Model` from float32 (n, height, width, channels) to (n, classes).
            precision: one that the table of variants lists for this format.
            spec: the model's spec.
            calibration: pictures for the integer precisions.
        """
        ...

    def annotate(self, model: bytes, spec: ModelSpec) -> bytes:
        """Add the format's own standard metadata. Input and output are `image` and `scores`."""
        ...

    def seal(self, model: bytes, spec: ModelSpec, golden: bytes | None) -> bytes:
        """Add spec, golden samples and digest to an annotated model."""
        ...


def converter(format: Format) -> Converter:  # noqa: A002  it is what the spec calls it
    """The converter of a format; its frameworks are imported only now."""
    match format:
        case "tflite":
            from export.formats import tflite

            return tflite
        case "onnx":
            from export.formats import onnx

            return onnx
