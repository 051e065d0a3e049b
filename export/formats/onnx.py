"""Keras → ONNX, by Keras' own export, and ONNX Runtime's static quantization."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

import edge_runtime
from edge_runtime.backends.onnx import OnnxBackend
from edge_runtime.modelfile import seal_onnx as seal
from edge_runtime.spec import ImageInput, ModelSpec, Precision
from export.calibration import CalibrationSet
from export.formats import onnx_graph

__all__ = ["annotate", "convert", "seal"]

_OPSET: Final = 17  # every ONNX Runtime since 1.12 loads it
_IR_VERSION: Final = 8
_PIXEL_FORMAT: Final = {"gray": "Gray8", "rgb": "Rgb8"}
# What the normalised pixels span → what the standard calls it.
_RANGES: Final = {
    (0.0, 255.0): "NominalRange_0_255",
    (0.0, 1.0): "Normalized_0_1",
    (-1.0, 1.0): "Normalized_1_1",
}


def convert(
    model: Any, precision: Precision, spec: ModelSpec, calibration: CalibrationSet | None
) -> bytes:
    """See `export.formats.Converter.convert`."""
    import keras

    shape = (1, spec.image.height, spec.image.width, spec.image.channels)
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
        if precision == "int8":
            if calibration is None:
                raise ValueError("int8 needs calibration pictures")
            path = _quantize(path, spec, calibration)
        converted = onnx.load(path)
    return bytes(onnx_graph.tidy(converted).SerializeToString())


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


def _quantize(path: Path, spec: ModelSpec, calibration: CalibrationSet) -> Path:
    """Static quantization as QDQ, weights per channel, weights and activations as int8.

    ONNX Runtime's documentation calls it the first choice, and ARM wants both signed.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared, quantized = path.with_name("prepared.onnx"), path.with_name("int8.onnx")
    # Symbolic shapes need sympy and are of no use to a model whose shapes are all fixed.
    quant_pre_process(path, prepared, skip_symbolic_shape=True)
    quantize_static(
        prepared,
        quantized,
        _Reader(calibration, onnx.load(prepared).graph.input[0].name),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=False,
    )
    model = onnx.load(quantized)
    onnx_graph.leave_output_float(model)
    if spec.scores == "logits":
        body = model.SerializeToString()
        actual = OnnxBackend(body, spec.image, 1).run(calibration.pixels)
        onnx_graph.shift_last_bias(model, np.mean(actual - calibration.scores, axis=0))
    onnx.save(model, quantized)
    return quantized


class _Reader:
    """Calibration pictures in the shape ONNX Runtime asks for them."""

    def __init__(self, calibration: CalibrationSet, name: str) -> None:
        self._inputs: Iterator[NDArray[np.float32]] = calibration.inputs()
        self._name = name

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """One picture, or None when there are no more."""
        batch = next(self._inputs, None)
        return None if batch is None else {self._name: batch}
