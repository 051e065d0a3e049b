"""Runs of earlier trainings that a new one builds on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edge_runtime import modelfile
from edge_runtime.errors import ModelError, UsageError
from edge_runtime.spec import ModelSpec
from train.datasets import Dataset

MODEL: Final = "model.keras"


@dataclass(frozen=True)
class Run:
    """The trained model of a run directory, before it is loaded."""

    model: Path
    spec: ModelSpec
    sha256: str  # of the model file


def find(folder: Path, dataset: Dataset, flag: str, *, any_classes: bool = False) -> Run:
    """The model of a run directory, checked against the pictures it will see.

    Args:
        folder: the run directory.
        dataset: the pictures.
        flag: how the user named the folder, for messages.
        any_classes: its model may know other classes.

    Raises:
        UsageError: it is no run directory, or its model knows other classes or pictures.
        ModelError: its model is damaged or does not say what it is.
    """
    spec = read_spec(folder, f"{flag} {folder}")
    if spec.labels != dataset.labels and not any_classes:
        raise UsageError(
            f"{flag} {folder} knows {', '.join(spec.labels)}, "
            f"but the pictures show {', '.join(dataset.labels)}; name its own with --dataset"
        )
    theirs, ours = spec.image, dataset.image
    sizes = [(image.height, image.width, image.color) for image in (theirs, ours)]
    if sizes[0] != sizes[1]:
        raise UsageError(
            f"{flag} {folder} takes pictures (height, width, colour) = {sizes[0]}, "
            f"these are {sizes[1]}; a folder's pictures become so with --size and --color"
        )
    path = folder / MODEL
    return Run(path, spec, hashlib.sha256(path.read_bytes()).hexdigest())


def read_spec(folder: Path, named: str) -> ModelSpec:
    """What the model of a run directory says of itself.

    Args:
        folder: the run directory.
        named: how messages name it.

    Raises:
        UsageError: it is no run directory.
        ModelError: its model is damaged or does not say what it is.
    """
    path = folder / MODEL
    if not path.is_file():
        raise UsageError(f"{named} holds no {MODEL}; name a run directory")
    spec = modelfile.read_keras_spec(path)
    if spec is None:
        raise ModelError(f"{path} does not say what it is; train it with `python -m train`")
    return spec


def load(path: Path) -> Any:
    """The keras.Model in a run's file.

    Raises:
        ModelError: Keras cannot load it.
    """
    import keras

    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras lets anything through that its layers raise
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(f"Keras cannot load {path}: {reason}; train it again") from error
