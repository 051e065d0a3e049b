"""Real conversions into every variant of the table, and one client that is not ours."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge_runtime import Classifier, modelfile
from export import VARIANTS, ExportReport, Limits, export, reference
from export.variants import select

pytestmark = pytest.mark.slow

Exported = tuple[Path, ExportReport]


@pytest.fixture(scope="module")
def every(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The small net in every variant."""
    out = tmp_path_factory.mktemp("every") / "halves"
    return out, export(trained, out=out, variants=VARIANTS)


@pytest.fixture(scope="module")
def clothes(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The reference model's integer files for grey and for RGB."""
    out = tmp_path_factory.mktemp("clothes") / "fashion-mnist"
    return out, export(
        reference.folder("small"), out=out, variants=select(["int8.tflite"], rgb=True)
    )


@pytest.fixture(scope="module")
def tinted() -> NDArray[np.uint8]:
    """200 real pictures of clothes in 200 colours: uint8 0..255, shape (n, height, width, 3), RGB."""
    with np.load(reference.folder("small") / "evaluation.npz") as archive:
        grey = archive["images"][::5]
    tints = np.random.default_rng(0).uniform(0.4, 1.0, (len(grey), 1, 1, 3))
    tints[: len(grey) // 2] = 1
    colours: NDArray[np.uint8] = np.rint(grey * tints).astype(np.uint8)
    assert len(colours) == 200
    return colours


def io_types(path: Path) -> tuple[Any, Any]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=path.read_bytes())
    (given,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    return given["dtype"], result["dtype"]


def test_every_variant_is_published_within_its_limits(every: Exported) -> None:
    out, report = every
    assert report.passed, [variant.problems for variant in report.variants]
    files = {path.name for path in out.iterdir() if path.suffix in (".tflite", ".onnx")}
    assert files == {f"halves.{variant.name}" for variant in VARIANTS}


def test_a_fresh_process_makes_the_same_bytes_of_every_variant(
    every: Exported, exported: Exported, trained: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "export", trained, "--all", "--out", tmp_path / "again"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sha256 = {variant.file: variant.sha256 for variant in every[1].variants}
    again = {name: (tmp_path / "again" / name).read_bytes() for name in sha256}
    assert again == {name: (every[0] / name).read_bytes() for name in sha256}
    for variant in exported[1].variants:  # made in this process, before or after
        assert variant.sha256 == sha256[variant.file]


def test_int8_files_are_little_larger_than_their_weights(
    clothes: Exported, tmp_path: Path, trained: Path
) -> None:
    out, report = clothes
    parameters = json.loads((reference.folder("small") / "train.json").read_text())["parameters"]
    for name in ("int8.tflite", "int8-rgb.tflite"):
        file = modelfile.read(out / f"fashion-mnist.{name}")
        assert file.golden is not None
        assert len(file.data) - len(file.golden) <= 1.25 * parameters
    small = _small_net(trained, tmp_path)
    export(small, out=tmp_path / "out", variants=select(["int8.tflite"]), limits=Limits(100, 0))
    file = modelfile.read(tmp_path / "out" / "halves.int8.tflite")
    assert file.golden is None  # nothing is clear to an untrained net
    assert len(file.data) <= 1.6 * 13_008
    assert report.variants[0].model_bytes is not None


def _small_net(trained: Path, folder: Path) -> Path:
    """A run directory of an untrained net with 13,008 parameters."""
    import keras

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(28, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4),
        ]
    )
    assert model.count_params() == 13_008
    run = shutil.copytree(trained, folder / "small")
    spec = modelfile.read_keras_spec(run / "model.keras")
    assert spec is not None
    model.save(run / "bare.keras")
    content = modelfile.add_keras_spec((run / "bare.keras").read_bytes(), spec)
    (run / "model.keras").write_bytes(content)
    return run


@pytest.mark.parametrize("io", ["uint8", "int8", "float32"])
def test_integer_tflite_files_take_and_give_what_was_asked_for(every: Exported, io: str) -> None:
    name = "halves.int8.tflite" if io == "uint8" else f"halves.int8-io-{io}.tflite"
    assert io_types(every[0] / name) == (np.dtype(io), np.dtype(io))


def test_what_goes_in_and_out_changes_no_answer(every: Exported, trained: Path) -> None:
    with np.load(trained / "evaluation.npz") as archive:
        images = archive["images"][:200]
    plain, *others = (
        Classifier.open(every[0] / f"halves.int8{option}.tflite").scores(images)
        for option in ("", "-io-int8", "-io-float32")
    )
    for other in others:
        assert np.allclose(plain, other, atol=1e-6)


@pytest.mark.parametrize(
    ("target", "activations", "zero_points", "steps"),
    [("", "UINT8", None, 64), ("-x86", "UINT8", None, 127), ("-arm", "INT8", {0}, 127)],
)
def test_integer_onnx_files_are_laid_out_for_their_processor(
    every: Exported, target: str, activations: str, zero_points: set[int] | None, steps: int
) -> None:
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(every[0] / f"halves.int8{target}.onnx").graph
    constants = {constant.name: constant for constant in graph.initializer}
    zeros = [constants[node.input[2]] for node in graph.node if node.op_type == "QuantizeLinear"]
    assert zeros
    assert {onnx.TensorProto.DataType.Name(zero.data_type) for zero in zeros} == {activations}
    if zero_points is not None:
        assert {int(numpy_helper.to_array(zero)) for zero in zeros} == zero_points
    weights = [constants[node.input[0]] for node in graph.node if node.input[0] in constants]
    largest = max(
        int(np.abs(numpy_helper.to_array(weight).astype(int)).max())
        for weight in weights
        if weight.data_type == onnx.TensorProto.INT8
    )
    assert largest == steps


def test_colours_become_the_same_grey_inside_as_outside(
    clothes: Exported, tinted: NDArray[np.uint8]
) -> None:
    out, report = clothes
    assert report.passed
    greys = np.stack([np.asarray(Image.fromarray(each).convert("L")) for each in tinted])
    outside = Classifier.open(out / "fashion-mnist.int8.tflite").scores(greys[..., None])
    inside = Classifier.open(out / "fashion-mnist.int8-rgb.tflite").scores(tinted)
    # Greys are the same greys; ranges, measured on floats, may differ in their last bits.
    apart = np.abs(inside[:100] - outside[:100]).max(axis=1)
    assert np.mean(apart <= 1e-3) >= 0.98
    assert np.array_equal(inside[:100].argmax(axis=1), outside[:100].argmax(axis=1))
    assert np.mean(inside.argmax(axis=1) == outside.argmax(axis=1)) >= 0.99
    # A colour's grey may be rounded to the next level, which a close decision feels.
    differences = np.abs(inside - outside).max(axis=1)
    assert np.quantile(differences, 0.95) < 0.05
    assert differences.max() < 0.2


@pytest.fixture
def mediapipe_classifier(clothes: Exported) -> Iterator[Any]:
    from mediapipe.tasks.python import BaseOptions
    from mediapipe.tasks.python.vision import ImageClassifier, ImageClassifierOptions

    path = str(clothes[0] / "fashion-mnist.int8-rgb.tflite")
    options = ImageClassifierOptions(base_options=BaseOptions(model_asset_path=path))
    with ImageClassifier.create_from_options(options) as classifier:
        yield classifier


def test_mediapipe_reads_the_file_and_gives_our_answers(
    mediapipe_classifier: Any, clothes: Exported, tinted: NDArray[np.uint8]
) -> None:
    import mediapipe

    ours = Classifier.open(clothes[0] / "fashion-mnist.int8-rgb.tflite")
    for picture in tinted:
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=picture)
        best = mediapipe_classifier.classify(image).classifications[0].categories[0]
        assert best.category_name == ours.classify(picture).best.label
