"""What a training starts from: the pictures, earlier runs, and the model's first weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from edge_runtime.errors import UsageError
from edge_runtime.spec import ImageInput
from train import datasets, framework, recipe, runs
from train.config import TrainConfig
from train.runs import Run

_RANGE_IMAGES: Final = 1000  # training pictures that show which values a model to quantize keeps


@dataclass(frozen=True, eq=False)
class Job:
    """A training, looked up but not begun: nothing of it needs TensorFlow."""

    config: TrainConfig
    dataset: datasets.Dataset
    teachers: tuple[Run, ...]
    start: Run | None  # the run whose model is trained on, if there is one

    @property
    def origins(self) -> dict[str, Any]:
        """Digests of all that the weights come from, as JSON values: settings name only places."""
        return {
            "files": dict(self.dataset.sha256),
            "teachers": [teacher.sha256 for teacher in self.teachers],
            "start": self.start and self.start.sha256,
        }


def job(config: TrainConfig) -> Job:
    """Look up all that a training needs.

    Raises:
        UsageError: the runs that it builds on do not fit the pictures.
        InputError: the pictures cannot be had or are damaged.
        ModelError: the model of such a run is damaged.
    """
    if narrow(config):
        framework.leave_out_onednn()  # before a download may load TensorFlow
    pictures = dataset(config)
    teachers = tuple(runs.find(folder, pictures, "--teacher") for folder in config.teacher or ())
    return Job(config, pictures, teachers, start(config, pictures))


def dataset(config: TrainConfig) -> datasets.Dataset:
    """The pictures, and how the model will take them."""
    found = datasets.load(
        config.dataset, data_dir=config.data, size=config.size, color=config.color
    )
    found = replace(found, mirrors=found.mirrors or config.mirror)
    if config.limit is not None:
        found = found.limited(config.limit)
    return found if config.rescale else replace(found, image=_unscaled(found.image))


def start(config: TrainConfig, dataset: datasets.Dataset) -> Run | None:
    """The run whose model is trained on, if there is one."""
    if config.quantize is not None:
        return runs.find(config.quantize, dataset, "--quantize")
    if config.start is not None:
        return runs.find(config.start, dataset, "--start", any_classes=True)
    return None


def image(config: TrainConfig, image: ImageInput, start: Run | None) -> ImageInput:
    """The contract of the pictures, with the pixel range that a trained network is used to.

    A run that is trained on as int8 computes keeps its own; a new model that starts with its
    weights takes only the range, for the pictures are prepared as their data set says.

    Args:
        config: of the training.
        image: the data set's contract.
        start: the run whose model is trained on, if there is one.
    """
    if start and config.quantize is not None:
        return start.spec.image
    if start:
        return replace(image, mean=start.spec.image.mean, std=start.spec.image.std)
    if config.model != "transfer":
        return image
    from train import backbones

    return backbones.image(config, image)


def model(job: Job) -> Any:
    """The model to train: a new one, or a trained one that now rounds as int8 does.

    Raises:
        UsageError: the run to start from has a model of another shape.
    """
    from train import models, simulation

    config, dataset, start = job.config, job.dataset, job.start
    trained = runs.load(start.model) if start else None
    if start and config.quantize is not None:
        pictures = dataset.train.sample(_RANGE_IMAGES).images
        return simulation.simulated(trained, pictures, start.spec.image)
    new = models.build(config, dataset.image, len(dataset.labels))
    if start:
        _adopt(new, trained, config, same_classes=start.spec.labels == dataset.labels)
    return new


def _adopt(new: Any, trained: Any, config: TrainConfig, *, same_classes: bool) -> None:
    """Give a new model the weights of a trained one: the last layer's only for the same classes."""
    ours, theirs = _by_place(new), _by_place(trained)
    if [each.shape for each in ours.body] != [each.shape for each in theirs.body]:
        raise UsageError(
            f"--start {config.start} holds a model of another shape; give the same --model, "
            "--widths and the like as in its train.json"
        )
    pairs = list(zip(ours.body, theirs.body, strict=True))
    if same_classes:
        pairs += zip(ours.last, theirs.last, strict=True)
    for variable, value in pairs:
        variable.assign(value)


class _Weights(NamedTuple):
    body: list[Any]
    last: list[Any]  # of the only layer that depends on the classes


def _by_place(model: Any) -> _Weights:
    from train.models import LAST

    weights = _Weights([], [])
    for layer in model.layers:
        (weights.last if layer.name == LAST else weights.body).extend(layer.weights)
    return weights


def narrow(config: TrainConfig) -> bool:
    """Whether oneDNN would damage memory, as it does in TensorFlow 2.21.

    The gradient of a strided convolution of 1 x 1 with fewer than 16 channels at its input writes
    where it must not when the number of pictures is odd, as it may be in an epoch's last batch.
    """
    if config.quantize is not None:
        made_by = config.quantize / recipe.NAME
        return made_by.is_file() and narrow(TrainConfig(**recipe.read(made_by)))
    return config.model == "resnet" and any(width < 16 for width in (config.widths or ())[:-1])


def _unscaled(image: ImageInput) -> ImageInput:
    return replace(image, mean=(0.0,) * image.channels, std=(1.0,) * image.channels)
