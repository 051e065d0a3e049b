"""`.npz` files that nobody has checked."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from edge_runtime import npz


def file(**arrays: object) -> io.BytesIO:
    data = io.BytesIO()
    np.savez(data, **arrays)  # type: ignore[arg-type]
    return data


def test_only_the_arrays_that_are_asked_for_are_unpacked() -> None:
    found = npz.read(file(a=np.arange(3), b=np.array([{}], object)), "a", "c")
    assert list(found) == ["a"]
    assert found["a"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (io.BytesIO(b"images"), "it is no zip archive, or was cut short"),
        (file(a=np.array([{}], object)), "Object arrays cannot be loaded"),
        (file(a=np.zeros(1000)), "it unpacks to more than 500 bytes"),
    ],
)
def test_what_is_wrong_is_one_kind_of_error(data: io.BytesIO, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        npz.read(data, "a", max_bytes=500)


def test_a_member_that_is_no_array_is_none() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a", b"just bytes")
    with pytest.raises(ValueError, match="its a is no array"):
        npz.read(data, "a")
