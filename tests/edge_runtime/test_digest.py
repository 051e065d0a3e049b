from __future__ import annotations

import hashlib

import pytest

from edge_runtime.modelfile.digest import sha256


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1])
def test_the_digest_is_the_standard_one_whoever_computes_it(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert sha256(data) == hashlib.sha256(data).hexdigest()
    assert sha256(memoryview(data)[: size // 2]) == hashlib.sha256(data[: size // 2]).hexdigest()
