"""The formats: what each module beside this one can do, and which is whose."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from edge_runtime.spec import Format, ModelSpec
from export.calibration import CalibrationSet
from export.formats.layers import Layer
from export.variants import Variant


@dataclass(frozen=True)
class Needs:
    """What a model file asks of an engine."""

    operations: Mapping[str, int]  # name → version
    runtime: str  # the oldest engine that has them all, for example `TensorFlow Lite 2.4.0`


class Quantizer(Protocol):
    """A model whose ranges are known: int8 files can be made of it, again and again."""

    @property
    def calibrated(self) -> bool:
        """Whether calibration pictures gave the ranges; training may have."""
        ...

    def quantize(self, kept_float: Collection[str] = ()) -> bytes:
        """An integer model.

        Args:
            kept_float: names of operations that shall compute in floats.
        """
        ...

    def layers(self) -> tuple[Layer, ...]:
        """What can be kept in floats, the most harmed by integers first."""
        ...


class Converter(Protocol):
    """One format's module: Keras model → file content that engines load → sealed file."""

    def convert(self, model: Any, variant: Variant, spec: ModelSpec) -> bytes:
        """Convert, for all precisions whose activations stay floats.

        Args:
            model: a `keras.Model` from float32 (n, height, width, channels) to (n, classes).
            variant: one of this format.
            spec: the model's spec.
        """
        ...

    def quantizer(
        self, model: Any, variant: Variant, spec: ModelSpec, calibration: CalibrationSet | None
    ) -> Quantizer:
        """Convert, and let calibration pictures show the ranges of the activations.

        Args:
            model: a `keras.Model` from float32 (n, height, width, channels) to (n, classes).
            variant: an integer one of this format.
            spec: the model's spec.
            calibration: the pictures, and the original's scores of them; None for a model that
                was trained with rounding in it.
        """
        ...

    def needs(self, model: bytes) -> Needs:
        """What a converted model, not annotated yet, asks of an engine.

        Raises:
            ModelError: an operation that only TensorFlow itself has.
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
