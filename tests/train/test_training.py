"""Training for real: the run directory, the models, and how a run ends early."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge_runtime import modelfile, postprocess
from edge_runtime.preprocess import normalise
from edge_runtime.spec import ImageInput
from train.checkpoint import Checkpoints, State
from train.cli import main
from train.config import TrainConfig
from train.datasets import load, sources

pytestmark = pytest.mark.slow

LABELS = sources.KNOWN["fashion-mnist"].labels


@pytest.fixture(scope="module")
def run(fashion_mnist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run directory of the mlp after one epoch of 2,000 pictures."""
    out = tmp_path_factory.mktemp("runs") / "mlp"
    data = ["--dataset", "fashion-mnist", "--data", str(fashion_mnist)]
    assert main([*data, "--limit", "2000", "--epochs", "1", "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def summary(run: Path) -> dict[str, Any]:
    document = json.loads((run / "train.json").read_text())
    assert isinstance(document, dict)
    return document


def test_the_run_directory_is_complete_and_has_no_leftovers_beside_it(run: Path) -> None:
    assert {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()} == {
        "model.keras",
        "train.json",
        "train.toml",
        "history.csv",
        "calibration.npz",
        "evaluation.npz",
        "plots/samples.png",
        "plots/predictions.png",
        "plots/learning-curves.png",
        "plots/confusion.png",
    }
    assert list(run.parent.iterdir()) == [run]


def test_train_json_says_what_was_done_and_how_well(run: Path, summary: dict[str, Any]) -> None:
    assert 0.5 < summary["test_accuracy"] < 0.9
    assert 0.5 < summary["validation_accuracy"] < 0.9
    assert summary["parameters"] == 101_770
    assert (summary["epochs"], summary["kept_epoch"], summary["seed"]) == (1, 1, 0)
    assert summary["seconds"] > 0
    assert {"tensorflow", "keras", "numpy", "python", "edgeproof"} <= summary["versions"].keys()
    dataset = summary["dataset"]
    assert dataset["sha256"] == sources.KNOWN["fashion-mnist"].sha256
    assert dataset["images"] == {"train": 2000, "validation": 5000, "test": 10000}
    assert dataset["limit"] == 2000
    assert summary["command"].endswith(f"--limit 2000 --out {run}")


def test_the_keras_file_has_its_spec_and_the_accuracy_that_was_written(
    run: Path, summary: dict[str, Any]
) -> None:
    import keras

    spec = modelfile.read_keras_spec(run / "model.keras")
    assert spec is not None
    assert (spec.name, spec.labels, spec.scores) == ("fashion-mnist", LABELS, "logits")
    assert spec.reference is not None
    assert (spec.reference.accuracy, spec.reference.images) == (summary["test_accuracy"], 10_000)

    assert spec.decision.temperature == summary["decision"]["decision"]["temperature"] != 1
    assert 0.3 < spec.decision.threshold < 1
    assert summary["decision"]["right"] >= 0.98

    model = keras.saving.load_model(run / "model.keras")
    with np.load(run / "evaluation.npz") as test:
        images, actual = test["images"], test["labels"]
    logits = model.predict(normalise(images, spec.image), verbose=0)
    assert np.mean(logits.argmax(axis=1) == actual) == pytest.approx(summary["test_accuracy"])
    assert postprocess.probabilities(logits, spec.scores).sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert model.inputs[0].name == "image"


def test_calibration_is_500_training_pictures_of_all_classes_alike(
    run: Path, fashion_mnist: Path
) -> None:
    with np.load(run / "calibration.npz") as calibration:
        images, actual = calibration["images"], calibration["labels"]
    assert (images.shape, images.dtype) == ((500, 28, 28, 1), np.uint8)
    assert np.bincount(actual).tolist() == [50] * 10
    trained_on = {
        image.tobytes()
        for image in load("fashion-mnist", data_dir=fashion_mnist).limited(2000).train.images
    }
    assert all(image.tobytes() in trained_on for image in images)


def test_evaluation_is_the_test_split(run: Path, fashion_mnist: Path) -> None:
    test = load("fashion-mnist", data_dir=fashion_mnist).test
    with np.load(run / "evaluation.npz") as evaluation:
        assert np.array_equal(evaluation["images"], test.images)
        assert np.array_equal(evaluation["labels"], test.labels)


def test_history_has_a_row_an_epoch(run: Path, summary: dict[str, Any]) -> None:
    with (run / "history.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    figures = ["loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate"]
    assert list(row) == ["epoch", *figures]
    assert float(row["validation_accuracy"]) == summary["validation_accuracy"]


def test_history_tells_where_a_training_went_on_with_another_learning_rate(
    idx_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(checkpoints: Checkpoints, state: State) -> None:
        save(checkpoints, state)
        raise KeyboardInterrupt

    save, run = Checkpoints.save, tmp_path / "run"
    command = ["--dataset", str(idx_folder), "--epochs", "3", "--out", str(run)]
    with monkeypatch.context() as patched:
        patched.setattr(Checkpoints, "save", stop)
        assert main([*command, "--learning-rate", "0.01"]) == 130
    assert main([*command, "--learning-rate", "0.001", "--resume"]) == 0
    with (run / "history.csv").open(newline="") as file:
        rates = [row["learning_rate"] for row in csv.DictReader(file)]
    assert rates == ["0.01", "0.001", "0.001"]


def test_the_best_epoch_is_kept_where_it_is_not_the_last(
    tmp_path: Path, half: Callable[..., Any]
) -> None:
    import keras

    # What is learned is wrong for the validation pictures: each epoch does them harm.
    random, folder, run = np.random.default_rng(0), tmp_path / "pictures", tmp_path / "run"
    for split in ("train", "validation", "test"):
        for name, side in (("one", "left"), ("other", "right")):
            (folder / split / name).mkdir(parents=True)
            shown = side if split != "validation" else {"left": "right", "right": "left"}[side]
            for number in range(20):
                pixels = half(shown) * 0.1 + random.uniform(60, 210, (8, 8))
                picture = Image.fromarray(pixels.astype(np.uint8))
                picture.save(folder / split / name / f"{number}.png")
    given = ["--dataset", str(folder), "--epochs", "8", "--batch-size", "8"]
    rate = ["--schedule", "constant", "--learning-rate", "0.001"]
    assert main([*given, *rate, "--out", str(run)]) == 0

    with (run / "history.csv").open(newline="") as file:
        accuracies = [float(row["validation_accuracy"]) for row in csv.DictReader(file)]
    model = keras.saving.load_model(run / "model.keras")
    dataset = load(str(folder))
    logits = model.predict(normalise(dataset.validation.images, dataset.image), verbose=0)
    accuracy = float(np.mean(logits.argmax(axis=1) == dataset.validation.labels))
    assert accuracy == pytest.approx(max(accuracies))
    assert accuracy > accuracies[-1]
    summary = json.loads((run / "train.json").read_text())
    assert summary["validation_accuracy"] == pytest.approx(accuracy)
    assert summary["kept_epoch"] == 1 + accuracies.index(max(accuracies))


def test_the_plots_are_pictures(run: Path) -> None:
    for path in (run / "plots").iterdir():
        with Image.open(path) as image:
            assert image.format == "PNG"
            assert min(image.size) > 400


def test_overwrite_replaces_a_run_as_a_whole_and_says_what_comes_next(
    idx_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs" / "mine"
    out.mkdir(parents=True)
    (out / "train.json").write_text("from an earlier run")
    arguments = ["--dataset", str(idx_folder), "--epochs", "2", "--out", str(out)]
    assert main(arguments) == 2
    assert [path.name for path in out.iterdir()] == ["train.json"]
    capsys.readouterr()

    assert main([*arguments, "--overwrite", "--augment"]) == 0

    output = capsys.readouterr()
    assert json.loads((out / "train.json").read_text())["epochs"] == 2
    assert list(out.parent.iterdir()) == [out]
    assert "epoch 1/2  loss " in output.err
    assert " left\nepoch 2/2" in output.err
    assert output.out.startswith("Test accuracy ")
    assert f"Next: python -m export {out} --out exported/mine" in output.out
    spec = modelfile.read_keras_spec(out / "model.keras")
    assert spec is not None
    assert (spec.name, spec.labels) == ("my-pictures", ("0", "1", "2"))


def test_the_same_seed_gives_the_same_training(idx_folder: Path, tmp_path: Path) -> None:
    arguments = ["--dataset", str(idx_folder), "--model", "cnn", "--augment", "--epochs", "2"]
    histories = []
    for name, seed in (("first", "5"), ("again", "5"), ("other", "6")):
        assert main([*arguments, "--seed", seed, "--out", str(tmp_path / name)]) == 0
        histories.append((tmp_path / name / "history.csv").read_text())
    assert histories[0] == histories[1] != histories[2]


def test_training_stops_at_a_goal_and_a_softmax_and_raw_pixels_are_in_the_file(
    idx_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import keras

    goal = ["--stop-accuracy", "0.6", "--epochs", "500", "--learning-rate", "0.0001"]
    shape = ["--scores", "probabilities", "--no-rescale"]
    out = tmp_path / "run"
    assert main(["--dataset", str(idx_folder), *goal, *shape, "--out", str(out)]) == 0
    assert "pixels stay 0..255" in capsys.readouterr().err
    with (out / "history.csv").open(newline="") as file:
        *earlier, last = [float(row["accuracy"]) for row in csv.DictReader(file)]
    assert last >= 0.6 > max(earlier, default=0)
    spec = modelfile.read_keras_spec(out / "model.keras")
    assert spec is not None
    assert (spec.scores, spec.image.std) == ("probabilities", (1.0,))
    model = keras.saving.load_model(out / "model.keras")
    scores = model.predict(np.full((2, 8, 6, 1), 200, np.float32), verbose=0)
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("units", [512, 1024])
def test_the_wider_layers_of_the_tutorial_train_until_the_loss_is_low_enough(
    units: int, fashion_mnist: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    data = ["--data", str(fashion_mnist), "--limit", "1000"]
    goal = ["--units", str(units), "--epochs", "30", "--stop-loss", "0.8"]
    assert main([*data, *goal, "--out", str(out)]) == 0
    summary = json.loads((out / "train.json").read_text())
    assert summary["parameters"] == 785 * units + 10 * (units + 1)
    with (out / "history.csv").open(newline="") as file:
        *earlier, last = [float(row["loss"]) for row in csv.DictReader(file)]
    assert last <= 0.8 < min(earlier, default=1)
    assert len(earlier) < 29


def test_a_narrow_resnet_survives_an_odd_number_of_pictures(
    idx_folder: Path, tmp_path: Path
) -> None:
    # In a process of its own: oneDNN, which would end it, is left out when TensorFlow loads.
    shape = ["--model", "resnet", "--widths", "8,12", "--batch-size", "25", "--epochs", "3"]
    run = tmp_path / "run"
    for given in ([*shape, "--out", str(run)], ["--quantize", str(run), "--batch-size", "25"]):
        command = [sys.executable, "-m", "train", "--dataset", str(idx_folder), *given]
        done = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(Path.cwd())}, check=False
        )
        assert done.returncode == 0


def test_train_toml_repeats_the_run(idx_folder: Path, tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    given = ["--dataset", str(idx_folder), "--epochs", "2", "--augment", "--units", "9,7"]
    assert main([*given, "--out", str(first)]) == 0
    assert main(["--config", str(first / "train.toml"), "--out", str(again)]) == 0
    for name in ("history.csv", "train.toml"):
        assert (again / name).read_text() == (first / name).read_text()


# With all pictures in one step, only what the model says afterwards is no number.
@pytest.mark.parametrize("batch", ["8", "1000"])
def test_a_loss_that_is_no_number_stops_with_advice_and_keeps_nothing(
    idx_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], batch: str
) -> None:
    arguments = ["--dataset", str(idx_folder), "--optimizer", "sgd", "--learning-rate", "1e30"]
    arguments += ["--batch-size", batch]
    assert main([*arguments, "--out", str(tmp_path / "runs" / "mlp")]) == 2
    assert "try --learning-rate 1e+29" in capsys.readouterr().err
    assert not list((tmp_path / "runs").iterdir())


# Behind the second, ReLU makes 0 of what is no number, and the loss tells nothing.
@pytest.mark.parametrize(
    ("broken_weights", "seen"),
    [(-1, "the loss is nan in epoch 3"), (0, "the model has numbers that are none after epoch 3")],
)
def test_numbers_that_are_none_after_good_epochs_say_how_to_go_on_from_them(
    broken_weights: int,
    seen: str,
    idx_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from train.trainer import Trainer

    def broken(trainer: Trainer, number: int, *rest: Any) -> tuple[float, float]:
        if number == 3:
            weights = trainer._model.trainable_variables[broken_weights]
            weights.assign(weights * np.nan)
        return epoch(trainer, number, *rest)

    epoch, run, work = Trainer.epoch, tmp_path / "run", tmp_path / "run.work"
    command = ["--dataset", str(idx_folder), "--epochs", "4", "--out", str(run)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Trainer, "epoch", broken)
        assert main([*command, "--learning-rate", "0.01"]) == 2
    advice = "--learning-rate 0.001 --resume"
    error = capsys.readouterr().err
    assert error.endswith(
        f"train: error: {seen}: the steps are too large; "
        f"try {advice}: epoch-000002 of 4 is safe in {work}\n"
    )
    assert error.count("--resume") == 1
    assert sorted(path.stem for path in work.iterdir()) == ["epoch-000001", "epoch-000002"]

    assert main([*command, *advice.split()]) == 0
    assert "going on after epoch 2 of 4" in capsys.readouterr().err
    with (run / "history.csv").open(newline="") as file:
        rates = [row["learning_rate"] for row in csv.DictReader(file)]
    assert rates == ["0.01", "0.01", "0.001", "0.001"]
    assert not work.exists()


def test_interrupting_a_run_ends_with_130_and_says_how_to_go_on(
    idx_folder: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "train", "--dataset", str(idx_folder), "--epochs", "100000"]
    with subprocess.Popen(
        [*command, "--out", str(tmp_path / "runs" / "mlp")],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "epoch      3/100000" in line:
                break
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    *_, advice, last = rest.splitlines()
    assert last == "train: interrupted"
    assert "of 100000 is safe in" in advice
    assert "--resume goes on from there" in advice
    assert "Traceback" not in rest
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["mlp.work"]


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        (TrainConfig(model="mlp"), 101_770),
        (TrainConfig(model="mlp", units=(512, 64)), 435_402),
        (TrainConfig(model="cnn"), 92_322),
        (TrainConfig(model="ds-cnn", widths=(16, 32), blocks=(1, 2)), 3_482),
        (TrainConfig(model="resnet", widths=(8, 12), blocks=(2,)), 7_754),
        (TrainConfig(model="ds-resnet", widths=(16, 48, 64), blocks=(1, 3, 1)), 16_954),
    ],
)
def test_the_models_take_named_pictures_and_give_logits(
    config: TrainConfig, parameters: int
) -> None:
    from train import models

    image = ImageInput(28, 28, "gray", mean=(0.0,), std=(255.0,))
    model = models.build(config, image, 10)
    assert model.count_params() == parameters
    assert model.inputs[0].name == "image"
    assert (model.input_shape, model.output_shape) == ((None, 28, 28, 1), (None, 10))
    assert model.layers[-1].activation.__name__ == "linear"


def test_the_compiled_step_is_left_alone_by_xla_which_makes_it_slower_on_cpus(
    idx_folder: Path,
) -> None:
    import tensorflow as tf

    from train import models
    from train.trainer import Trainer

    dataset, config = load(str(idx_folder)), TrainConfig()
    model = models.build(config, dataset.image, 3)
    trainer = Trainer(model, config, 3, np.ones(3, np.float32), tf.distribute.get_strategy())
    with pytest.raises(ValueError, match="only be returned for functions marked with 'jit_compile"):
        trainer._steps.experimental_get_compiler_ir()


def test_every_epoch_shows_every_picture_once_in_an_order_of_its_own(idx_folder: Path) -> None:
    from train import batches

    dataset = load(str(idx_folder))
    config = TrainConfig(epochs=3, batch_size=20)

    def shown(epochs: range) -> list[Any]:
        return [np.asarray(images) for images, _, _ in batches.training(dataset, config, epochs)]

    seen = shown(range(3))
    epochs = [np.concatenate(seen[start : start + 3]) for start in (0, 3, 6)]
    pictures = [sorted(image.tobytes() for image in epoch) for epoch in epochs]
    assert pictures[0] == pictures[1] == pictures[2]
    assert not np.array_equal(epochs[0], epochs[1])
    assert np.array_equal(np.concatenate(shown(range(1, 3))), np.concatenate(epochs[1:]))


def test_averaged_weights_follow_the_trained_ones_and_are_the_ones_kept(idx_folder: Path) -> None:
    import keras

    from train import fit, models
    from train.history import Listener

    dataset = load(str(idx_folder))
    quiet = Listener(lambda _: None, lambda _: None)
    ends = {}
    for average in (0.0, 0.1, 0.9999):
        config = TrainConfig(model="cnn", epochs=2, average=average)
        keras.utils.set_random_seed(0)  # as the pipeline does
        model = models.build(config, dataset.image, 3)
        start = model.get_weights()
        fit.fit(model, dataset, config, quiet)
        ends[average] = sum(
            float(np.abs(new - old).sum())
            for new, old in zip(model.get_weights(), start, strict=True)
        )
    assert 0 < ends[0.9999] < ends[0.1] < ends[0.0]


def test_training_sees_exactly_what_the_runtime_would_feed(idx_folder: Path) -> None:
    from train import batches

    dataset = load(str(idx_folder))
    (pair,) = batches.in_order(dataset.test, dataset.image, 3)
    assert np.array_equal(np.asarray(pair[0]), normalise(dataset.test.images, dataset.image))
