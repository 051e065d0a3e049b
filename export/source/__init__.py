"""What is exported: a Keras model, made by `python -m train` or elsewhere, and its pictures.

`find` names the model, `gather` the pictures once the spec is known, `load` the model itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.description import Description
from edge_runtime.errors import InputError, ModelError, UsageError
from edge_runtime.spec import ModelSpec
from export.source import pictures
from export.source.described import check, spec_of
from export.source.origin import MODEL, SUMMARY, Origin, find, folder_for
from export.source.pictures import Given, Pictures

__all__ = [
    "CALIBRATION",
    "EVALUATION",
    "MODEL",
    "SUMMARY",
    "Given",
    "Origin",
    "Places",
    "Source",
    "find",
    "folder_for",
    "gather",
    "load",
    "read",
]

CALIBRATION: Final = "calibration.npz"
EVALUATION: Final = "evaluation.npz"


@dataclass(frozen=True, eq=False)
class Places:
    """Where the pictures are, or the pictures themselves."""

    evaluation: Given
    calibration: Given | None  # None where no variant needs them


@dataclass(frozen=True, eq=False)
class Source:
    """All that an export starts from, but for the Keras model itself."""

    model: Path  # the Keras file, or the SavedModel's folder
    spec: ModelSpec
    sha256: str  # of the model
    seed: int | None  # of the training
    evaluation: NDArray[np.uint8]  # 0..255, shape (n, height, width, channels), RGB or grey
    labels: NDArray[np.int64] | None  # their true classes, shape (n,)
    calibration: NDArray[np.uint8] | None  # pixels like `evaluation`; None where not asked for
    evaluated_on: str = ""  # where the evaluation pictures come from
    calibrated_on: Pictures | None = None
    remarks: tuple[str, ...] = field(default=())  # what was found out and should be said


def places(
    origin: Origin, *, evaluation: Given | None, calibration: Given | None, calibrate: bool
) -> Places:
    """Where the pictures are; a run directory has its own.

    Raises:
        UsageError: a flag is missing, or leads nowhere.
        InputError: a run directory lacks its pictures.
    """
    judged = _place(origin, "evaluation", evaluation)
    return Places(judged, _place(origin, "calibration", calibration) if calibrate else None)


def _place(origin: Origin, role: pictures.Role, named: Given | None) -> Given:
    if named is not None:
        return pictures.find(named, role) if isinstance(named, Path) else named
    around = ", or leave integers out with --only float32,float16,dynamic"
    around = around if role == "calibration" else ""
    if origin.run is None:
        raise UsageError(
            f"{origin.path} comes without pictures; add --{role} SOURCE: a run directory, an .npz, "
            f"a folder of pictures or a data set's name{around}"
        )
    own = origin.run / f"{role}.npz"
    if not own.is_file():
        raise InputError(f"{own} does not exist; train again, or add --{role} SOURCE{around}")
    return own


def gather(origin: Origin, spec: ModelSpec, places: Places) -> Source:
    """Read the pictures.

    Raises:
        InputError: pictures are missing or unfit, or are in both sets.
    """
    judged = pictures.read(places.evaluation, "evaluation", spec)
    shown = None
    if places.calibration is not None:
        shown = pictures.read(places.calibration, "calibration", spec)
    if shown and (both := pictures.overlap(shown, judged)):
        raise InputError(
            f"{both} of the {len(shown.pixels)} calibration pictures are evaluation pictures too, "
            "which would judge the files by what they were made with; take other ones"
        )
    return Source(
        model=origin.path,
        spec=spec,
        sha256=origin.sha256,
        seed=origin.seed,
        evaluation=judged.pixels,
        labels=judged.labels,
        calibration=shown.pixels if shown else None,
        evaluated_on=judged.source,
        calibrated_on=shown,
        remarks=judged.remarks,
    )


def read(run: Path, *, calibration: bool) -> Source:
    """Read a run directory, but for the Keras model itself.

    Raises:
        UsageError: `run` is not a run directory.
        ModelError: the Keras file is damaged.
        SpecError: the Keras file holds no spec, or a wrong one.
        InputError: the calibration or evaluation pictures are missing or unfit.
    """
    origin = find(run, Description())
    if origin.spec is None:
        raise UsageError(f"{run} is not a run directory of `python -m train`")
    where = places(origin, evaluation=None, calibration=None, calibrate=calibration)
    return gather(origin, origin.spec, where)


def load(origin: Origin) -> tuple[Any, ModelSpec, tuple[str, ...]]:
    """Load the Keras model, bring it to the one shape, and check it against its spec.

    Returns:
        A `keras.Model` from float32 (n, height, width, channels) to scores (n, classes), its spec,
        and what was found out about it, in words.

    Raises:
        ModelError: Keras cannot load it, it is no picture classifier, or not what its spec says.
        UsageError: a flag that describes it is missing or wrong.
        EngineError: Keras or TensorFlow do not start.
    """
    from export.source.adapt import adapt
    from export.source.loading import load as load_keras

    model = load_keras(origin)
    if origin.spec is not None and not origin.told:
        _compare(origin.path, model, origin.spec)
        return model, origin.spec, ()
    described = origin.description if origin.spec is None else _as_told(origin.spec)
    model, facts = adapt(origin.path, model, described)
    spec = origin.spec or spec_of(origin.path, facts, described)
    check(origin.path, facts, spec)
    inside = {
        "nothing": "pixels are normalised outside of it",
        "from 0..1": "pixels are brought to 0..1 outside of it, and normalised inside",
        "from 0..255": "pixels are normalised inside of it",
    }[facts.inside]
    return model, spec, (f"{origin.path.name} gives {facts.scores}; {inside}",)


def _as_told(spec: ModelSpec) -> Description:
    return Description(color=spec.image.color, size=(spec.image.height, spec.image.width))


def _compare(path: Path, model: Any, spec: ModelSpec) -> None:
    expected = (spec.image.height, spec.image.width, spec.image.channels)
    if tuple(model.input_shape[1:]) != expected:
        raise ModelError(
            f"{path} takes (height, width, channels) = {tuple(model.input_shape[1:])}, "
            f"its spec says {expected}; train it again"
        )
    if tuple(model.output_shape[1:]) != (len(spec.labels),):
        outputs = " x ".join(map(str, model.output_shape[1:]))
        raise ModelError(
            f"{path} gives {outputs} scores but has {len(spec.labels)} labels; "
            "train it again with the right labels"
        )
