"""Keras → ONNX, by Keras' own export, and ONNX Runtime's static quantization."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

import edge_runtime
from edge_runtime.backends.onnx import OnnxBackend
from edge_runtime.modelfile import seal_onnx as seal
from edge_runtime.spec import ImageInput, ModelSpec
from export.calibration import CalibrationSet, required
from export.formats import Needs, Quantizer, onnx_graph, onnx_layers, onnx_trained
from export.formats.fake_quant import Trained, is_fake_quantized
from export.formats.layers import Layer, weighted
from export.variants import Target, Variant

__all__ = ["annotate", "convert", "needs", "quantizer", "seal"]

_OPSET: Final = 17
_RUNTIME: Final = "ONNX Runtime 1.12"  # the first that loads that opset, and the IR version below
_IR_VERSION: Final = 8
_PIXEL_FORMAT: Final = {"gray": "Gray8", "rgb": "Rgb8"}
# What the normalised pixels span → what the standard calls it.
_RANGES: Final = {
    (0.0, 255.0): "NominalRange_0_255",
    (0.0, 1.0): "Normalized_0_1",
    (-1.0, 1.0): "Normalized_1_1",
}


def convert(model: Any, variant: Variant, spec: ModelSpec) -> bytes:  # noqa: ARG001
    """See `export.formats.Converter.convert`."""
    return _tidied(_converted(model, spec.image))


def quantizer(
    model: Any, variant: Variant, spec: ModelSpec, calibration: CalibrationSet | None
) -> Quantizer:
    """See `export.formats.Converter.quantizer`."""
    if is_fake_quantized(model):
        converted = _converted(model, spec.image)
        return Trained(_tidied(onnx_trained.with_integers(converted, variant.target)))
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with TemporaryDirectory() as name:
        plain, prepared = Path(name) / "plain.onnx", Path(name) / "prepared.onnx"
        onnx.save(_converted(model, spec.image), plain)
        # Symbolic shapes need sympy and are of no use to a model whose shapes are all fixed.
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)
        return _Int8(
            onnx.load(prepared), variant.target, spec, required(calibration), weighted(model)
        )


def needs(model: bytes) -> Needs:
    """See `export.formats.Converter.needs`; everything that is made here is of the standard."""
    types = sorted({node.op_type for node in onnx.load_from_string(model).graph.node})
    versions = {name: onnx.defs.get_schema(name, _OPSET).since_version for name in types}
    return Needs(versions, _RUNTIME)


def annotate(model: bytes, spec: ModelSpec) -> bytes:
    """Add the standard `Image.*` keys, and name what is known."""
    annotated = onnx.load_from_string(model)
    annotated.ir_version = _IR_VERSION
    annotated.producer_name = "edgeproof"
    annotated.producer_version = edge_runtime.__version__
    annotated.graph.name = spec.name
    annotated.graph.input[0].type.denotation = "IMAGE"  # the keys speak of inputs marked so
    onnx.helper.set_model_props(annotated, _image_keys(spec.image))
    onnx.checker.check_model(annotated, full_check=True)
    return bytes(annotated.SerializeToString(deterministic=True))


def _image_keys(image: ImageInput) -> dict[str, str]:
    """onnx/onnx docs/MetadataProps.md; the range is left out where the standard has no name."""
    keys = {
        "Image.BitmapPixelFormat": _PIXEL_FORMAT[image.color],
        "Image.ColorSpaceGamma": "SRGB",
    }
    spans = {
        (-mean / std, (255 - mean) / std) for mean, std in zip(image.mean, image.std, strict=True)
    }
    if len(spans) == 1 and (span := spans.pop()) in _RANGES:
        keys["Image.NominalPixelRange"] = _RANGES[span]
    return keys


def _converted(model: Any, image: ImageInput) -> Any:
    """A float `onnx.ModelProto` for one picture."""
    import keras

    shape = (1, image.height, image.width, image.channels)
    with TemporaryDirectory() as name:
        path = Path(name) / "float32.onnx"
        model.export(
            path,
            format="onnx",
            opset_version=_OPSET,
            # With a free batch the graph computes shapes while it runs: `onnx_graph.tidy` frees it.
            input_signature=[keras.InputSpec(shape=shape, dtype="float32", name="image")],
            verbose=False,
        )
        return onnx.load(path)


def _tidied(model: Any) -> bytes:
    """What a file holds before its spec."""
    return bytes(onnx_graph.tidy(model).SerializeToString())


@dataclass(frozen=True, eq=False)
class _Int8:
    """Static quantization as QDQ, weights per channel, weights and activations in 8 bits."""

    model: Any  # a float `onnx.ModelProto`, batch normalisation folded
    target: Target
    spec: ModelSpec
    calibration: CalibrationSet
    known: tuple[str, ...]  # names of the Keras layers that have weights
    calibrated = True

    def quantize(self, kept_float: Collection[str] = ()) -> bytes:
        """See `export.formats.Quantizer.quantize`."""
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

        with TemporaryDirectory() as name:
            prepared, quantized = Path(name) / "prepared.onnx", Path(name) / "int8.onnx"
            onnx.save(self.model, prepared)
            # Kernels for x86 take unsigned values: ONNX Runtime turns signed ones into them only here
            # and there, and computes the rest in floats. Without VNNI they add two products in 16
            # bits, which only 7-bit weights never overflow (docs/decisions/0007).
            quantize_static(
                prepared,
                quantized,
                _Reader(self.calibration, self.model.graph.input[0].name),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QInt8 if self.target == "arm" else QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                reduce_range=self.target == "portable",
                nodes_to_exclude=sorted(kept_float),
                extra_options={"ActivationSymmetric": self.target == "arm"},
            )
            model = onnx.load(quantized)
        onnx_graph.leave_output_float(model)
        if self.spec.scores == "logits":
            body = model.SerializeToString()
            actual = OnnxBackend(body, self.spec.image, 1).run(self.calibration.pixels)
            onnx_graph.shift_last_bias(model, np.mean(actual - self.calibration.scores, axis=0))
        return _tidied(model)

    def layers(self) -> tuple[Layer, ...]:
        """See `export.formats.Quantizer.layers`."""
        return onnx_layers.layers(self.model, self.calibration, self.known)


class _Reader:
    """Calibration pictures in the shape ONNX Runtime asks for them."""

    def __init__(self, calibration: CalibrationSet, name: str) -> None:
        self._inputs: Iterator[NDArray[np.float32]] = calibration.inputs()
        self._name = name

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """One picture, or None when there are no more."""
        batch = next(self._inputs, None)
        return None if batch is None else {self._name: batch}
