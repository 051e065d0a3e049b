"""Which operations a TFLite model uses, and the oldest engine that has them."""

from __future__ import annotations

from typing import Any, Final

from ai_edge_litert import schema_py_generated as schema

from edge_runtime.errors import ModelError
from export.formats import Needs
from export.formats.tflite_file import unpack, used_codes

_NAMES: Final = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
}
# The converter notes the oldest engine before it makes activations 16 bits wide, and not again.
# These are the operations' first versions that know them (tensorflow/lite/tools/versioning).
_WIDE: Final = (2, 4, 0)


def needs(model: bytes) -> Needs:
    """See `export.formats.Converter.needs`."""
    unpacked = unpack(model)
    codes = [unpacked.operatorCodes[index] for index in used_codes(unpacked)]
    foreign = [bytes(code.customCode).decode() for code in codes if code.customCode]
    if foreign:
        raise ModelError(
            f"{', '.join(foreign)} exists in TensorFlow only, not in the small engines; "
            "build the model with other layers"
        )
    oldest = max(_noted(unpacked), _WIDE if _is_wide(unpacked) else (0, 0, 0))
    return Needs(
        operations={_NAMES[code.builtinCode]: code.version for code in codes},
        runtime=f"TensorFlow Lite {'.'.join(map(str, oldest))}",
    )


def _noted(model: Any) -> tuple[int, ...]:
    """What the converter notes in the file."""
    for entry in model.metadata or []:
        if entry.name == b"min_runtime_version":
            text = bytes(model.buffers[entry.buffer].data).rstrip(b"\0").decode()
            return tuple(int(part) for part in text.split("."))
    raise ModelError("the converter does not say which engines run the file; report this as a bug")


def _is_wide(model: Any) -> bool:
    tensors = model.subgraphs[0].tensors
    return any(tensor.type == schema.TensorType.INT16 for tensor in tensors)
