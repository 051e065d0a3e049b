"""What a model file answers to an evaluation set, found in a fresh process, which a crash cannot leave."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import fresh
from benchmarks.evaluation import EvaluationSet
from benchmarks.measures.latency import Pixels
from edge_runtime.classifier import Classifier
from edge_runtime.engines import EngineChoice
from edge_runtime.errors import ModelError
from edge_runtime.spec import ModelSpec

_CHUNK: Final = 500  # pictures a call: bounds the memory of the float tensors


def ask(
    path: Path, images: Path, *, engine: EngineChoice = "auto", num_threads: int = 1
) -> NDArray[np.float32]:
    """The model's probabilities for every picture of a file.

    Args:
        path: the model file.
        images: an `.npy` of them, uint8 0..255 at the model's size, shape (n, height, width,
            channels).
        engine: that is to run it.
        num_threads: of the engine.

    Returns:
        float32, shape (n, classes), 0..1.

    Raises:
        ModelError: the process failed or died, or the model gives no numbers.
    """
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        out = Path(folder) / "scores.npy"
        job = {
            "path": str(path),
            "images": str(images),
            "out": str(out),
            "engine": engine,
            "num_threads": num_threads,
        }
        # However many pictures there are and however slow the engine: Ctrl-C ends it.
        fresh.run(__name__, job, about=str(path), timeout_s=None)
        scores: NDArray[np.float32] = np.load(out)
    return scores


def require_fit(spec: ModelSpec, evaluation: EvaluationSet) -> None:
    """Refuse pictures that are not this model's.

    Raises:
        ModelError: they are of another size, or have other classes.
    """
    image, classes = spec.image, len(spec.labels)
    wanted, given = (image.height, image.width, image.channels), evaluation.images.shape[1:]
    if given != wanted:
        raise ModelError(
            f"the pictures of {evaluation.path} are (height, width, channels) = {given}, "
            f"the model takes {wanted}; name its own set with --evaluation"
        )
    known = int(evaluation.labels.max()) + 1
    scored = classes if evaluation.scores is None else evaluation.scores.shape[1]
    if known > classes or scored != classes:
        raise ModelError(
            f"{evaluation.path} has {max(known, scored)} classes, the model has {classes}; "
            "name its own set with --evaluation"
        )


# --- in the fresh process ----------------------------------------------------------------------


def predict(classifier: Classifier, images: Pixels) -> NDArray[np.float32]:
    """The model's probabilities for pictures (n, height, width, channels): (n, classes), 0..1.

    Raises:
        ModelError: it gives no numbers.
    """
    starts = range(0, len(images), _CHUNK)
    scores = np.concatenate(
        [classifier.scores(np.array(images[start : start + _CHUNK])) for start in starts]
    )
    if not np.isfinite(scores).all():
        raise ModelError("the model gives scores that are no numbers; export it again")
    return scores


def _answer(job: Mapping[str, Any]) -> dict[str, Any]:
    classifier = Classifier.open(job["path"], backend=job["engine"], num_threads=job["num_threads"])
    np.save(job["out"], predict(classifier, np.load(job["images"], mmap_mode="r")))
    return {}


if __name__ == "__main__":
    raise SystemExit(fresh.serve(_answer))
