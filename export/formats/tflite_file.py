"""The TFLite flatbuffer as Python objects, and back, with LiteRT's own schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import flatbuffers
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

_ALIGNMENT: Final = 16  # tflite/schema: `data:[ubyte] (force_align: 16)`


def unpack(model: bytes) -> Any:
    """A `schema.ModelT`, to be changed at will."""
    return schema.ModelT.InitFromPackedBuf(model, 0)


def pack(model: Any) -> bytes:
    """The bytes of a `schema.ModelT`, every buffer aligned as the schema asks."""
    model.buffers = [_Buffer(buffer.data) for buffer in model.buffers]
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def add_metadata(model: Any, name: str, content: bytes) -> None:
    """Add a named buffer to a `schema.ModelT`."""
    buffer = schema.BufferT()
    buffer.data = content
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]


@dataclass(frozen=True, eq=False)
class _Buffer:
    """Stands in for `schema.BufferT`, because flatbuffers' Python code ignores `force_align`.

    TensorFlow's converter packs with that code, so its weights lie at odd addresses.
    """

    data: NDArray[Any] | bytes | None

    def Pack(self, builder: Any) -> int:  # noqa: N802  the generated code calls it so
        if self.data is not None:
            data = bytes(self.data)
            builder.Prep(_ALIGNMENT, len(data))
            vector = builder.CreateByteVector(data)
            schema.BufferStart(builder)
            schema.BufferAddData(builder, vector)
        else:
            schema.BufferStart(builder)
        return int(schema.BufferEnd(builder))
