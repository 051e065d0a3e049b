"""Keras → TFLite, by TensorFlow's own converter."""

from __future__ import annotations

from typing import Any

from edge_runtime.modelfile import seal_tflite as seal
from edge_runtime.spec import ModelSpec, Precision
from export.calibration import CalibrationSet
from export.formats import tflite_head
from export.formats.tflite_metadata import annotate

__all__ = ["annotate", "convert", "seal"]


def convert(
    model: Any, precision: Precision, spec: ModelSpec, calibration: CalibrationSet | None
) -> bytes:
    """See `export.formats.Converter.convert`."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(_for_one_picture(model))
    # Only what the small engines have: without this a layer may become a TensorFlow ("Flex") op.
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "dynamic":
        # Per-channel weights here need FULLY_CONNECTED version 12, which tflite-runtime 2.14, the
        # last engine for 32-bit systems, does not have. Per tensor costs little: 0.14 points of
        # agreement on the tutorial's dense model.
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True  # noqa: SLF001
    if precision != "int8":
        return bytes(converter.convert())
    if calibration is None:
        raise ValueError("int8 needs calibration pictures")
    converter.representative_dataset = lambda: ([batch] for batch in calibration.inputs())
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    # A uint8 input with scale 1/255 and zero point 0 takes raw pixels. The output is uint8 too, as
    # Google's own clients ask (they know uint8 and float32); int8 would resolve no finer.
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.uint8
    return tflite_head.refine(bytes(converter.convert()), spec, calibration)


def _for_one_picture(model: Any) -> Any:
    """The same model with a fixed batch of one and an input called `image`.

    With a free batch the converter computes shapes while the model runs (Shape, StridedSlice and
    Pack around every Flatten).
    """
    import keras

    image = keras.Input(batch_shape=(1, *model.input_shape[1:]), dtype="float32", name="image")
    return keras.Model(image, model(image, training=False))
