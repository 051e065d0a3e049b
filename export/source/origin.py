"""Which model is meant, and what can be known of it before TensorFlow is loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from edge_runtime import modelfile
from edge_runtime.description import Description
from edge_runtime.errors import InputError, SpecError, UsageError
from edge_runtime.spec import ModelSpec
from export.source.described import missing_labels

Kind = Literal["keras", "h5", "saved-model"]

MODEL: Final = "model.keras"
SUMMARY: Final = "train.json"

_SAVED_MODEL: Final = "saved_model.pb"
_KINDS: Final[dict[str, Kind]] = {".keras": "keras", ".h5": "h5", ".hdf5": "h5"}


@dataclass(frozen=True)
class Origin:
    """A model as it lies on the disk."""

    path: Path  # the Keras file, or the SavedModel's folder
    kind: Kind
    sha256: str  # of the file, or of the folder's files in their order
    spec: ModelSpec | None  # what the file says about itself
    run: Path | None = None  # the run directory it lies in, where pictures are found
    seed: int | None = None  # of the training
    description: Description = field(default_factory=Description)
    trusted: bool = False  # code inside may run


def find(path: Path, description: Description, *, trusted: bool = False) -> Origin:
    """Find the model that is meant by a path.

    Args:
        path: a run directory of `python -m train`, a `.keras`, `.h5` or `.hdf5` file, or a
            SavedModel's folder.
        description: what the model does not say itself.
        trusted: code inside the model file may run.

    Raises:
        UsageError: `path` is none of these, or says itself what flags say as well.
        ModelError: the Keras file is damaged.
        SpecError: the spec inside is missing from a run directory's model, or wrong.
        InputError: the run directory's summary is damaged.
    """
    origin = _find(path)
    if origin.spec is None:
        if description.labels is None:
            raise missing_labels(origin.path)
        return replace(origin, description=description, trusted=trusted)
    if description.given:
        raise UsageError(
            f"{origin.path} says this itself; leave out {' and '.join(description.given)}"
        )
    spec = replace(origin.spec, name=description.name or origin.spec.name)
    return replace(origin, spec=spec, trusted=trusted)


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
    return Origin(model, "keras", _digest(model), spec, folder, _seed(folder / SUMMARY, spec))


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


def code_in(config: Any) -> Iterator[str]:
    """Names of what in a Keras model's configuration is code, or leads to code, outside Keras.

    Keras' own safe mode has been led around more than once (CVE-2025-1550, CVE-2025-9906), so what
    may appear is decided here, before Keras reads the file.
    """
    if isinstance(config, list):
        for member in config:
            yield from code_in(member)
    if not isinstance(config, dict):
        return
    kind, module = config.get("class_name"), config.get("module")
    if isinstance(kind, str):
        inner = config.get("config")
        name = inner.get("name", kind) if isinstance(inner, dict) else kind
        if kind in ("Lambda", "__lambda__"):
            yield f"the layer {name!r} ({kind})"
        elif isinstance(module, str) and module.partition(".")[0] not in ("keras", "builtins"):
            yield f"{module}.{kind}"
        elif config.get("registered_name") and ">" in str(config["registered_name"]):
            yield f"{config['registered_name']}"
    for member in config.values():
        yield from code_in(member)
