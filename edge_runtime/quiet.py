"""Hiding what native libraries print past Python, while a model is loaded."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2
# Threads share descriptors: two that save and restore one at the same time could lose it.
_one_at_a_time = threading.RLock()


def is_verbose() -> bool:
    """Whether what engines print is wanted."""
    return os.environ.get("EDGE_RUNTIME_VERBOSE", "0") not in ("", "0")


@contextmanager
def native_output_hidden() -> Iterator[None]:
    """Point file descriptor 2 at nothing for the length of the block.

    LiteRT announces its XNNPACK delegate there whatever the logging variables say.
    EDGE_RUNTIME_VERBOSE=1 lets everything through.
    """
    if is_verbose() or sys.stderr is None:  # a service may have been started without stderr
        yield
        return
    with _one_at_a_time:
        sys.stderr.flush()
        saved = os.dup(_STDERR)
        nothing = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nothing, _STDERR)
            yield
        finally:
            os.dup2(saved, _STDERR)
            os.close(saved)
            os.close(nothing)
