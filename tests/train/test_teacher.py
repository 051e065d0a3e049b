"""Distillation: who may teach, what is asked, and what is made of the answers."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_runtime import modelfile
from edge_runtime.errors import ModelError, UsageError
from edge_runtime.preprocess import normalise
from edge_runtime.spec import ModelSpec
from train import runs, teacher
from train.cli import main
from train.config import TrainConfig
from train.datasets import Dataset, load


@pytest.fixture
def dataset(idx_folder: Path) -> Dataset:
    return load(str(idx_folder))


def write_run(folder: Path, spec: ModelSpec | None) -> Path:
    """A run directory as far as a teacher is looked at before it is loaded."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("config.json", "{}")
    data = buffer.getvalue()
    folder.mkdir()
    (folder / "model.keras").write_bytes(
        data if spec is None else modelfile.add_keras_spec(data, spec)
    )
    return folder


def test_a_teacher_of_the_same_pictures_and_classes_is_taken(
    dataset: Dataset, tmp_path: Path
) -> None:
    spec = ModelSpec("large", dataset.labels, dataset.image, "logits")
    known = runs.find(write_run(tmp_path / "large", spec), dataset, "--teacher")
    assert known.spec == spec
    assert len(known.sha256) == 64


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": ("a", "b")}, "knows a, b, but the pictures show 0, 1, 2"),
        ({"image": {"height": 9}}, r"\(9, 6, 'gray'\), these are \(8, 6, 'gray'\)"),
    ],
)
def test_a_teacher_of_something_else_is_refused(
    dataset: Dataset, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    spec = ModelSpec("large", dataset.labels, dataset.image, "logits")
    if "image" in changes:
        changes = {"image": replace(spec.image, height=9)}
    run = write_run(tmp_path / "large", replace(spec, **changes))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=words):
        runs.find(run, dataset, "--teacher")


def test_a_folder_without_a_model_is_no_teacher(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no model\.keras; name a run directory"):
        runs.find(tmp_path, dataset, "--teacher")
    with pytest.raises(ModelError, match="does not say what it is"):
        runs.find(write_run(tmp_path / "mute", None), dataset, "--teacher")


@pytest.mark.slow
def test_the_teacher_is_asked_about_the_pictures_that_the_student_will_see(
    dataset: Dataset, idx_folder: Path, tmp_path: Path
) -> None:
    import keras

    from train import batches

    run = tmp_path / "teacher"
    assert main(["--dataset", str(idx_folder), "--epochs", "2", "--out", str(run)]) == 0
    config = TrainConfig(epochs=7, augment=True, teacher=(run,), versions=3, batch_size=7)
    known = [runs.find(run, dataset, "--teacher")]
    lessons = teacher.Lessons(known, dataset, config, tmp_path)
    model = keras.saving.load_model(run / "model.keras")

    for epoch in (2, 5):  # both show version 2
        answers = lessons.of(batches.version(config, epoch))
        for images, _, positions in batches.training(dataset, config, range(epoch, epoch + 1)):
            expected = model.predict(np.asarray(images), verbose=0)
            assert answers[np.asarray(positions)] == pytest.approx(expected, abs=0.01)
    assert [path.name for path in tmp_path.glob("*.logits")] == ["teacher-000002.logits"]

    plain = replace(config, augment=False)
    untouched = teacher.Lessons(known, dataset, plain, tmp_path / "plain")
    pictures = normalise(dataset.train.images, dataset.image)
    assert untouched.of(0) == pytest.approx(model.predict(pictures, verbose=0), abs=0.01)


@pytest.mark.slow
def test_the_loss_is_that_of_the_labels_and_of_the_teacher_in_their_shares() -> None:
    import keras
    import tensorflow as tf

    from train import losses

    random = np.random.default_rng(0)
    ours, theirs = tf.constant(random.normal(size=(2, 5, 4)).astype(np.float32))
    labels = tf.one_hot([0, 1, 2, 3, 0], 4)

    def loss(taught: object, **settings: float) -> float:
        return float(losses.loss(ours, labels, taught, TrainConfig(**settings)))  # type: ignore[arg-type]

    usual = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    hard = float(usual(labels, ours))
    assert loss(None, label_smoothing=0.1) == pytest.approx(hard, rel=1e-5)
    assert loss(ours, teacher_weight=1) == pytest.approx(0, abs=1e-6)
    divergence = keras.losses.KLDivergence()(tf.nn.softmax(theirs / 2), tf.nn.softmax(ours / 2))
    soft = 4 * float(divergence)
    assert loss(theirs, label_smoothing=0.1, teacher_weight=0.25, temperature=2) == pytest.approx(
        0.75 * hard + 0.25 * soft, rel=1e-4
    )


@pytest.mark.slow
def test_balanced_weights_let_rare_classes_count_alike() -> None:
    from train import losses

    weights = losses.balance(np.array([0] * 8 + [1] * 2), 2)
    assert weights.tolist() == [0.625, 2.5]  # 8 * 0.625 == 2 * 2.5, and 1 a picture on average
    logits = np.zeros((1, 2), np.float32)
    rare = losses.loss(logits, np.float32([[0, 1]]), None, TrainConfig(), weights)
    assert float(rare) == pytest.approx(2.5 * np.log(2))
