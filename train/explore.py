"""`python -m train explore`: what a data set holds, before anything is trained on it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge_runtime.files import write_atomically
from train import framework
from train.datasets import Dataset, Split


def explore(dataset: Dataset, plot: Path, *, overwrite: bool) -> list[str]:
    """Describe a data set, and draw its first 25 training pictures.

    Args:
        dataset: what was read.
        plot: the PNG file to write.
        overwrite: it may be there already.

    Returns:
        Lines for a reader.

    Raises:
        OutputError: `plot` exists or cannot be written.
        EngineError: TensorFlow or another package is not installed.
    """
    framework.load(verbose=False)
    write_atomically(plot, _samples(dataset), overwrite=overwrite)
    return [*_describe(dataset), "", *_surroundings(), "", f"Written: {plot}"]


def _describe(dataset: Dataset) -> Iterator[str]:
    yield f"{dataset.name}, from {dataset.folder}"
    splits = {
        "training": dataset.train,
        "validation": dataset.validation,
        "test": dataset.test,
    }
    for name, split in splits.items():
        yield f"{name + ':':<12}{_split(split)}"
    yield ""
    width = max(map(len, dataset.labels))
    yield f"{'class':<{width + 4}}" + "".join(f"{name:>12}" for name in splits)
    counts = [split.counts(len(dataset.labels)) for split in splits.values()]
    for index, label in enumerate(dataset.labels):
        numbers = "".join(f"{count[index]:>12,}" for count in counts)
        yield f"{index:>2}  {label:<{width}}{numbers}"


def _split(split: Split) -> str:
    count, height, width, channels = split.images.shape
    colour = "grey" if channels == 1 else "RGB"
    return (
        f"{count:>7,} pictures of {height} x {width} pixels, {colour}, {split.images.dtype} "
        f"{split.images.min()}..{split.images.max()}, mean {split.images.mean():.1f}"
    )


def _surroundings() -> Iterator[str]:
    import tensorflow as tf

    from train.save import versions

    yield ", ".join(f"{name} {number}" for name, number in versions().items())
    devices: list[Any] = tf.config.list_physical_devices()
    names = [device.name.removeprefix("/physical_device:") for device in devices]
    yield f"devices: {', '.join(names)}"


def _samples(dataset: Dataset) -> bytes:
    from train import plots

    buffer = io.BytesIO()
    with plots.style():
        train = dataset.train
        plots.samples(train.images[:25], train.labels[:25], dataset.labels).savefig(buffer)
    return buffer.getvalue()
