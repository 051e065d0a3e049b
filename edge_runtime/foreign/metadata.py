"""The standard TFLite Metadata and the files packed with it, in the words of the flags.

Field numbers are those of `metadata_schema.fbs` (tensorflow/tflite-support, identifier M001).
`export/formats/tflite_metadata.py` writes what is read here.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator
from typing import Final

from edge_runtime import labels, modelfile
from edge_runtime.description import Color, Description
from edge_runtime.errors import InputError
from edge_runtime.modelfile import flatbuffer
from edge_runtime.modelfile.flatbuffer import Table

_NAME: Final = "TFLITE_METADATA"
_NORMALIZATION: Final = 1  # ProcessUnitOptions
_IMAGE: Final = 2  # ContentProperties
_TENSOR_AXIS_LABELS: Final = 2  # AssociatedFileType
_COLORS: Final[dict[int, Color]] = {1: "rgb", 2: "gray"}  # ColorSpaceType
_USUAL_NAMES: Final = ("labels.txt", "labelmap.txt", "label.txt")


def read(data: bytes, model: Table) -> Description:
    """What metadata and packed files say; nothing where there are none.

    Args:
        data: the whole file.
        model: its flatbuffer's root.

    Raises:
        ValueError: the metadata is damaged.
        InputError: the labels inside cannot be read.
    """
    inputs, outputs = _tensors(model)
    mean, std = _normalisation(inputs)
    return Description(
        labels=_labels(data, [name for tensor in outputs for name in _label_files(tensor)]),
        color=next((color for tensor in inputs for color in _color(tensor)), None),
        mean=mean,
        std=std,
    )


def _tensors(model: Table) -> tuple[list[Table], list[Table]]:
    """What is said of the inputs and of the outputs."""
    buffers = model.tables(4)
    for entry in model.tables(6):
        index = entry.number(1, "I")
        if entry.text(0) == _NAME and index < len(buffers):
            root = flatbuffer.root(buffers[index].content(0))
            for subgraph in root.tables(3)[:1]:
                return subgraph.tables(2), subgraph.tables(3)
    return [], []


def _normalisation(
    inputs: list[Table],
) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    for tensor in inputs:
        for unit in tensor.tables(4):
            options = unit.table(1)
            if unit.number(0, "B") == _NORMALIZATION and options is not None:
                mean, std = options.numbers(0, "f"), options.numbers(1, "f")
                # What is no pixel unit is as good as not said: a flag can still say it.
                if mean and len(mean) == len(std) and all(map(math.isfinite, mean + std)):
                    return (mean, std) if min(std) >= 1 else (None, None)
    return None, None


def _color(tensor: Table) -> Iterator[Color]:
    content = tensor.table(3)
    properties = content.table(1) if content and content.number(0, "B") == _IMAGE else None
    if properties and properties.number(0, "b") in _COLORS:
        yield _COLORS[properties.number(0, "b")]


def _label_files(tensor: Table) -> Iterator[str]:
    for file in tensor.tables(6):
        if file.number(2, "b") == _TENSOR_AXIS_LABELS:
            yield file.text(0)


def _labels(data: bytes, recorded: list[str]) -> tuple[str, ...] | None:
    """Labels from the archive behind the flatbuffer: the file on record, else one of a usual name."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            for name in (*recorded, *_USUAL_NAMES):
                if name in names:
                    with archive.open(name) as file:
                        content = file.read(labels.MAX_BYTES + 1)
                    return labels.parse(content, f"{name} inside the model file")
    except (*modelfile.ZIP_ERRORS, InputError):
        return None  # nothing packed, or nothing that can be unpacked: a flag can still say it
    return None
