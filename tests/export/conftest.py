"""Run directories: an empty shell for what is checked first, and a small trained one to export."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime import modelfile
from edge_runtime.spec import ImageInput, ModelSpec
from export import ExportReport, chatter, export

SIDE = 8  # pixels
LABELS = ("top", "bottom", "left", "right")
SPEC = ModelSpec("halves", LABELS, ImageInput(SIDE, SIDE, "gray", (0.0,), (255.0,)), "logits")


@pytest.fixture(scope="session")
def pictures() -> Callable[..., tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """A function: how many, seed → pictures (n, 8, 8, 1) in noise, and which half is the brighter.

    About one in ten cannot be told for certain, so that a change of rounding changes answers.
    """

    def make(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        random = np.random.default_rng(seed)
        labels = random.integers(0, len(LABELS), count)
        rows, columns = np.indices((SIDE, SIDE))
        bright = np.stack([rows < 4, rows >= 4, columns < 4, columns >= 4])[labels]
        values = 110 + 35 * bright + random.normal(0, 60, (count, SIDE, SIDE))
        return np.clip(values, 0, 255).astype(np.uint8)[..., None], labels

    return make


@pytest.fixture
def optimized(tmp_path: Path) -> Callable[[Path], set[str]]:
    """A function: an .onnx file → the types of operations that ONNX Runtime makes of it."""

    def types(path: Path) -> set[str]:
        import onnx
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
        options.log_severity_level = 3
        onnxruntime.InferenceSession(path, options)
        return {node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node}

    return types


@pytest.fixture
def shell(tmp_path: Path, pictures: Callable[..., Any]) -> Path:
    """A run directory whose model.keras holds a spec but no model: enough for every check that
    comes before Keras is loaded.
    """
    folder = tmp_path / "run"
    folder.mkdir()
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    (folder / "model.keras").write_bytes(modelfile.add_keras_spec(empty.getvalue(), SPEC))
    _write_pictures(folder, pictures)
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, pictures: Callable[..., Any]) -> Path:
    """A run directory with a small convolutional net, trained for a moment."""
    folder = tmp_path_factory.mktemp("runs") / "halves"
    folder.mkdir()
    with chatter.sent_to(folder / "chatter.log", kept=folder / "kept.log"):
        _train(folder / "bare.keras", *pictures(4000, seed=1))
    keras_file = (folder / "bare.keras").read_bytes()
    (folder / "model.keras").write_bytes(modelfile.add_keras_spec(keras_file, SPEC))
    _write_pictures(folder, pictures)
    return folder


@pytest.fixture(scope="session")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ExportReport]:
    """All variants of the trained model, and what the export said of them."""
    out = tmp_path_factory.mktemp("exported") / "halves"
    return out, export(trained, out=out)


def _train(path: Path, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    import keras

    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            layers.Conv2D(8, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(len(LABELS)),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    model.fit(images / np.float32(255), labels, epochs=4, verbose=0)
    model.save(path)


def _write_pictures(folder: Path, pictures: Callable[..., Any]) -> None:
    for name, count, seed in (("calibration", 200, 2), ("evaluation", 2000, 3)):
        images, labels = pictures(count, seed=seed)
        np.savez_compressed(folder / f"{name}.npz", images=images, labels=labels)
    (folder / "train.json").write_text(json.dumps({"seed": 1}))
