"""SHA-256 without OpenSSL, where that is quicker."""

from __future__ import annotations

import importlib
from typing import Any, Final

# `hashlib` loads OpenSSL: 4 ms and 3.5 MiB, by which Python's own code has done this many bytes.
_SMALL: Final = 1 << 20


def sha256(data: bytes | memoryview) -> str:
    """The SHA-256 of some bytes, 64 hexadecimal digits."""
    digest: str = _implementation(len(data))(data).hexdigest()
    return digest


def _implementation(size: int) -> Any:
    if size <= _SMALL:
        for module in ("_sha2", "_sha256"):  # from Python 3.12 on, and before
            try:
                return importlib.import_module(module).sha256
            except ImportError:
                continue
    return importlib.import_module("hashlib").sha256
