"""What is done to ONNX graphs, on graphs of a few nodes, without TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import edge_runtime
from edge_runtime.spec import ImageInput, ModelSpec
from export.formats import onnx as onnx_format
from export.formats import onnx_graph, onnx_trained
from export.variants import Target

WEIGHTS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
IMAGES = np.random.default_rng(1).normal(size=(5, 2, 2, 1)).astype(np.float32)
SPEC = ModelSpec("it", ("a", "b", "c"), ImageInput(2, 2, "gray", (0.0,), (255.0,)), "logits")


def value(name: str, *shape: int) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def model(nodes: list[Any], constants: dict[str, NDArray[Any]]) -> Any:
    """A graph from `in` (1, 2, 2, 1) to `out` (1, 3)."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [value("in", 1, 2, 2, 1)],
        [value("out", 1, 3)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(
        graph,
        ir_version=8,
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 2)],
    )


def dense(middle: str = "flat", weights: str = "w", shape: str = "shape") -> Any:
    """Flatten and a dense layer, as tf2onnx writes them for one picture."""
    return model(
        [
            helper.make_node("Reshape", ["in", shape], [middle]),
            helper.make_node("Gemm", [middle, weights], ["out"]),
        ],
        {"unused": WEIGHTS, weights: WEIGHTS, shape: np.array([1, 4])},
    )


def quantized() -> Any:
    """A dense layer with a bias, all quantized, as ONNX Runtime writes it."""
    scale, zero = np.array(0.1, np.float32), np.array(0, np.int8)
    return model(
        [
            helper.make_node("Reshape", ["in", "shape"], ["flat"]),
            helper.make_node("DequantizeLinear", ["b", "b_scale"], ["bias"]),
            helper.make_node("Gemm", ["flat", "w", "bias"], ["sums"]),
            helper.make_node("QuantizeLinear", ["sums", "scale", "zero"], ["steps"]),
            helper.make_node("DequantizeLinear", ["steps", "scale", "zero"], ["out"]),
        ],
        {
            "shape": np.array([1, 4]),
            "w": WEIGHTS,
            "b": np.array([10, 20, 30], np.int32),
            "b_scale": np.array(0.01, np.float32),
            "scale": scale,
            "zero": zero,
        },
    )


def run(model: Any, images: NDArray[np.float32], *, optimize: bool = True) -> NDArray[np.float32]:
    options = onnxruntime.SessionOptions()
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    (scores,) = session.run(None, {session.get_inputs()[0].name: images})
    return scores  # type: ignore[no-any-return]


def squeezed() -> Any:
    """A dense layer after pixels that tf2onnx squeezed, and a bias that it reshaped."""
    return model(
        [
            helper.make_node(
                "Squeeze", ["in"], ["pixels"]
            ),  # of one picture (2, 2), of five (5, 2, 2)
            helper.make_node("Reshape", ["pixels", "shape"], ["flat"]),
            helper.make_node("Reshape", ["bias", "row"], ["b"]),
            helper.make_node("MatMul", ["flat", "w"], ["sums"]),
            helper.make_node("Add", ["sums", "b"], ["out"]),
        ],
        {
            "shape": np.array([1, 4]),
            "w": WEIGHTS,
            "bias": np.arange(3, dtype=np.float32),
            "row": np.array([1, 3]),
        },
    )


def test_one_picture_and_many_get_the_same_scores_where_a_squeeze_takes_the_batch_away() -> None:
    expected = IMAGES.reshape(5, 4) @ WEIGHTS + np.arange(3, dtype=np.float32)
    tidied = onnx_graph.tidy(squeezed())
    assert np.allclose(run(tidied, IMAGES), expected, atol=1e-5)
    alone = [run(tidied, IMAGES[index : index + 1]) for index in range(5)]
    assert np.allclose(np.concatenate(alone), expected, atol=1e-5)


def test_a_model_for_one_picture_takes_any_number_afterwards() -> None:
    single = np.concatenate([run(dense(), IMAGES[i : i + 1]) for i in range(len(IMAGES))])
    tidied = onnx_graph.tidy(dense())
    assert np.allclose(run(tidied, IMAGES), single)
    for tensor in (tidied.graph.input[0], tidied.graph.output[0]):
        assert tensor.type.tensor_type.shape.dim[0].dim_param == "batch"


def test_input_and_output_are_named() -> None:
    graph = onnx_graph.tidy(dense()).graph
    assert (graph.input[0].name, graph.output[0].name) == ("image", "scores")


def test_names_counted_up_by_the_converter_leave_no_trace() -> None:
    first, second = dense(), dense("unk__7", "const_fold_opt__22", "const_fold_opt__23")
    assert onnx_graph.tidy(first) == onnx_graph.tidy(second)


def test_what_is_not_used_goes() -> None:
    tidied = onnx_graph.tidy(dense())
    assert len(tidied.graph.initializer) == 2
    assert [opset.domain for opset in tidied.opset_import] == [""]


def test_the_scores_of_an_integer_model_keep_all_their_digits() -> None:
    rounded = quantized()
    exact = quantized()
    onnx_graph.leave_output_float(exact)
    onnx.checker.check_model(exact, full_check=True)
    assert [node.op_type for node in exact.graph.node] == ["Reshape", "DequantizeLinear", "Gemm"]
    before, after = run(rounded, IMAGES[:1]), run(exact, IMAGES[:1])
    assert np.allclose(before, np.rint(before / 0.1) * 0.1)
    assert 0 < np.abs(before - after).max() <= 0.0501


def test_a_float_model_keeps_its_last_layer() -> None:
    plain = dense()
    onnx_graph.leave_output_float(plain)
    assert plain == dense()


def test_the_mean_error_leaves_with_the_last_bias() -> None:
    shifted = quantized()
    onnx_graph.leave_output_float(shifted)
    before = run(shifted, IMAGES[:1])
    onnx_graph.shift_last_bias(shifted, np.array([0.25, -0.5, 0.0]))
    assert np.allclose(before - run(shifted, IMAGES[:1]), [[0.25, -0.5, 0.0]], atol=0.006)


def test_a_last_layer_without_an_integer_bias_is_left_alone() -> None:
    plain = dense()
    onnx_graph.shift_last_bias(plain, np.array([1.0, 1.0, 1.0]))
    assert plain == dense()


@pytest.mark.parametrize(
    ("mean", "std", "expected"),
    [
        (0.0, 255.0, "Normalized_0_1"),
        (127.5, 127.5, "Normalized_1_1"),
        (0.0, 1.0, "NominalRange_0_255"),
        (100.0, 50.0, None),
    ],
)
def test_the_standard_image_keys_are_there(mean: float, std: float, expected: str | None) -> None:
    image = ImageInput(2, 2, "gray", (mean,), (std,))
    spec = ModelSpec("it", SPEC.labels, image, "logits")
    tidied = onnx_graph.tidy(dense()).SerializeToString()
    annotated = onnx.load_from_string(onnx_format.annotate(tidied, spec))
    keys = {entry.key: entry.value for entry in annotated.metadata_props}
    assert keys["Image.BitmapPixelFormat"] == "Gray8"
    assert keys["Image.ColorSpaceGamma"] == "SRGB"
    assert keys.get("Image.NominalPixelRange") == expected
    assert annotated.graph.input[0].type.denotation == "IMAGE"
    assert annotated.ir_version == 8


def test_constants_make_the_same_bytes_in_whatever_order_their_nodes_come() -> None:
    bytes_of = []
    for first, second in (("a", "m"), ("z", "m")):  # ONNX Runtime sorts them by such names
        node = helper.make_node
        dequantized = [
            node("DequantizeLinear", ["w", "w_scale", "w_zero"], [first], axis=1),
            node("DequantizeLinear", ["b", "b_scale"], [second]),
        ]
        dequantized.sort(key=lambda one: str(one.output[0]))
        made = model(
            [
                *dequantized,
                node("Reshape", ["in", "shape"], ["flat"]),
                node("Gemm", ["flat", first, second], ["out"]),
            ],
            {
                "shape": np.array([1, 4]),
                "w": np.arange(12, dtype=np.int8).reshape(4, 3),
                "w_scale": np.full(3, 0.1, np.float32),
                "w_zero": np.zeros(3, np.int8),
                "b": np.array([10, 20, 30], np.int32),
                "b_scale": np.array(0.01, np.float32),
            },
        )
        expected = run(made, IMAGES[:1])
        tidied = onnx_graph.tidy(made)
        assert np.array_equal(run(tidied, IMAGES[:1]), expected)
        bytes_of.append(tidied.SerializeToString())
    assert bytes_of[0] == bytes_of[1]


def test_the_model_inside_computes_in_integers_only(optimized: Callable[[Path], set[str]]) -> None:
    (path,) = Path(edge_runtime.__file__).with_name("models").glob("*.onnx")
    types = optimized(path)
    assert {"QLinearConv", "QLinearAdd", "QGemm"} <= types
    assert not {"Conv", "Add", "Gemm", "Relu"} & types


def rounding() -> Any:
    """A convolution and a dense layer with values in steps of 0.05, as trained with rounding."""
    random = np.random.default_rng(2)
    kernel = (random.integers(-127, 128, (2, 1, 1, 1)) * 0.01).astype(np.float32)
    weights = (random.integers(-127, 128, (3, 8)) * [[0.02], [0.03], [0.0]]).astype(np.float32)
    weights[:2, 0] = 127 * np.float32(0.02), -127 * np.float32(0.03)
    constants = {
        "shape": np.array([1, 1, 2, 2]),
        "flat": np.array([1, 8]),
        "kernel": kernel,
        "weights": weights,
        "bias": np.array([0.4, -0.1, 0.7], np.float32),  # the last of a channel without weights
        "step": np.array(0.05, np.float32),
        "middle": np.array(128, np.uint8),
        "low": np.array(0, np.uint8),
        "last step": np.array(0.2, np.float32),
    }
    node = helper.make_node
    return model(
        [
            node("QuantizeLinear", ["in", "step", "middle"], ["in steps"]),
            node("DequantizeLinear", ["in steps", "step", "middle"], ["rounded"]),
            node("Reshape", ["rounded", "shape"], ["picture"]),
            node("Conv", ["picture", "kernel"], ["sums"]),
            node("Relu", ["sums"], ["positive"]),
            node("QuantizeLinear", ["positive", "step", "low"], ["steps"]),
            node("DequantizeLinear", ["steps", "step", "low"], ["values"]),
            node("Reshape", ["values", "flat"], ["together"]),
            node("Gemm", ["together", "weights", "bias"], ["scores"], transB=1),
            node("QuantizeLinear", ["scores", "last step", "middle"], ["last steps"]),
            node("DequantizeLinear", ["last steps", "last step", "middle"], ["out"]),
        ],
        constants,
    )


@pytest.mark.parametrize("target", get_args(Target))
def test_integers_of_a_model_that_was_trained_to_round_give_what_its_floats_gave(
    target: Target, optimized: Callable[[Path], set[str]], tmp_path: Path
) -> None:
    model = onnx_trained.with_integers(rounding(), target)
    kinds = {np.dtype(numpy_helper.to_array(each).dtype).name for each in model.graph.initializer}
    assert ("uint8" in kinds, "int8" in kinds) == (target != "arm", target != "portable")
    for image in IMAGES:
        before = run(rounding(), image[None], optimize=False)
        assert len(np.unique(before)) > 1
        assert np.allclose(run(model, image[None], optimize=False), before, atol=1e-6)
    (tmp_path / "rounding.onnx").write_bytes(model.SerializeToString())
    if target != "arm":  # of which ONNX Runtime on x86 makes floats
        assert not {"Conv", "Gemm"} & optimized(tmp_path / "rounding.onnx")


def test_layers_that_take_no_rounded_values_keep_their_floats() -> None:
    kept = onnx_trained.with_integers(dense(), "portable")
    assert kept.SerializeToString() == dense().SerializeToString()
