"""`python -m train explore` and `python -m train evaluate`."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops

from edge_runtime import modelfile
from edge_runtime.spec import Decision, ImageInput, ModelSpec
from train.cli import main
from train.evaluate import evaluate
from train.review import Review


def test_help_of_both_commands(capsys: pytest.CaptureFixture[str]) -> None:
    for command, word in (("explore", "--dataset"), ("evaluate", "RUN")):
        with pytest.raises(SystemExit) as caught:
            main([command, "--help"])
        assert caught.value.code == 0
        assert word in capsys.readouterr().out


def test_a_plot_that_is_there_is_refused_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = tmp_path / "plot.png"
    plot.touch()
    for command in (["explore", "--dataset", "none"], ["evaluate", "none"]):
        assert main([*command, "--plot", str(plot)]) == 2
        assert "exists already; name another place or add --overwrite" in capsys.readouterr().err


def test_a_senseless_size_is_refused_as_in_training(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--size", "0"]) == 2
    assert "--size is 0, expected 1 to 1024" in capsys.readouterr().err


def test_what_is_no_run_cannot_be_evaluated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "holds no model.keras; name a run directory" in capsys.readouterr().err


@pytest.mark.parametrize("place", [60, 200, -10])
def test_damaged_test_pictures_are_one_line(
    place: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keras_file = io.BytesIO()
    zipfile.ZipFile(keras_file, "w").close()
    image = ImageInput(2, 2, "gray", mean=(0.0,), std=(255.0,))
    spec = ModelSpec("a", ("hat", "shoe"), image, "logits")
    model = modelfile.add_keras_spec(keras_file.getvalue(), spec)
    (tmp_path / "model.keras").write_bytes(model)
    pictures = tmp_path / "evaluation.npz"
    np.savez_compressed(pictures, images=np.zeros((9, 2, 2, 1), np.uint8), labels=np.zeros(9, int))
    data = bytearray(pictures.read_bytes())
    data[place] ^= 0xFF
    pictures.write_bytes(data)

    assert main(["evaluate", str(tmp_path)]) == 1

    (told,) = capsys.readouterr().err.splitlines()
    assert "evaluation.npz is no readable .npz file: " in told
    assert told.endswith("; train again")


@pytest.mark.slow
def test_explore_counts_the_pictures_and_draws_some(
    idx_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = tmp_path / "samples.png"
    assert main(["explore", "--dataset", str(idx_folder), "--plot", str(plot)]) == 0
    text = capsys.readouterr().out
    assert "48 pictures of 8 x 6 pixels, grey, uint8 0..255, mean 12" in text
    assert ["2", "2", "16", "4", "6"] in [line.split() for line in text.splitlines()]
    assert "devices: CPU:0" in text
    assert "tensorflow 2" in text
    with Image.open(plot) as image:
        assert min(image.size) > 400


@pytest.mark.slow
def test_explore_shows_a_folder_of_pictures_at_the_size_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label, grey in (("dark", 20), ("light", 230)):
        (tmp_path / label).mkdir()
        for number in range(10):
            Image.new("RGB", (60, 40), (grey + number,) * 3).save(
                tmp_path / label / f"{number}.png"
            )
    plot = ["--plot", str(tmp_path / "samples.png")]
    asked = ["--size", "32", "--color", "gray"]
    assert main(["explore", "--dataset", str(tmp_path), *asked, *plot]) == 0
    assert "pictures of 32 x 32 pixels, grey" in capsys.readouterr().out


def test_evaluate_says_where_a_device_would_not_be_sure() -> None:
    image = ImageInput(2, 2, "gray", mean=(0.0,), std=(255.0,))
    spec = ModelSpec("a", ("hat", "shoe"), image, "logits", decision=Decision(1.0, 0.9))
    scores = np.array([[0.95, 0.05], [0.2, 0.8]], np.float32)
    actual = np.array([0, 0])
    reviewed = Review(
        spec=spec,
        loss=0.1,
        evaluation=evaluate(scores, actual, spec.labels),
        scores=scores,
        actual=actual,
        images=np.zeros((2, 2, 2, 1), np.uint8),
    )
    assert [reviewed.prediction(index) for index in (0, 1)] == [
        "picture 0: hat 95.0% (right)",
        "picture 1: not sure, best guess shoe 80.0% (wrong, it is hat)",
    ]


def loss(run: Path) -> float:
    """Mean cross-entropy of the test pictures, as Keras finds it."""
    import keras

    model = keras.saving.load_model(run / "model.keras")
    with np.load(run / "evaluation.npz") as pictures:
        images, labels = pictures["images"], pictures["labels"]
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return float(entropy(labels, model(images / np.float32(255))))


@pytest.mark.slow
def test_evaluate_repeats_the_figures_of_the_run(
    idx_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, plot = tmp_path / "run", tmp_path / "plot.png"
    assert main(["--dataset", str(idx_folder), "--epochs", "3", "--out", str(run)]) == 0
    told = capsys.readouterr().out.split()[2]
    assert main(["evaluate", str(run), "--pictures", "0,19", "--plot", str(plot)]) == 0
    text = capsys.readouterr().out
    assert f"Test loss {loss(run):.4f}, accuracy {told}, 20 pictures." in text
    assert text.splitlines()[2].startswith("picture 0: ")
    other = tmp_path / "other.png"
    assert main(["evaluate", str(run), "--pictures", "0,18", "--plot", str(other)]) == 0
    with Image.open(plot) as one, Image.open(other) as two:
        assert min(one.size) > 100
        assert one.size == two.size
        assert ImageChops.difference(one.convert("RGB"), two.convert("RGB")).getbbox()

    assert main(["evaluate", str(run), "--pictures", "20"]) == 2
    assert "there is no test picture 20; expected 0 to 19" in capsys.readouterr().err
    (run / "evaluation.npz").write_bytes(b"gone")
    assert main(["evaluate", str(run)]) == 1
    assert "evaluation.npz is no readable .npz file" in capsys.readouterr().err
