"""Protocol buffers, the container of ONNX files, from Python values: as many of them as are needed.

https://protobuf.dev/programming-guides/encoding describes the bytes.
"""

from __future__ import annotations


def message(*fields: tuple[int, int | str | bytes]) -> bytes:
    """A message of numbered fields, in order; a field may come more than once.

    Args:
        fields: numbers and values: a whole number, text, or bytes, which may be a message.
    """
    return b"".join(_field(number, value) for number, value in fields)


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last have their highest bit set."""
    groups = bytearray()
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    return bytes([*groups, value])
