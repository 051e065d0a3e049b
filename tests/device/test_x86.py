"""Integers on x86 processors without VNNI, which add products of bytes in 16 bits."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tests.device.lab import require_qemu

pytestmark = [
    pytest.mark.slow,
    pytest.mark.device,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="Python here is not for x86"),
]

WITHOUT_VNNI = ("/usr/bin/qemu-x86_64-static", "-cpu", "Haswell")
BRIGHT = 255

ANSWER = """
import sys
import numpy as np
import onnxruntime
from edge_runtime.backends.onnx import OnnxBackend
from edge_runtime.spec import ImageInput

model = open(sys.argv[1], "rb").read()
pixels = np.load(sys.argv[2])
image = ImageInput(*pixels.shape[1:3], "gray", (0.0,), (255.0,))
ours = OnnxBackend(model, image, 1).run(pixels)
options = onnxruntime.SessionOptions()
options.log_severity_level = 3
session = onnxruntime.InferenceSession(model, options)
plain = session.run(None, {"image": (pixels / 255).astype(np.float32)})[0]
np.savez(sys.argv[3], ours=ours, plain=plain)
"""


def model() -> bytes:
    """A dense layer from 8 x 8 pixels to three scores, unsigned bytes times signed ones."""
    random = np.random.default_rng(0)
    constants = {
        "shape": np.array([-1, 64]),
        "step": np.array(1 / 255, np.float32),
        "low": np.array(0, np.uint8),
        "weights": random.integers(60, 128, (64, 3)).astype(np.int8),
        "scale": np.full(3, 0.01, np.float32),
        "zeros": np.zeros(3, np.int8),
        "last step": np.array(0.5, np.float32),
    }
    node = helper.make_node
    graph = helper.make_graph(
        [
            node("QuantizeLinear", ["image", "step", "low"], ["steps"]),
            node("DequantizeLinear", ["steps", "step", "low"], ["rounded"]),
            node("Reshape", ["rounded", "shape"], ["flat"]),
            node("DequantizeLinear", ["weights", "scale", "zeros"], ["kernel"], axis=1),
            node("Gemm", ["flat", "kernel"], ["sums"]),
            node("QuantizeLinear", ["sums", "last step", "low"], ["last steps"]),
            node("DequantizeLinear", ["last steps", "last step", "low"], ["scores"]),
        ],
        "dense",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 8, 8, 1])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opset = helper.make_opsetid("", 17)
    made = helper.make_model(graph, ir_version=8, opset_imports=[opset])
    return bytes(made.SerializeToString())


def answers(folder: Path, *, emulator: tuple[str, ...] = ()) -> dict[str, NDArray[np.float32]]:
    out = folder / f"{'emulated' if emulator else 'here'}.npz"
    files = [str(folder / "model.onnx"), str(folder / "pixels.npy"), str(out)]
    command = [*emulator, sys.executable, "-c", ANSWER, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with np.load(out) as arrays:
        return dict(arrays)


def test_sums_that_overflow_in_other_programs_are_right(tmp_path: Path) -> None:
    require_qemu()
    pixels = np.random.default_rng(1).integers(128, BRIGHT + 1, (20, 8, 8, 1)).astype(np.uint8)
    np.save(tmp_path / "pixels.npy", pixels)
    (tmp_path / "model.onnx").write_bytes(model())
    kernel = np.random.default_rng(0).integers(60, 128, (64, 3)) * 0.01
    expected = pixels.reshape(-1, 64) / 255 @ kernel

    emulated = answers(tmp_path, emulator=WITHOUT_VNNI)
    assert np.allclose(emulated["ours"], expected, atol=0.26)  # half of a step, and rounding
    assert np.abs(emulated["plain"] - expected).max() > 5, "or there is nothing to be saved from"
    assert np.allclose(answers(tmp_path)["ours"], emulated["ours"], atol=0.51)
