"""Transfer: a backbone's weights, what is frozen, grey pictures, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from edge_runtime import modelfile
from edge_runtime.errors import UsageError
from edge_runtime.preprocess import normalise
from edge_runtime.spec import ImageInput
from export.cli import main as exporting
from train.cli import main
from train.config import BackboneName, TrainConfig

THEIR_MODULES = {
    "mobilenetv2": "mobilenet_v2",
    "mobilenetv3small": "mobilenet_v3",
    "mobilenetv3large": "mobilenet_v3",
    "efficientnetv2b0": "efficientnet_v2",
    "resnet50v2": "resnet_v2",
}


def test_settings_of_a_transfer_are_for_a_transfer() -> None:
    with pytest.raises(UsageError, match="--weights is for --model transfer, not for mlp"):
        TrainConfig(weights="none")
    with pytest.raises(UsageError, match="leave --no-rescale out"):
        TrainConfig(model="transfer", rescale=False)


@pytest.mark.parametrize(
    ("given", "frozen", "share"),
    [
        ({"model": "transfer"}, 5, 0.1),
        ({"model": "transfer", "weights": "none"}, 0, 1.0),
        ({"model": "transfer", "frozen": 99, "fine_tuning": 0.5}, 10, 0.5),
        ({}, 0, 1.0),
    ],
)
def test_half_of_the_epochs_are_frozen_where_nothing_is_said(
    given: dict[str, Any], frozen: int, share: float
) -> None:
    config = TrainConfig(**given)
    assert (config.frozen_epochs, config.fine_tuning_share) == (frozen, share)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as `keras.applications` takes it: random weights stand for those of photographs."""
    import keras

    keras.utils.set_random_seed(3)
    path = tmp_path_factory.mktemp("weights") / "mobilenetv2.weights.h5"
    keras.applications.MobileNetV2(
        input_shape=(32, 32, 3), include_top=False, weights=None
    ).save_weights(path)
    return path


@pytest.mark.slow
def test_only_the_new_layer_learns_until_the_backbone_is_let_go(
    idx_folder: Path, weights: Path, tmp_path: Path
) -> None:
    import keras

    given = ["--dataset", str(idx_folder), "--model", "transfer", "--weights", str(weights)]
    run = ["--batch-size", "16", "--learning-rate", "0.01"]
    kernels = []
    for frozen in (1, 0):
        out = tmp_path / f"frozen-{frozen}"
        assert (
            main([*given, *run, "--epochs", "1", "--frozen", str(frozen), "--out", str(out)]) == 0
        )
        model = keras.saving.load_model(out / "model.keras")
        (backbone,) = (layer for layer in model.layers if isinstance(layer, keras.Model))
        kernels.append(backbone.get_layer("Conv1").get_weights()[0])
        spec = modelfile.read_keras_spec(out / "model.keras")
        assert spec is not None
        assert (spec.image.mean, spec.image.std) == ((127.5,), (127.5,))
        pixels = np.zeros((2, 8, 6, 1), np.uint8)
        assert model.predict(normalise(pixels, spec.image), verbose=0).shape == (2, 3)
    original = keras.applications.MobileNetV2(
        input_shape=(32, 32, 3), include_top=False, weights=str(weights)
    )
    (expected,) = original.get_layer("Conv1").get_weights()
    assert np.array_equal(kernels[0], expected)
    assert not np.array_equal(kernels[1], expected)
    out = tmp_path / "both"
    assert main([*given, *run, "--epochs", "2", "--out", str(out)]) == 0  # the first one frozen
    assert len((out / "history.csv").read_text().splitlines()) == 1 + 2
    files = tmp_path / "files"
    assert exporting([str(out), "--only", "float32.tflite", "--out", str(files)]) == 0
    assert len(list(files.glob("*.float32.tflite"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", get_args(BackboneName))
def test_a_backbone_sees_pixels_as_keras_itself_prepares_them(name: BackboneName) -> None:
    import keras

    from train import backbones

    config = TrainConfig(model="transfer", backbone=name, weights="none")
    contract = ImageInput(32, 32, "rgb", mean=(0.0,) * 3, std=(255.0,) * 3)
    inputs = keras.Input((32, 32, 3))
    ours = keras.Model(inputs, backbones.features(config, inputs))
    theirs = getattr(keras.applications, backbones.BACKBONES[name].make)(
        input_shape=(32, 32, 3), include_top=False, weights=None, pooling="avg"
    )
    theirs.set_weights(ours.get_weights())
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    prepare = getattr(keras.applications, THEIR_MODULES[name]).preprocess_input
    expected = theirs.predict(prepare(pixels.astype(np.float32)), verbose=0)
    found = ours.predict(normalise(pixels, backbones.image(config, contract)), verbose=0)
    assert np.allclose(found, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())


@pytest.mark.slow
def test_the_learning_rate_falls_when_the_backbone_is_let_go() -> None:
    from train import optimizers

    shape: dict[str, Any] = {"model": "transfer", "epochs": 4, "learning_rate": 0.01}
    rates = optimizers.rates(TrainConfig(schedule="constant", **shape), steps=10)
    assert [round(float(rates(step)), 6) for step in (0, 19, 20, 39)] == [0.01, 0.01, 0.001, 0.001]
    rates = optimizers.rates(TrainConfig(schedule="cosine", **shape), steps=10)
    assert [float(rates(step)) for step in (0, 20)] == pytest.approx([0.01, 0.001])
    assert float(rates(19)) < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"),
    [("none.h5", "there is no file"), ("notes.h5", "expected those of MobileNetV2")],
)
def test_weights_that_cannot_be_used_are_named(
    name: str, words: str, idx_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.h5").write_text("no weights")
    given = ["--dataset", str(idx_folder), "--model", "transfer"]
    out = ["--weights", str(tmp_path / name), "--out", str(tmp_path / "run")]
    assert main([*given, *out]) == 1
    assert words in capsys.readouterr().err
