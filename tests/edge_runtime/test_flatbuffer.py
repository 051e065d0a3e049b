from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.modelfile import flatbuffer


@given(st.binary(max_size=200))
def test_junk_is_a_value_error_or_a_table(data: bytes) -> None:
    try:
        table = flatbuffer.root(data)
        table.number(0, "i")
        table.tables(1)
        table.numbers(2, "q")
        table.text(3)
        table.table(4)
    except ValueError:
        pass


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "byte 0 of 0"),
        (b"\xff\xff\xff\xff", "byte 4294967295 of 4"),
        (b"\4\0\0\0\0\0\0\x80", "of 8"),
    ],
)
def test_damage_is_named_by_its_place(data: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        flatbuffer.root(data)


def test_a_list_that_claims_to_be_endless_is_refused() -> None:
    # root → table at 12 with its vtable at 4: one field, a vector of 2**31 entries
    vtable = (6).to_bytes(2, "little") + (8).to_bytes(2, "little") + (4).to_bytes(2, "little")
    table = (8).to_bytes(4, "little") + (4).to_bytes(4, "little") + (2**31).to_bytes(4, "little")
    data = (12).to_bytes(4, "little") + vtable + b"\0\0" + table
    with pytest.raises(ValueError, match="a list of 2147483648 entries that passes the end"):
        flatbuffer.root(data).numbers(0, "i")
