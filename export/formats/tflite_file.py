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
    builder = _Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def slim(model: Any) -> None:
    """Take out of a `schema.ModelT` what no engine reads: in small models it outweighs the weights.

    Engines address tensors by number, and Keras counts its names up for as long as a process
    lives; the converter's notes about itself are in the spec, where they matter.
    """
    model.description, model.metadata, model.metadataBuffer = None, None, None
    used = used_codes(model)
    codes = [model.operatorCodes[index] for index in used]
    for graph in model.subgraphs:
        graph.name = None
        for operator in graph.operators:
            operator.opcodeIndex = used.index(operator.opcodeIndex)
        for tensor in graph.tensors:
            tensor.name = None
            if tensor.quantization is not None and tensor.quantization.scale is None:
                tensor.quantization = None
    model.operatorCodes = codes
    _share_buffers(model)


def used_codes(model: Any) -> list[int]:
    """Which of a `schema.ModelT`'s operation codes are used; changing input types leaves others."""
    graphs = model.subgraphs
    return sorted({operator.opcodeIndex for graph in graphs for operator in graph.operators})


def _share_buffers(model: Any) -> None:
    """Let equal contents be one buffer; number 0 is the empty one, by the schema."""
    shared: dict[bytes, int] = {b"": 0}
    buffers = [schema.BufferT()]
    for tensor in (tensor for graph in model.subgraphs for tensor in graph.tensors):
        data = model.buffers[tensor.buffer].data
        content = b"" if data is None else bytes(data)
        if content not in shared:
            shared[content] = len(buffers)
            buffers.append(model.buffers[tensor.buffer])
        tensor.buffer = shared[content]
    model.buffers = buffers


def add_metadata(model: Any, name: str, content: bytes) -> None:
    """Add a named buffer to a `schema.ModelT`."""
    buffer = schema.BufferT()
    buffer.data = content
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]


class _Builder(flatbuffers.Builder):  # type: ignore[misc]
    """Writes equal vectors of numbers once, such as the zero points of all layers."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: NDArray[Any]) -> int:  # noqa: N802  flatbuffers calls it so
        key = (x.dtype.str, x.tobytes())
        if key not in self._written:
            self._written[key] = super().CreateNumpyVector(x)
        return self._written[key]


def dequantize_input(model: Any, like: Any) -> None:
    """Let a `schema.ModelT` with a float input take integers, as another model's input does."""
    graph, other = model.subgraphs[0], like.subgraphs[0]
    (inner,) = graph.inputs
    image = other.tensors[other.inputs[0]]
    image.buffer = 0
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = 2 if image.type == schema.TensorType.INT8 else 1
    operator = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes)
    operator.inputs, operator.outputs = [len(graph.tensors)], [inner]
    operator.builtinOptionsType = schema.BuiltinOptions.DequantizeOptions
    operator.builtinOptions = schema.DequantizeOptionsT()
    graph.inputs = [len(graph.tensors)]
    graph.tensors.append(image)
    graph.operators.insert(0, operator)
    model.operatorCodes.append(code)
    for signature in model.signatureDefs or []:
        signature.inputs[0].tensorIndex = graph.inputs[0]


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
