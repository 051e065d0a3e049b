"""Models written from numpy alone: real engines load them and compute what numpy computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import engines
from benchmarks.measures import macs
from benchmarks.synthetic import classifier, protobuf
from benchmarks.synthetic.product import onnx_product, tflite_product
from edge_runtime import Classifier, modelfile
from tests.conftest import RUNNABLE

PICTURES = np.random.default_rng(0).integers(0, 256, (4, 28, 28, 1), np.uint8)


@pytest.mark.parametrize("parameters", [10_000, 300_000, 5_000_000])
def test_a_net_has_about_as_many_parameters_as_asked_for(parameters: int) -> None:
    made = classifier.net(parameters)
    assert 0.9 * parameters <= made.parameters <= 1.1 * parameters


def by_hand(net: classifier.Net) -> np.ndarray:
    """The scores of the pictures, by sums over shifted pictures."""
    features = PICTURES / np.float32(255)
    for (weights, bias), stride in zip(net.convolutions, (1, 2, 2), strict=True):
        side = features.shape[1] // stride
        before = 1 if stride == 1 else 0  # "same" padding, as TFLite has it
        padded = np.pad(features, ((0, 0), (before, 2), (before, 2), (0, 0)))
        total = np.zeros((len(features), side, side, len(bias)), np.float32) + bias
        for y in range(3):
            for x in range(3):
                window = padded[:, y : y + side * stride : stride, x : x + side * stride : stride]
                total += window @ weights[:, y, x].T
        features = np.maximum(total, 0)
    logits = features.mean(axis=(1, 2)) @ net.dense[0].T + net.dense[1]
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("kind", RUNNABLE)
def test_an_engine_computes_a_net_as_one_would_by_hand(kind: str, tmp_path: Path) -> None:
    net = classifier.net(10_000)
    path = tmp_path / f"net.{kind}"
    path.write_bytes(classifier.sealed(net, kind))
    assert Classifier.open(path).scores(PICTURES) == pytest.approx(by_hand(net), abs=1e-5)
    work = macs.count(modelfile.read(path))
    assert work is not None
    convolutions = sum(
        side**2 * weights.size
        for side, (weights, _) in zip((28, 14, 7), net.convolutions, strict=True)
    )
    assert work == macs.Work(convolutions + net.dense[0].size, "float32")


@pytest.mark.parametrize("arithmetic", ["float32", "int8"])
@pytest.mark.parametrize("kind", RUNNABLE)
def test_a_product_is_what_an_engine_can_compute(kind: str, arithmetic: str) -> None:
    if kind == "tflite":
        by, call = engines.tflite_call(tflite_product(arithmetic, 32), 1)
    else:
        by, call = engines.onnx_call(onnx_product(arithmetic, 32), 1)
    call()
    assert by in ("LiteRT", "tflite-runtime", "ONNX Runtime")


def test_protocol_buffers_are_written_as_their_documentation_has_it() -> None:
    assert protobuf.message((1, 150)) == b"\x08\x96\x01"
    assert protobuf.message((2, "testing")) == b"\x12\x07testing"
    assert protobuf.message((3, protobuf.message((1, 150)))) == b"\x1a\x03\x08\x96\x01"
