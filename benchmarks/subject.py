"""A model file on its way through the benchmark."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.evaluation import EvaluationSet
from benchmarks.report import Measurement
from edge_runtime.classifier import Classifier
from edge_runtime.errors import EdgeError
from edge_runtime.spec import ModelSpec

_PICTURES: Final = (
    64  # that calls are timed on: not always the same one, few enough to stay at hand
)


@dataclass
class Subject:
    """What is known of a file so far, and what is needed to learn more."""

    row: Measurement
    evaluation: EvaluationSet | None = None
    classifier: Classifier | None = None  # None until the file is open, and once it has failed
    scores: NDArray[np.float32] | None = None  # of the evaluation set, (n, classes)

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.row.file)

    @property
    def spec(self) -> ModelSpec | None:
        """What an open file says of itself."""
        return None if self.classifier is None else self.classifier.spec

    @property
    def pictures(self) -> NDArray[np.uint8]:
        """Pictures to time an open file on: the evaluation set's first, or else noise."""
        assert self.classifier is not None
        image = self.classifier.spec.image
        shape = (image.height, image.width, image.channels)
        if self.evaluation is not None and self.evaluation.images.shape[1:] == shape:
            return self.evaluation.images[:_PICTURES]
        return np.random.default_rng(0).integers(0, 256, (_PICTURES, *shape), np.uint8)

    def add(self, **figures: Any) -> None:
        """Note figures, by their names in a `Measurement`."""
        self.row = replace(self.row, **figures)

    def fail(self, error: EdgeError) -> None:
        """Note why the file cannot be measured; it is left alone from now on."""
        self.add(failure=str(error))
        self.classifier = None
