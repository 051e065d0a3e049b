"""A model file → what it is and an engine that runs it, safely.

A file whose digest holds is as it was exported. Any other is tried in a process of its own first,
and a file without a spec is described by what it shows and what flags say.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_runtime.backends import LoadedModel, open_backend
from edge_runtime.description import Description
from edge_runtime.engines import EngineChoice
from edge_runtime.errors import ModelError, UsageError
from edge_runtime.modelfile import ModelFile
from edge_runtime.modelfile.tensors import EXPORTED
from edge_runtime.spec import ModelSpec, Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_runtime.foreign import Described

_TOLERANCE = 0.01  # how far a row of probabilities may be from a sum of 1, and from 0..1


@dataclass(frozen=True)
class Opened:
    """A model that is ready to run."""

    spec: ModelSpec
    backend: LoadedModel
    notes: tuple[str, ...]  # what was taken for granted about a model made elsewhere


def open_model(
    file: ModelFile,
    *,
    engine: EngineChoice = "auto",
    num_threads: int = 1,
    description: Description | None = None,
    trusted: bool = False,
) -> Opened:
    """Make a model file that was read ready to run.

    Args:
        file: the file.
        engine: which engine; "auto" is the first that starts.
        num_threads: of the engine.
        description: what the file does not say itself, where it was made elsewhere.
        trusted: load a file without a digest at once.

    Raises:
        UsageError: the description lacks something, or contradicts the file.
        InputError: the labels cannot be read.
        ModelError: the file is damaged, or no picture classifier.
        EngineError: no engine for its format is installed.
    """
    description = description or Description()
    if file.spec is not None:
        description.require_none(file.path)
    # What an exported file needs none of is loaded for others only: a start is short.
    described: Described | None = None
    if file.spec is None:
        from edge_runtime import foreign

        described = foreign.describe(file, description)
    known = described or file.spec
    assert known is not None
    arrangement = described.arrangement if described else EXPORTED

    def load() -> LoadedModel:
        return open_backend(
            file, known.image, engine=engine, num_threads=num_threads, arrangement=arrangement
        )

    answers = None
    if not (file.sealed or trusted):
        from edge_runtime.opening import trial

        answers = trial.in_a_child(
            file, known.image, engine=engine, num_threads=num_threads, arrangement=arrangement
        )
        _require_numbers(file.path, answers)
    backend = load()
    _require_count(file.path, backend.classes, known.labels)
    if described is None:
        assert file.spec is not None
        return Opened(file.spec, backend, ())
    notes = described.notes
    scores = described.scores
    if scores is None:
        if answers is None:
            from edge_runtime.opening import trial

            answers = backend.run(trial.samples(known.image))
        scores = _judged(file.path, answers)
        notes += (f"scores are {scores} (so its answers to black, white and noise look)",)
    return Opened(described.spec(scores), backend, notes)


def _require_numbers(path: Path, answers: NDArray[np.float32]) -> None:
    if not np.isfinite(answers).all():
        raise ModelError(f"{path} was tried, and gives scores that are no numbers; copy it again")


def _require_count(path: Path, classes: int | None, labels: tuple[str, ...]) -> None:
    if classes not in (None, len(labels)):
        raise ModelError(
            f"{path} gives {classes} scores but has {len(labels)} labels; "
            "export it again with the right labels"
        )


def _judged(path: Path, answers: NDArray[np.float32]) -> Scores:
    """Probabilities or logits, by what a model answers; never where that leaves a doubt."""
    if answers.min() < -_TOLERANCE or answers.max() > 1 + _TOLERANCE:
        return "logits"
    if np.abs(answers.sum(axis=1) - 1).max() <= _TOLERANCE:
        return "probabilities"
    raise UsageError(
        f"{path} gives scores within 0..1 that do not sum to 1; "
        "add --scores probabilities, or --scores logits if a softmax is still to come"
    )
