"""Flatbuffers, the container of TFLite files, from Python values.

A device has no package that writes them: tflite-runtime comes without its schema.
https://flatbuffers.dev/internals describes the bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_BLOB_ALIGNMENT: Final = 16  # of bytes: what TFLite's schema asks for weights


@dataclass(frozen=True)
class Scalar:
    """A number in a table; `kind` is its letter in `struct`."""

    kind: str
    value: int


@dataclass(frozen=True)
class Numbers:
    """A vector of numbers; `kind` is their letter in `struct`."""

    kind: str
    values: Sequence[float]


@dataclass(frozen=True)
class Tables:
    """A vector of tables."""

    tables: Sequence[Table]


Table = Mapping[int, "Scalar | Value"]  # from the number of a field
Value = Numbers | Tables | str | bytes | Table  # all that has a place of its own


def serialize(root: Table, identifier: bytes) -> bytes:
    """The file whose root is this table.

    Args:
        root: the table.
        identifier: four bytes that say what kind of file it is.
    """
    data = bytearray(4) + identifier
    struct.pack_into("<I", data, 0, _append(data, root))
    return bytes(data)


def _append(data: bytearray, value: Value) -> int:
    """Write a value that stands in a place of its own, and return the place."""
    match value:
        case Numbers(kind, values):
            packed = struct.pack(f"<{len(values)}{kind}", *values)
            return _vector(data, len(values), packed, struct.calcsize(kind))
        case bytes():
            return _vector(data, len(value), value, _BLOB_ALIGNMENT)
        case str():
            return _vector(data, len(value.encode()), value.encode() + b"\0", 1)
        case Tables(tables):
            place = _vector(data, len(tables), bytes(4 * len(tables)), 4)
            for index, table in enumerate(tables):
                _point(data, place + 4 + 4 * index, table)
            return place
        case _:
            return _table(data, value)


def _vector(data: bytearray, length: int, content: bytes, alignment: int) -> int:
    data += bytes(-(len(data) + 4) % max(4, alignment))
    place = len(data)
    data += struct.pack("<I", length) + content
    return place


def _table(data: bytearray, fields: Table) -> int:
    """Write the list of the fields' places, the fields, and then what they point to."""
    kinds = {slot: one.kind if isinstance(one, Scalar) else "I" for slot, one in fields.items()}
    places, size = {}, 4
    for slot, kind in kinds.items():
        width = struct.calcsize(kind)
        size += -size % width
        places[slot] = size
        size += width
    slots = [places.get(slot, 0) for slot in range(max(fields, default=-1) + 1)]
    listed = struct.pack(f"<{2 + len(slots)}H", 4 + 2 * len(slots), size, *slots)
    data += bytes(-(len(data) + len(listed)) % 8)
    data += listed
    table = len(data)
    data += struct.pack("<i", len(listed)) + bytes(size - 4)
    for slot, value in fields.items():
        if isinstance(value, Scalar):
            struct.pack_into(f"<{value.kind}", data, table + places[slot], value.value)
        else:
            _point(data, table + places[slot], value)
    return table


def _point(data: bytearray, place: int, value: Value) -> None:
    """Write a value at the end, and its distance at a place before it."""
    struct.pack_into("<I", data, place, _append(data, value) - place)
