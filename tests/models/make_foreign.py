"""Make the tiny models in `foreign/` anew: `python tests/models/make_foreign.py`.

They are what others make: no spec, no digest, other layouts, types, batches and outputs than ours.
Each tells which half of an 8 x 8 grey picture is bright, or which colour a picture has; weights are
set by hand, as in `make.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import onnx
import tensorflow as tf
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).parent))
from make import COLOURS, HALVES, SHARPNESS, SIDE, pictures

FOLDER: Final = Path(__file__).parent / "foreign"
OPSETS: Final = (helper.make_opsetid("", 17),)


def main() -> None:
    """Make all of them."""
    FOLDER.mkdir(exist_ok=True)
    halves, colours = weights(HALVES, 1), weights(COLOURS, 3)
    dense = flat(halves, "softmax")
    write("int8.tflite", tflite(model((SIDE, SIDE, 1), dense), integers=tf.int8))
    write("uint8.tflite", tflite(model((SIDE, SIDE, 1), dense), integers=tf.uint8))
    write("cast.tflite", tflite(model((SIDE, SIDE, 1), scaled(dense), dtype="uint8")))
    write("batch-4.tflite", tflite(model((SIDE, SIDE, 1), dense, batch=4)))
    write("rows.tflite", tflite(model((SIDE, SIDE), flat(halves, None))))
    planes = colours.reshape(SIDE, SIDE, 3, 3).transpose(2, 0, 1, 3).reshape(-1, 3)
    write("nchw.tflite", tflite(model((3, SIDE, SIDE), flat(planes, "softmax"))))
    write("any-size.tflite", tflite(model((None, None, 3), averages)))
    write("two-outputs.tflite", tflite(model((SIDE, SIDE, 1), twice(halves))))
    write("yes-or-no.tflite", tflite(model((SIDE, SIDE, 1), flat(halves[:, :1], "sigmoid"))))
    write("map.tflite", tflite(model((SIDE, SIDE, 1), lambda inputs: 2 * inputs)))

    softmax = helper.make_node("Softmax", ["logits"], ["scores"])
    bgr = planes.reshape(3, -1, 3)[::-1].reshape(-1, 3)
    write("nchw-bgr-batch-2.onnx", gemm(bgr, (2, 3, SIDE, SIDE), TensorProto.FLOAT, softmax))
    write("uint8.onnx", gemm(halves / 255, ("n", SIDE, SIDE, 1), TensorProto.UINT8))
    # A softmax in three steps: what comes last does not tell what the scores are.
    by_hand = (
        helper.make_node("Exp", ["logits"], ["powers"]),
        helper.make_node("ReduceSum", ["powers", "axes"], ["total"], keepdims=1),
        helper.make_node("Div", ["powers", "total"], ["scores"]),
    )
    write("any-size.onnx", mean_of_planes(by_hand))
    clip = helper.make_node("HardSigmoid", ["logits"], ["scores"])
    write("hard-sigmoid.onnx", gemm(halves, ("n", SIDE, SIDE, 1), TensorProto.FLOAT, clip))
    ends = (softmax, helper.make_node("Identity", ["logits"], ["others"]))
    write("two-outputs.onnx", gemm(halves, (1, SIDE, SIDE, 1), TensorProto.FLOAT, *ends))


def write(name: str, content: bytes) -> None:
    """Write one model."""
    (FOLDER / name).write_bytes(content)


def weights(places: dict[str, tuple[slice | int, ...]], channels: int) -> NDArray[np.float32]:
    """As in `make.model`: shape (height x width x channels, labels)."""
    made = np.full((SIDE, SIDE, channels, len(places)), -1 / len(places), np.float32)
    for index, place in enumerate(places.values()):
        made[..., index][place] += 1
    return SHARPNESS * made.reshape(-1, len(places))


# --- TFLite --------------------------------------------------------------------------------------


def model(
    shape: tuple[int | None, ...],
    layers: Callable[[Any], Any],
    batch: int | None = None,
    dtype: str = "float32",
) -> keras.Model:
    """A Keras model of some layers."""
    inputs = keras.Input(shape, batch_size=batch, dtype=dtype, name="picture")
    return keras.Model(inputs, layers(inputs))


def flat(values: NDArray[np.float32], activation: str | None) -> Callable[[Any], Any]:
    """One dense layer on all pixels."""

    def layers(inputs: Any) -> Any:
        dense = keras.layers.Dense(
            values.shape[1], activation, kernel_initializer=lambda *_, **__: values
        )
        return dense(keras.layers.Flatten()(inputs))

    return layers


def scaled(layers: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Whole pixels become 0..1 inside."""
    return lambda inputs: layers(keras.layers.Rescaling(1 / 255)(inputs))


def averages(inputs: Any) -> Any:
    """The mean of each channel, whatever the size."""
    means = keras.layers.GlobalAveragePooling2D()(inputs)
    eye = 20 * np.eye(3, dtype=np.float32)
    return keras.layers.Dense(3, "softmax", kernel_initializer=lambda *_, **__: eye)(means)


def twice(values: NDArray[np.float32]) -> Callable[[Any], Any]:
    """Scores, and scores again."""
    return lambda inputs: [flat(values, "softmax")(inputs), flat(values, None)(inputs)]


def tflite(made: keras.Model, integers: Any = None) -> bytes:
    """What TensorFlow's converter makes of it."""
    converter = tf.lite.TFLiteConverter.from_keras_model(made)
    if integers is not None:
        images, _ = pictures(HALVES, 1, np.random.default_rng(0))
        images[0], images[1] = 0, 255
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [image[None].astype(np.float32) / 255] for image in images
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = integers
    content: bytes = converter.convert()
    return content


# --- ONNX ----------------------------------------------------------------------------------------


def gemm(values: NDArray[np.float32], shape: tuple[int | str, ...], kind: int, *last: Any) -> bytes:
    """One matrix product on all pixels, and what comes after it."""
    nodes = [
        helper.make_node("Cast", ["picture"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["floats"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits" if last else "scores"]),
    ]
    return onnx_model([*nodes, *last], shape, kind, {"weights": values.astype(np.float32)})


def mean_of_planes(last: tuple[Any, ...]) -> bytes:
    """The mean of each channel, whatever the size."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["picture"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
    ]
    constants = {"weights": 20 * np.eye(3, dtype=np.float32), "axes": np.array([1])}
    return onnx_model([*nodes, *last], ("n", 3, "h", "w"), TensorProto.FLOAT, constants)


def onnx_model(
    nodes: list[Any], shape: tuple[int | str, ...], kind: int, constants: dict[str, Any]
) -> bytes:
    """A whole ONNX file."""
    classes = constants["weights"].shape[1]
    made = [name for node in nodes for name in node.output if name in ("scores", "others")]
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info("picture", kind, shape)],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, (shape[0], classes))
            for name in made
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    whole = helper.make_model(graph, opset_imports=OPSETS, ir_version=8)
    onnx.checker.check_model(whole)
    content: bytes = whole.SerializeToString()
    return content


if __name__ == "__main__":
    main()
