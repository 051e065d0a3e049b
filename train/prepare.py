"""What a training starts from: the pictures, how the model takes them, and its first weights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from edge_runtime.spec import ImageInput
from train import datasets, recipe
from train.config import TrainConfig
from train.runs import Run

_RANGE_IMAGES: Final = 1000  # training pictures that show which values a model to quantize keeps


def dataset(config: TrainConfig) -> datasets.Dataset:
    """The pictures, and how the model will take them."""
    found = datasets.load(
        config.dataset, data_dir=config.data, size=config.size, color=config.color
    )
    found = replace(found, mirrors=found.mirrors or config.mirror)
    if config.limit is not None:
        found = found.limited(config.limit)
    return found if config.rescale else replace(found, image=_unscaled(found.image))


def image(config: TrainConfig, image: ImageInput, start: Run | None) -> ImageInput:
    """The contract of the pictures, with the pixel range that a trained network is used to.

    Args:
        config: of the training.
        image: the data set's contract.
        start: the run whose model is trained on, if there is one.
    """
    if start:
        return start.spec.image
    if config.model != "transfer":
        return image
    from train import backbones

    return backbones.image(config, image)


def model(config: TrainConfig, dataset: datasets.Dataset, start: Run | None) -> Any:
    """The model to train: a new one, or a trained one that now rounds as int8 does."""
    import keras

    from train import models, simulation

    if start is None:
        return models.build(config, dataset.image, len(dataset.labels))
    trained = keras.saving.load_model(start.model, compile=False)
    pictures = dataset.train.sample(_RANGE_IMAGES).images
    return simulation.simulated(trained, pictures, start.spec.image)


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
