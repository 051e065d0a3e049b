"""`python -m train evaluate RUN`: a finished run, asked again about its test pictures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime import postprocess
from edge_runtime.errors import UsageError
from edge_runtime.files import write_atomically
from edge_runtime.spec import ModelSpec
from train import framework
from train.calibrate import cross_entropy
from train.datasets import Split, arrays
from train.evaluate import Evaluation, evaluate
from train.runs import MODEL, load, read_spec

_PICTURES = "evaluation.npz"


@dataclass(frozen=True, eq=False)
class Review:
    """What a run's model makes of its test pictures."""

    spec: ModelSpec
    loss: float  # cross-entropy with the true labels
    evaluation: Evaluation
    scores: NDArray[np.float32]  # probabilities as a device gives them, shape (n, classes)
    actual: NDArray[np.int64]  # true classes, shape (n,)
    images: NDArray[np.uint8]  # 0..255, shape (n, height, width, channels)

    def prediction(self, index: int) -> str:
        """One picture's answer, in words."""
        best = int(self.scores[index].argmax())
        labels, truth = self.spec.labels, int(self.actual[index])
        verdict = "right" if best == truth else f"wrong, it is {labels[truth]}"
        sure = self.scores[index, best] >= self.spec.decision.threshold
        answer = labels[best] if sure else f"not sure, best guess {labels[best]}"
        return f"picture {index}: {answer} {self.scores[index, best]:.1%} ({verdict})"


def review(run: Path, chosen: Sequence[int] = ()) -> Review:
    """Ask the model of a run directory about its test pictures.

    Args:
        run: the run directory.
        chosen: positions of pictures that must be there.

    Raises:
        UsageError: it is no run directory, or there is no such picture.
        InputError: its test pictures are missing or damaged.
        ModelError: its model cannot be used.
        EngineError: TensorFlow or another package is not installed.
    """
    spec = read_spec(run, str(run))
    images, actual = _pictures(run / _PICTURES)
    for index in chosen:
        if not 0 <= index < len(actual):
            raise UsageError(f"there is no test picture {index}; expected 0 to {len(actual) - 1}")
    framework.load(verbose=False)
    from train import fit

    outputs = fit.predict(load(run / MODEL), Split(images, actual), spec.image)
    plain = postprocess.probabilities(outputs, spec.scores)
    return Review(
        spec=spec,
        loss=cross_entropy(np.log(np.maximum(plain, 1e-12)), actual),
        evaluation=evaluate(plain, actual, spec.labels),
        scores=postprocess.probabilities(outputs, spec.scores, spec.decision.temperature),
        actual=actual,
        images=images,
    )


def draw(reviewed: Review, chosen: Sequence[int], path: Path, *, overwrite: bool) -> None:
    """Draw some of the pictures, each beside bars of what the model makes of it.

    Args:
        reviewed: what the model said.
        chosen: positions among the test pictures; the first 15 are drawn.
        path: the PNG file to write.
        overwrite: it may be there already.
    """
    from train import plots

    buffer, places = io.BytesIO(), np.array(chosen)
    with plots.style():
        plots.predictions(
            reviewed.images[places],
            reviewed.scores[places],
            reviewed.actual[places],
            reviewed.spec.labels,
        ).savefig(buffer)
    write_atomically(path, buffer.getvalue(), overwrite=overwrite)


def lines(reviewed: Review, chosen: Sequence[int]) -> list[str]:
    """What a reader wants to know: figures, then one line a chosen picture."""
    evaluation = reviewed.evaluation
    weakest = ", ".join(f"{label} {share:.1%}" for label, share in evaluation.weakest())
    figures = (
        f"Test loss {reviewed.loss:.4f}, accuracy {evaluation.accuracy:.2%}, "
        f"{len(reviewed.actual):,} pictures."
    )
    return [
        figures,
        f"Weakest classes: {weakest}.",
        *map(reviewed.prediction, chosen),
    ]


def _pictures(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    images, labels = arrays.members(path, ("images", "labels"), remedy="train again")
    return images, labels
