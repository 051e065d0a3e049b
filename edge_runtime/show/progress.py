"""How far a long list is: one line on a terminal that writes over itself."""

from __future__ import annotations

import sys
from time import monotonic
from typing import TextIO

_EVERY_S = 0.2
_LONG = 20  # pictures: fewer are done before one could read it


class Progress:
    """Counts to `total` on stderr, where a person looks at it and results go elsewhere."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._total = total
        self._count = 0
        self._started = self._last = monotonic()
        self._shown = False
        terminal = self._stream is not None and self._stream.isatty()
        self._wanted = terminal and total >= _LONG

    def step(self) -> None:
        """One more is done."""
        self._count += 1
        now = monotonic()
        if self._wanted and now - self._last >= _EVERY_S:
            self._last, self._shown = now, True
            left_s = (now - self._started) / self._count * (self._total - self._count)
            left = f"{left_s // 60:.0f}:{left_s % 60:02.0f} left"
            self._stream.write(f"\r\x1b[K{self._count:,} of {self._total:,}, {left}")
            self._stream.flush()

    def clear(self) -> None:
        """Make room for a line of another kind."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = False
