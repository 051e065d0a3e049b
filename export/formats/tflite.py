"""Keras → TFLite, by TensorFlow's own converter and quantizer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edge_runtime.modelfile import seal_tflite as seal
from edge_runtime.preprocess import pixel_table
from edge_runtime.spec import ModelSpec
from export.calibration import CalibrationSet, required
from export.formats import tflite_head, tflite_layers
from export.formats.fake_quant import Trained, is_fake_quantized
from export.formats.layers import Layer, weighted
from export.formats.tflite_file import dequantize_input, pack, unpack
from export.formats.tflite_metadata import annotate
from export.formats.tflite_needs import needs
from export.variants import Io, Variant

__all__ = ["annotate", "convert", "needs", "quantizer", "seal"]

_TYPES: Final[Mapping[Io, int]] = {
    "uint8": schema.TensorType.UINT8,
    "int8": schema.TensorType.INT8,
    "float32": schema.TensorType.FLOAT32,
}


def convert(model: Any, variant: Variant, spec: ModelSpec) -> bytes:  # noqa: ARG001
    """See `export.formats.Converter.convert`."""
    import tensorflow as tf

    converter = _converter(model)
    if variant.precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant.precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant.precision == "dynamic":
        # Per-channel weights here need FULLY_CONNECTED version 12, which tflite-runtime 2.14, the
        # last engine for 32-bit systems, does not have. Per tensor costs little: 0.14 points of
        # agreement on the tutorial's dense model.
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True  # noqa: SLF001
    return bytes(converter.convert())


def quantizer(
    model: Any, variant: Variant, spec: ModelSpec, calibration: CalibrationSet | None
) -> _Int8 | _Int16x8 | Trained:
    """See `export.formats.Converter.quantizer`."""
    import tensorflow as tf

    converter = _converter(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant.precision == "int8" and is_fake_quantized(model):
        converter.inference_input_type = tf.dtypes.as_dtype(variant.io)
        converter.inference_output_type = tf.dtypes.as_dtype(variant.io)
        return Trained(bytes(converter.convert()))
    shown = required(calibration)
    converter.representative_dataset = lambda: ([batch] for batch in shown.inputs())
    if variant.precision == "int16x8":
        wide = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        converter.target_spec.supported_ops = [wide]
        return _Int16x8(bytes(converter.convert()))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    # Stops halfway, at a float model that knows its ranges; `_Int8.quantize` does the rest. Going
    # on is the only way to keep layers in floats, and takes a hundredth of the time up to here.
    converter._experimental_calibrate_only = True  # noqa: SLF001
    ranged = _taking_all_pixels(bytes(converter.convert()), spec)
    return _Int8(ranged, variant, spec, shown, weighted(model))


def _taking_all_pixels(ranged: bytes, spec: ModelSpec) -> bytes:
    """The range of all pixels for the input: raw ones go in, whatever the calibration pictures hold."""
    model = unpack(ranged)
    graph = model.subgraphs[0]
    found, table = graph.tensors[graph.inputs[0]].quantization, pixel_table(spec.image)
    ends = [float(table.min())], [float(table.max())]
    if np.allclose((found.min, found.max), ends):
        return ranged
    found.min, found.max = ends
    return pack(model)


@dataclass(frozen=True, eq=False)
class _Int8:
    ranged: bytes  # a float TFLite model with the range of every tensor
    variant: Variant
    spec: ModelSpec
    calibration: CalibrationSet
    known: tuple[str, ...]  # names of the Keras layers that have weights
    calibrated = True

    def quantize(self, kept_float: Collection[str] = ()) -> bytes:
        """See `export.formats.Quantizer.quantize`."""
        model = self._quantized(kept_float)
        if kept_float:
            unpacked = unpack(model)
            graph = unpacked.subgraphs[0]
            # Where the very first layer is kept, the input has become a float, which pixels are not.
            if graph.tensors[graph.inputs[0]].type != _TYPES[self.variant.io]:
                dequantize_input(unpacked, like=unpack(self._quantized(())))
                model = pack(unpacked)
        return tflite_head.refine(model, self.spec, self.calibration)

    def _quantized(self, kept_float: Collection[str]) -> bytes:
        import tensorflow as tf
        from tensorflow.lite.python.convert import mlir_quantize
        from tensorflow.lite.python.util import modify_model_io_type

        # A uint8 input with scale 1/255 and zero point 0 takes raw pixels. The output is of the
        # same type; Google's own clients know uint8 and float32, and int8 would resolve no finer.
        io = tf.dtypes.as_dtype(self.variant.io)
        model = mlir_quantize(self.ranged, denylisted_nodes=sorted(kept_float))
        return bytes(modify_model_io_type(model, io, io))

    def layers(self) -> tuple[Layer, ...]:
        """See `export.formats.Quantizer.layers`."""
        return tflite_layers.layers(self.ranged, self.calibration, self.known)


@dataclass(frozen=True, eq=False)
class _Int16x8:
    model: bytes
    calibrated = True

    def quantize(self, kept_float: Collection[str] = ()) -> bytes:  # noqa: ARG002
        """See `export.formats.Quantizer.quantize`; sixteen bits spoil no layer."""
        return self.model

    def layers(self) -> tuple[Layer, ...]:
        """See `export.formats.Quantizer.layers`."""
        return ()


def _converter(model: Any) -> Any:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(_for_one_picture(model))
    # Only what the small engines have: without this a layer may become a TensorFlow ("Flex") op.
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter


def _for_one_picture(model: Any) -> Any:
    """The same model with a fixed batch of one and an input called `image`.

    With a free batch the converter computes shapes while the model runs (Shape, StridedSlice and
    Pack around every Flatten).
    """
    import keras

    image = keras.Input(batch_shape=(1, *model.input_shape[1:]), dtype="float32", name="image")
    return keras.Model(image, model(image, training=False))
