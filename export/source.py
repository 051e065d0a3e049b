"""What is exported: a run directory, read and checked before anything slow begins."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime import modelfile
from edge_runtime.errors import EngineError, InputError, ModelError, SpecError, UsageError
from edge_runtime.spec import ImageInput, ModelSpec

MODEL: Final = "model.keras"
CALIBRATION: Final = "calibration.npz"
EVALUATION: Final = "evaluation.npz"
SUMMARY: Final = "train.json"


@dataclass(frozen=True, eq=False)
class Source:
    """A run directory's content, but for the Keras model itself."""

    folder: Path
    spec: ModelSpec
    sha256: str  # of model.keras
    seed: int | None  # of the training
    evaluation: NDArray[np.uint8]  # 0..255, shape (n, height, width, channels), RGB or grey
    labels: NDArray[np.int64]  # their true classes, shape (n,)
    calibration: NDArray[np.uint8] | None  # pixels like `evaluation`; None where not asked for

    @property
    def model(self) -> Path:
        """The Keras file."""
        return self.folder / MODEL


def read(folder: Path, *, calibration: bool) -> Source:
    """Read a run directory.

    Args:
        folder: what `python -m train` wrote.
        calibration: whether calibration pictures are needed.

    Raises:
        UsageError: `folder` is not a run directory.
        ModelError: the Keras file is damaged.
        SpecError: the Keras file holds no spec, or a wrong one.
        InputError: the calibration or evaluation pictures are missing or unfit.
    """
    if not (folder / MODEL).is_file():
        found = "holds no model.keras" if folder.is_dir() else "is not a folder"
        raise UsageError(
            f"{folder} {found}; name a run directory, such as `python -m train --out {folder}` makes"
        )
    spec = modelfile.read_keras_spec(folder / MODEL)
    if spec is None:
        raise SpecError(
            f"{folder / MODEL} says nothing about its labels and pictures; "
            "train it with `python -m train`"
        )
    arrays = _read_arrays(folder / EVALUATION)
    evaluation = _pixels(folder / EVALUATION, arrays, spec.image)
    return Source(
        folder=folder,
        spec=spec,
        seed=_seed(folder / SUMMARY, spec),
        sha256=hashlib.sha256((folder / MODEL).read_bytes()).hexdigest(),
        evaluation=evaluation,
        labels=_labels(folder / EVALUATION, arrays, len(evaluation), len(spec.labels)),
        calibration=_calibration(folder / CALIBRATION, spec.image) if calibration else None,
    )


def load_model(source: Source) -> Any:
    """Load the Keras model and check it against its spec.

    Returns:
        A `keras.Model` from float32 (n, height, width, channels) to scores (n, classes).

    Raises:
        ModelError: Keras cannot load it, or its shapes are not what the spec says.
        EngineError: Keras or TensorFlow do not start.
    """
    keras = _keras()
    try:
        model = keras.models.load_model(source.model, compile=False)
    except Exception as error:  # Keras lets anything through that its layers raise
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(f"Keras cannot load {source.model}: {reason}; train it again") from error
    image, labels = source.spec.image, source.spec.labels
    expected = (image.height, image.width, image.channels)
    if tuple(model.input_shape[1:]) != expected:
        raise ModelError(
            f"{source.model} takes (height, width, channels) = {tuple(model.input_shape[1:])}, "
            f"its spec says {expected}; train it again"
        )
    if tuple(model.output_shape[1:]) != (len(labels),):
        outputs = " x ".join(map(str, model.output_shape[1:]))
        raise ModelError(
            f"{source.model} gives {outputs} scores but has {len(labels)} labels; "
            "train it again with the right labels"
        )
    return model


def _keras() -> Any:
    os.environ["KERAS_BACKEND"] = "tensorflow"  # the only one that the converters know
    try:
        import keras
    except ImportError as error:
        raise EngineError(
            f"Keras does not start here ({error}); run `pip install 'edgeproof[export]'`"
        ) from error
    return keras


def _seed(path: Path, spec: ModelSpec) -> int | None:
    """The training's seed; a run directory made by hand may do without."""
    if not path.is_file():
        return spec.provenance.seed
    try:
        seed = json.loads(path.read_bytes()).get("seed")
    except (ValueError, AttributeError) as error:
        raise InputError(f"{path} is not a JSON object: {error}; train again") from error
    return seed if isinstance(seed, int) else spec.provenance.seed


def _calibration(path: Path, image: ImageInput) -> NDArray[np.uint8]:
    if not path.is_file():
        raise InputError(
            f"{path} does not exist, and integer variants need its pictures; "
            "train again, or leave them out with --only float32,float16,dynamic"
        )
    return _pixels(path, _read_arrays(path), image)


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        archive = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
        return {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist; train again") from error
    # A lone .npy has no `files`; zipfile and zlib speak for damaged archives.
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} is not a readable .npz file: {error}; train again") from error


def _pixels(path: Path, arrays: Mapping[str, NDArray[Any]], image: ImageInput) -> NDArray[np.uint8]:
    pixels = _array(path, arrays, "images")
    if pixels.dtype != np.uint8:
        raise InputError(
            f"{path}: `images` holds {pixels.dtype}, expected uint8 pixels 0..255; "
            "store them as they were before any scaling"
        )
    expected = (image.height, image.width, image.channels)
    if len(pixels) == 0 or pixels.shape[1:] != expected:
        raise InputError(
            f"{path}: `images` has the shape {pixels.shape}, expected (n, "
            f"{', '.join(map(str, expected))}); make it again for this model"
        )
    return pixels


def _labels(
    path: Path, arrays: Mapping[str, NDArray[Any]], images: int, classes: int
) -> NDArray[np.int64]:
    labels = _array(path, arrays, "labels")
    if not np.issubdtype(labels.dtype, np.integer) or labels.shape != (images,):
        raise InputError(
            f"{path}: `labels` is {labels.dtype} {labels.shape}, expected {images} whole numbers"
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise InputError(
            f"{path}: `labels` runs {labels.min()}..{labels.max()}, "
            f"but the model's {classes} labels are 0..{classes - 1}"
        )
    return labels.astype(np.int64)


def _array(path: Path, arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in arrays:
        raise InputError(f"{path} has no array `{name}`; train again")
    return arrays[name]
