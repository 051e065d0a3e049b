"""Models made by others: what their file shows and flags say, as the spec that it lacks.

What is still unknown is an error that names the flag; what only convention says is told.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

from edge_runtime import labels as label_files
from edge_runtime.description import Description, model_name
from edge_runtime.errors import DamagedModelError, ModelError, UsageError
from edge_runtime.foreign import onnx, picture, scaling, tflite
from edge_runtime.modelfile import ModelFile
from edge_runtime.modelfile.tensors import Arrangement, Graph, Operation, Tensor
from edge_runtime.spec import ImageInput, ModelSpec, Scores

_SCORES: Final[dict[Operation | None, Scores]] = {
    "softmax": "probabilities",
    "sigmoid": "probabilities",
    "log-softmax": "logits",  # a softmax of them gives what they are the logarithms of
    "linear": "logits",
}


@dataclass(frozen=True)
class Described:
    """A model made elsewhere, as far as it is known without running it."""

    name: str
    labels: tuple[str, ...]
    image: ImageInput
    arrangement: Arrangement
    scores: Scores | None  # None: only its answers tell
    notes: tuple[str, ...]  # what was taken for granted, and where things were found

    def spec(self, scores: Scores) -> ModelSpec:
        """The spec that the file lacks."""
        return ModelSpec(name=self.name, labels=self.labels, image=self.image, scores=scores)


def read_graph(file: ModelFile) -> Graph:
    """What a model file shows of itself.

    Raises:
        DamagedModelError: its bytes make no sense.
        ModelError: it keeps its weights in another file.
        InputError: the labels inside cannot be read.
    """
    try:
        return tflite.graph(file.data) if file.format == "tflite" else onnx.graph(file.data)
    except ValueError as error:
        raise DamagedModelError(f"{file.path} is damaged ({error}); copy it again") from error
    except LookupError as error:
        raise ModelError(
            f"{file.path} keeps its weights in another file, which is not read here; "
            "save it as one file: onnx.save(onnx.load(FILE), NEW)"
        ) from error


def describe(file: ModelFile, given: Description) -> Described:
    """What is known of a model file without a spec.

    Args:
        file: the model file.
        given: what flags say; they count for more than the file's own metadata.

    Raises:
        UsageError: a flag is missing, or contradicts the file.
        InputError: the labels cannot be read.
        ModelError: the file is damaged, or no picture classifier.
    """
    graph = read_graph(file)
    tensor = _only(file.path, "input", graph.inputs)
    classes = _classes(file.path, _only(file.path, "output", graph.outputs))
    said = _joined(given, graph.said)
    labels, origin = _labels(file.path, said, given)
    _require_count(file.path, labels, classes, origin)
    height, width, channels, layout = picture.of_input(file.path, tensor, said)
    mean, std, normalised = scaling.of_input(file.path, tensor, said, given, channels)
    fit = said.fit or "stretch"
    scores = said.scores or _SCORES.get(graph.last)
    notes = [f"labels from {origin}", normalised]
    if channels == 3 and said.color is None:
        notes.append("colours in the order RGB")
    if said.fit is None:
        notes.append(f"pictures stretched to {width} x {height}")
    if said.scores is None and scores is not None:
        notes.append(f"scores are {scores} (they come from a {graph.last} operation)")
    return Described(
        name=said.name or model_name(file.path),
        labels=label_files.told_apart(labels),
        image=ImageInput(height, width, "gray" if channels == 1 else "rgb", mean, std, fit=fit),
        arrangement=Arrangement(layout, bgr=said.color == "bgr"),
        scores=scores,
        notes=tuple(filter(None, notes)),
    )


def _only(path: Path, kind: str, tensors: tuple[Tensor, ...]) -> Tensor:
    if len(tensors) != 1:
        names = "; ".join(str(tensor) for tensor in tensors[:4]) or "none"
        raise ModelError(
            f"{path} has {len(tensors)} {kind}s ({names}): a picture classifier has one; "
            "use a program made for this model"
        )
    return tensors[0]


def _classes(path: Path, output: Tensor) -> int | None:
    """How many scores a picture gets; None where the file leaves it open."""
    sizes = [size for size in output.shape[1:] if size != 1]
    if len(output.shape) < 2 or len(sizes) > 1:
        raise ModelError(
            f"{path} gives {output}, expected one row of scores a picture: "
            "it is no picture classifier"
        )
    if not sizes:
        raise ModelError(
            f"{path} gives one score a picture, a yes or no, expected one for each label; "
            "export its Keras original with `python -m export`, which makes two of it"
        )
    return sizes[0]


def _joined(given: Description, inside: Description) -> Description:
    """Flags first; then the metadata."""
    names = [item.name for item in fields(Description) if getattr(given, item.name) is None]
    if given.mean is not None or given.input_range is not None:  # they say the same thing
        names = [name for name in names if name not in ("mean", "std", "input_range")]
    return replace(given, **{name: getattr(inside, name) for name in names})


def _labels(path: Path, said: Description, given: Description) -> tuple[tuple[str, ...], str]:
    """The labels, and where they are from."""
    if isinstance(said.labels, Path):
        return label_files.read(said.labels), str(said.labels)
    if said.labels is not None:
        return said.labels, "the model file" if given.labels is None else "the description"
    for beside in (path.with_suffix(".txt"), path.with_name("labels.txt")):
        if beside.is_file():
            return label_files.read(beside, str(beside)), str(beside)
    raise UsageError(f"{path} has no labels inside or beside it; add --labels FILE, one a line")


def _require_count(path: Path, labels: tuple[str, ...], classes: int | None, origin: str) -> None:
    if classes in (None, len(labels)):
        return
    counts = f"{path} gives {classes} scores, but there are {len(labels)} labels from {origin}"
    if classes == len(labels) + 1:
        raise UsageError(
            f"{counts}: this looks like a background class; "
            "if so, add `background` to the labels as their first line"
        )
    if classes == len(labels) - 1:
        raise UsageError(
            f"{counts}: this looks like a background class that the model does not have; "
            "if so, take it out of the labels"
        )
    raise UsageError(f"{counts}; name the model's own with --labels FILE")
