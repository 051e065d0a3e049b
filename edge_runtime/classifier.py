"""The classifier: a picture → pixels → scores → named predictions."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Collection, Generator, Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, NoReturn, Self, cast

import numpy as np

from edge_runtime import answering, modelfile, postprocess, preparing
from edge_runtime.backends import Backend
from edge_runtime.errors import Failure, InputError, UsageError
from edge_runtime.modelfile import ModelFile
from edge_runtime.opening import open_model
from edge_runtime.origin import Origin
from edge_runtime.spec import ModelSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_runtime.backends.base import IntegerBackend
    from edge_runtime.description import Description
    from edge_runtime.engines import EngineChoice
    from edge_runtime.image import ImageSource
    from edge_runtime.result import Result

_CLOSED = "the classifier is closed; open it again"
_BATCH = 32  # pictures at a time: most of what a batch saves, in little memory
_MOST_WORKERS = 64  # asked for thousands, a small machine runs out of threads


class Classifier:
    """Classifies pictures with one model.

    Safe to share between threads, and to send to other processes where it was opened from a file.
    `Classifier.open` is the usual way to make one; `with` or `close` lets go of the engine.
    """

    def __init__(
        self,
        spec: ModelSpec,
        backend: Backend,
        *,
        top_k: int = 5,
        score_threshold: float = 0.0,
        allow: Collection[str] | None = None,
        deny: Collection[str] | None = None,
        model: dict[str, str] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        """Join a spec and anything that has `run`.

        Args:
            spec: labels, picture contract, meaning of the scores.
            backend: turns uint8 pixels into scores; see `edge_runtime.backends.Backend`.
            top_k: how many predictions a result holds, at most one per label.
            score_threshold: probability 0..1; a result holds only predictions that reach it.
            allow: labels that a result may hold; all others are left out.
            deny: labels that are left out. Scores stay what they are: nothing is shared out anew.
            model: what results say about the model: name, variant, sha256.
            notes: what was taken for granted about a model made elsewhere.

        Raises:
            UsageError: a setting is out of its range, or names a label that the model lacks.
        """
        self.spec = spec
        self.notes = notes
        self._backend = backend
        self._origin: Origin | None = None
        self._prepare = preparing.preparer(spec.image)
        # Logits need no zero point: a softmax only sees how far they are from each other.
        unit: float | None = getattr(backend, "unit", None) if spec.scores == "logits" else None
        self._infer: Callable[[NDArray[np.uint8]], NDArray[Any]]
        self._infer = backend.run if unit is None else cast("IntegerBackend", backend).raw
        self._answer = answering.answerer(
            spec,
            {"name": spec.name} if model is None else model,
            top_k=top_k,
            score_threshold=score_threshold,
            allow=allow,
            deny=deny,
            unit=unit,
        )

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        backend: EngineChoice = "auto",
        num_threads: int = 1,
        top_k: int = 5,
        score_threshold: float = 0.0,
        allow: Collection[str] | None = None,
        deny: Collection[str] | None = None,
        description: Description | None = None,
        trusted: bool = False,
    ) -> Self:
        """Read, check and load a `.tflite` or `.onnx` file.

        Args:
            path: a file that `python -m export` made, or one made elsewhere.
            backend: which engine; "auto" is the first of those installed that starts.
            num_threads: threads of the engine; more than 1 slows small models down.
            top_k: how many predictions a result holds.
            score_threshold: probability 0..1; a result holds only predictions that reach it.
            allow: labels that a result may hold; all others are left out.
            deny: labels that are left out.
            description: what a file made elsewhere does not say itself, such as
                `Description(labels=Path("labels.txt"), input_range="-1..1")`.
            trusted: load a file without a digest at once. Otherwise it is tried in a process of
                its own first, which takes some tenths of a second: engines crash on bad models.

        Raises:
            ModelError: the file is missing, damaged, or no picture classifier.
            EngineError: no engine for its format is installed, or none starts.
            UsageError: a setting is out of its range, names a label that the model lacks, or
                contradicts the file, or the description lacks something.
            InputError: the file of labels cannot be read.
        """
        return cls.from_file(
            modelfile.read(Path(path)),
            backend=backend,
            num_threads=num_threads,
            description=description,
            trusted=trusted,
            top_k=top_k,
            score_threshold=score_threshold,
            allow=allow,
            deny=deny,
        )

    @classmethod
    def from_file(
        cls,
        file: ModelFile,
        *,
        backend: EngineChoice = "auto",
        num_threads: int = 1,
        description: Description | None = None,
        trusted: bool = False,
        **settings: Any,
    ) -> Self:
        """Load a model file that has been read and checked already; settings are as in `open`."""
        opened = open_model(
            file, engine=backend, num_threads=num_threads, description=description, trusted=trusted
        )
        spec = opened.spec
        variant = spec.variant.name if spec.variant else file.format
        model = {"name": spec.name, "variant": variant, "sha256": file.sha256}
        classifier = cls(spec, opened.backend, model=model, notes=opened.notes, **settings)
        # Whoever opens it again need not try it again, nor find the labels.
        if description is not None and description.labels is not None:
            description = replace(description, labels=spec.labels)
        settings |= {"backend": backend, "num_threads": num_threads}
        settings |= {"description": description, "trusted": True}
        classifier._origin = Origin(file.path.absolute(), file.sha256, file.spec, settings)
        return classifier

    def classify(self, picture: ImageSource) -> Result:
        """Classify one picture.

        Args:
            picture: a path, the bytes of a picture file, a binary file, a PIL image, or a uint8
                array 0..255 of shape (height, width) or (height, width, 1 | 3 RGB | 4 RGBA).

        Raises:
            InputError: the picture cannot be used.
        """
        pixels, prepared = self._prepare(picture)
        started = perf_counter_ns()
        scores = self._infer(pixels)
        inferred = perf_counter_ns()
        return self._answer(prepared, scores, inferred - started, inferred)

    def classify_batch(self, pictures: Iterable[ImageSource]) -> list[Result]:
        """Classify several pictures, in order, the engine taking many at a time where it can.

        The inference time of each result is its share of the batch's.

        Raises:
            InputError: a picture cannot be used; `stream` goes on after such a one.
        """
        results = []
        remaining = map(self._prepare, pictures)
        while batch := list(islice(remaining, _BATCH)):
            started = perf_counter_ns()
            scores = self._infer(np.concatenate([pixels for pixels, _ in batch]))
            share_ns = (perf_counter_ns() - started) // len(batch)
            results += [
                self._answer(prepared, scores[index : index + 1], share_ns, perf_counter_ns())
                for index, (_, prepared) in enumerate(batch)
            ]
        return results

    def stream(
        self,
        pictures: Iterable[ImageSource],
        *,
        workers: int | None = None,
        processes: bool = False,
    ) -> Generator[Result | Failure]:
        """Classify any number of pictures on several cores, yielding in order, as they are known.

        Pictures are taken from `pictures` a few ahead of what was yielded, whatever their number;
        for processes some dozens for each. Unless `workers` is 1, a thread of its own takes them,
        so that no answer waits for the next picture, be it a minute away.
        One that cannot be used is yielded as a `Failure`, and the others go on. What `pictures`
        itself raises is raised behind the answers to those before. Closing the generator ends its
        threads; one that waits for a picture, when that has come.

        Args:
            pictures: as for `classify`.
            workers: threads that decode and classify, 64 at most; as many as there are cores where
                None.
            processes: let the workers be processes, which start in some tenths of a second, take
                the memory of this one each, and are quicker from about a thousand small pictures.
                It takes the classifier to be opened from a file, and in a script, as always with
                Python's processes, an `if __name__ == "__main__":`.

        Raises:
            ModelError: the model itself cannot answer.
        """
        if workers is not None and workers < 1:
            raise UsageError(f"workers is {workers}, expected 1 or more")
        if workers == 1:
            return (self._outcome(picture) for picture in pictures)
        from edge_runtime import parallel  # one picture is quicker without it

        workers = min(workers or parallel.cores(), _MOST_WORKERS)
        if not processes or workers == 1:
            return parallel.in_order(self._outcome, pictures, workers)
        from edge_runtime.processes import outcomes

        return outcomes(self, pictures, workers)

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
        if raw.shape[1:] != (len(self.spec.labels),):
            answering.refuse(raw, self.spec)
        return postprocess.probabilities(raw, self.spec.scores, self.spec.decision.temperature)

    def close(self) -> None:
        """Let go of the engine and its memory; the classifier answers no more."""
        self._backend = _Closed()
        self._infer = self._backend.run

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        if isinstance(self._backend, _Closed):
            raise UsageError(_CLOSED)
        if self._origin is None:
            raise pickle.PicklingError(
                "a Classifier made from a backend cannot be sent to another process; "
                "open it from a file"
            )
        return _reopen, (type(self), self._origin)

    def _outcome(self, picture: ImageSource) -> Result | Failure:
        try:
            return self.classify(picture)
        except InputError as error:
            return Failure(preparing.source_of(picture), type(error).__name__, str(error))


def _reopen(kind: type[Classifier], origin: Origin) -> Classifier:
    return kind.from_file(origin.file(), **origin.settings)


class _Closed:
    """What is left of an engine after `close`."""

    def run(self, _pixels: NDArray[np.uint8]) -> NoReturn:
        raise UsageError(_CLOSED)
