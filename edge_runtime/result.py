"""What a classifier says about one picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from edge_runtime.postprocess import Prediction


@dataclass(frozen=True)
class Result:
    """What a classifier says about one picture."""

    predictions: tuple[Prediction, ...]  # best first; none where none reaches score_threshold
    unsure: bool  # the best score is below the model's threshold or score_threshold
    source: str | None = None  # the picture's name, where it has one
    model: dict[str, str] = field(default_factory=dict)  # name, variant, sha256
    timing_ms: dict[str, float] = field(default_factory=dict)  # decode … postprocess
    warnings: tuple[str, ...] = ()
    guess: Prediction | None = None  # the most likely label, where there are no predictions
    time: str | None = None  # when a camera took the picture: ISO 8601, with its zone

    @property
    def best(self) -> Prediction:
        """The most likely label, be it sure or not."""
        return self.predictions[0] if self.guess is None else self.guess

    def to_dict(self) -> dict[str, Any]:
        """The one JSON shape of command line and library.

        `time` is there only where a camera is asked, `guess` only where there are no predictions.
        """
        return {
            "source": self.source,
            **({} if self.time is None else {"time": self.time}),
            "model": dict(self.model),
            "predictions": tuple([prediction._asdict() for prediction in self.predictions]),
            **({} if self.guess is None else {"guess": self.guess._asdict()}),
            "unsure": self.unsure,
            "timing_ms": dict(self.timing_ms),
            "warnings": self.warnings,
        }
