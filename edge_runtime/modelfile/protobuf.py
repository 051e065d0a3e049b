"""A small walker over protobuf messages: enough of the wire format for ONNX files, and no package.

https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

Bytes = bytes | memoryview

_VARINT: Final = 0
_LENGTH_DELIMITED: Final = 2
_FIXED_BYTES: Final = {1: 8, 5: 4}  # wire type → size


def write(number: int, value: bytes) -> bytes:
    """One length-delimited field: bytes, text or a message."""
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(value)) + value


def read(message: Bytes) -> Iterator[tuple[int, int | Bytes]]:
    """The fields of one message as (number, value); those of fixed size are stepped over.

    Slices of a memoryview are memoryviews, which copy nothing.

    Raises:
        ValueError: the bytes end inside a field, or are no protobuf message.
    """
    position = 0
    while position < len(message):
        tag, position = _read_varint(message, position)
        if tag < 8:  # fields count from 1; a file lost in a power cut is all zeros
            raise ValueError(f"field 0 at byte {position}")
        wire_type = tag & 7
        if wire_type == _VARINT:
            value, position = _read_varint(message, position)
            yield tag >> 3, value
        elif wire_type in _FIXED_BYTES:
            position += _FIXED_BYTES[wire_type]
        elif wire_type == _LENGTH_DELIMITED:
            length, position = _read_varint(message, position)
            end = position + length
            if end <= len(message):
                yield tag >> 3, message[position:end]
            position = end
        else:
            raise ValueError(f"wire type {wire_type} at byte {position}")
        if position > len(message):
            raise ValueError("cut short inside a field")


def delimited(message: Bytes, number: int | None = None) -> Iterator[tuple[int, Bytes]]:
    """Those fields of `read` that are bytes, text or messages; only those with `number`, if given."""
    for found, value in read(message):
        if not isinstance(value, int) and number in (None, found):
            yield found, value


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _read_varint(data: Bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise ValueError("cut short inside a number")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError(f"a number of more than ten bytes at byte {position}")
