"""A small reader of flatbuffers: enough for what TFLite files say of themselves, and no package.

Every access is checked against the end of the bytes, so that a damaged file is a ValueError and
nothing else. https://flatbuffers.dev/internals
"""

from __future__ import annotations

import struct
from typing import Any, Final

_MOST: Final = 1 << 17  # entries of one vector of tables; real models have a few thousand


class Table:
    """One table. Its fields go by number, counted from 0 in the order of the schema."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self._position = position
        self._vtable = position - _unpack("<i", data, position)
        self._vtable_bytes = _unpack("<H", data, self._vtable)

    def number(self, field: int, code: str, default: int = 0) -> int:
        """A number; `code` is its type in the words of `struct`."""
        place = self._place(field)
        return default if place is None else _unpack(f"<{code}", self._data, place)

    def table(self, field: int) -> Table | None:
        """A table, or None where it is absent."""
        place = self._place(field)
        return None if place is None else Table(self._data, _follow(self._data, place))

    def tables(self, field: int) -> list[Table]:
        """A vector of tables; empty where it is absent."""
        start, count = self._vector(field, 4)
        if count > _MOST:
            raise ValueError(f"a list of {count} entries")
        places = range(start, start + 4 * count, 4)
        return [Table(self._data, _follow(self._data, place)) for place in places]

    def numbers(self, field: int, code: str) -> tuple[Any, ...]:
        """A vector of numbers; empty where it is absent."""
        size = struct.calcsize(f"<{code}")
        start, count = self._vector(field, size)
        if count > _MOST:
            raise ValueError(f"a list of {count} numbers")
        return struct.unpack_from(f"<{count}{code}", self._data, start)

    def content(self, field: int) -> bytes:
        """A vector of bytes, or a text as bytes; empty where it is absent."""
        start, count = self._vector(field, 1)
        return self._data[start : start + count]

    def text(self, field: int) -> str:
        """A text; empty where it is absent."""
        return self.content(field).decode(errors="replace")

    def _place(self, field: int) -> int | None:
        entry = 4 + 2 * field
        if entry + 2 > self._vtable_bytes:
            return None
        offset = _unpack("<H", self._data, self._vtable + entry)
        return self._position + offset if offset else None

    def _vector(self, field: int, size: int) -> tuple[int, int]:
        """Where the entries of a vector begin, and how many there are."""
        place = self._place(field)
        if place is None:
            return 0, 0
        start = _follow(self._data, place)
        count = _unpack("<I", self._data, start)
        if start + 4 + count * size > len(self._data):
            raise ValueError(f"a list of {count} entries that passes the end")
        return start + 4, count


def root(data: bytes) -> Table:
    """The first table.

    Raises:
        ValueError: here or from the table's methods, where the bytes are no flatbuffer.
    """
    return Table(data, _follow(data, 0))


def _follow(data: bytes, place: int) -> int:
    return place + _unpack("<I", data, place)


def _unpack(code: str, data: bytes, place: int) -> int:
    if not 0 <= place <= len(data) - struct.calcsize(code):
        raise ValueError(f"byte {place} of {len(data)}")
    value: int = struct.unpack_from(code, data, place)[0]
    return value
