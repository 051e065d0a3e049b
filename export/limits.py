"""How far a file may differ from the original and still be published."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge_runtime.errors import UsageError
from edge_runtime.spec import Parity


@dataclass(frozen=True)
class Limits:
    """The gate; `problems` opens or shuts it."""

    max_accuracy_drop_points: float = 0.5  # per cent points on the evaluation set
    min_agreement: float = 0.99  # share of pictures with the same best label, 0..1
    max_score_difference: float = 1.0  # of any probability of any picture, 0..1; 1 allows all

    def __post_init__(self) -> None:
        if not 0 <= self.max_accuracy_drop_points <= 100:
            raise UsageError(
                f"--max-accuracy-drop is {self.max_accuracy_drop_points}, expected 0 to 100 points"
            )
        if not 0 <= self.min_agreement <= 1:
            raise UsageError(f"--min-agreement is {self.min_agreement}, expected 0 to 1")
        if not 0 <= self.max_score_difference <= 1:
            raise UsageError(
                f"--max-score-difference is {self.max_score_difference}, expected 0 to 1"
            )

    def problems(self, measured: Parity) -> tuple[str, ...]:
        """What is outside its limit, in words; nothing when all is well."""
        found = []
        difference = measured.accuracy_difference_points
        if difference is not None and -difference > self.max_accuracy_drop_points:
            found.append(
                f"accuracy drops by {-difference:.2f} points, "
                f"more than {self.max_accuracy_drop_points:g}"
            )
        if measured.agreement < self.min_agreement:
            found.append(
                f"agrees on {measured.agreement:.2%} of the pictures, "
                f"less than {self.min_agreement:.2%}{self._when_few(measured.images)}"
            )
        if measured.max_score_difference > self.max_score_difference:
            found.append(
                f"a probability differs by {measured.max_score_difference:.4f}, "
                f"more than {self.max_score_difference:g}"
            )
        return tuple(found)

    def _when_few(self, images: int) -> str:
        """What to do where a single picture is already more than may differ."""
        if 0 < 1 - self.min_agreement < 1 / images:
            least = math.ceil(round(1 / (1 - self.min_agreement), 6))
            return f": of {images} none may differ, so judge by {least:,} or more"
        return ""
