"""Models made elsewhere: every kind of file, described by flags, converted and verified for real."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime import Classifier, modelfile
from export.cli import main

pytestmark = pytest.mark.slow

LABELS = ("top", "bottom", "left", "right")
Keras = Any  # a keras.Model


@pytest.fixture(scope="module")
def net(trained: Path) -> Keras:
    """The small trained net: pixels 0..1, shape (n, 8, 8, 1), to four logits."""
    import keras

    return keras.models.load_model(trained / "bare.keras")


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.txt"
    path.write_text("".join(f"{number} {label}\n" for number, label in enumerate(LABELS)))
    return path


@pytest.fixture
def exporting(trained: Path, labels: Path, tmp_path: Path) -> Callable[..., tuple[int, Path]]:
    """A function: model and flags → the exit code and the folder, judged by the run's pictures."""

    def run(model: Path, *flags: str) -> tuple[int, Path]:
        out = tmp_path / "out"
        pictures = ["--evaluation", str(trained), "--calibration", str(trained)]
        given = [str(model), "--out", str(out), "--labels", str(labels), *pictures]
        return main([*given, "--only", "float32.tflite", *flags]), out

    return run


def published(out: Path) -> dict[str, Any]:
    """The one file's entry in export.json, which stands for a published file."""
    (entry,) = json.loads((out / "export.json").read_text())["variants"]
    assert entry["published"], entry["problems"]
    assert entry["parity"]["agreement"] == 1
    assert entry["parity"]["accuracy"] > 0.8
    return dict(entry)


def test_a_keras_file_of_others_gives_all_variants(
    trained: Path, exporting: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--input-range", "0..1", "--name", "halves", "--only", "onnx,tflite"]
    code, out = exporting(trained / "bare.keras", *flags)
    assert code == 0
    report = json.loads((out / "export.json").read_text())
    assert len(report["variants"]) >= 6
    assert all(variant["published"] for variant in report["variants"])
    spec = modelfile.read(out / "halves.int8.tflite").spec
    assert spec is not None
    assert spec.labels == LABELS
    assert spec.image.std == (255.0,)
    assert "gives logits; pixels are normalised outside" in capsys.readouterr().out
    assert main(["verify", str(out)]) == 0
    assert "files are as they were" in capsys.readouterr().out


def test_a_file_that_was_swapped_after_the_export_is_found(
    exported: tuple[Path, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(exported[0], tmp_path / "copy")
    shutil.copy(folder / "halves.float32.onnx", folder / "halves.int8.onnx")
    (folder / "halves.float16.tflite").unlink()
    assert main(["verify", str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any("int8.onnx" in line and "its digest is not that of" in line for line in lines)
    assert any("float16.tflite" in line and "cannot read" in line for line in lines)


def test_pictures_that_do_not_fit_their_report_are_one_line(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main([str(trained), "--out", str(out), "--only", "float32.tflite"]) == 0
    with np.load(out / "evaluation.npz") as archive:
        arrays = dict(archive)
    for wrong in ({"scores": arrays["scores"][:-1]}, {"labels": arrays["labels"] + 9}):
        np.savez(out / "evaluation.npz", **{**arrays, **wrong})
        capsys.readouterr()
        assert main(["verify", str(out)]) == 1
        assert "is damaged (evaluation.npz does not fit its report)" in capsys.readouterr().err


def test_the_file_of_an_old_keras_2_is_read(exporting: Any, net: Keras, tmp_path: Path) -> None:
    old_keras_file(tmp_path / "old.h5", net)
    code, out = exporting(tmp_path / "old.h5", "--input-range", "0..1")
    assert code == 0
    published(out)
    spec = modelfile.read(out / "old.float32.tflite").spec
    assert spec is not None
    assert spec.scores == "probabilities"


def test_a_saved_model_that_scales_inside_and_has_no_channel_axis(
    exporting: Any, net: Keras, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import keras

    image = keras.Input((8, 8))
    scaled = keras.layers.Rescaling(1 / 255)(keras.layers.Reshape((8, 8, 1))(image))
    scores = keras.layers.Softmax()(net(scaled))
    whole = keras.Model(image, scores)
    whole.save(tmp_path / "it.keras")
    whole.export(tmp_path / "saved", verbose=False)

    code, out = exporting(tmp_path / "it.keras")
    assert code == 0
    published(out)
    said = capsys.readouterr().out
    assert "it.keras gives probabilities; pixels are normalised inside of it" in said

    flags = ["--overwrite", "--input-range", "0..1"]
    assert exporting(tmp_path / "it.keras", *flags)[0] == 2
    assert "would scale them twice; leave it out" in capsys.readouterr().err

    # The layers of a SavedModel cannot be seen, but pictures show what it wants.
    assert exporting(tmp_path / "saved", *flags)[0] == 2
    assert "give --input-range 0..255" in capsys.readouterr().err
    code, out = exporting(tmp_path / "saved", "--overwrite", "--input-range", "0..255")
    assert code == 0
    published(out)


@pytest.mark.parametrize(("times", "needed"), [(2.0, True), (1 / 127.5, False)])
def test_arithmetic_before_the_first_weights_tells_what_pixels_it_wants(
    times: float, needed: bool, exporting: Any, net: Keras, tmp_path: Path
) -> None:
    import keras

    image = keras.Input((8, 8, 1))
    model = keras.Model(image, net((image * times - 1 + 1) / (times if needed else 2)))
    model.save(tmp_path / "scales.keras")
    flags = ["--input-range", "0..1"] if needed else []
    code, out = exporting(tmp_path / "scales.keras", *flags)
    assert code == 0
    published(out)


def test_a_score_on_a_line_is_no_probability_though_it_may_look_like_one() -> None:
    from export.source.adapt import _kind

    middling = np.full((8, 1), 0.4, np.float32)
    assert _kind(Path("it"), middling, "linear") == "logits"
    assert _kind(Path("it"), middling, "sigmoid") == "probabilities"
    assert _kind(Path("it"), middling, None) == "probabilities"


@pytest.mark.parametrize(
    ("operation", "stream"),
    [("PyFunc", ""), ("TextLineDataset", ""), ("PrintV2", "file:///tmp/words")],
)
def test_a_graph_that_reaches_out_to_files_is_refused(
    operation: str, stream: str, exporting: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    document = saved_model_pb2.SavedModel()
    node = document.meta_graphs.add().graph_def.library.function.add().node_def.add()
    node.op = operation
    node.attr["output_stream"].s = stream.encode()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "saved_model.pb").write_bytes(document.SerializeToString())
    assert exporting(tmp_path / "model", "--input-range", "0..1")[0] == 3
    assert f"the operation {operation}; add --trust-model-code" in capsys.readouterr().err


def test_a_subclassed_model_comes_as_a_saved_model(
    exporting: Any, net: Keras, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import keras

    class Mine(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def call(self, image: Any) -> Any:
            return self.net(image)

    mine = Mine()
    mine(np.zeros((1, 8, 8, 1), np.float32))
    mine.save(tmp_path / "mine.keras")
    mine.export(tmp_path / "mine", verbose=False)
    assert exporting(tmp_path / "mine.keras", "--input-range", "0..1")[0] == 3
    assert "--trust-model-code" in capsys.readouterr().err
    code, out = exporting(tmp_path / "mine", "--input-range", "0..1")
    assert code == 0
    published(out)


def test_three_channels_in_bgr_order_and_one_yes_or_no_output(
    tmp_path: Path, pictures: Callable[..., Any]
) -> None:
    import keras

    images, labels = pictures(500, seed=4)
    blue = np.zeros((500, 8, 8, 3), np.uint8)
    blue[..., 2] = images[..., 0]  # RGB: the picture is in the blue channel
    np.savez(tmp_path / "blue.npz", images=blue, labels=(labels == 0).astype(np.int64))
    image = keras.Input((8, 8, 3))
    top = keras.layers.Dense(1, activation="sigmoid", use_bias=False)
    score = top(keras.layers.Flatten()(image))
    model = keras.Model(image, score)
    weights = np.zeros((8, 8, 3), np.float32)
    weights[:4, :, 0], weights[4:, :, 0] = 1, -1  # BGR: blue is the first channel
    top.set_weights([weights.reshape(-1, 1)])
    model.save(tmp_path / "top.h5")
    (tmp_path / "labels.json").write_text(json.dumps({"id2label": {"0": "other", "1": "top"}}))
    flags = ["--only", "float32", "--color", "bgr", "--input-range", "0..1"]
    sources = [
        "--evaluation",
        str(tmp_path / "blue.npz"),
        "--labels",
        str(tmp_path / "labels.json"),
    ]
    out = tmp_path / "out"
    assert main([str(tmp_path / "top.h5"), "--out", str(out), *flags, *sources]) == 0
    scores = Classifier.open(out / "top.float32.onnx").scores(blue[:50])
    expected = model.predict_on_batch(blue[:50, ..., ::-1] / np.float32(255))
    assert np.allclose(scores[:, 1:], expected, atol=1e-5)
    assert scores[:, 1].max() > 0.9
    assert scores[:, 1].min() < 0.1


def test_a_model_without_flatten_is_told_to_add_one(
    exporting: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import keras

    # Each of the 28 rows gets scores of its own.
    path = tmp_path / "rows.keras"
    keras.Sequential([keras.Input((28, 28)), keras.layers.Dense(10)]).save(path)
    code, out = exporting(path, "--input-range", "0..1")
    assert (code, out.exists()) == (3, False)
    doing, error = capsys.readouterr().err.splitlines()
    assert doing == "export: loading TensorFlow and the Keras model"
    assert error == (
        f"export: error: {path} gives (None, 28, 10), expected (n, classes); add a Flatten or "
        "pooling layer before its first Dense layer, and train it again"
    )


def test_code_inside_a_file_runs_only_when_it_is_trusted(
    exporting: Any, net: Keras, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import keras

    doubled = keras.layers.Lambda(
        lambda image: image * 1.0, name="doubling", output_shape=(8, 8, 1)
    )
    keras.Sequential([keras.Input((8, 8, 1)), doubled, *net.layers]).save(tmp_path / "code.keras")
    flags = ["--input-range", "0..1"]
    assert exporting(tmp_path / "code.keras", *flags)[0] == 3
    error = capsys.readouterr().err.splitlines()[-1]
    assert "holds code of its own: the layer 'doubling' (Lambda)" in error
    assert "--trust-model-code" in error
    code, out = exporting(tmp_path / "code.keras", *flags, "--trust-model-code")
    assert code == 0
    published(out)


def test_without_true_labels_agreement_alone_decides_and_that_is_said(
    trained: Path, exporting: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(trained / "evaluation.npz") as archive:
        np.savez(tmp_path / "bare.npz", images=archive["images"])
    evaluation = ["--evaluation", str(tmp_path / "bare.npz"), "--input-range", "0..1"]
    code, out = exporting(trained / "bare.keras", *evaluation)
    assert code == 0
    assert "judged by their agreement with the original alone" in capsys.readouterr().out
    document = json.loads((out / "export.json").read_text())
    assert document["reference"] is None
    assert document["variants"][0]["parity"]["accuracy"] is None


def test_a_handful_of_calibration_pictures_is_warned_of(
    trained: Path, exporting: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(trained / "calibration.npz") as archive:
        np.savez(tmp_path / "few.npz", images=archive["images"][:2])
    flags = ["--calibration", str(tmp_path / "few.npz"), "--input-range", "0..1", "--only", "int8"]
    exporting(trained / "bare.keras", *flags)
    assert "Note: 2 calibration pictures are too few" in capsys.readouterr().out


def old_keras_file(path: Path, net: Keras) -> None:
    """An .h5 file in the layout of Keras 2.4, written as it was: no Keras 3 has touched it."""
    import h5py

    convolution, normalisation, _, _, dense = net.layers
    common = {"trainable": True, "dtype": "float32"}
    initial = {"class_name": "Zeros", "config": {}}
    layers: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        (
            "Conv2D",
            {
                "name": "conv2d",
                "batch_input_shape": [None, 8, 8, 1],
                "filters": 8,
                "kernel_size": [3, 3],
                "strides": [1, 1],
                "padding": "valid",
                "data_format": "channels_last",
                "dilation_rate": [1, 1],
                "groups": 1,
                "activation": "linear",
                "use_bias": False,
                "kernel_initializer": initial,
            },
            {"kernel:0": convolution.get_weights()[0]},
        ),
        (
            "DepthwiseConv2D",
            {
                "name": "depthwise",
                "kernel_size": [1, 1],
                "strides": [1, 1],
                "padding": "valid",
                "groups": 1,
                "depth_multiplier": 1,
                "activation": "linear",
                "use_bias": False,
            },
            {"depthwise_kernel:0": np.ones((1, 1, 8, 1), np.float32)},
        ),
        (
            "BatchNormalization",
            {"name": "batch_normalization", "axis": [3], "epsilon": 0.001, "momentum": 0.99},
            dict(
                zip(
                    ("gamma:0", "beta:0", "moving_mean:0", "moving_variance:0"),
                    normalisation.get_weights(),
                    strict=True,
                )
            ),
        ),
        ("ReLU", {"name": "re_lu", "max_value": None, "negative_slope": 0.0}, {}),
        ("Flatten", {"name": "flatten", "data_format": "channels_last"}, {}),
        (
            "Dense",
            {"name": "dense", "units": 4, "activation": "softmax", "use_bias": True},
            dict(zip(("kernel:0", "bias:0"), dense.get_weights(), strict=True)),
        ),
    ]
    config = {
        "name": "sequential",
        "layers": [
            {"class_name": kind, "config": {**common, **settings}} for kind, settings, _ in layers
        ],
    }
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = np.bytes_("2.4.0")
        file.attrs["backend"] = np.bytes_("tensorflow")
        file.attrs["model_config"] = np.bytes_(
            json.dumps({"class_name": "Sequential", "config": config})
        )
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [np.bytes_(s["name"]) for _, s, _ in layers]
        weights.attrs["keras_version"] = np.bytes_("2.4.0")
        weights.attrs["backend"] = np.bytes_("tensorflow")
        for _, settings, arrays in layers:
            name = settings["name"]
            group = weights.create_group(name)
            group.attrs["weight_names"] = [np.bytes_(f"{name}/{each}") for each in arrays]
            for each, array in arrays.items():
                group[f"{name}/{each}"] = array
