"""The run directory: everything a training leaves for export, for benchmarks and for people."""

from __future__ import annotations

import csv
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

import edge_runtime
from edge_runtime import modelfile, postprocess
from edge_runtime.spec import ModelSpec, Provenance, Reference
from train import plots, recipe
from train.calibrate import Calibration
from train.config import TrainConfig
from train.datasets import Dataset, Split
from train.evaluate import Evaluation
from train.fit import Fitted
from train.history import Epoch, curves
from train.prepare import Job

CALIBRATION_IMAGES: Final = 500
_PLOTTED_PREDICTIONS: Final = 15


@dataclass(frozen=True, eq=False)
class Trained:
    """All that came out of one training."""

    job: Job
    out: Path  # the run directory
    model: keras.Model
    fitted: Fitted
    calibration: Calibration  # on the validation pictures
    scores: NDArray[np.float32]  # logits of the test pictures, shape (n, classes)
    evaluation: Evaluation  # of the test pictures

    @property
    def config(self) -> TrainConfig:
        """What was trained, and how."""
        return self.job.config

    @property
    def dataset(self) -> Dataset:
        """What it was trained on."""
        return self.job.dataset


def write(folder: Path, trained: Trained) -> None:
    """Fill an empty folder: model.keras, train.json, train.toml, history.csv, *.npz and plots/."""
    dataset = trained.dataset
    _write_model(folder / "model.keras", trained)
    document = json.dumps(summary(trained), indent=2, ensure_ascii=False)
    (folder / "train.json").write_text(document + "\n", encoding="utf-8")
    (folder / recipe.NAME).write_text(recipe.write(trained.config), encoding="utf-8")
    _write_history(folder / "history.csv", trained.fitted.epochs)
    _write_pictures(folder / "calibration.npz", dataset.train.sample(CALIBRATION_IMAGES))
    _write_pictures(folder / "evaluation.npz", dataset.test)
    _write_plots(folder / "plots", trained)


def spec(trained: Trained) -> ModelSpec:
    """What the model file says about itself."""
    dataset = trained.dataset
    return ModelSpec(
        name=dataset.name,
        labels=dataset.labels,
        image=dataset.image,
        scores=trained.config.scores,
        decision=trained.calibration.decision,
        reference=Reference(
            accuracy=trained.evaluation.accuracy,
            images=len(dataset.test),
            dataset=f"{dataset.name} test",
        ),
        provenance=Provenance(seed=trained.config.seed, versions=versions()),
    )


def versions() -> dict[str, str]:
    """What the training ran on."""
    packages = ("keras", "numpy", "tensorflow")
    return {
        "edgeproof": edge_runtime.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def summary(trained: Trained) -> dict[str, Any]:
    """The content of train.json."""
    dataset, kept = trained.dataset, trained.fitted.kept
    return {
        "test_accuracy": trained.evaluation.accuracy,
        "validation_accuracy": kept.validation_accuracy,
        "decision": asdict(trained.calibration),
        "parameters": trained.model.count_params(),
        "epochs": len(trained.fitted.epochs),
        "kept_epoch": kept.epoch,
        "kept_by": "best validation accuracy",
        "seconds": round(trained.fitted.seconds, 1),
        "cpu_seconds": round(trained.fitted.cpu_seconds, 1),
        "replicas": trained.fitted.replicas,
        "seed": trained.config.seed,
        "versions": versions(),
        "dataset": {
            "name": dataset.name,
            "folder": str(dataset.folder),
            "sha256": dict(dataset.sha256),
            "labels": list(dataset.labels),
            "images": {
                "train": len(dataset.train),
                "validation": len(dataset.validation),
                "test": len(dataset.test),
            },
            "left_out": list(dataset.left_out),
            "limit": trained.config.limit,
        },
        "origins": {name: trained.job.origins[name] for name in ("teachers", "start")},
        "weakest_classes": dict(trained.evaluation.weakest()),
        "most_confused": [asdict(pair) for pair in trained.evaluation.most_confused()],
        "config": trained.config.to_dict(),
        "command": trained.config.command(trained.out),
    }


def _write_model(path: Path, trained: Trained) -> None:
    model = trained.model
    if trained.config.scores == "probabilities":
        softmax = keras.layers.Softmax(name="probabilities")
        model = keras.Model(model.inputs, softmax(model.outputs[0]), name=model.name)
    model.save(path)
    path.write_bytes(modelfile.add_keras_spec(path.read_bytes(), spec(trained)))


def _write_history(path: Path, epochs: Sequence[Epoch]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = [asdict(epoch) for epoch in epochs]
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_pictures(path: Path, split: Split) -> None:
    np.savez_compressed(path, images=split.images, labels=split.labels)


def _write_plots(folder: Path, trained: Trained) -> None:
    dataset, fitted = trained.dataset, trained.fitted
    train, test, labels = dataset.train, dataset.test, dataset.labels
    shown = slice(_PLOTTED_PREDICTIONS)
    temperature = trained.calibration.decision.temperature
    scores = postprocess.probabilities(trained.scores[shown], "logits", temperature)
    folder.mkdir()
    with plots.style():
        figures = {
            "samples": plots.samples(train.images[:25], train.labels[:25], labels),
            "predictions": plots.predictions(
                test.images[shown], scores, test.labels[shown], labels
            ),
            "learning-curves": plots.learning_curves(curves(fitted.epochs), fitted.kept.epoch),
            "confusion": plots.confusion(trained.evaluation),
        }
        for name, figure in figures.items():
            figure.savefig(folder / f"{name}.png")
