"""The classifier: a picture → pixels → scores → named predictions."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np

from edge_runtime import image, modelfile, postprocess, preprocess
from edge_runtime.backends import Backend
from edge_runtime.description import Description
from edge_runtime.engines import EngineChoice
from edge_runtime.errors import InputError, ModelError, UsageError
from edge_runtime.image import ImageSource
from edge_runtime.modelfile import ModelFile
from edge_runtime.opening import open_model
from edge_runtime.postprocess import Prediction
from edge_runtime.spec import ModelSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_runtime.backends.base import IntegerBackend

_UINT8 = np.dtype(np.uint8)


@dataclass(frozen=True, init=False)
class Result:
    """What a classifier says about one picture."""

    predictions: tuple[Prediction, ...]  # best first
    unsure: bool  # the best score is below the model's threshold
    source: str | None = None  # the picture's name, where it has one
    model: dict[str, str] = field(default_factory=dict)  # name, variant, sha256
    timing_ms: dict[str, float] = field(default_factory=dict)  # decode … postprocess
    warnings: tuple[str, ...] = ()

    def __init__(  # noqa: PLR0917  by position it is quicker
        self,
        predictions: tuple[Prediction, ...],
        unsure: bool,
        source: str | None = None,
        model: dict[str, str] | None = None,
        timing_ms: dict[str, float] | None = None,
        warnings: tuple[str, ...] = (),
    ) -> None:
        # A frozen dataclass sets its fields in a way that takes three times as long.
        fields = self.__dict__
        fields["predictions"] = predictions
        fields["unsure"] = unsure
        fields["source"] = source
        fields["model"] = model or {}
        fields["timing_ms"] = timing_ms or {}
        fields["warnings"] = warnings

    @property
    def best(self) -> Prediction:
        """The most likely label."""
        return self.predictions[0]

    def to_dict(self) -> dict[str, Any]:
        """The one JSON shape of command line and library."""
        return {
            "source": self.source,
            "model": dict(self.model),
            "predictions": [prediction._asdict() for prediction in self.predictions],
            "unsure": self.unsure,
            "timing_ms": dict(self.timing_ms),
            "warnings": self.warnings,
        }


class Classifier:
    """Classifies pictures with one model.

    Safe to share between threads. `Classifier.open` is the usual way to make one.
    """

    def __init__(
        self,
        spec: ModelSpec,
        backend: Backend,
        *,
        top_k: int = 5,
        model: dict[str, str] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        """Join a spec and anything that has `run`.

        Args:
            spec: labels, picture contract, meaning of the scores.
            backend: turns uint8 pixels into scores; see `edge_runtime.backends.Backend`.
            top_k: how many predictions a result holds, at most one per label.
            model: what results say about the model: name, variant, sha256.
            notes: what was taken for granted about a model made elsewhere.
        """
        if top_k < 1:
            raise UsageError(f"top_k is {top_k}, expected 1 or more")
        self.spec = spec
        self.notes = notes
        self._backend = backend
        self._model = {"name": spec.name} if model is None else model
        # Logits need no zero point: a softmax only sees how far they are from each other.
        unit: float | None = getattr(backend, "unit", None) if spec.scores == "logits" else None
        self._infer = backend.run if unit is None else cast("IntegerBackend", backend).raw
        self._name = postprocess.namer(
            spec.labels, spec.scores, spec.decision.temperature, top_k, unit
        )
        height, width, channels = spec.image.height, spec.image.width, spec.image.channels
        self._threshold = spec.decision.threshold
        self._answer = (1, len(spec.labels))
        self._batch_of_one = (1, height, width, channels)
        # The shapes of an array that is the model's pixels as it stands.
        self._ready = {(height, width, channels)} | ({(height, width)} if channels == 1 else set())

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        backend: EngineChoice = "auto",
        num_threads: int = 1,
        top_k: int = 5,
        description: Description | None = None,
        trusted: bool = False,
    ) -> Classifier:
        """Read, check and load a `.tflite` or `.onnx` file.

        Args:
            path: a file that `python -m export` made, or one made elsewhere.
            backend: which engine; "auto" is the first of those installed that starts.
            num_threads: threads of the engine; more than 1 slows small models down.
            top_k: how many predictions a result holds.
            description: what a file made elsewhere does not say itself, such as
                `Description(labels=Path("labels.txt"), input_range="-1..1")`.
            trusted: load a file without a digest at once. Otherwise it is tried in a process of
                its own first, which takes some tenths of a second: engines crash on bad models.

        Raises:
            ModelError: the file is missing, damaged, or no picture classifier.
            EngineError: no engine for its format is installed, or none starts.
            UsageError: the description lacks something, or contradicts the file.
            InputError: the labels cannot be read.
        """
        return cls.from_file(
            modelfile.read(Path(path)),
            backend=backend,
            num_threads=num_threads,
            top_k=top_k,
            description=description,
            trusted=trusted,
        )

    @classmethod
    def from_file(
        cls,
        file: ModelFile,
        *,
        backend: EngineChoice = "auto",
        num_threads: int = 1,
        top_k: int = 5,
        description: Description | None = None,
        trusted: bool = False,
    ) -> Classifier:
        """Load a model file that has been read and checked already; else as `open`."""
        opened = open_model(
            file,
            engine=backend,
            num_threads=num_threads,
            description=description,
            trusted=trusted,
        )
        spec = opened.spec
        variant = spec.variant.name if spec.variant else file.format
        model = {"name": spec.name, "variant": variant, "sha256": file.sha256}
        return cls(spec, opened.backend, top_k=top_k, model=model, notes=opened.notes)

    def classify(self, picture: ImageSource) -> Result:
        """Classify one picture.

        Args:
            picture: a path, the bytes of a picture file, a binary file, a PIL image, or a uint8
                array 0..255 of shape (height, width) or (height, width, 1 | 3 RGB | 4 RGBA).

        Raises:
            InputError: the picture cannot be used.
        """
        started = perf_counter_ns()
        warnings: tuple[str, ...] = ()
        if (  # an array that is the model's pixels as it stands: Pillow has nothing to do
            isinstance(picture, np.ndarray)
            and picture.shape in self._ready
            and picture.dtype == _UINT8
        ):
            source, decoded, prepared = None, started, started
            pixels = picture.reshape(self._batch_of_one)
        else:
            upright = image.load(picture, self.spec.image)
            source, decoded = _source(picture), perf_counter_ns()
            fitted, warnings = preprocess.to_pixels(upright, self.spec.image)
            pixels = fitted[None]
            prepared = perf_counter_ns()
        raw = self._infer(pixels)
        if raw.shape != self._answer:
            self._refuse(raw)
        inferred = perf_counter_ns()
        predictions = self._name(raw)
        finished = perf_counter_ns()
        return Result(
            predictions,
            predictions[0].score < self._threshold,
            source,
            self._model,
            {
                "decode": (decoded - started) / 1e6,
                "preprocess": (prepared - decoded) / 1e6,
                "inference": (inferred - prepared) / 1e6,
                "postprocess": (finished - inferred) / 1e6,
            },
            warnings,
        )

    def classify_batch(self, pictures: Iterable[ImageSource]) -> list[Result]:
        """Classify several pictures, in order."""
        return [self.classify(picture) for picture in pictures]

    def scores(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities of pixels that are at the model's size already, for measuring.

        Args:
            pixels: uint8 0..255, shape (n, height, width, channels).

        Returns:
            float32, shape (n, classes), 0..1.

        Raises:
            InputError: `pixels` has another shape or type, or holds no picture.
        """
        image = self.spec.image
        expected = (image.height, image.width, image.channels)
        if pixels.dtype != np.uint8 or pixels.shape[1:] != expected or not len(pixels):
            raise InputError(
                f"an array of {pixels.dtype} and shape {pixels.shape} was given, expected uint8 "
                f"pixels 0..255 of shape (n, height, width, channels) = (n, {str(expected)[1:]}"
            )
        raw = self._backend.run(pixels)
        if raw.shape != (len(pixels), len(self.spec.labels)):
            self._refuse(raw)
        return postprocess.probabilities(raw, self.spec.scores, self.spec.decision.temperature)

    def _refuse(self, raw: NDArray[Any]) -> NoReturn:
        outputs = raw.shape[1] if raw.ndim == 2 else raw.shape[1:]
        raise ModelError(
            f"the model gives {outputs} scores but has {len(self.spec.labels)} labels; "
            "export it again with the right labels"
        )


def _source(picture: ImageSource) -> str | None:
    if isinstance(picture, str | os.PathLike):
        return os.fspath(picture)
    name = getattr(picture, "name", None) or getattr(picture, "filename", None)
    return name if isinstance(name, str) else None
