"""A picture classifier of any size with random weights: what a model costs says nothing of its sense.

Three 3 x 3 convolutions with ReLU on 28 x 28, 14 x 14 and 7 x 7 pixels, each with twice the
channels of the one before; the average over the picture; a dense layer to ten classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.synthetic import onnx, tflite
from benchmarks.synthetic.tflite import Tensor
from edge_runtime import modelfile
from edge_runtime.spec import Format, ImageInput, ModelSpec

SIDE: Final = 28
_CLASSES: Final = 10
_STRIDES: Final = (1, 2, 2)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Net:
    """The weights."""

    convolutions: tuple[tuple[Floats, Floats], ...]  # (out, 3, 3, in) and (out,)
    dense: tuple[Floats, Floats]  # (classes, in) and (classes,)

    @property
    def parameters(self) -> int:
        """How many weights."""
        return sum(array.size for layer in (*self.convolutions, self.dense) for array in layer)


def net(parameters: int) -> Net:
    """A net of about as many parameters, with random weights."""
    # With w, 2w and 4w channels there are 90 w^2 + 56 w + 10 of them.
    width = max(1, round((math.sqrt(56**2 + 360 * (parameters - 10)) - 56) / 180))
    channels = (1, width, 2 * width, 4 * width)
    random = np.random.default_rng(0)

    def weights(*shape: int) -> Floats:
        spread = math.sqrt(2 / math.prod(shape[1:]))  # He et al. 2015: signals keep their size
        return (random.standard_normal(shape) * spread).astype(np.float32)

    return Net(
        tuple(
            (weights(out, 3, 3, into), np.zeros(out, np.float32))
            for into, out in pairwise(channels)
        ),
        (weights(_CLASSES, channels[-1]), np.zeros(_CLASSES, np.float32)),
    )


def sealed(made: Net, kind: Format) -> bytes:
    """A net as a model file with its spec inside."""
    spec = ModelSpec(
        name="synthetic",
        labels=tuple(f"class {index}" for index in range(_CLASSES)),
        image=ImageInput(SIDE, SIDE, "gray", (0.0,), (255.0,)),
        scores="logits",
    )
    if kind == "tflite":
        return modelfile.seal_tflite(_tflite(made), spec, None)
    return modelfile.seal_onnx(_onnx(made), spec, None)


def _tflite(made: Net) -> bytes:
    current, side, operators = Tensor("picture", (1, SIDE, SIDE, 1)), SIDE, []
    for index, ((weights, bias), stride) in enumerate(
        zip(made.convolutions, _STRIDES, strict=True)
    ):
        side //= stride
        output = Tensor(f"features {index}", (1, side, side, len(bias)))
        constants = (
            Tensor.constant(f"weights {index}", weights),
            Tensor.constant(f"bias {index}", bias),
        )
        operators.append(tflite.convolution((current, *constants), output, stride))
        current = output
    pooled = Tensor("average", (1, 1, 1, current.shape[3]))
    operators.append(tflite.average_pool(current, pooled))
    weights, bias = made.dense
    constants = (Tensor.constant("weights", weights), Tensor.constant("bias", bias))
    operators.append(tflite.dense((pooled, *constants), Tensor("scores", (1, _CLASSES))))
    return tflite.model(operators)


def _onnx(made: Net) -> bytes:
    """The picture's channels go first, as ONNX has them."""
    nodes, constants, current = (
        [onnx.node("Transpose", ["picture"], "t", perm=(0, 3, 1, 2))],
        [],
        "t",
    )
    for index, ((weights, bias), stride) in enumerate(
        zip(made.convolutions, _STRIDES, strict=True)
    ):
        names = [current, f"w{index}", f"b{index}"]
        # TFLite's "same" padding of an even side with stride 2 has its one zero at the end.
        pads = (1, 1, 1, 1) if stride == 1 else (0, 0, 1, 1)
        nodes.append(onnx.node("Conv", names, f"c{index}", strides=(stride,) * 2, pads=pads))
        nodes.append(onnx.node("Relu", [f"c{index}"], f"r{index}"))
        constants.append(
            onnx.constant(names[1], np.ascontiguousarray(weights.transpose(0, 3, 1, 2)))
        )
        constants.append(onnx.constant(names[2], bias))
        current = f"r{index}"
    nodes.append(onnx.node("GlobalAveragePool", [current], "average"))
    nodes.append(onnx.node("Flatten", ["average"], "flat"))
    nodes.append(onnx.node("Gemm", ["flat", "weights", "bias"], "scores"))
    weights, bias = made.dense
    constants.append(onnx.constant("weights", np.ascontiguousarray(weights.T)))
    constants.append(onnx.constant("bias", bias))
    return onnx.model(
        nodes,
        constants,
        onnx.tensor("picture", np.float32, ("n", SIDE, SIDE, 1)),
        onnx.tensor("scores", np.float32, ("n", _CLASSES)),
    )
