"""The standard TFLite Metadata, which MediaPipe, ML Kit and Android Studio read.

Written field by field, since no package that can be installed today writes it. The field numbers
are those of `metadata_schema.fbs` (tensorflow/tflite-support, identifier M001), counted from 0;
a union takes two, its type and its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edge_runtime.preprocess import pixel_table
from edge_runtime.spec import ImageInput, ModelSpec
from export.formats.tflite_file import add_metadata, pack, slim, unpack

_NAME: Final = "TFLITE_METADATA"
_IDENTIFIER: Final = b"M001"
_MIN_PARSER_VERSION: Final = "1.0.0"  # nothing here is younger
_TENSOR_AXIS_LABELS: Final = 2  # AssociatedFileType
_COLOR_SPACE: Final = {"rgb": 1, "gray": 2}  # ColorSpaceType
_FEATURE, _IMAGE = 1, 2  # ContentProperties
_NORMALIZATION: Final = 1  # ProcessUnitOptions


def annotate(model: bytes, spec: ModelSpec) -> bytes:
    """Add the standard metadata, and nothing but it."""
    unpacked = unpack(model)
    slim(unpacked)
    graph = unpacked.subgraphs[0]
    (image,), (scores,) = (
        [graph.tensors[index] for index in indices] for indices in (graph.inputs, graph.outputs)
    )
    image.name, scores.name = "image", "scores"
    for signature in unpacked.signatureDefs:
        signature.inputs[0].name, signature.outputs[0].name = "image", "scores"
    add_metadata(unpacked, _NAME, metadata(spec, image.type))
    return pack(unpacked)


def metadata(spec: ModelSpec, input_type: int) -> bytes:
    """The content of the metadata buffer: a flatbuffer with the root ModelMetadata.

    Args:
        spec: name, labels and picture contract.
        input_type: the input's `schema.TensorType`.
    """
    builder = flatbuffers.Builder(1024)
    subgraph = _table(
        builder,
        {
            2: _vector(builder, [_image_tensor(builder, spec.image, input_type)]),
            3: _vector(builder, [_scores_tensor(builder, spec)]),
        },
    )
    root = _table(
        builder,
        {
            0: builder.CreateString(spec.name),
            1: builder.CreateString(f"Classifies pictures into {len(spec.labels)} labels"),
            2: builder.CreateString(spec.version),
            3: _vector(builder, [subgraph]),
            7: builder.CreateString(_MIN_PARSER_VERSION),
        },
    )
    builder.Finish(root, file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def _image_tensor(builder: Any, image: ImageInput, input_type: int) -> int:
    # Pixel units 0..255, for quantized models too: "Quantized models share the same normalization
    # parameters as their corresponding float models" (metadata_schema.fbs).
    normalization = {0: _floats(builder, image.mean), 1: _floats(builder, image.std)}
    unit = {1: _table(builder, normalization)}
    low, high = _limits(image, input_type)
    return _table(
        builder,
        {
            0: builder.CreateString("image"),
            1: builder.CreateString(f"{image.width} x {image.height} pixels, {image.color}"),
            3: _content(builder, _IMAGE, _table(builder, {}, {0: _COLOR_SPACE[image.color]})),
            4: _vector(builder, [_table(builder, unit, {0: _NORMALIZATION})]),
            5: _table(builder, {0: _floats(builder, high), 1: _floats(builder, low)}),
        },
    )


def _scores_tensor(builder: Any, spec: ModelSpec) -> int:
    labels = _table(
        builder,
        {0: builder.CreateString("labels.txt"), 1: builder.CreateString("One label a line")},
        {2: _TENSOR_AXIS_LABELS},
    )
    return _table(
        builder,
        {
            0: builder.CreateString("scores"),
            1: builder.CreateString(f"One of the {spec.scores} for each label"),
            3: _content(builder, _FEATURE, _table(builder, {})),
            6: _vector(builder, [labels]),
        },
    )


def _content(builder: Any, kind: int, properties: int) -> int:
    return _table(builder, {1: properties}, {0: kind})


def _limits(image: ImageInput, input_type: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Smallest and largest value of the input tensor, channel by channel."""
    if input_type == schema.TensorType.UINT8:
        return (0.0,), (255.0,)
    table = pixel_table(image)
    return tuple(table.min(axis=1).tolist()), tuple(table.max(axis=1).tolist())


def _table(
    builder: Any, offsets: Mapping[int, int], bytes_: Mapping[int, int] | None = None
) -> int:
    """A table from field numbers to what was built before, and to enumeration values."""
    values = bytes_ or {}
    builder.StartObject(max([*offsets, *values], default=-1) + 1)
    for field, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(field, offset, 0)
    for field, value in values.items():
        builder.PrependUint8Slot(field, value, 0)
    return int(builder.EndObject())


def _vector(builder: Any, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _floats(builder: Any, values: tuple[float, ...]) -> int:
    return int(builder.CreateNumpyVector(np.array(values, dtype=np.float32)))
