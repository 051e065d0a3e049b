"""Which model is meant, and what can be known of it before TensorFlow is loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from edge_runtime import modelfile
from edge_runtime.description import Description
from edge_runtime.errors import InputError, SpecError, UsageError
from edge_runtime.spec import Color, ModelSpec
from export.source import contents
from export.source.contents import Kind
from export.source.described import missing_labels

MODEL: Final = "model.keras"
SUMMARY: Final = "train.json"

_SAVED_MODEL: Final = "saved_model.pb"
_KINDS: Final[dict[str, Kind]] = {".keras": "keras", ".h5": "h5", ".hdf5": "h5"}


@dataclass(frozen=True, eq=False)
class Origin:
    """A model as it lies on the disk, or in memory."""

    path: Path  # the Keras file, or the SavedModel's folder; in memory, its name
    kind: Kind
    sha256: str  # of the file, of the folder's files in their order, or of a model's weights
    spec: ModelSpec | None  # what is known of it before it is loaded
    told: bool = True  # a person says what it is; the file itself does not
    run: Path | None = None  # the run directory it lies in, where pictures are found
    seed: int | None = None  # of the training
    description: Description = field(default_factory=Description)
    trusted: bool = False  # code inside may run
    model: Any = None  # the keras.Model itself, where it is in memory

    @property
    def rounds(self) -> bool:
        """It was trained with rounding in it, so no calibration picture is needed for int8.tflite."""
        if self.kind == "memory":
            from export.formats.fake_quant import is_fake_quantized

            return is_fake_quantized(self.model)
        return contents.rounds(self.path, self.kind)

    @property
    def color(self) -> Color | None:
        """Of the pictures that it takes; None where only the model itself says it."""
        if self.spec is not None:
            return self.spec.image.color
        told = self.description.color
        return "rgb" if told == "bgr" else told


def find(
    model: Any,
    description: Description,
    *,
    spec: ModelSpec | None = None,
    trusted: bool = False,
) -> Origin:
    """Find the model that is meant.

    Args:
        model: the path of a run directory of `python -m train`, of a `.keras`, `.h5` or `.hdf5`
            file, or of a SavedModel's folder; or a keras.Model.
        description: what the model does not say itself.
        spec: instead of a description, all of it.
        trusted: code inside the model file may run.

    Raises:
        UsageError: `model` is none of these, or says itself what flags or `spec` say as well.
        ModelError: the Keras file is damaged.
        SpecError: the spec inside is missing from a run directory's model, or wrong.
        InputError: the run directory's summary is damaged.
    """
    origin = replace(
        _find(model) if isinstance(model, Path) else _given(model, spec), trusted=trusted
    )
    if origin.spec is not None:
        given = (*description.given, *(["`spec`"] if spec else []))
        if given:
            raise UsageError(f"{origin.path} says this itself; leave out {' and '.join(given)}")
        named = replace(origin.spec, name=description.name or origin.spec.name)
        return replace(origin, spec=named, told=False)
    if spec is not None:
        if description.given:
            raise UsageError(f"`spec` says this; leave out {' and '.join(description.given)}")
        return replace(origin, spec=replace(spec, name=description.name or spec.name))
    if description.labels is None:
        raise missing_labels(origin.path)
    return replace(origin, description=description)


def folder_for(model: Any, spec: ModelSpec | None = None) -> Path:
    """Where files go when nobody says it: exported/, and the name of the model or its folder."""
    if not isinstance(model, Path):
        return Path("exported") / (spec.name if spec else str(getattr(model, "name", "model")))
    resolved = model.resolve()
    return Path("exported") / (resolved.stem if resolved.is_file() else resolved.name)


def _given(model: Any, spec: ModelSpec | None) -> Origin:
    """A model in memory; its file, if it ever had one, is not known."""
    if not hasattr(model, "predict_on_batch"):
        raise UsageError(f"expected a path or a keras.Model, got {type(model).__name__}")
    digest = hashlib.sha256()
    for weights in model.get_weights():
        digest.update(f"{weights.dtype} {weights.shape}".encode() + weights.tobytes())
    name = Path(spec.name if spec else model.name)
    return Origin(name, "memory", digest.hexdigest(), None, model=model)


def _find(path: Path) -> Origin:
    if (path / MODEL).is_file():
        return _run(path)
    if (path / _SAVED_MODEL).is_file():
        return Origin(path, "saved-model", _digest(path), spec=None)
    if path.is_file() and (kind := _KINDS.get(path.suffix.lower())):
        spec = modelfile.read_keras_spec(path) if kind == "keras" else None
        return Origin(path, kind, _digest(path), spec)
    found = (
        "does not exist"
        if not path.exists()
        else f"holds no {MODEL} and no {_SAVED_MODEL}"
        if path.is_dir()
        else "is no .keras or .h5 file"
    )
    raise UsageError(
        f"{path} {found}; name a run directory, such as `python -m train --out runs/mine` makes, "
        "a .keras or .h5 file, or a SavedModel's folder"
    )


def _run(folder: Path) -> Origin:
    model = folder / MODEL
    spec = modelfile.read_keras_spec(model)
    if spec is None:
        raise SpecError(
            f"{model} says nothing about its labels and pictures; train it with "
            f"`python -m train`, or name the file itself: python -m export {model} --labels FILE"
        )
    seed = _seed(folder / SUMMARY, spec)
    return Origin(model, "keras", _digest(model), spec, run=folder, seed=seed)


def _seed(path: Path, spec: ModelSpec) -> int | None:
    """The training's seed; a run directory made by hand may do without."""
    if not path.is_file():
        return spec.provenance.seed
    try:
        seed = json.loads(path.read_bytes()).get("seed")
    except (ValueError, AttributeError) as error:
        raise InputError(f"{path} is not a JSON object: {error}; train again") from error
    return seed if isinstance(seed, int) else spec.provenance.seed


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for file in _files(path):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    yield from [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
