"""Well-known nets with random weights, small pictures: floats to the last digit, integers that run.

Two of them here; all six with EDGEPROOF_APPLICATIONS=all, which takes some minutes more and tells
nothing new as long as the converters stay the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime import preprocess
from edge_runtime.spec import ImageInput
from export import Description, Limits, export
from export.variants import select

pytestmark = pytest.mark.slow

CLASSES = 10


@dataclass(frozen=True)
class Net:
    """One net of keras.applications, at the smallest size that is of use."""

    name: str
    side: int  # pixels
    flags: Description
    mean: float  # about what pixels become: (pixel - mean) / std
    std: float


OUTSIDE = Description(input_range="-1..1")
INSIDE = Description()  # its first layers take 0..255
COMMON = (Net("MobileNetV3Small", 64, INSIDE, 0, 1), Net("MobileNetV2", 64, OUTSIDE, 127.5, 127.5))
OTHERS = (
    Net("EfficientNetB0", 64, INSIDE, 0, 1),
    Net("ResNet50", 64, Description(input_range="0..255", color="bgr"), 0, 1),
    Net(
        "DenseNet121", 64, Description(mean=(123.7, 116.3, 103.5), std=(58.4, 57.1, 57.4)), 115, 57
    ),
    Net("Xception", 71, OUTSIDE, 127.5, 127.5),
)
NETS = COMMON + OTHERS if os.environ.get("EDGEPROOF_APPLICATIONS") == "all" else COMMON


@pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)
def test_a_well_known_net_is_converted_and_verified(net: Net, tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(1)
    build = getattr(keras.applications, net.name)
    shape = (net.side, net.side, 3)
    model = build(weights=None, input_shape=shape, classes=CLASSES)
    _with_opinions(model, ImageInput(*shape[:2], "rgb", (net.mean,) * 3, (net.std,) * 3))
    model.save(tmp_path / "net.keras")
    (tmp_path / "labels.txt").write_text("\n".join(f"class-{i}" for i in range(CLASSES)))
    random = np.random.default_rng(1)
    for role in ("evaluation", "calibration"):
        pictures = random.integers(0, 256, (12, *shape), np.uint8)
        np.savez(tmp_path / f"{role}.npz", images=pictures)
    description = Description(
        labels=tmp_path / "labels.txt",
        input_range=net.flags.input_range,
        color=net.flags.color,
        mean=net.flags.mean,
        std=net.flags.std,
    )
    report = export(
        tmp_path / "net.keras",
        out=tmp_path / "out",
        description=description,
        evaluation=tmp_path / "evaluation.npz",
        calibration=tmp_path / "calibration.npz",
        variants=select(["float32", "int8"]),
        # Random weights rate all classes alike, so which one wins says nothing.
        limits=Limits(min_agreement=0),
    )
    assert report.passed, [variant.problems for variant in report.variants]
    for variant in report.variants:
        assert variant.parity is not None
        print(net.name, variant.file, variant.size_bytes, variant.parity.max_score_difference)
        if variant.precision == "float32":
            assert variant.parity.max_score_difference <= 1e-4
    with np.load(tmp_path / "out" / "evaluation.npz") as archive:
        assert np.ptp(archive["scores"], axis=0).max() > 0.1  # there was something to get wrong


def _with_opinions(model: Any, image: ImageInput) -> None:
    """Scale the last layer until pictures are told apart: random weights rate all of them alike."""
    import keras

    pixels = np.random.default_rng(1).integers(0, 256, (12, *model.input_shape[1:]), np.uint8)
    last = [layer for layer in model.layers if layer.weights][-1]
    inner = keras.Model(model.input, last.input)
    features = np.asarray(inner.predict_on_batch(preprocess.normalise(pixels, image)))
    kernel, _ = last.get_weights()
    logits = features.reshape(len(pixels), -1) @ kernel.reshape(-1, CLASSES)
    factor = 5 / np.ptp(logits, axis=0).max()
    last.set_weights([kernel * factor, -logits.mean(axis=0) * factor])
